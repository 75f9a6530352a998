"""The build: the trail's format, which the service has as well, is in every distribution."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "lkps_trail"


class WithTrail(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build_data["force_include"][str(_found(Path(self.root)))] = PACKAGE


def _found(root: Path) -> Path:
    """Beside the SDK's code in a source distribution, else at the root of the repository."""
    packed = root / PACKAGE
    return packed if packed.is_dir() else root.parents[1] / PACKAGE
