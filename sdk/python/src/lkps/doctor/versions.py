"""Versions: of Python, of the SDK, and of the livekit-agents that it has to fit."""

import asyncio
import platform
from collections.abc import AsyncIterator
from importlib.metadata import PackageNotFoundError, version

from lkps.doctor.findings import Finding, failed, failed_by, not_checked, ok
from lkps.doctor.patient import Patient
from lkps.errors import ConfigurationError
from lkps.fitting import NEEDED, is_fitting

_INSTALL = 'pip install "lkps-sdk[agents]"'


async def versions(_: Patient) -> AsyncIterator[Finding]:
    yield ok("versions", f"lkps-sdk {version('lkps-sdk')} on Python {platform.python_version()}")
    yield await _agents()


async def _agents() -> Finding:
    step = "livekit-agents"
    try:
        found = version("livekit-agents")
    except PackageNotFoundError:
        return not_checked(step, f"it is not installed; to run agents: {_INSTALL}")
    if not is_fitting(found):
        return failed(step, f"{found}, and this lkps-sdk needs {NEEDED}", _INSTALL)
    try:
        await asyncio.to_thread(_require_compatible)
    except ConfigurationError as error:
        return failed_by(step, error)
    except ImportError as error:
        return failed(step, f"{found} cannot be imported: {error.name}", _INSTALL)
    return ok(step, f"{found} fits")


def _require_compatible() -> None:
    from lkps.compatibility import require_compatible

    require_compatible()
