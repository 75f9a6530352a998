"""`lkps grants`: what is shown of grants, and what is sent to give, change and take them."""

import pytest

from lkps_core.errors import GrantExists, GrantNotFound
from tests.sdk.cli.parts.answers import AT, CLIENT, GRANT, GROUP, USER, grant, grant_list
from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn

ADD = ("grants", "add", "concierge", "--client", CLIENT, "--reason", "the shop's backend")


async def test_a_grant_is_shown_with_its_whole_id_and_for_whom_it_is(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with(
        "GET",
        "agents/concierge/grants",
        grant_list(
            grant(),
            grant(scope="any_user", max_sessions=2, max_session_seconds=3600),
            grant(scope="group", group_id=GROUP, report_only=True),
            grant(scope="user", user_oid=USER, expires_at=AT, expired=True),
        ),
    )

    ran = await lkps("grants", "list", "concierge")

    lines = ran.out.splitlines()
    assert lines.count(GRANT) == 4
    for said in (
        f"application {CLIENT} itself",
        f"any user through application {CLIENT}",
        "2 sessions at once, 1 h each",
        f"members of group {GROUP} through application {CLIENT}",
        "nobody: report only",
        f"user {USER} through application {CLIENT}",
        "2026-11-23 10:00:00Z: expired",
    ):
        assert any(line.endswith(said) for line in lines), said


async def test_no_grant_is_said_in_words(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "agents/concierge/grants", grant_list())

    assert (await lkps("grants", "list", "concierge")).out == "Nobody was granted the agent.\n"


@pytest.mark.parametrize(
    ("options", "terms"),
    [
        ((), {}),
        (("--any-user",), {"any_user": True}),
        (("--group", GROUP.upper()), {"group_id": GROUP}),
        (("--user", USER), {"user_oid": USER}),
        (("--until", "2026-12-31"), {"expires_at": "2026-12-31T23:59:59Z"}),
        (("--until", "2026-12-31T18:00:00+01:00"), {"expires_at": "2026-12-31T17:00:00Z"}),
        (("--max-sessions", "5"), {"max_sessions": 5}),
        (("--max-session-minutes", "15"), {"max_session_seconds": 900}),
        (("--report-only",), {"report_only": True}),
    ],
    ids=str,
)
async def test_a_grant_is_added_on_the_terms_that_are_given(
    lkps: Command, service: LkpsStandIn, options: tuple[str, ...], terms: dict[str, object]
) -> None:
    service.answers_with("POST", "agents/concierge/grants", grant(), status=201)

    ran = await lkps(*ADD, *options)

    assert ran.code == 0
    assert ran.err == ""
    (sent,) = service.sent("POST")
    assert sent == {"client_app_id": CLIENT, "reason": "the shop's backend", **terms}


async def test_adding_the_same_again_says_so(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("POST", "agents/concierge/grants", grant(), status=200)

    ran = await lkps(*ADD, "--json")

    assert ran.code == 0
    assert ran.json == grant()
    assert "granted already" in ran.err


async def test_a_grant_on_other_terms_names_the_command_that_changes_it(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.refuses("POST", "agents/concierge/grants", GrantExists(GRANT))

    ran = await lkps(*ADD)

    assert ran.code == 1
    assert f"Change it instead: {GRANT}\n" in ran.err
    assert "lkps grants change AGENT GRANT_ID" in ran.err


@pytest.mark.parametrize(
    ("options", "change"),
    [
        (("--until", "none"), {"expires_at": None}),
        (("--until", "2027-01-01"), {"expires_at": "2027-01-01T23:59:59Z"}),
        (
            ("--max-sessions", "none", "--max-session-minutes", "none"),
            {"max_sessions": None, "max_session_seconds": None},
        ),
        (
            ("--max-session-minutes", "5", "--enforce"),
            {"max_session_seconds": 300, "report_only": False},
        ),
        (("--report-only", "--reason", "for now"), {"report_only": True, "reason": "for now"}),
    ],
    ids=str,
)
async def test_only_what_is_said_of_a_grant_is_changed(
    lkps: Command, service: LkpsStandIn, options: tuple[str, ...], change: dict[str, object]
) -> None:
    path = f"agents/concierge/grants/{GRANT}"
    service.answers_with("GET", path, grant(), etag='"3"')
    service.answers_with("PATCH", path, grant())

    ran = await lkps("grants", "change", "concierge", GRANT, *options)

    assert ran.code == 0
    assert service.sent("PATCH") == [change]
    assert service.received[-1].headers["If-Match"] == '"3"'


async def test_a_grant_is_removed(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("DELETE", f"agents/concierge/grants/{GRANT}", status=204)

    ran = await lkps("grants", "remove", "concierge", GRANT)

    assert (ran.code, ran.out) == (0, "")
    assert "Removed" in ran.err


async def test_an_unknown_grant_is_told(lkps: Command, service: LkpsStandIn) -> None:
    service.refuses("DELETE", f"agents/concierge/grants/{GRANT}", GrantNotFound())

    ran = await lkps("grants", "remove", "concierge", GRANT)

    assert ran.code == 1
    assert "lkps grants list" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*ADD, "--any-user", "--user", USER), "at most one of"),
        ((*ADD, "--until", "tomorrow"), "2026-12-31"),
        ((*ADD, "--until", "2026-12-31T18:00:00"), "offset"),
        ((*ADD, "--until", "2026-13-31"), "2026-12-31"),
        ((*ADD, "--until", "none"), "2026-12-31"),
        ((*ADD, "--max-sessions", "0"), "1 or more"),
        ((*ADD, "--max-sessions", "none"), "whole number"),
        ((*ADD, "--group", "sales"), "00000000-0000"),
        (ADD[:3], "--client"),
        (ADD[:5], "--reason"),
        (("grants", "change", "concierge", GRANT), "what to change"),
    ],
    ids=str,
)
async def test_a_wrong_command_line_sends_nothing(
    lkps: Command, service: LkpsStandIn, arguments: tuple[str, ...], said: str
) -> None:
    ran = await lkps(*arguments)

    assert (ran.code, ran.out) == (2, "")
    assert said in " ".join(ran.err.split())
    assert service.received == []
