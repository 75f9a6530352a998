"""What the two tokens grant to LiveKit: exactly so much."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.api import SIPGrants, TokenVerifier, VideoGrants

from lkps_core.tokens import IssuedToken, TokenMint

KEY = "key"
SECRET = "livekit-secret-of-at-least-32-bytes"
NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
LEEWAY = timedelta(days=36500)
MINT = TokenMint(KEY, SECRET)


def participant_token(
    *,
    room: str = "room",
    identity: str = "caller",
    now: datetime = NOW,
    attributes: dict[str, str] | None = None,
) -> IssuedToken:
    return MINT.participant_token(
        room, identity, now, 300, name="Name", metadata="Metadata", attributes=attributes or {}
    )


def claims(token: IssuedToken) -> dict[str, Any]:
    decoded: dict[str, Any] = jwt.decode(token.text, SECRET, algorithms=["HS256"], leeway=LEEWAY)
    return decoded


def test_a_participant_token_joins_one_room_as_one_participant_and_no_more() -> None:
    issued = int(NOW.timestamp())
    assert claims(participant_token(attributes={"lkps.session_id": "session"})) == {
        "iss": KEY,
        "sub": "caller",
        "iat": issued,
        "nbf": issued,
        "exp": issued + 300,
        "name": "Name",
        "metadata": "Metadata",
        "attributes": {"lkps.session_id": "session"},
        "video": {
            "roomJoin": True,
            "room": "room",
            "canPublish": True,
            "canPublishData": True,
            "canSubscribe": True,
            "canUpdateOwnMetadata": False,
        },
    }


def test_an_agent_token_connects_a_worker_and_no_more() -> None:
    issued = int(NOW.timestamp())
    assert claims(MINT.agent_token("registration", NOW, 3600)) == {
        "iss": KEY,
        "sub": "registration",
        "iat": issued,
        "nbf": issued,
        "exp": issued + 3600,
        "video": {
            "agent": True,
            "canPublish": False,
            "canPublishData": False,
            "canSubscribe": False,
        },
    }


def test_livekits_own_verifier_reads_a_participant_token_as_it_is_meant() -> None:
    read = TokenVerifier(KEY, SECRET, leeway=LEEWAY).verify(
        participant_token(attributes={"a": "b"}).text
    )
    assert (read.identity, read.name, read.metadata) == ("caller", "Name", "Metadata")
    assert read.attributes == {"a": "b"}
    assert read.video == VideoGrants(
        room_join=True,
        room="room",
        can_publish=True,
        can_publish_data=True,
        can_subscribe=True,
        can_update_own_metadata=False,
    )
    assert (read.sip, read.room_config) == (SIPGrants(), None)


def test_livekits_own_verifier_reads_an_agent_token_as_it_is_meant() -> None:
    read = TokenVerifier(KEY, SECRET, leeway=LEEWAY).verify(
        MINT.agent_token("registration", NOW, 60).text
    )
    assert read.identity == "registration"
    assert read.video == VideoGrants(
        agent=True, can_publish=False, can_publish_data=False, can_subscribe=False
    )


@pytest.mark.parametrize("room_and_identity", [("", "caller"), ("room", ""), ("", "")])
def test_no_token_leaves_its_room_or_its_participant_open(
    room_and_identity: tuple[str, str],
) -> None:
    room, identity = room_and_identity
    with pytest.raises(ValueError, match="names its room"):
        participant_token(room=room, identity=identity)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_expiry_that_is_told_is_the_tokens_own(now: datetime) -> None:
    token = participant_token(now=now)
    claim = jwt.decode(token.text, options={"verify_signature": False})["exp"]
    assert token.expires_at == datetime.fromtimestamp(claim, UTC)
    assert token.expires_at - now <= timedelta(seconds=300)


def test_the_hash_is_of_the_token_as_it_is_sent() -> None:
    token = participant_token()
    assert token.sha256 == hashlib.sha256(token.text.encode("ascii")).hexdigest()


def test_neither_token_nor_secret_is_in_a_repr() -> None:
    token = participant_token()
    assert token.text not in repr(token)
    assert SECRET not in repr(MINT)
