"""What each route answers while a dependency is down, and that service resumes by itself."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.builders.conditions import until
from tests.builders.lkps import ADMIN, AGENT, CLIENT, Answered, Lkps, guid

pytestmark = pytest.mark.usefixtures("impatient")


@dataclass
class Service:
    lkps: Lkps
    registration: str
    session: str

    async def ask(self, route: str, lkps: Lkps | None = None) -> Answered:
        lkps = lkps or self.lkps
        held = {"token_expires_at": lkps.clock().isoformat(), "routing_version": 1}
        registration, session = (
            f"agent/registrations/{self.registration}",
            f"session/{self.session}",
        )
        asked: dict[str, tuple[str, str, object, str]] = {
            "register": ("POST", "agent/register", {"agent_name": "concierge"}, AGENT),
            "renew": ("POST", f"{registration}/renew", held, AGENT),
            "deregister": ("DELETE", registration, None, AGENT),
            "show agent": ("GET", "agents/concierge", None, ADMIN),
            "assign": ("PUT", "agents/concierge", {}, ADMIN),
            "start": ("POST", "session/start", {"agent_name": "concierge"}, CLIENT),
            "show": ("GET", session, None, CLIENT),
            "end": ("POST", f"{session}/end", None, CLIENT),
            **GOVERNANCE,
        }
        method, path, body, by = asked[route]
        return await lkps.send(method, path, body, by=by, headers={"if-match": "*"})


AGENT_PATH, GRANT = "agents/concierge", {"client_app_id": guid("app new"), "reason": "a test"}
POLICY = {"agents": {"concierge": {"access_mode": "closed"}}}
GOVERNANCE: dict[str, tuple[str, str, object, str]] = {
    "list agents": ("GET", "agents", None, ADMIN),
    "change": ("PATCH", AGENT_PATH, {"max_sessions": 7}, ADMIN),
    "rotate": ("POST", f"{AGENT_PATH}/rotate", {"reason": "a test", "emergency": True}, ADMIN),
    "list grants": ("GET", f"{AGENT_PATH}/grants", None, ADMIN),
    "grant": ("POST", f"{AGENT_PATH}/grants", GRANT, ADMIN),
    "check": ("POST", "authorization/check", {"agent_name": "concierge"}, CLIENT),
    "block": ("POST", "revocations", {"agent_name": "other", "reason": "a test"}, ADMIN),
    "list blocks": ("GET", "revocations", None, ADMIN),
    "show limits": ("GET", "limits", None, ADMIN),
    "set limits": ("PUT", "limits", {"starts_per_minute_per_user": 7}, ADMIN),
    "plan": ("POST", "policy/plan", POLICY, ADMIN),
    "apply": ("POST", "policy/apply", POLICY, ADMIN),
    "export": ("GET", "policy", None, ADMIN),
}
WITHOUT_LIVEKIT = ("register", "renew", "deregister", "show agent", "assign", *GOVERNANCE)
ROUTES = (*WITHOUT_LIVEKIT, "start", "show", "end")
READING = ("list agents", "list grants", "check", "list blocks", "show limits", "plan", "export")
WITHOUT_TRAIL = ("show agent", "show", *READING)


@pytest.fixture
async def service() -> Service:
    lkps = Lkps()
    registration = (await lkps.register())["registration_id"]
    return Service(lkps, registration, (await lkps.start()).json["session_id"])


def assert_unavailable(answer: Answered, code: str) -> None:
    assert (answer.status, answer.json["code"]) == (503, code), answer.raw
    assert answer.headers["Retry-After"] == "5"
    assert b"eyJ" not in answer.raw


async def assert_resumes(service: Service, route: str, back: Callable[[], None]) -> None:
    back()
    service.lkps.clock.pass_by(5)
    answer = await service.ask(route)
    assert answer.status in (200, 201, 204), answer.raw


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
async def test_without_tables_nothing_is_answered_but_that_they_are_down(
    service: Service, route: str, warm: bool
) -> None:
    lkps = service.lkps
    lkps.take_down_tables()
    answer = await service.ask(route, lkps if warm else lkps.another_process())
    if (route, warm) == ("show agent", True):
        assert answer.status in (200, 503)
    else:
        assert answer.json["code"] in ("storage_unavailable", "audit_unavailable")
        assert_unavailable(answer, answer.json["code"])
    await assert_resumes(service, route, lambda: lkps.take_down_tables(down=False))


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in WITHOUT_TRAIL])
async def test_what_must_be_on_the_trail_is_not_done_without_it(
    service: Service, route: str
) -> None:
    service.lkps.trail.down = True
    assert_unavailable(await service.ask(route), "audit_unavailable")
    await assert_resumes(service, route, lambda: setattr(service.lkps.trail, "down", False))


@pytest.mark.parametrize("route", ["start", "show", "end"])
async def test_without_livekit_its_rooms_are_neither_made_nor_seen_nor_ended(
    service: Service, route: str
) -> None:
    service.lkps.rooms.down = True
    assert_unavailable(await service.ask(route), "livekit_unavailable")
    await service.lkps.services.close()
    await assert_resumes(service, route, lambda: setattr(service.lkps.rooms, "down", False))


@pytest.mark.parametrize("route", WITHOUT_LIVEKIT)
async def test_without_livekit_agents_are_served_as_ever(service: Service, route: str) -> None:
    service.lkps.rooms.down = True
    assert (await service.ask(route)).status in (200, 201, 204)


@pytest.mark.parametrize("route", ROUTES)
async def test_without_any_key_of_the_tenant_nobody_is_known(service: Service, route: str) -> None:
    lkps = service.lkps
    lkps.keys.is_reachable = False
    cold = lkps.another_process()
    assert_unavailable(await service.ask(route, cold), "keys_unavailable")
    lkps.keys.is_reachable = True
    lkps.clock.pass_by(1)
    assert (await service.ask(route, cold)).status in (200, 201, 204)


@pytest.mark.parametrize("route", ROUTES)
async def test_with_keys_held_the_tenant_may_be_away(service: Service, route: str) -> None:
    service.lkps.keys.is_reachable = False
    assert (await service.ask(route)).status in (200, 201, 204)


@pytest.mark.parametrize(
    "table", ["agents", "registrations", "grants", "revocations", "limits", "sessions"]
)
@pytest.mark.parametrize("route", ROUTES)
async def test_no_route_fails_otherwise_than_clearly_when_one_table_is_down(
    service: Service, route: str, table: str
) -> None:
    cold = service.lkps.another_process()
    getattr(cold, table).down = True
    answer = await service.ask(route, cold)
    assert answer.status in (200, 201, 204, 503), answer.raw
    if answer.status == 503:
        assert_unavailable(answer, "storage_unavailable")


async def test_a_failure_is_on_the_trail_without_holding_its_answer(service: Service) -> None:
    service.lkps.rooms.down = True
    answer = await service.ask("show")
    await until(lambda: service.lkps.rows[-1]["action"] == "request.refused")
    row = service.lkps.rows[-1]
    assert (row["outcome"], row["rule"]) == ("failed", "livekit_unavailable")
    assert row["request_id"] == answer.headers["X-Request-ID"]


async def test_a_failure_that_cannot_be_recorded_is_answered_all_the_same(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.lkps.trail.down = True
    assert_unavailable(await service.ask("start"), "audit_unavailable")
    await until(lambda: "a failure is not on the trail" in caplog.messages)
