"""What agents, sessions, rooms and participants are called."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkps_core.agents.names import agent_name_in, id_of, is_agent_name
from lkps_core.agents.routing import routing_secret
from lkps_core.identity.principal import Principal
from lkps_core.sessions.naming import (
    application_identity,
    derived_session_id,
    room_name,
    user_identity,
)

SECRET = bytes(32)
NAMES = st.from_regex(r"[a-z0-9](?:-?[a-z0-9])*", fullmatch=True).filter(
    lambda text: len(text) < 64
)


def caller(*, tid: str = "tenant", oid: str = "object", azp: str = "application") -> Principal:
    return Principal("app", tid, oid, azp, "uti", frozenset())


@pytest.mark.parametrize("name", ["a", "0", "concierge", "front-desk-2", "a" * 63, "a-b-c"])
def test_lower_case_words_and_digits_joined_by_single_hyphens_are_names(name: str) -> None:
    assert is_agent_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-a",
        "a-",
        "a--b",
        "A",
        "a_b",
        "a b",
        "a\n",
        "\na",
        "é",
        "\u0430",
        "a.b",
        "a/b",
        "a" * 64,
        "٣",
    ],
)
def test_anything_else_is_no_name(text: str) -> None:
    assert not is_agent_name(text)


@given(st.text(max_size=80))
def test_a_name_has_nothing_but_its_alphabet(text: str) -> None:
    if is_agent_name(text):
        assert set(text) <= set(string.ascii_lowercase + string.digits + "-")
        assert "--" not in text


@given(NAMES, st.binary(min_size=16, max_size=16))
def test_an_id_gives_back_the_name_that_it_carries(name: str, randomness: bytes) -> None:
    assert agent_name_in(id_of(name, randomness)) == name


@given(NAMES, st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_an_id_keeps_every_bit_of_its_randomness(name: str, one: bytes, other: bytes) -> None:
    assert (id_of(name, one) == id_of(name, other)) == (one == other)


@pytest.mark.parametrize("size", [0, 15, 17])
def test_an_id_is_made_from_exactly_128_bits(size: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        id_of("concierge", bytes(size))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "concierge",
        "concierge--",
        f"concierge--{'a' * 25}",
        f"concierge--{'a' * 27}",
        f"concierge--{'1' * 26}",
        f"concierge--{'A' * 26}",
        f"Concierge--{'a' * 26}",
        f"--{'a' * 26}",
        f"{'a' * 64}--{'a' * 26}",
        f"concierge--{'a' * 26}\n",
        f"test--concierge--{'a' * 26}",
    ],
)
def test_what_is_no_id_carries_no_name(text: str) -> None:
    assert agent_name_in(text) is None


@given(st.text(max_size=120))
def test_the_name_in_an_id_is_always_a_name(text: str) -> None:
    name = agent_name_in(text)
    assert name is None or is_agent_name(name)


def test_one_idempotency_key_derives_one_session_id() -> None:
    one = derived_session_id(SECRET, caller(), "concierge", "key")
    assert one == derived_session_id(SECRET, caller(), "concierge", "key")
    assert agent_name_in(one) == "concierge"


@pytest.mark.parametrize(
    "other",
    [
        derived_session_id(bytes([1] * 32), caller(), "concierge", "key"),
        derived_session_id(SECRET, caller(tid="another"), "concierge", "key"),
        derived_session_id(SECRET, caller(oid="another"), "concierge", "key"),
        derived_session_id(SECRET, caller(azp="another"), "concierge", "key"),
        derived_session_id(SECRET, caller(), "concierge", "another"),
    ],
)
def test_another_secret_caller_application_or_key_derives_another_session_id(other: str) -> None:
    assert other != derived_session_id(SECRET, caller(), "concierge", "key")


@given(st.text("|abc", max_size=6), st.text("|abc", max_size=6))
def test_no_two_keys_derive_one_session_id(one: str, other: str) -> None:
    ids = {derived_session_id(SECRET, caller(), "concierge", key) for key in (one, other)}
    assert len(ids) == len({one, other})


@given(NAMES.filter(lambda name: len(name) <= 32), NAMES, st.binary(min_size=16, max_size=16))
def test_a_rooms_name_comes_apart_at_the_first_double_hyphen(
    installation: str, name: str, randomness: bytes
) -> None:
    session_id = id_of(name, randomness)
    assert room_name(installation, session_id).split("--", 1) == [installation, session_id]


def test_a_user_has_one_participant_identity_whatever_they_call_with() -> None:
    assert user_identity(caller(azp="one").id) == user_identity(caller(azp="other").id)
    assert user_identity(caller(oid="one").id) != user_identity(caller(oid="other").id)
    assert user_identity(caller(tid="one").id) != user_identity(caller(tid="other").id)


def test_derived_identities_are_of_the_kind_that_no_caller_may_ask_for() -> None:
    assert user_identity(caller().id).startswith("lkps-user-")
    assert application_identity("session").startswith("lkps-app-")


def test_a_routing_secret_is_what_livekit_takes_as_a_deployment() -> None:
    secret = routing_secret(SECRET, "concierge", 1)
    assert len(secret) == 52
    assert set(secret) <= set(string.ascii_lowercase + "234567")


def test_each_agent_and_routing_version_has_a_routing_secret_of_its_own() -> None:
    secrets = [
        routing_secret(secret, name, version)
        for secret in (SECRET, bytes([1] * 32))
        for name in ("concierge", "concierge2", "other")
        for version in (1, 2, 12)
    ]
    assert len(set(secrets)) == len(secrets)
