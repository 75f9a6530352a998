"""`lkps block`, `unblock`, `blocks` and `limits`: the kill switch, and the limits for everyone."""

import pytest

from lkps_core.errors import PreconditionFailed, RevocationNotFound, WouldBlockYourself
from lkps_core.wire.revocations import BeyondReach
from tests.sdk.cli.parts.answers import AT, CLIENT, OWNER, USER, limits, revocation_list, revoked
from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn

REASON = ("--reason", "says nonsense")


@pytest.mark.parametrize(
    ("options", "subject"),
    [
        (("--agent", "concierge"), {"agent_name": "concierge"}),
        (("--client", CLIENT), {"client_app_id": CLIENT}),
        (("--user", USER), {"user_oid": USER}),
        (("--session", "concierge--1"), {"session_id": "concierge--1"}),
        (
            ("--agent", "concierge", "--until", "2026-12-31"),
            {"agent_name": "concierge", "until": "2026-12-31T23:59:59Z"},
        ),
    ],
    ids=str,
)
async def test_one_subject_is_blocked(
    lkps: Command, service: LkpsStandIn, options: tuple[str, ...], subject: dict[str, object]
) -> None:
    service.answers_with("POST", "revocations", revoked(), status=201)

    ran = await lkps("block", *options, *REASON)

    assert ran.code == 0
    assert service.sent("POST") == [{**subject, "reason": "says nonsense"}]
    assert "3 of 3 ended" in ran.out
    assert "lkps unblock agent:concierge" in ran.out
    assert "Beyond its reach" not in ran.out


async def test_what_a_block_cannot_reach_is_told_plainly_with_its_runbook(
    lkps: Command, service: LkpsStandIn
) -> None:
    token = BeyondReach(
        what="Agent tokens that are out.", until=AT, runbook="docs/kill-switch.md#a"
    )
    worker = BeyondReach(what="A worker that stays connected.", until=None, runbook="docs/b.md")
    service.answers_with("POST", "revocations", revoked(token, worker, ended=1), status=201)

    ran = await lkps("block", "--agent", "concierge", *REASON)

    assert "1 of 3 ended, the rest follow" in ran.out
    assert ran.out.index("Beyond its reach:") < ran.out.index("Agent tokens that are out.")
    for said in ("2026-11-23 10:00:00Z", "docs/kill-switch.md#a", "not by itself", "docs/b.md"):
        assert said in ran.out


@pytest.mark.parametrize("options", [(), ("--agent", "concierge", "--client", CLIENT)])
async def test_a_block_is_of_exactly_one_subject(
    lkps: Command, service: LkpsStandIn, options: tuple[str, ...]
) -> None:
    ran = await lkps("block", *options, *REASON)

    assert ran.code == 2
    assert "exactly one of" in " ".join(ran.err.split())
    assert service.received == []


async def test_nobody_blocks_themselves(lkps: Command, service: LkpsStandIn) -> None:
    service.refuses("POST", "revocations", WouldBlockYourself())

    assert (await lkps("block", "--client", CLIENT, *REASON)).code == 1


async def test_a_block_is_lifted_by_its_id(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("DELETE", "revocations/agent:concierge", status=204)

    ran = await lkps("unblock", "agent:concierge")

    assert (ran.code, ran.out) == (0, "")
    assert "agent:concierge" in ran.err


async def test_an_unknown_block_is_told(lkps: Command, service: LkpsStandIn) -> None:
    service.refuses("DELETE", "revocations/agent:x", RevocationNotFound())

    ran = await lkps("unblock", "agent:x")

    assert ran.code == 1
    assert "lkps blocks shows the ids." in ran.err


async def test_blocks_are_listed(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "revocations", revocation_list())

    ran = await lkps("blocks")

    assert ran.out.splitlines() == [
        "agent:concierge",
        "  until    it is lifted",
        "  reason   says nonsense",
        f"  blocked  2026-11-23 10:00:00Z by {OWNER}",
    ]
    assert (await lkps("blocks", "--json")).json == revocation_list()


async def test_no_block_is_said_in_words(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "revocations", revocation_list(0))

    assert (await lkps("blocks")).out == "Nothing is blocked.\n"


async def test_limits_are_shown(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "limits", limits(max_session_seconds=7200))

    ran = await lkps("limits", "show")

    assert [line.split("  ")[-1].strip() for line in ran.out.splitlines()] == [
        "1200",
        "60",
        "no limit",
        "2 h",
    ]
    assert (await lkps("limits", "show", "--json")).json == limits(max_session_seconds=7200)


async def test_a_limit_is_set_and_the_others_stay(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "limits", limits(max_sessions_per_agent=9), etag='"5"')
    service.answers_with("PUT", "limits", limits())

    ran = await lkps(
        *("limits", "set", "--starts-per-minute-per-user", "30"),
        *("--max-sessions-per-agent", "none"),
    )

    assert ran.code == 0
    assert service.sent("PUT") == [
        {
            "starts_per_minute_per_application": 1200,
            "starts_per_minute_per_user": 30,
            "max_sessions_per_agent": None,
        }
    ]
    assert service.received[-1].headers["If-Match"] == '"5"'


async def test_limits_that_someone_else_set_meanwhile_stay(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "limits", limits(), etag='"5"')
    service.refuses("PUT", "limits", PreconditionFailed())

    ran = await lkps("limits", "set", "--max-session-seconds", "60")

    assert ran.code == 6
    assert "repeat the command" in ran.err


async def test_setting_no_limit_is_a_wrong_command_line(lkps: Command) -> None:
    assert (await lkps("limits", "set")).code == 2
