"""R4: which published keys may verify a token."""

import pytest

from lkps_core.errors import KeysUnavailable
from lkps_core.identity.jwk import usable_keys
from tests.builders.tokens import (
    ABSENT,
    AUTHORITY,
    ISSUER,
    SigningKey,
    number64,
    signing_key,
)

GOOD = signing_key()
MODULUS = GOOD.private.public_key().public_numbers().n
WEAK = signing_key("weak", bits=1024)

UNUSABLE: dict[str, object] = {
    "kty EC": {"kty": "EC"},
    "kty absent": {"kty": ABSENT},
    "use enc": {"use": "enc"},
    "use absent": {"use": ABSENT},
    "alg RS512": {"alg": "RS512"},
    "alg null": {"alg": None},
    "kid absent": {"kid": ABSENT},
    "kid number": {"kid": 7},
    "kid with a slash": {"kid": "a/b"},
    "issuer of another tenant": {
        "issuer": f"{AUTHORITY}/99999999-9999-4999-8999-999999999999/v2.0"
    },
    "issuer of another authority": {"issuer": "https://evil.example/{tenantid}/v2.0"},
    "issuer of personal accounts": {
        "issuer": f"{AUTHORITY}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
    },
    "issuer null": {"issuer": None},
    "2047 bits": {"n": number64(MODULUS >> 1)},
    "n absent": {"n": ABSENT},
    "n empty": {"n": ""},
    "n number": {"n": MODULUS},
    "n padded": {"n": number64(MODULUS) + "=="},
    "n of an impossible length": {"n": "A" * 1025},
    "n endless": {"n": "_" * 5000},
    "e absent": {"e": ABSENT},
    "e 3": {"e": number64(3)},
    "e 65535": {"e": number64(65535)},
    "e even": {"e": number64(65538)},
    "e larger than n": {"e": number64((MODULUS << 1) + 1)},
}


@pytest.mark.parametrize("changes", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_key_that_is_not_usable_is_left_out(changes: dict[str, object]) -> None:
    entry = signing_key("other").jwk(**changes)
    assert usable_keys({"keys": [entry, GOOD.jwk()]}, ISSUER).keys() == {GOOD.kid}


def test_a_key_of_1024_bits_is_left_out() -> None:
    assert usable_keys({"keys": [WEAK.jwk(), GOOD.jwk()]}, ISSUER).keys() == {GOOD.kid}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"alg": "RS256"},
        {"issuer": ABSENT},
        {"issuer": ISSUER},
        {"x5c": ["MII"], "x5t": "thumb", "key_ops": ["verify"]},
    ],
)
def test_a_key_that_is_usable_is_the_one_that_was_published(changes: dict[str, object]) -> None:
    keys = usable_keys({"keys": [GOOD.jwk(**changes)]}, ISSUER)
    assert keys == {GOOD.kid: GOOD.private.public_key()}


def test_an_exponent_larger_than_usual_is_usable() -> None:
    larger = number64(65539)
    keys = usable_keys({"keys": [GOOD.jwk(e=larger)]}, ISSUER)
    assert keys[GOOD.kid].public_numbers().e == 65539


def test_two_different_keys_of_one_name_are_both_left_out() -> None:
    twin = SigningKey(GOOD.kid, signing_key("other").private)
    third = signing_key("third")
    keys = usable_keys({"keys": [GOOD.jwk(), twin.jwk(), GOOD.jwk(), third.jwk()]}, ISSUER)
    assert keys.keys() == {"third"}


def test_the_same_key_twice_is_one_key() -> None:
    assert usable_keys({"keys": [GOOD.jwk(), GOOD.jwk()]}, ISSUER).keys() == {GOOD.kid}


@pytest.mark.parametrize(
    "published",
    [{}, {"keys": None}, {"keys": {}}, {"keys": []}, {"keys": ["key", None, 1]}, {"keys": [{}]}],
)
def test_a_set_without_a_usable_key_is_an_outage(published: dict[str, object]) -> None:
    with pytest.raises(KeysUnavailable) as outage:
        usable_keys(published, ISSUER)
    assert outage.value.reason == "jwks_without_usable_key"
