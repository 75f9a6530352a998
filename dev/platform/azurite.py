"""Azurite: Table and Blob Storage on this machine."""

import signal
from dataclasses import dataclass
from pathlib import Path

from dev.platform.environment import bare_environment
from dev.platform.part import Part
from dev.platform.places import ROOT
from dev.platform.ports import HOST, is_answering
from dev.platform.processes import Command

ACCOUNT = "devstoreaccount1"
# The key of every Azurite, published by Microsoft: it protects nothing.
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


_PRELOADED_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class AzuritePorts:
    """Nobody asks for queues, but they cannot be left out."""

    tables: int
    blobs: int
    queues: int


class Azurite(Part):
    """Keeps its tables and blobs in memory, so a restart loses them, or in `state`.

    What it wrote there in the last 5 seconds is lost when it is killed. `node_options` are of the
    program that runs it.
    """

    def __init__(
        self,
        logs: Path,
        state: Path,
        ports: AzuritePorts,
        *,
        persistent: bool = False,
        node_options: tuple[str, ...] = (),
    ) -> None:
        script = ROOT / "dev/node_modules/azurite/dist/src/azurite.js"
        where = ("--location", str(state)) if persistent else ("--inMemoryPersistence",)
        listening = (
            *("--tableHost", HOST, "--tablePort", str(ports.tables)),
            *("--blobHost", HOST, "--blobPort", str(ports.blobs)),
            *("--queueHost", HOST, "--queuePort", str(ports.queues)),
        )
        quietly = ("--disableTelemetry", "--silent")
        argv = ("node", *node_options, str(script), *where, *listening, *quietly)
        # At SIGTERM it lets requests end and saves: in memory there is nothing to wait for.
        ending = signal.SIGTERM if persistent else signal.SIGKILL
        super().__init__("azurite", Command(argv, bare_environment(), state, ending), logs)
        if node_options:  # what is imported that way may fill its tables
            self.ready_seconds = _PRELOADED_SECONDS
        self.port = ports.tables
        self._blob_port = ports.blobs

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}/{ACCOUNT}"

    @property
    def connection_string(self) -> str:
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"TableEndpoint={self.endpoint};"
        )

    @property
    def checkpoints_url(self) -> str:
        """Of a container that its first user makes."""
        return f"http://{HOST}:{self._blob_port}/{ACCOUNT}/checkpoints"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "LKPS_TABLES_CONNECTION_STRING": self.connection_string,
            "LKPS_CHECKPOINTS_URL": self.checkpoints_url,
        }

    async def is_ready(self) -> bool:
        return is_answering(self.port) and is_answering(self._blob_port)
