"""Who is calling, decided from a verified access token and nothing else."""

from lkps_core.identity.authenticate import Authenticator
from lkps_core.identity.authority import check_authority, check_tenant_id
from lkps_core.identity.claims import Rules
from lkps_core.identity.keys import Keys, KeySource
from lkps_core.identity.principal import Kind, Principal, PrincipalId

__all__ = [
    "Authenticator",
    "KeySource",
    "Keys",
    "Kind",
    "Principal",
    "PrincipalId",
    "Rules",
    "check_authority",
    "check_tenant_id",
]
