"""The test call: a session with the agent, as whoever calls, and how its media travels."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from lkps.doctor import transports
from lkps.doctor.findings import Finding, failed, failed_by, not_checked, ok
from lkps.doctor.patient import Patient
from lkps.doctor.signalling import websocket
from lkps.doctor.tokens import STARTS
from lkps.errors import ConfigurationError, LkpsError
from lkps.session_answers import StartedSession
from lkps.session_client import SessionClient

_SESSION, _SOCKET, _UDP, _TCP, _END = (
    "test session",
    "LiveKit's WebSocket",
    "media over UDP",
    "media over TCP",
    "end of the session",
)
_LIVEKIT = (_SOCKET, _UDP, _TCP)
_AGENT_SECONDS = 10
_CONNECT_SECONDS = 20.0


async def call(patient: Patient) -> AsyncIterator[Finding]:
    if why := _why_not(patient):
        for step in (_SESSION, *_LIVEKIT):
            yield not_checked(step, why)
        return
    try:
        client = SessionClient(lkps_url=patient.url, credential=patient.credential)
    except ConfigurationError as error:
        yield failed_by(_SESSION, error)
        return
    async with client:
        async for finding in _session(client, patient.agent):
            yield finding


async def _session(client: SessionClient, agent: str) -> AsyncIterator[Finding]:
    try:
        session = await client.start(
            agent, participant_name="lkps doctor", wait_for_agent=_AGENT_SECONDS
        )
    except LkpsError as error:
        yield failed_by(_SESSION, error)
        for step in _LIVEKIT:
            yield not_checked(step, "there is no session")
        return
    try:
        yield _started(session)
        for finding in await _joined(session):
            yield finding
    finally:
        ended = await _ended(client, session)
    yield ended


def _started(session: StartedSession) -> Finding:
    if session.agent_status == "joined":
        return ok(_SESSION, f"{session.session_id}; the agent came")
    if session.agent_status == "offline":
        return failed(
            _SESSION,
            f"{session.session_id}; no instance of the agent is online",
            'Start it: python agent.py start; once its log says "registered worker", it is online',
        )
    return failed(
        _SESSION,
        f"{session.session_id}; the agent did not come within {_AGENT_SECONDS} s"
        f" ({session.agent_status})",
        "Look into the agent's log: it is registered, and took no job or failed with it",
    )


async def _joined(session: StartedSession) -> list[Finding]:
    try:
        from livekit import rtc
    except ImportError:
        why = 'livekit is not installed: pip install "lkps-sdk[rtc]"'
        return [await websocket(_SOCKET, session), *(not_checked(one, why) for one in (_UDP, _TCP))]
    room = rtc.Room()
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await session.connect(room)
    except (rtc.ConnectError, TimeoutError):
        return await _why_not_joined(session)
    try:
        connected = ok(_SOCKET, f"{session.livekit_url} lets the participant in")
        return [connected, *await transports.findings(room, _UDP, _TCP)]
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await room.disconnect()


async def _why_not_joined(session: StartedSession) -> list[Finding]:
    socket = await websocket(_SOCKET, session)
    if socket.fix:
        return [socket, *(not_checked(one, "the WebSocket failed") for one in (_UDP, _TCP))]
    return [socket, *transports.nothing_travels(_UDP, _TCP)]


async def _ended(client: SessionClient, session: StartedSession) -> Finding:
    try:
        await client.end(session.session_id)
    except LkpsError as error:
        said = f"{session.session_id} may still be open: {type(error).__name__}"
        return failed(_END, said, f"lkps sessions end {session.session_id}")
    return ok(_END, "it is over, and on the record")


def _why_not(patient: Patient) -> str:
    if not patient.call:
        return "--call starts a session, which is on the record"
    if not patient.agent:
        return "no agent was named: --agent NAME"
    if not patient.is_accepted:
        return "LKPS did not accept the caller"
    return "" if patient.may(*STARTS) else "this caller starts no sessions"
