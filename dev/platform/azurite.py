"""Azurite's Table service: Table Storage on this machine."""

import signal
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


class Azurite(Part):
    """Keeps its tables in memory, so a restart loses them, or in `state`.

    What it wrote there in the last 5 seconds is lost when it is killed.
    """

    def __init__(self, logs: Path, state: Path, port: int, *, persistent: bool = False) -> None:
        script = ROOT / "dev/node_modules/azurite/dist/src/table/main.js"
        where = ("--location", str(state)) if persistent else ("--inMemoryPersistence",)
        listening = ("--tableHost", HOST, "--tablePort", str(port))
        quietly = ("--disableTelemetry", "--silent")
        argv = ("node", str(script), *where, *listening, *quietly)
        # Only at SIGINT does it save before it ends.
        ending = signal.SIGINT if persistent else signal.SIGTERM
        super().__init__("azurite", Command(argv, bare_environment(), state, ending), logs)
        self.port = port

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
    def settings(self) -> dict[str, str]:
        return {"LKPS_TABLES_CONNECTION_STRING": self.connection_string}

    async def is_ready(self) -> bool:
        return is_answering(self.port)
