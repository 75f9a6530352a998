"""The platform: what only LKPS can find out about LiveKit, and tells its administrators."""

from collections.abc import AsyncIterator

import aiohttp

from lkps.doctor.asking import Heard, ask
from lkps.doctor.findings import Finding, failed, not_checked, ok
from lkps.doctor.patient import Patient
from lkps.doctor.tokens import ADMINISTERS

_CREATING, _WEBHOOKS = "LiveKit's auto_create", "LiveKit's webhooks"
_STEPS = (_CREATING, _WEBHOOKS)
_AWAY = "LKPS does not reach LiveKit, or LiveKit refuses its key"
_MEND = "Look at LKPS_LIVEKIT_API_URL, LKPS_LIVEKIT_API_KEY and LKPS_LIVEKIT_API_SECRET"


async def checks(patient: Patient) -> AsyncIterator[Finding]:
    for finding in await _findings(patient):
        yield finding


async def _findings(patient: Patient) -> list[Finding]:
    if why := _why_not(patient):
        return [not_checked(step, why) for step in _STEPS]
    try:
        heard = await ask(patient, "POST", "platform", "check")
    except (aiohttp.ClientError, TimeoutError) as error:
        return [failed(step, f"no answer: {type(error).__name__}", "Try again") for step in _STEPS]
    if heard.code == "livekit_unavailable":
        return [failed(step, _AWAY, _MEND) for step in _STEPS]
    if heard.status != 200 or "auto_create" not in heard.body:
        said = f"LKPS answers {heard.what} ({heard.status} {heard.code})"
        return [not_checked(step, said) for step in _STEPS]
    return [_creating(heard), _webhooks(heard)]


def _creating(heard: Heard) -> Finding:
    if heard.body["auto_create"] is False:
        return ok(_CREATING, "off: a token brings no room back that LKPS ended")
    return failed(
        _CREATING,
        "on: whoever has a token brings back a room that LKPS ended",
        "Set room.auto_create: false in LiveKit's configuration, and restart it",
    )


def _webhooks(heard: Heard) -> Finding:
    seconds = heard.body.get("webhook_seconds")
    if isinstance(seconds, int | float):
        return ok(_WEBHOOKS, f"LiveKit told LKPS of a room's end within {seconds:.1f} s")
    return failed(
        _WEBHOOKS,
        "LiveKit did not tell LKPS of a room's end within 5 s",
        "Set webhook.urls to LKPS_PUBLIC_URL/api/livekit/webhook and webhook.api_key to LKPS's key"
        " in LiveKit's configuration, and let LiveKit through to there",
    )


def _why_not(patient: Patient) -> str:
    if not patient.platform:
        return "--platform asks LKPS, for its administrators"
    if not patient.is_accepted:
        return "LKPS did not accept the caller"
    return "" if patient.may(*ADMINISTERS) else "only administrators of LKPS are told"
