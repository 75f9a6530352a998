"""`lkps check` and `lkps whoami`: what LKPS says of a caller."""

import pytest

from lkps_core.wire.authorization import ReasonAnswer
from tests.sdk.cli.parts.answers import CLIENT, GRANT, GROUP, OWNER, USER, checked, whoami
from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn

CHECK = "authorization/check"
GRANTED = ReasonAnswer(rule="granted", detail="This grant fits.", change="Nothing.", who="you")


async def test_an_allowed_caller_exits_with_0_and_hears_by_which_rule(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with(
        "POST",
        CHECK,
        checked(allowed=True, grant_id=GRANT, max_session_seconds=90, reasons=[GRANTED]),
    )

    ran = await lkps("check", "concierge")

    assert ran.code == 0
    assert ran.out.startswith("allowed: concierge, by the rule granted\n")
    assert GRANT in ran.out
    assert "90 s at most" in ran.out
    assert "who can" not in ran.out
    assert service.sent("POST") == [{"agent_name": "concierge"}]


async def test_a_denied_caller_exits_with_3_and_hears_what_would_change_it_and_who_can(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("POST", CHECK, checked(allowed=False, contact="team@example.com"))

    ran = await lkps("check", "concierge")

    assert ran.code == 3
    for said in (
        "denied: concierge, by the rule no_grant",
        "no_grant: The application has no grant.",
        "Grant the agent to the application.",
        "an owner of the agent",
        "team@example.com",
    ):
        assert said in ran.out
    assert ran.err == ""


async def test_a_denial_as_json_exits_with_3_too(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("POST", CHECK, checked(allowed=False))

    ran = await lkps("check", "concierge", "--json")

    assert ran.code == 3
    assert ran.json == checked(allowed=False)


async def test_what_report_only_lets_pass_is_told(lkps: Command, service: LkpsStandIn) -> None:
    reason = ReasonAnswer(rule="x", detail="d", change="c", who="entra_admin", grant_id=GRANT)
    service.answers_with(
        "POST", CHECK, checked(allowed=True, would_deny="no_grant", reasons=[reason])
    )

    ran = await lkps("check", "concierge")

    assert ran.code == 0
    assert "would be denied by no_grant, were it not in report-only" in ran.out
    assert "an administrator of Entra ID" in ran.out


@pytest.mark.parametrize(
    ("options", "caller"),
    [
        (("--client", CLIENT), {"client_app_id": CLIENT}),
        (("--client", CLIENT, "--user", USER), {"client_app_id": CLIENT, "user_oid": USER}),
        (
            ("--client", CLIENT, "--user", USER, "--group", GROUP),
            {"client_app_id": CLIENT, "user_oid": USER, "groups": [GROUP]},
        ),
    ],
    ids=["application", "user", "member"],
)
async def test_others_are_asked_about(
    lkps: Command, service: LkpsStandIn, options: tuple[str, ...], caller: dict[str, object]
) -> None:
    service.answers_with("POST", CHECK, checked(allowed=True))

    await lkps("check", "concierge", *options)

    assert service.sent("POST") == [{"agent_name": "concierge", "caller": caller}]


@pytest.mark.parametrize("options", [("--user", USER), ("--client", CLIENT, "--group", GROUP)])
async def test_half_a_caller_is_a_wrong_command_line(
    lkps: Command, service: LkpsStandIn, options: tuple[str, ...]
) -> None:
    ran = await lkps("check", "concierge", *options)

    assert ran.code == 2
    assert service.received == []


async def test_whoami_shows_what_lkps_sees(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "whoami", whoami(permissions=["LKPS.Manage", "LKPS.Client"]))

    ran = await lkps("whoami")

    assert ran.out.startswith(f"application {OWNER}\n")
    for said in ("LKPS.Manage", "LKPS.Client", "eu-1 (local)"):
        assert said in ran.out
    assert (await lkps("whoami", "--json")).json == whoami(
        permissions=["LKPS.Manage", "LKPS.Client"]
    )


async def test_too_many_groups_are_told(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "whoami", whoami(kind="user", groups_overage=True))

    ran = await lkps("whoami")

    assert ran.out.startswith(f"user {OWNER}\n")
    assert "too many for the token to name" in ran.out
