"""`lkps agents`: what is shown of agents, and what is sent to change them."""

from lkps_core.errors import AgentNotFound, LastOwner, PermissionLacking, PreconditionFailed
from tests.sdk.cli.parts.answers import (
    OTHER,
    OWNER,
    RUNNER,
    TID,
    agent,
    agent_list,
    instance,
    rotated,
    whoami,
)
from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn


async def test_a_list_has_the_agents_of_every_page(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "agents", agent_list("concierge", next="1 + 1"))
    service.answers_with("GET", "agents", agent_list("greeter"))

    ran = await lkps("agents", "list")

    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == ["AGENT", "concierge", "greeter"]
    assert [dict(one.query) for one in service.received] == [
        {"limit": "500"},
        {"limit": "500", "after": "1 + 1"},
    ]


async def test_a_list_as_json_is_one_list(lkps: Command, service: LkpsStandIn) -> None:
    first, second = agent_list("concierge", next="x"), agent_list("greeter")
    service.answers_with("GET", "agents", first)
    service.answers_with("GET", "agents", second)

    ran = await lkps("agents", "list", "--json")

    assert ran.json == {"agents": [*first["agents"], *second["agents"]]}
    assert ran.err == ""


async def test_no_agent_is_said_in_words(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "agents", {"agents": []})

    assert (await lkps("agents", "list")).out == "No agent that you may see.\n"
    assert (await lkps("agents", "list", "--json")).json == {"agents": []}


async def test_an_agent_is_shown_with_whose_it_is_and_who_is_online(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with(
        "GET",
        "agents/concierge",
        agent(
            instances=[instance()],
            blocked=True,
            report_only=True,
            max_sessions=1,
            max_session_seconds=600,
            contact="[red]team@example.com",
        ),
    )

    ran = await lkps("agents", "show", "concierge")

    for said in (
        "granted, report only, blocked",
        "1 session at once, 10 min each",
        OWNER,
        RUNNER,
        "[red]team@example.com",
        "1 instance",
        "pod-7",
        "zone=eu",
    ):
        assert said in ran.out


async def test_json_is_what_lkps_answered(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "agents/concierge", {**agent(contact="Zoë"), "of_tomorrow": [1.5]})

    ran = await lkps("agents", "show", "concierge", "--json")

    assert ran.json == {**agent(contact="Zoë"), "of_tomorrow": [1.5]}
    assert "Zoë" in ran.out


async def test_creating_names_people_of_the_callers_tenant_and_replaces_nothing(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "whoami", whoami())
    service.answers_with("PUT", "agents/concierge", agent())

    ran = await lkps(
        *("agents", "create", "concierge", "--runner", RUNNER.upper()),
        *("--owner", OWNER, "--owner", OTHER, "--beat-id", "b-1", "--contact", "team"),
        *("--mode", "closed"),
    )

    assert ran.code == 0
    (put,) = [one for one in service.received if one.method == "PUT"]
    assert put.headers["If-None-Match"] == "*"
    assert put.body == {
        "runners": [{"tid": TID, "oid": RUNNER}],
        "owners": [{"tid": TID, "oid": OWNER}, {"tid": TID, "oid": OTHER}],
        "beat_id": "b-1",
        "contact": "team",
        "access_mode": "closed",
    }


async def test_an_agent_that_is_there_is_not_created(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "whoami", whoami())
    service.refuses("PUT", "agents/concierge", PreconditionFailed())

    ran = await lkps("agents", "create", "concierge")

    assert ran.code == 1
    assert "there is an agent concierge already" in ran.err
    assert "lkps agents show" in ran.err


async def test_an_agent_that_lkps_does_not_take_is_not_called_one_that_is_there(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "whoami", whoami())
    service.refuses("PUT", "agents/concierge", PermissionLacking("LKPS.Admin"))

    ran = await lkps("agents", "create", "concierge")

    assert ran.code == 1
    assert "permission_lacking (403)" in ran.err
    assert "already" not in ran.err


async def test_a_mode_is_set_on_the_version_that_was_read(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "agents/concierge", agent(), etag='"7"')
    service.answers_with("PATCH", "agents/concierge", agent(access_mode="open"), etag='"8"')

    ran = await lkps("agents", "set-mode", "concierge", "open")

    assert ran.code == 0
    assert "open" in ran.out
    assert service.received[-1].headers["If-Match"] == '"7"'
    assert service.sent("PATCH") == [{"access_mode": "open"}]


async def test_limits_are_set_with_the_mode_and_taken_away_with_none(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "agents/concierge", agent(), etag='"7"')
    service.answers_with("PATCH", "agents/concierge", agent())
    granted = ("agents", "set-mode", "concierge", "granted")

    await lkps(*granted, "--report-only", "--max-sessions", "5", "--max-session-seconds", "none")
    await lkps(*granted, "--enforce", "--max-sessions", "none", "--max-session-seconds", "60")

    assert service.sent("PATCH") == [
        {
            "access_mode": "granted",
            "report_only": True,
            "max_sessions": 5,
            "max_session_seconds": None,
        },
        {
            "access_mode": "granted",
            "report_only": False,
            "max_sessions": None,
            "max_session_seconds": 60,
        },
    ]


async def test_owners_are_shown(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "agents/concierge", agent())

    assert (await lkps("agents", "owners", "concierge")).out == f"{OWNER}\n"


async def test_owners_come_and_go_at_once(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "whoami", whoami())
    service.answers_with("GET", "agents/concierge", agent(), etag='"7"')
    service.answers_with("PATCH", "agents/concierge", agent())

    await lkps(
        *("agents", "owners", "concierge", "--add", OTHER, "--add", OTHER),
        *("--remove", OWNER, "--leaving"),
    )

    assert service.sent("PATCH") == [{"owners": [{"tid": TID, "oid": OTHER}], "leaving": True}]
    assert service.received[-1].headers["If-Match"] == '"7"'


async def test_an_owner_that_is_one_already_is_no_change(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "agents/concierge", agent(), etag='"7"')

    ran = await lkps("agents", "owners", "concierge", "--add", OWNER, "--remove", OTHER)

    assert ran.code == 0
    assert service.sent("PATCH") == []


async def test_the_last_owner_stays_and_the_next_step_is_told(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "agents/concierge", agent(), etag='"7"')
    service.refuses("PATCH", "agents/concierge", LastOwner())

    ran = await lkps("agents", "owners", "concierge", "--remove", OWNER)

    assert ran.code == 1
    assert "last_owner (409)" in ran.err
    assert "--add OID" in ran.err


async def test_rotating_says_why_and_what_follows(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("POST", "agents/concierge/rotate", rotated())

    ran = await lkps("agents", "rotate", "concierge", "--reason", "yearly", "--emergency")

    assert service.sent("POST") == [{"reason": "yearly", "emergency": True}]
    assert "Instances move at their next renewal." in ran.out
    assert "2 instances" in ran.out


async def test_an_unknown_agent_is_told_with_code_request_and_next_step(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.refuses("GET", "agents/nobody", AgentNotFound())

    ran = await lkps("agents", "show", "nobody")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines() == [
        "error: No such agent among those you may see",
        "  code     agent_not_found (404)",
        "  request  request-0001",
        "  next     lkps agents list shows the agents that you may see.",
    ]


async def test_a_name_never_leads_to_another_address(lkps: Command, service: LkpsStandIn) -> None:
    ran = await lkps("agents", "show", "../limits?x#y")
    dots = await lkps("agents", "show", "..")

    assert ran.code == 1
    assert [one.path for one in service.received] == ["agents/../limits?x#y"]
    assert dots.code == 2
