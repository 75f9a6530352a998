"""The SDK's distributions, as they are built for its users."""

import subprocess
import sys
from pathlib import Path
from typing import Literal

from tests.sdk.parts.livekit import ROOT

SOURCE = ROOT / "sdk/python"


def built(folder: Path, target: Literal["wheel", "sdist"] = "wheel", source: Path = SOURCE) -> Path:
    before = set(folder.glob("*"))
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "-d", str(folder)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (made,) = set(folder.glob("*")) - before
    return made
