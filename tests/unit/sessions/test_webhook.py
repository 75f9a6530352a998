"""Which of LiveKit's events are believed, and what is done about the others."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.builders.events import KEY, SECRET, event, signature, tell
from tests.builders.lkps import CLIENT, Answered, Lkps
from tests.unit.sessions.arranging import started

OTHER_SECRET = "another-secret-of-at-least-32-bytes!"


async def send(lkps: Lkps, body: bytes, authorization: str | None) -> Answered:
    headers = {"content-type": "application/webhook+json"}
    if authorization is not None:
        headers["authorization"] = authorization
    return await lkps.send("POST", "livekit/webhook", raw=body, headers=headers)


def body_of(lkps: Lkps) -> bytes:
    told = event("participant_joined", "test--concierge--" + "a" * 26, lkps.clock.now)
    return json.dumps(told).encode()


FORGED: dict[str, dict[str, Any]] = {
    "with another secret": {"secret": OTHER_SECRET},
    "as another key": {"key": "another key"},
    "an hour ago": {"exp": 0},
    "without an expiry": {"exp": None},
    "with an expiry that is none": {"exp": "soon"},
    "over another body": {"sha256": "AAAA"},
    "over a body whose hash is no text": {"sha256": 7},
    "over no body": {"sha256": None},
}


@pytest.mark.parametrize("how", FORGED)
async def test_an_event_that_is_not_signed_by_livekit_is_refused(lkps: Lkps, how: str) -> None:
    body, claims = body_of(lkps), dict(FORGED[how])
    if claims.get("exp") == 0:
        claims["exp"] = lkps.clock.now - timedelta(seconds=61)
    answer = await send(lkps, body, signature(body, lkps.clock.now, **claims))
    assert (answer.status, answer.json["code"]) == (401, "event_not_signed")


@pytest.mark.parametrize(
    "authorization", [None, "", "a.b.c", "Bearer x", "eyJhbGciOiJub25lIn0.e30.", CLIENT]
)
async def test_an_event_without_livekits_signature_is_refused(
    lkps: Lkps, authorization: str | None
) -> None:
    answer = await send(lkps, body_of(lkps), authorization)
    assert (answer.status, answer.json["code"]) == (401, "event_not_signed")
    assert "WWW-Authenticate" not in answer.headers


async def test_a_participants_token_signs_no_event(lkps: Lkps) -> None:
    token = (await lkps.start()).json["participant_token"]
    assert (await send(lkps, body_of(lkps), token)).status == 401


async def test_the_previous_key_signs_while_keys_rotate() -> None:
    lkps = Lkps(
        environment={
            "LKPS_LIVEKIT_API_KEY": "new",
            "LKPS_LIVEKIT_API_SECRET": OTHER_SECRET,
            "LKPS_LIVEKIT_PREVIOUS_API_KEY": KEY,
            "LKPS_LIVEKIT_PREVIOUS_API_SECRET": SECRET,
        }
    )
    body = body_of(lkps)
    for key, secret in ((KEY, SECRET), ("new", OTHER_SECRET)):
        signed = signature(body, lkps.clock.now, key=key, secret=secret)
        assert (await send(lkps, body, signed)).status == 200
    crossed = signature(body, lkps.clock.now, key="new", secret=SECRET)
    assert (await send(lkps, body, crossed)).status == 401


async def test_an_event_whose_signature_has_just_expired_is_believed(lkps: Lkps) -> None:
    body = body_of(lkps)
    expired = signature(body, lkps.clock.now, exp=lkps.clock.now - timedelta(seconds=59))
    assert (await send(lkps, body, expired)).status == 200


@pytest.mark.parametrize(
    "room_name",
    ["", "test--concierge--" + "z" * 26, "other--concierge--" + "a" * 26, "test--x", "my room"],
)
async def test_an_event_of_a_room_that_is_no_session_changes_nothing(
    lkps: Lkps, room_name: str
) -> None:
    rows = len(lkps.rows)
    answer = await tell(lkps, event("room_finished", room_name, lkps.clock.now))
    assert (answer.status, answer.raw) == (200, b"")
    assert (lkps.sessions._rows, len(lkps.rows)) == ({}, rows)


@pytest.mark.parametrize("name", ["room_started", "track_published", "egress_started", "future"])
async def test_events_of_other_kinds_are_heard_and_ignored(lkps: Lkps, name: str) -> None:
    talk = await started(lkps)
    before = talk.row
    assert (await tell(lkps, event(name, talk.room_name, lkps.clock.now))).status == 200
    assert talk.row == before


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"room":7}'])
async def test_what_is_signed_and_no_event_is_refused(lkps: Lkps, body: bytes) -> None:
    answer = await send(lkps, body, signature(body, lkps.clock.now))
    assert (answer.status, answer.json["code"]) == (401, "event_not_signed")


async def test_a_body_is_at_most_256_kib(lkps: Lkps) -> None:
    body = body_of(lkps).ljust(256 * 1024)
    assert (await send(lkps, body, signature(body, lkps.clock.now))).status == 200
    body += b" "
    answer = await send(lkps, body, signature(body, lkps.clock.now))
    assert (answer.status, answer.json["code"]) == (413, "body_too_large")


async def test_refused_events_are_counted_on_the_trail_by_the_minute(lkps: Lkps) -> None:
    for _ in range(50):
        await send(lkps, body_of(lkps), "a.b.c")
    await lkps.services.close()
    rows = [row for row in lkps.rows if row["action"] == "request.refused"]
    assert [(row["reason"], row["count"]) for row in rows] == [("event_signature", 50)]


async def test_livekit_is_asked_to_send_again_what_cannot_be_written(lkps: Lkps) -> None:
    talk = await started(lkps)
    lkps.take_down_tables()
    answer = await tell(lkps, event("participant_joined", talk.room_name, lkps.clock.now))
    assert (answer.status, answer.json["code"]) == (503, "storage_unavailable")
    assert answer.headers["Retry-After"] == "5"
    lkps.take_down_tables(down=False)
    await tell(lkps, event("participant_joined", talk.room_name, lkps.clock.now))
    assert talk.row.joined_at is not None
