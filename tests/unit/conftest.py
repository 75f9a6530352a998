"""A service of its own for every test, and time that does not have to be waited for."""

from datetime import timedelta

import pytest

from lkps_core import checkup, undoing
from lkps_core.audit import refusals, stream
from lkps_core.sessions import presence
from tests.builders.lkps import Lkps


@pytest.fixture
def lkps() -> Lkps:
    return Lkps()


@pytest.fixture(autouse=True)
def nobody_tells_of_rooms_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that waiting for it is soon over."""
    monkeypatch.setattr(checkup, "WAIT_SECONDS", 0.3)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every patience is a hundredth of what it is."""
    monkeypatch.setattr(undoing, "PATIENCE", undoing.PATIENCE / 100)
    monkeypatch.setattr(undoing, "PAUSES", tuple(pause / 100 for pause in undoing.PAUSES))
    monkeypatch.setattr(undoing, "LATE", undoing.LATE / 100)
    monkeypatch.setattr(stream, "PATIENCE", stream.PATIENCE / 100)
    monkeypatch.setattr(stream, "FIRST_PAUSE", stream.FIRST_PAUSE / 100)
    monkeypatch.setattr(stream, "LONGEST_PAUSE", stream.LONGEST_PAUSE / 100)
    monkeypatch.setattr(presence, "LOOK_EVERY", presence.LOOK_EVERY / 100)
    monkeypatch.setattr(refusals, "WINDOW", timedelta(seconds=0.05))
