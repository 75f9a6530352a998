"""The examination: every step, each after those that it needs."""

from collections.abc import AsyncIterator, Callable

from lkps.doctor import (
    agents,
    calls,
    configuration,
    network,
    platforms,
    service,
    signalling,
    tokens,
    versions,
)
from lkps.doctor.findings import Finding
from lkps.doctor.patient import Patient

_STEPS: tuple[Callable[[Patient], AsyncIterator[Finding]], ...] = (
    versions.versions,
    configuration.settings,
    configuration.livekit_keys,
    configuration.mode,
    tokens.token,
    tokens.claims,
    network.network,
    service.gateway,
    service.clock,
    service.readiness,
    service.whoami,
    signalling.livekit,
    agents.online,
    agents.grant,
    calls.call,
    platforms.checks,
)


async def examine(patient: Patient) -> AsyncIterator[Finding]:
    """Findings as they are made. A step that needs a failed one is not checked; all others are."""
    for step in _STEPS:
        async for finding in step(patient):
            yield finding
