"""Which browser pages may read the answers."""

from dataclasses import replace

import pytest

from lkps_core.api.endpoints import ENDPOINTS
from tests.builders.lkps import CLIENT, Lkps
from tests.builders.stepping import SteppingRooms

ORIGIN = "https://app.example"


async def test_a_page_of_an_allowed_origin_may_read_the_answer(lkps: Lkps) -> None:
    answer = await lkps.send("GET", "health/live", headers={"origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "https://other.example",
        "http://app.example",
        "https://app.example:444",
        "https://app.example.evil.example",
        "https://APP.example",
        f"{ORIGIN}, https://other.example",
        "*",
        "",
    ],
)
async def test_a_page_of_any_other_may_not(lkps: Lkps, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin}
    answer = await lkps.send("GET", "health/live", headers=headers)
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "session/start", 401),
        ("GET", "session/start", 405),
        ("GET", "session/unknown", 401),
        ("POST", "agent/register", 401),
    ],
)
async def test_errors_can_be_read_as_well(lkps: Lkps, method: str, path: str, status: int) -> None:
    answer = await lkps.send(method, path, {}, headers={"origin": ORIGIN})
    assert answer.status == status
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


async def test_a_defect_can_be_read_as_well(lkps: Lkps) -> None:
    await lkps.register()
    rooms = SteppingRooms(lkps.rooms)
    rooms.steps.fail("create", RuntimeError())
    failing = replace(lkps, rooms=rooms, seed=3)
    headers = {"origin": ORIGIN}
    body = {"agent_name": "concierge"}
    answer = await failing.send("POST", "session/start", body, by=CLIENT, headers=headers)
    assert answer.status == 500
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize("path", [endpoint.path for endpoint in ENDPOINTS])
async def test_every_address_answers_a_preflight_without_credentials(lkps: Lkps, path: str) -> None:
    headers = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,idempotency-key",
    }
    filled = path.replace("{id}", "any").replace("{name}", "any")
    answer = await lkps.send("OPTIONS", filled, headers=headers)
    assert (answer.status, answer.raw) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    (endpoint,) = [one for one in ENDPOINTS if one.path == path]
    assert answer.headers["Access-Control-Allow-Methods"] == answer.headers["Allow"]
    assert set(answer.headers["Allow"].split(", ")) == {*endpoint.operations, "OPTIONS"}
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "content-type", "idempotency-key", "x-request-id"} <= set(allowed)
    assert answer.headers["Access-Control-Max-Age"] == "600"
    assert lkps.rows == []


async def test_credentials_of_the_browser_are_never_asked_for(lkps: Lkps) -> None:
    answer = await lkps.send("OPTIONS", "session/start", headers={"origin": ORIGIN})
    assert "Access-Control-Allow-Credentials" not in answer.headers
