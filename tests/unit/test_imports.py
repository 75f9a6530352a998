"""What a cold start has to import before the first request can be answered."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lkps_core import wiring

ROOT = Path(__file__).parents[2]
SLOW = (
    "aiohttp",
    "azure.core",
    "azure.data",
    "azure.storage",
    "google.protobuf",
    "livekit",
    "msal",
    "requests",
)

LOADED = """
import json, sys, threading
threading.Thread.start = lambda thread: None  # what is imported in the background is not counted
import {module}
print(json.dumps(sorted(sys.modules)))
"""


def loaded_by(program: str) -> list[str]:
    """The modules of a fresh interpreter that has run the program, which prints them."""
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, timeout=60
    )
    modules: list[str] = json.loads(ran.stdout)
    return modules


@pytest.mark.parametrize("module", ["function_app", "lkps_core.composition"])
def test_no_adapters_library_is_imported_on_the_way_to_the_first_request(module: str) -> None:
    loaded = loaded_by(LOADED.format(module=module))
    assert module in loaded
    slow = [name for name in loaded if name.startswith(tuple(f"{one}." for one in SLOW))]
    assert [*slow, *(name for name in loaded if name in SLOW)] == []


def test_the_adapters_are_imported_in_the_background() -> None:
    thread = wiring.warm_up()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert thread.daemon
    assert {"lkps_core.adapters.tables", "lkps_core.adapters.livekit"} <= sys.modules.keys()


WARM = """
import json, sys
from lkps_core import wiring
wiring.warm_up().join(timeout=30)
print(json.dumps(sorted(sys.modules)))
"""


def test_what_only_checkpoints_need_waits_for_the_first_of_them() -> None:
    loaded = loaded_by(WARM)
    assert "azure.data.tables.aio" in loaded
    assert [name for name in loaded if name.startswith("azure.storage")] == []


def test_an_adapter_that_cannot_be_imported_is_logged_and_left_to_the_first_request(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wiring, "_SLOW_IMPORTS", ("lkps_core.adapters.nowhere",))
    wiring.warm_up().join(timeout=30)
    assert "an adapter cannot be imported" in caplog.messages
