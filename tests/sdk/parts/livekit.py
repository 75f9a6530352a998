"""A real livekit-server on loopback; its key is known here and nowhere else."""

import shutil
import socket
import subprocess
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from livekit import api

from tests.sdk.parts.ports import free_port
from tests.sdk.parts.waiting import eventually

ROOT = Path(__file__).parents[3]
_CONFIG = """
port: {port}
bind_addresses: ["127.0.0.1"]
keys: {{{key}: "{secret}"}}
logging: {{level: error}}
rtc:
  tcp_port: 0
  udp_port: {udp_port}
  node_ip: 127.0.0.1
  use_external_ip: false
  enable_loopback_candidate: true
  interfaces: {{includes: [lo]}}
  stun_servers: ["127.0.0.1:3478"]
room: {{auto_create: false, empty_timeout: 120, departure_timeout: 20}}
"""


def livekit_server_binary() -> str:
    own = ROOT / "dev" / ".state" / "bin" / "livekit-server"
    found = str(own) if own.exists() else shutil.which("livekit-server")
    if found is None:
        raise FileNotFoundError("livekit-server is neither in dev/.state/bin nor on the path")
    return found


@dataclass
class LiveKit:
    """The server, and what its owner may do: make rooms, mint tokens, look."""

    folder: Path
    key: str = "devkey"
    secret: str = field(default="the-secret-of-the-tests-0123456789", repr=False)
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def start(self) -> None:
        config = _CONFIG.format(
            port=self.port,
            udp_port=free_port(socket.SOCK_DGRAM),
            key=self.key,
            secret=self.secret,
        )
        with (self.folder / "livekit.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220  returns at once, outlives loops
                [livekit_server_binary(), "--config-body", config], stdout=log, stderr=log
            )
        await eventually(self._answers)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def agent_token(self, seconds: float, secret: str | None = None) -> str:
        return (
            api.AccessToken(self.key, secret or self.secret)
            .with_identity(uuid.uuid4().hex)
            .with_ttl(timedelta(seconds=seconds))
            .with_grants(api.VideoGrants(agent=True))
            .to_jwt()
        )

    def participant_token(
        self, room: str, identity: str, attributes: dict[str, str] | None = None
    ) -> str:
        grants = api.VideoGrants(room_join=True, room=room)
        return (
            api.AccessToken(self.key, self.secret)
            .with_identity(identity)
            .with_attributes(attributes or {})
            .with_grants(grants)
            .to_jwt()
        )

    async def create_room(
        self, agent_name: str, deployment: str, metadata: str = "", name: str = ""
    ) -> str:
        """A new session's room with a dispatch to that agent; its name. Left, it closes at once."""
        name = name or f"tests--{agent_name}--{uuid.uuid4().hex}"
        dispatch = api.RoomAgentDispatch(
            agent_name=agent_name, deployment=deployment, metadata=metadata
        )
        request = api.CreateRoomRequest(name=name, agents=[dispatch], departure_timeout=1)
        async with self._api() as livekit:
            await livekit.room.create_room(request)
        return name

    async def delete_room(self, room: str) -> None:
        async with self._api() as livekit:
            await livekit.room.delete_room(api.DeleteRoomRequest(room=room))

    async def remove(self, room: str, identity: str) -> None:
        async with self._api() as livekit:
            await livekit.room.remove_participant(
                api.RoomParticipantIdentity(room=room, identity=identity)
            )

    async def agents_in(self, room: str) -> list[str]:
        """Identities of the agents that are in the room, and hear what is said in it."""
        async with self._api() as livekit:
            listed = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
        kind, active = api.ParticipantInfo.Kind.AGENT, api.ParticipantInfo.State.ACTIVE
        return [
            one.identity for one in listed.participants if one.kind == kind and one.state == active
        ]

    async def jobs_of(self, room: str) -> int:
        """How many jobs the room's dispatches led to."""
        async with self._api() as livekit:
            dispatches = await livekit.agent_dispatch.list_dispatch(room)
        return sum(len(dispatch.state.jobs) for dispatch in dispatches)

    def _api(self) -> api.LiveKitAPI:
        return api.LiveKitAPI(f"http://127.0.0.1:{self.port}", self.key, self.secret)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
