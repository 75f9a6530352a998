"""What goes wrong: its exit code, what stderr says, and how often LKPS is asked."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from lkps_core.errors import (
    BodyInvalid,
    CredentialsMissing,
    Defect,
    EditedMeanwhile,
    GroupsOverage,
    Misconfigured,
    PermissionLacking,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    Refusal,
    RunnerMayNotManage,
    TokenInvalid,
    WouldLockYouOut,
)
from tests.sdk.cli.parts.answers import agent, rotated, whoami
from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn, refused
from tests.sdk.parts.ports import free_port
from tests.sdk.parts.tenant import TenantDouble

ROTATE = ("agents", "rotate", "concierge", "--reason", "yearly")


class Away(Refusal):
    """At once again: tests do not wait."""

    status, code, title = 503, "storage_unavailable", "The service's tables cannot be reached"


@pytest.mark.parametrize(
    ("refusal", "code", "said"),
    [
        (
            PermissionLacking("LKPS.Manage"),
            1,
            "lacks the role or scope. This needs one of: LKPS.Manage",
        ),
        (RunnerMayNotManage(), 1, "Have another owner"),
        (WouldLockYouOut(), 1, "--leaving"),
        (GroupsOverage(), 1, "groups_overage (403)"),
        (CredentialsMissing(), 4, "LKPS_API_CLIENT_ID"),
        (TokenInvalid("expired", expired=True), 4, "The token has expired"),
        (Defect(), 5, "500 defect, request request-0001"),
        (Misconfigured(), 5, "Try again in 60 s."),
        (RateLimited(30), 5, "Try again in 30 s."),
        (PreconditionFailed(), 6, "Read it again"),
        (EditedMeanwhile(), 6, "Read it again"),
        (PreconditionRequired(), 1, "If-Match"),
    ],
    ids=lambda one: one.code if isinstance(one, Refusal) else None,
)
async def test_every_refusal_has_its_exit_code_and_a_next_step(
    lkps: Command, service: LkpsStandIn, refusal: Refusal, code: int, said: str
) -> None:
    service.refuses("GET", "whoami", refusal)

    ran = await lkps("whoami", "--json")

    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert "request-0001" in ran.err


async def test_a_clock_that_is_off_is_what_to_do_about_a_token_that_is_not_taken(
    lkps: Command, service: LkpsStandIn
) -> None:
    refusal = refused(TokenInvalid("claim_nbf"))
    refusal.headers["Date"] = format_datetime(datetime.now(UTC) - timedelta(minutes=9), usegmt=True)
    service.answers["GET", "whoami"] = [refusal]

    ran = await lkps("whoami")

    assert ran.code == 4
    assert "next     this machine's clock is 9 minutes ahead: set it right" in ran.err


async def test_members_that_are_not_accepted_are_named(lkps: Command, service: LkpsStandIn) -> None:
    errors = [{"pointer": "/reason", "code": "too_short", "detail": "at least 3 characters"}]
    service.refuses("POST", "agents/concierge/rotate", BodyInvalid(errors))

    ran = await lkps(*ROTATE)

    assert ran.code == 1
    assert "/reason: at least 3 characters" in ran.err


async def test_what_can_be_asked_twice_is_asked_again_until_it_is_answered(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.refuses("GET", "whoami", Away())
    service.refuses("GET", "whoami", Away())
    service.answers_with("GET", "whoami", whoami())

    ran = await lkps("whoami")

    assert (ran.code, ran.err) == (0, "")
    assert len(service.received) == 3


async def test_it_is_asked_three_more_times_at_most(lkps: Command, service: LkpsStandIn) -> None:
    service.refuses("GET", "whoami", Away())

    ran = await lkps("whoami")

    assert ran.code == 5
    assert "The service's tables cannot be reached" in ran.err
    assert len(service.received) == 4


async def test_what_must_not_be_done_twice_is_asked_once(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.refuses("POST", "agents/concierge/rotate", Away())
    service.answers_with("POST", "agents/concierge/rotate", rotated())

    assert (await lkps(*ROTATE)).code == 5
    assert len(service.received) == 1


async def test_a_conditional_change_is_sent_once(lkps: Command, service: LkpsStandIn) -> None:
    """A second would be refused for what the first did."""
    service.answers_with("GET", "agents/concierge", agent(), etag='"7"')
    service.refuses("PATCH", "agents/concierge", Away())

    assert (await lkps("agents", "set-mode", "concierge", "open")).code == 5
    assert len(service.sent("PATCH")) == 1


@pytest.mark.parametrize("refusal", [Misconfigured(), RateLimited(30)])
async def test_a_long_absence_is_told_and_not_waited_for(
    lkps: Command, service: LkpsStandIn, refusal: Refusal
) -> None:
    service.refuses("GET", "whoami", refusal)

    assert (await lkps("whoami")).code == 5
    assert len(service.received) == 1


async def test_a_short_retry_after_is_waited_for(lkps: Command, service: LkpsStandIn) -> None:
    service.refuses("GET", "whoami", RateLimited(1))
    service.answers_with("GET", "whoami", whoami())

    assert (await lkps("whoami")).code == 0


async def test_an_lkps_that_is_not_there_cannot_be_reached(lkps: Command) -> None:
    lkps.environment["LKPS_URL"] = f"http://127.0.0.1:{free_port()}"

    ran = await lkps("whoami")

    assert ran.code == 5
    assert "LKPS cannot be reached" in ran.err


async def test_a_change_that_is_not_answered_may_have_been_done(
    lkps: Command, service: LkpsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lkps.cli.api._TIMEOUTS", (10, 0.2))
    service.unanswered |= {"agents/concierge/rotate", "agents"}

    change = await lkps(*ROTATE)
    reading = await lkps("agents", "list")

    assert (change.code, reading.code) == (5, 5)
    assert "Whether it was done is not known" in change.err
    assert "Whether it was done" not in reading.err
    assert len(service.sent("POST")) == 1


async def test_a_certificate_that_is_not_trusted_says_how_to_trust_it(
    lkps: Command, tenant: TenantDouble
) -> None:
    lkps.environment["LKPS_URL"] = tenant.authority.replace("127.0.0.1", "localhost")

    ran = await lkps("whoami")

    assert ran.code == 5
    assert "REQUESTS_CA_BUNDLE" in ran.err


async def test_a_page_of_a_gateway_is_no_answer_of_lkps(
    lkps: Command, service: LkpsStandIn
) -> None:
    lkps.environment["LKPS_URL"] = service.url.removesuffix("/lkps") + "/lkps/api/elsewhere"

    ran = await lkps("whoami")

    assert ran.code == 1
    assert "the answer is not one that LKPS gives" in ran.err
    assert "LKPS_URL" in ran.err


async def test_an_answer_without_a_member_is_told_and_no_traceback(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "agents/concierge", {"name": "concierge"})

    ran = await lkps("agents", "show", "concierge")

    assert ran.code == 1
    assert "it has no member `access_mode`" in ran.err
    assert "lkps --version" in ran.err


async def test_an_entra_that_refuses_says_why(lkps: Command, service: LkpsStandIn) -> None:
    lkps.environment["AZURE_CLIENT_SECRET"] = "not-the-secret"

    ran = await lkps("whoami")

    assert ran.code == 4
    assert "AADSTS7000215" in ran.err
    assert "AZURE_CLIENT_ID" in ran.err
    assert "not-the-secret" not in ran.err
    assert service.received == []


async def test_an_entra_that_is_away_cannot_be_reached(lkps: Command, tenant: TenantDouble) -> None:
    tenant.stop()

    ran = await lkps("whoami")

    assert ran.code == 5
    assert "Entra ID cannot be reached" in ran.err


async def test_the_access_token_goes_to_lkps_whatever_netrc_says(
    lkps: Command, service: LkpsStandIn, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    lkps.environment["NETRC"] = str(netrc)
    service.answers_with("GET", "whoami", whoami())

    assert (await lkps("whoami")).code == 0


async def test_no_token_and_no_secret_is_printed(
    lkps: Command, service: LkpsStandIn, tenant: TenantDouble
) -> None:
    service.answers_with("GET", "whoami", whoami())

    commands = (("whoami",), ("whoami", "--json"), ("login",), ("logout",), ("limits", "show"))
    printed = [await lkps(*command) for command in commands]

    everything = json.dumps([[one.out, one.err] for one in printed])
    for secret in (*tenant.issued, lkps.environment["AZURE_CLIENT_SECRET"]):
        assert secret not in everything
