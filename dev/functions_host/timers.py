"""Timer triggers: each on its schedule in UTC, never beside itself, and by hand."""

import asyncio
import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from dev.functions_host.invocations import invoke
from dev.functions_host.protocol import InvocationResponse, TypedData
from dev.functions_host.schedule import Schedule
from dev.functions_host.worker import Function, Worker

_log = logging.getLogger("functions_host")
_NEVER = datetime.min.replace(tzinfo=UTC)


class Timers:
    """The host remembers occurrences in storage; here nothing outlives the process, so nothing is
    ever past due."""

    def __init__(self, worker: Worker, functions: Iterable[Function]) -> None:
        self._worker = worker
        self._timers = [
            (function, Schedule.parse(function.trigger["schedule"]))
            for function in functions
            if function.is_timer
        ]
        self._last: dict[str, datetime] = {}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as running:
            for function, schedule in self._timers:
                running.create_task(self._run(function, schedule))

    async def fire(self, function: Function, occurrence: datetime) -> InvocationResponse:
        last = self._last.get(function.name, _NEVER)
        response = await invoke(self._worker, function, _timer_info(last, occurrence))
        self._last[function.name] = occurrence
        return response

    async def _run(self, function: Function, schedule: Schedule) -> None:
        now = datetime.now(UTC)
        if function.trigger.get("runOnStartup"):
            await self.fire(function, now)
        occurrence = schedule.next_after(now)
        while True:
            await _sleep_until(occurrence)
            await self.fire(function, occurrence)
            # from now and not from the occurrence: those that a long run covered are skipped
            occurrence = schedule.next_after(max(occurrence, datetime.now(UTC)))


async def _sleep_until(moment: datetime) -> None:
    await asyncio.sleep((moment - datetime.now(UTC)).total_seconds())


def _timer_info(last: datetime, occurrence: datetime) -> TypedData:
    info = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": {
            "Last": last.isoformat(),
            "Next": occurrence.isoformat(),
            "LastUpdated": last.isoformat(),
        },
        "IsPastDue": False,
    }
    return TypedData(json=json.dumps(info))
