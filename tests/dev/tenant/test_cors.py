"""Pages on loopback read what the tenant answers, and no others do."""

import aiohttp
import pytest

from dev.tenant.description import Tenant


@pytest.mark.parametrize(
    ("origin", "readable"),
    [
        ("http://localhost:5173", True),
        ("http://127.0.0.1:5173", True),
        ("http://lkps.example", False),
        ("http://localhost.lkps.example", False),
        ("null", False),
    ],
)
async def test_a_page_may_read_tokens_when_it_is_on_loopback(
    tenant: Tenant, http: aiohttp.ClientSession, origin: str, *, readable: bool
) -> None:
    http.headers["Origin"] = origin
    endpoint = tenant.identity("alice").token_endpoint
    async with http.post(endpoint, data={}) as response:
        assert response.headers.get("Access-Control-Allow-Origin") == (origin if readable else None)
