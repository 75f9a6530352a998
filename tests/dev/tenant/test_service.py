"""The service's own verifier believes the stand-in's tokens, as it would Entra's."""

from datetime import UTC, datetime

import pytest

from dev.tenant.description import Tenant
from lkps_core.adapters.entra import EntraKeySource
from lkps_core.errors import TokenInvalid
from lkps_core.identity.authenticate import Authenticator
from lkps_core.identity.claims import Rules
from lkps_core.identity.keys import Keys
from lkps_core.identity.principal import Principal


def utc_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def service(tenant: Tenant) -> Authenticator:
    issuer = f"{tenant.authority}/{tenant.tenant_id}/v2.0"
    keys = Keys(EntraKeySource(tenant.authority, tenant.tenant_id), issuer, utc_now)
    return Authenticator(keys, Rules(issuer, tenant.tenant_id, tenant.audience))


async def authenticated(service: Authenticator, token: str) -> Principal:
    return await service.authenticate(f"Bearer {token}", utc_now())


async def test_every_identity_is_who_the_tenant_says_and_may_what_it_says(
    tenant: Tenant, service: Authenticator
) -> None:
    for identity in tenant.identities:
        caller = await authenticated(service, await tenant.access_token(identity.name))
        assert (caller.kind, caller.tid) == (identity.kind, tenant.tenant_id)
        assert (caller.oid, caller.azp) == (identity.object_id, identity.client_id)
        assert caller.permissions == set(identity.scopes or identity.roles)


async def test_a_token_under_an_unseen_key_is_believed_after_a_rotation(
    tenant: Tenant, service: Authenticator
) -> None:
    await authenticated(service, await tenant.access_token("client"))
    await tenant.rotate_keys()
    caller = await authenticated(service, await tenant.access_token("client"))
    assert caller.oid == tenant.identity("client").object_id


async def test_a_crafted_token_is_refused_for_what_was_changed(
    tenant: Tenant, service: Authenticator
) -> None:
    token = await tenant.crafted_token("client", claims={"ver": "1.0"})
    with pytest.raises(TokenInvalid):
        await authenticated(service, token)
    untouched = await tenant.crafted_token("client")
    assert (await authenticated(service, untouched)).permissions == {"LKPS.Client"}
