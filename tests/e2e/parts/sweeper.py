"""The service's sweep on the real parts, in this process, with ages that need not be waited for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from dev.platform import Platform
from lkps_core.services import Services
from lkps_core.sessions import life, model
from lkps_core.sweep import comparing
from lkps_core.sweep.model import Run
from lkps_core.wiring import wire


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rooms and rows are old at once, any number of rooms without a session is plausible.

    Whoever ends a session keeps the time to do so: `abandon` takes it away.
    """
    none = timedelta(0)
    monkeypatch.setattr(comparing, "YOUNGEST", none)
    monkeypatch.setattr(comparing, "FEW", 10**6)
    monkeypatch.setattr(life, "SETTLED", none)
    monkeypatch.setattr(life, "ALONE", none)
    monkeypatch.setattr(model, "UNTOLD", none)
    monkeypatch.setattr(model, "GRACE", none)


def abandon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is at work any more: what is half done, the sweep finishes."""
    monkeypatch.setattr(model, "UNFINISHED", timedelta(0))


@asynccontextmanager
async def sweeping(platform: Platform) -> AsyncIterator[Services]:
    services = wire(platform.settings)
    try:
        yield services
    finally:
        await services.close()


async def swept(services: Services) -> Run:
    """A full run, and how it went."""
    await services.sweeping.full()
    (run,) = [one for one in await services.sweeping._turns.last() if one.kind == "full"]
    return run
