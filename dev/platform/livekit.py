"""A LiveKit server that listens on loopback only and needs no internet."""

import json
import os
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from dev.platform.environment import bare_environment
from dev.platform.http import answers_ok
from dev.platform.part import Part, PartFailed
from dev.platform.places import ROOT
from dev.platform.ports import HOST
from dev.platform.processes import Command


@dataclass(frozen=True, slots=True)
class ApiKey:
    key: str
    secret: str = field(repr=False)

    @classmethod
    def make(cls) -> Self:
        return cls(f"API{secrets.token_hex(6)}", secrets.token_urlsafe(36))


@dataclass(frozen=True, slots=True)
class LiveKitPorts:
    signalling: int
    media: int


class LiveKit(Part):
    """`webhook` is the address that is told of events, when there is one."""

    def __init__(
        self,
        logs: Path,
        state: Path,
        ports: LiveKitPorts,
        api_key: ApiKey,
        webhook: str | None,
    ) -> None:
        configuration = state / "livekit.yaml"
        _write_configuration(configuration, ports, api_key, webhook)
        argv = (_program(), "--config", str(configuration))
        super().__init__("livekit", Command(argv, bare_environment(), state), logs)
        self.port = ports.signalling
        self.api_key = api_key

    @property
    def url(self) -> str:
        return f"ws://{HOST}:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "LKPS_LIVEKIT_URL": self.url,
            "LKPS_LIVEKIT_API_KEY": self.api_key.key,
            "LKPS_LIVEKIT_API_SECRET": self.api_key.secret,
        }

    async def is_ready(self) -> bool:
        return await answers_ok(f"http://{HOST}:{self.port}/")


def _program() -> str:
    own = ROOT / "dev/.state/bin/livekit-server"
    found = str(own) if own.exists() else shutil.which("livekit-server")
    if found is None:
        raise PartFailed("livekit-server is missing: run make setup")
    return found


def _write_configuration(
    path: Path, ports: LiveKitPorts, api_key: ApiKey, webhook: str | None
) -> None:
    configuration = {
        "port": ports.signalling,
        "bind_addresses": [HOST],
        "keys": {api_key.key: api_key.secret},
        "rtc": {
            "tcp_port": 0,  # any other listens on every interface
            "udp_port": ports.media,
            "node_ip": HOST,
            "use_external_ip": False,
            "enable_loopback_candidate": True,
            "interfaces": {"includes": [_loopback_interface()]},
            # Nothing listens there; it keeps the server from asking public ones.
            "stun_servers": [f"{HOST}:3478"],
        },
        "room": {"auto_create": False, "empty_timeout": 120, "departure_timeout": 20},
    }
    if webhook:
        configuration["webhook"] = {"api_key": api_key.key, "urls": [webhook]}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(configuration, file)  # which is YAML, too


def _loopback_interface() -> str:
    return "lo0" if os.uname().sysname == "Darwin" else "lo"
