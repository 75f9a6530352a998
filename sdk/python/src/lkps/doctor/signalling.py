"""LiveKit's signalling: the WebSocket by which a participant joins, and why it does not open."""

import aiohttp

from lkps.api import proxy_for
from lkps.doctor.findings import Finding, failed, ok
from lkps.session_answers import StartedSession

_SECONDS = 10.0


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
        return failed(
            step,
            f"{session.livekit_url} cannot be reached: {type(error).__name__}",
            "Have the network opened from here to it; the address is LKPS's LKPS_LIVEKIT_URL",
        )


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
    return failed(
        step, said, "Ask the platform team: what is in front of LiveKit lets no WebSocket through"
    )
