"""The distributions of the SDK have all that it imports, whichever way they are built."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.sdk.parts.distributions import SOURCE, built
from tests.sdk.parts.livekit import ROOT

TRAIL = {f"lkps_trail/{one.name}" for one in (ROOT / "lkps_trail").glob("*.py")}
IMPORTS = "import lkps_trail.receipt, lkps_trail.verifying as trail, lkps; print(trail.__file__)"


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("sdist"), "sdist")


@pytest.fixture(scope="module", params=["repository", "sdist"])
def wheel(
    request: pytest.FixtureRequest, sdist: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    source = SOURCE
    if request.param == "sdist":
        unpacked = tmp_path_factory.mktemp("unpacked")
        with tarfile.open(sdist) as archive:
            archive.extractall(unpacked, filter="data")
        (source,) = unpacked.iterdir()
    return built(tmp_path_factory.mktemp("wheel"), source=source)


def test_a_wheel_has_the_trails_format(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.startswith("lkps_trail/")}
    assert names == TRAIL


def test_what_is_in_a_wheel_can_be_imported_from_it(wheel: Path) -> None:
    program = f"import sys; sys.path.insert(0, {str(wheel)!r}); {IMPORTS}"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=wheel.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    assert ran.stdout.startswith(str(wheel))


def test_a_source_distribution_has_it_too(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {*TRAIL, "hatch_build.py"}


def test_a_wheel_says_that_it_is_typed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert "lkps/py.typed" in archive.namelist()
