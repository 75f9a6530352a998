"""Who is calling: what is left of an access token once every rule has accepted it."""

from dataclasses import dataclass
from typing import Literal

from lkps_core.identity.permissions import Permission

type Kind = Literal["app", "user"]


@dataclass(frozen=True, slots=True, order=True)
class PrincipalId:
    """What records are keyed on: an object of a tenant, be it a user or a service principal."""

    tid: str
    oid: str


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller; `azp` is the client application that it calls with.

    `permissions` holds what counts: the app roles of an application, or the scopes of a user, of
    which `Platform.Admin` and `Audit.Read` only together with the user's role. `groups` are a
    user's Entra groups, by object id; with `groups_overage` the token has too many to name them.
    """

    kind: Kind
    tid: str
    oid: str
    azp: str
    uti: str
    permissions: frozenset[str]
    groups: frozenset[str] = frozenset()
    groups_overage: bool = False

    @property
    def id(self) -> PrincipalId:
        return PrincipalId(self.tid, self.oid)

    def may(self, *wanted: Permission) -> bool:
        """Whether one of the wanted permissions is held."""
        return any(not self.permissions.isdisjoint(permission) for permission in wanted)
