from datetime import datetime, timedelta
from pathlib import Path

import aiohttp

from tests.dev.functions_host.conftest import StartHost
from tests.dev.functions_host.ticking import ticked, ticks


async def test_schedules_run_with_timers_and_only_with_them(
    app_dir: Path, start_host: StartHost
) -> None:
    host = await start_host(app_dir)
    scheduled = await start_host(app_dir, "--timers")
    async with (
        aiohttp.ClientSession(host.url) as idle,
        aiohttp.ClientSession(scheduled.url) as running,
    ):
        seen = await ticked(running, 3)
        assert await ticks(idle) == []

    assert not any(past_due for past_due, _ in seen)
    occurrences = [datetime.fromisoformat(status["Next"]) for _, status in seen]
    assert [moment.microsecond for moment in occurrences] == [0] * len(seen)
    assert seen[1][1]["Last"] == seen[0][1]["Next"]
    assert occurrences[1] - occurrences[0] >= timedelta(seconds=1)
