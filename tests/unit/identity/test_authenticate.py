"""What a verified token is remembered for, and what is asked of it again every time."""

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkps_core.errors import KeysUnavailable, Refusal, TokenInvalid
from lkps_core.identity import Authenticator, Keys, Principal, authenticate
from lkps_core.identity.token import verify
from tests.builders.tokens import (
    AUTHORITY,
    ISSUER,
    NOW,
    RULES,
    PublishedKeys,
    SigningKey,
    app_claims,
    authenticator,
    b64,
    bearer,
    header,
    signed,
    signing_key,
)

FOREIGN = "99999999-9999-4999-8999-999999999999"


class Platform:
    """An authenticator whose time passes, with its tenant and a count of RSA checks."""

    def __init__(self, *, remembered_tokens: int = 16) -> None:
        self.now = NOW
        self.tenant = PublishedKeys(signing_key())
        self.rsa_checks = 0
        self._authenticator = Authenticator(
            Keys(self.tenant, ISSUER, self._clock), RULES, remembered_tokens=remembered_tokens
        )

    def _clock(self) -> datetime:
        return self.now

    async def caller(self, authorization: str) -> Principal:
        return await self._authenticator.authenticate(authorization, self.now)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    return counted(Platform(), monkeypatch)


def counted(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Platform:
    def counting(*given: object) -> object:
        platform.rsa_checks += 1
        return verify(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(authenticate, "verify", counting)
    return platform


async def test_a_token_is_verified_once_and_known_again(platform: Platform) -> None:
    token = bearer(app_claims())
    assert await platform.caller(token) == await platform.caller(token)
    assert platform.rsa_checks == 1


async def test_a_remembered_token_expires_like_any_other(platform: Platform) -> None:
    token = bearer(app_claims(exp=int(NOW.timestamp()) + 60))
    await platform.caller(token)
    platform.now += timedelta(seconds=119)
    await platform.caller(token)
    platform.now += timedelta(seconds=1)
    with pytest.raises(TokenInvalid) as refused:
        await platform.caller(token)
    assert refused.value.reason == "claim_exp"


async def test_an_expired_token_is_forgotten(platform: Platform) -> None:
    token = bearer(app_claims(exp=int(NOW.timestamp()) + 60))
    await platform.caller(token)
    platform.now += timedelta(hours=1)
    for _ in range(2):
        with pytest.raises(TokenInvalid):
            await platform.caller(token)
    assert platform.rsa_checks == 2


async def test_a_refused_token_is_not_remembered(platform: Platform) -> None:
    token = bearer(app_claims(idtyp="device"))
    for _ in range(2):
        with pytest.raises(TokenInvalid):
            await platform.caller(token)
    assert platform.rsa_checks == 2


async def test_memory_is_bounded_and_keeps_what_is_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    platform = counted(Platform(remembered_tokens=2), monkeypatch)
    first, second, third = (bearer(app_claims(uti=uti)) for uti in ("one", "two", "three"))
    for token in (first, second, first, third, first):
        await platform.caller(token)
    assert platform.rsa_checks == 3
    await platform.caller(second)
    assert platform.rsa_checks == 4


async def test_a_remembered_token_of_a_withdrawn_key_is_refused(platform: Platform) -> None:
    token = bearer(app_claims(exp=int(NOW.timestamp()) + 28 * 3600))
    await platform.caller(token)
    platform.tenant.publish(signing_key("other"))
    platform.now += timedelta(hours=25)
    with pytest.raises(TokenInvalid) as refused:
        await platform.caller(token)
    assert refused.value.reason == "key_unknown"


async def test_a_remembered_token_of_a_replaced_key_is_verified_anew(platform: Platform) -> None:
    token = bearer(app_claims(exp=int(NOW.timestamp()) + 28 * 3600))
    await platform.caller(token)
    platform.tenant.publish(SigningKey(signing_key().kid, signing_key("other").private))
    platform.now += timedelta(hours=25)
    with pytest.raises(TokenInvalid) as refused:
        await platform.caller(token)
    assert refused.value.reason == "signature"


async def test_the_same_key_fetched_again_costs_no_rsa_check(platform: Platform) -> None:
    token = bearer(app_claims(exp=int(NOW.timestamp()) + 28 * 3600))
    await platform.caller(token)
    platform.now += timedelta(hours=25)
    await platform.caller(token)
    assert (platform.tenant.fetches, platform.rsa_checks) == (2, 1)


async def test_a_remembered_token_needs_keys_that_are_still_trusted(platform: Platform) -> None:
    token = bearer(app_claims(exp=int(NOW.timestamp()) + 28 * 3600))
    await platform.caller(token)
    platform.tenant.is_reachable = False
    platform.now += timedelta(hours=25)
    with pytest.raises(KeysUnavailable):
        await platform.caller(token)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": f"{AUTHORITY}/{FOREIGN}/v2.0"}, "claim_iss"),
        ({"tid": FOREIGN}, "claim_tid"),
        ({"aud": FOREIGN}, "claim_aud"),
        ({"ver": "1.0"}, "claim_ver"),
    ],
)
async def test_a_foreign_token_makes_nobody_fetch_keys(
    platform: Platform, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(TokenInvalid) as refused:
        await platform.caller(bearer(app_claims(**changes), head=header(kid="foreign")))
    assert (refused.value.reason, platform.tenant.fetches) == (reason, 0)


@pytest.mark.parametrize("head", [{"alg": "none"}, {"jku": "https://evil.example"}, {"kid": "a/b"}])
async def test_a_header_out_of_order_makes_nobody_fetch_keys(
    platform: Platform, head: dict[str, object]
) -> None:
    with pytest.raises(TokenInvalid):
        await platform.caller(bearer(app_claims(), head=header(**head)))
    assert platform.tenant.fetches == 0


async def test_neither_token_nor_claims_are_in_what_a_traceback_prints(
    platform: Platform,
) -> None:
    token = signed(app_claims(oid="secret-claim"))
    with pytest.raises(TokenInvalid) as refused:
        await platform.caller(f"Bearer {token}")
    shown = f"{refused.value!r} {refused.value} {refused.value.reason} {refused.value.headers()}"
    assert "secret-claim" not in shown
    assert token[:20] not in shown


TOKEN = signed(app_claims())
unhurried = settings(deadline=None)  # signing takes as long as the machine is busy
ALPHABET = 'ABCXYZabcxyz0189-_=., \t{}"\\\u00e9\ud800'


@unhurried
@given(st.text(max_size=300) | st.text(ALPHABET, max_size=300).map("Bearer {}".format))
async def test_random_text_is_refused_and_nothing_else_happens(authorization: str) -> None:
    with pytest.raises(Refusal):
        await authenticator().authenticate(authorization, NOW)


@unhurried
@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=300))
async def test_random_parts_are_refused_and_nothing_else_happens(
    head: bytes, payload: bytes, signature: bytes
) -> None:
    with pytest.raises(Refusal):
        await authenticator().authenticate(
            f"Bearer {b64(head)}.{b64(payload)}.{b64(signature)}", NOW
        )


@unhurried
@given(
    st.integers(0, len(TOKEN) - 1),
    st.integers(0, 3),
    st.text(ALPHABET, max_size=3),
)
async def test_a_changed_token_is_refused_and_nothing_else_happens(
    at: int, cut: int, put: str
) -> None:
    changed = TOKEN[:at] + put + TOKEN[at + cut :]
    if changed.strip(" ") == TOKEN:
        return
    with pytest.raises(Refusal):
        await authenticator().authenticate(f"Bearer {changed}", NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@unhurried
@given(st.sampled_from([*app_claims(), "scp", "cnf"]), JSON, st.booleans())
async def test_any_value_in_a_signed_claim_or_header_is_judged_without_a_defect(
    name: str, value: object, in_header: bool
) -> None:
    payload = json.dumps(app_claims() if in_header else app_claims(**{name: value}))
    head = json.dumps(header(**{name: value, "kid": value}) if in_header else header())
    try:
        caller = await authenticator().authenticate(
            bearer(payload.encode(), head=head.encode()), NOW
        )
    except Refusal:
        return
    assert caller.permissions <= {"LKPS.Client"} or name == "roles"
