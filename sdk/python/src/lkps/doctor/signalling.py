"""LiveKit's signalling: whether it answers, and the WebSocket by which a participant joins."""

import re
from collections.abc import AsyncIterator

import aiohttp

from lkps.api import proxy_for
from lkps.doctor.findings import Finding, failed, not_checked, ok
from lkps.doctor.patient import Patient
from lkps.session_answers import StartedSession

_SECONDS = 10.0
_REACHED = "LiveKit"
_IN_FRONT = "Ask the platform team: what is in front of LiveKit lets no WebSocket through"


async def livekit(patient: Patient) -> AsyncIterator[Finding]:
    """Whether it answers from here; a call looks at the rest."""
    if patient.livekit_url:
        yield await _reached(patient.livekit_url)
    elif patient.is_accepted:
        yield not_checked(_REACHED, "this LKPS does not say where it is")
    else:
        yield not_checked(_REACHED, "LKPS did not accept the caller")


async def _reached(livekit_url: str) -> Finding:
    """Who shows no token is refused by LiveKit itself, with 401."""
    url = re.sub("^ws", "http", livekit_url.rstrip("/")) + "/rtc/validate"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as http,
            http.get(url, proxy=proxy_for(url), allow_redirects=False) as response,
        ):
            status = response.status
    except (aiohttp.ClientError, TimeoutError) as error:
        return _unreachable(_REACHED, livekit_url, error)
    if status == 401:
        return ok(_REACHED, f"{livekit_url} answers")
    return failed(_REACHED, f"{livekit_url} answers {status}, which is not LiveKit", _IN_FRONT)


async def websocket(step: str, session: StartedSession) -> Finding:
    """Opens it as a participant does; whoever is in the room under that identity is put out."""
    url = f"{session.livekit_url.rstrip('/')}/rtc"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as http,
            http.ws_connect(
                url,
                params={"protocol": "15", "sdk": "python"},
                headers={"Authorization": f"Bearer {session.participant_token}"},
                proxy=proxy_for(url),
            ),
        ):
            return ok(step, f"{session.livekit_url} opens it")
    except aiohttp.WSServerHandshakeError as error:
        return _refused(step, session.livekit_url, error.status)
    except (aiohttp.ClientError, TimeoutError) as error:
        return _unreachable(step, session.livekit_url, error)


def _unreachable(step: str, url: str, error: Exception) -> Finding:
    said = f"{url} cannot be reached: {type(error).__name__}"
    fix = "Have the network opened from here to it; the address is LKPS's LKPS_LIVEKIT_URL"
    return failed(step, said, fix)


def _refused(step: str, url: str, status: int) -> Finding:
    said = f"{url} answers {status}"
    if status == 401:
        return failed(
            step,
            f"{said}: it takes no token of LKPS's",
            "Ask the platform team: LKPS's key (LKPS_LIVEKIT_API_KEY) is not one of this LiveKit's,"
            " or the clocks differ",
        )
    if status == 404:
        fix = "Ask the platform team: LKPS_LIVEKIT_URL and LKPS_LIVEKIT_API_URL are two LiveKits"
        return failed(step, f"{said}: it does not know the room", fix)
    return failed(step, said, _IN_FRONT)
