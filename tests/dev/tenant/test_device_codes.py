"""When a device that waits for a person is told to wait, to slow down, or to give up: RFC 8628."""

from pathlib import Path

import pytest

from dev.tenant.devices import DeviceCodes
from dev.tenant.directory import Directory, keep_directory
from dev.tenant.refusals import Refused
from dev.tenant.scopes import Scopes

CLIENT = "a-client"
NOW = 1_000_000.0


@pytest.fixture(scope="session")
def directory(state: Path) -> Directory:
    return keep_directory(state)


@pytest.fixture
def scopes(directory: Directory) -> Scopes:
    return Scopes.parse(f"openid {directory.audience}/Session.Start", directory)


def refusal(codes: DeviceCodes, device_code: str, now: float, client_id: str = CLIENT) -> str:
    with pytest.raises(Refused) as refused:
        codes.redeem(device_code, client_id, now)
    return refused.value.error


def test_a_device_that_keeps_to_its_interval_is_told_to_wait(scopes: Scopes) -> None:
    codes = DeviceCodes()
    device_code, _ = codes.issue(CLIENT, scopes, NOW)
    told = [refusal(codes, device_code, NOW + 5 * many) for many in range(3)]
    assert told == ["authorization_pending"] * 3


def test_a_device_that_asks_too_soon_has_to_slow_down_for_good(scopes: Scopes) -> None:
    codes = DeviceCodes()
    device_code, _ = codes.issue(CLIENT, scopes, NOW)
    told = [refusal(codes, device_code, NOW + after) for after in (0, 1, 6, 21, 36)]
    assert told == [
        "authorization_pending",
        "slow_down",
        "slow_down",
        "authorization_pending",
        "authorization_pending",
    ]


def test_a_code_is_good_once_and_only_for_its_client(directory: Directory, scopes: Scopes) -> None:
    codes = DeviceCodes()
    device_code, user_code = codes.issue(CLIENT, scopes, NOW)
    alice = directory.people[0]
    codes.approve(f" {user_code.lower()} ", alice, NOW)

    assert refusal(codes, device_code, NOW, "another-client") == "bad_verification_code"
    sign_in = codes.redeem(device_code, CLIENT, NOW)
    assert (sign_in.user, sign_in.client_id, sign_in.scopes) == (alice, CLIENT, scopes)
    assert refusal(codes, device_code, NOW) == "invalid_grant"


@pytest.mark.parametrize("approved", [False, True])
def test_a_code_that_is_over_is_over_whoever_signed_in(
    directory: Directory, scopes: Scopes, approved: bool
) -> None:
    codes = DeviceCodes()
    device_code, user_code = codes.issue(CLIENT, scopes, NOW)
    if approved:
        codes.approve(user_code, directory.people[0], NOW)
    assert refusal(codes, device_code, NOW + 900) == "expired_token"
    with pytest.raises(Refused, match="70020"):
        codes.approve(user_code, directory.people[0], NOW + 900)


def test_a_code_that_was_used_lets_nobody_else_sign_in(
    directory: Directory, scopes: Scopes
) -> None:
    codes = DeviceCodes()
    device_code, user_code = codes.issue(CLIENT, scopes, NOW)
    codes.approve(user_code, directory.people[0], NOW)
    codes.redeem(device_code, CLIENT, NOW)
    with pytest.raises(Refused, match="70018"):
        codes.approve(user_code, directory.people[1], NOW)


def test_device_codes_are_not_shown(scopes: Scopes) -> None:
    codes = DeviceCodes()
    device_code, user_code = codes.issue(CLIENT, scopes, NOW)
    assert device_code not in repr(codes)
    assert user_code not in repr(codes)
