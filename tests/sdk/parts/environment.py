"""An environment in which no credential can be found but what a test puts there."""

from collections.abc import Mapping
from pathlib import Path

API = "api-of-lkps"


def bare(folder: Path, **variables: str) -> dict[str, str]:
    """Nobody signed in on this machine: neither with `lkps login` nor with `az login`."""
    return {"LKPS_CONFIG_DIR": str(folder / "lkps-config"), "PATH": "", **variables}


def of_lkps(folder: Path, **variables: str) -> Mapping[str, str]:
    said = {"LKPS_URL": "https://gateway.example/lkps/", "LKPS_API_CLIENT_ID": API}
    return bare(folder, **said, **variables)
