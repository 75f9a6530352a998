"""The platform: what only LKPS can see of LiveKit, and tells its administrators."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp

from lkps.doctor.asking import Heard, ask
from lkps.doctor.findings import Finding, failed, not_checked, ok
from lkps.doctor.patient import Patient
from lkps.doctor.tokens import ADMINISTERS

_CREATING, _WEBHOOKS = "LiveKit's auto_create", "LiveKit's webhooks"
_STEPS = (_CREATING, _WEBHOOKS)


async def checks(patient: Patient) -> AsyncIterator[Finding]:
    if why := _why_not(patient):
        for step in _STEPS:
            yield not_checked(step, why)
        return
    try:
        heard = await ask(patient, "GET", "platform", "checks")
    except (aiohttp.ClientError, TimeoutError) as error:
        for step in _STEPS:
            yield failed(step, f"no answer: {type(error).__name__}", "Try again")
        return
    if heard.status != 200 or "auto_create" not in heard.body:
        for step in _STEPS:
            yield not_checked(step, f"LKPS answers {heard.what} ({heard.status} {heard.code})")
        return
    yield _creating(heard)
    yield _webhooks(heard)


def _creating(heard: Heard) -> Finding:
    match heard.body["auto_create"]:
        case "off":
            return ok(_CREATING, "off: a token brings no room back that LKPS ended")
        case "on":
            return failed(
                _CREATING,
                "on: whoever has a token brings back a room that LKPS ended",
                "Set room.auto_create: false in LiveKit's configuration, and restart it",
            )
        case _:
            return failed(
                _CREATING,
                "LiveKit does not tell: LKPS does not reach it, or its key is refused",
                "Look at LKPS_LIVEKIT_API_URL, LKPS_LIVEKIT_API_KEY and LKPS_LIVEKIT_API_SECRET",
            )


def _webhooks(heard: Heard) -> Finding:
    last = heard.body.get("last_event_at")
    if last:
        ago = (datetime.now(UTC) - datetime.fromisoformat(str(last))).total_seconds()
        return ok(_WEBHOOKS, f"LiveKit told LKPS of an event {max(0, ago):.0f} s ago")
    return failed(
        _WEBHOOKS,
        "LKPS has heard of no event",
        "Set webhook.urls to LKPS_PUBLIC_URL/api/livekit/webhook and webhook.api_key to LKPS's key"
        " in LiveKit's configuration; if nothing happened on it yet, call once: --call",
    )


def _why_not(patient: Patient) -> str:
    if not patient.platform:
        return "--platform asks LKPS, for its administrators"
    if not patient.is_accepted:
        return "LKPS did not accept the caller"
    return "" if patient.may(*ADMINISTERS) else "only administrators of LKPS are told"
