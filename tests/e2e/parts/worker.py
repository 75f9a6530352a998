"""A worker that speaks LiveKit's `/agent` protocol itself and says of itself whatever it likes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from livekit.protocol.agent import (
    AvailabilityResponse,
    Job,
    JobType,
    RegisterWorkerRequest,
    ServerMessage,
    SimulateJobRequest,
    UpdateWorkerStatus,
    WorkerMessage,
    WorkerStatus,
)
from livekit.protocol.models import ParticipantPermission, Room


class Worker:
    """Accepts every job that it is offered: `offered` has them, `tokens` what joins their rooms."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._registered = asyncio.Event()
        self.offered: list[Job] = []
        self.tokens: list[str] = []

    async def register(self, agent_name: str, deployment: str, *, hidden: bool) -> None:
        """Returns when LiveKit has confirmed it."""
        request = RegisterWorkerRequest(
            type=JobType.JT_ROOM,
            agent_name=agent_name,
            deployment=deployment,
            version="1.0",
            allowed_permissions=ParticipantPermission(
                can_publish=True, can_subscribe=True, hidden=hidden
            ),
        )
        await self._send(WorkerMessage(register=request))
        async with asyncio.timeout(10):
            await self._registered.wait()

    async def simulate(self, room: Room) -> None:
        """A job that nobody dispatched, in whichever room."""
        request = SimulateJobRequest(type=JobType.JT_ROOM, room=room)
        await self._send(WorkerMessage(simulate_job=request))

    async def listen(self) -> None:
        async for message in self._socket:
            if message.type != aiohttp.WSMsgType.BINARY:
                continue
            said = ServerMessage.FromString(message.data)
            if said.HasField("register"):
                status = UpdateWorkerStatus(status=WorkerStatus.WS_AVAILABLE, load=0.0)
                await self._send(WorkerMessage(update_worker=status))
                self._registered.set()
            elif said.HasField("availability"):
                await self._accept(said.availability.job)
            elif said.HasField("assignment"):
                self.tokens.append(said.assignment.token)

    async def _accept(self, job: Job) -> None:
        self.offered.append(job)
        accepted = AvailabilityResponse(
            job_id=job.id, available=True, participant_identity=f"agent-{job.id}"
        )
        await self._send(WorkerMessage(availability=accepted))

    async def _send(self, message: WorkerMessage) -> None:
        await self._socket.send_bytes(message.SerializeToString())


@asynccontextmanager
async def working(
    livekit_url: str, token: str, agent_name: str, deployment: str, *, hidden: bool = False
) -> AsyncIterator[Worker]:
    """A registered worker until the block ends; nobody in a room sees the jobs of a hidden one."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{livekit_url}/agent", headers=headers) as socket,
        asyncio.TaskGroup() as tasks,
    ):
        worker = Worker(socket)
        listening = tasks.create_task(worker.listen())
        await worker.register(agent_name, deployment, hidden=hidden)
        yield worker
        listening.cancel()
