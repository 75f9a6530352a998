"""Azurite's Table service: Table Storage on this machine."""

from pathlib import Path

from dev.platform.environment import bare_environment
from dev.platform.part import Part
from dev.platform.ports import HOST, is_answering
from dev.platform.processes import Command

ACCOUNT = "devstoreaccount1"
# The key of every Azurite, published by Microsoft: it protects nothing.
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


class Azurite(Part):
    """Keeps its tables in memory, so a restart loses them, or in `directory`."""

    def __init__(self, root: Path, logs: Path, port: int, directory: Path | None) -> None:
        script = root / "dev/node_modules/azurite/dist/src/table/main.js"
        where = ("--location", str(directory)) if directory else ("--inMemoryPersistence",)
        listening = ("--tableHost", HOST, "--tablePort", str(port))
        quietly = ("--disableTelemetry", "--silent")
        argv = ("node", str(script), *where, *listening, *quietly)
        super().__init__("azurite", Command(argv, bare_environment(), directory or logs), logs)
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
