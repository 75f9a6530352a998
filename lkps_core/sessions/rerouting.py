"""Dispatching a room's job again that no worker took, while a rotation moves workers over."""

import asyncio
import logging
from collections.abc import Iterable

from lkps_core.ports import Room, Rooms

log = logging.getLogger(__name__)

REROUTE_AFTER = 3.0
"""Seconds in which an agent is in the room whose worker was reached."""


async def see_to_one_agent(rooms: Rooms, ways: Iterable[Room]) -> None:
    """Try the ways to reach a worker, one after the other, until the room has its agent."""
    for room in ways:
        await asyncio.sleep(REROUTE_AFTER)
        if not await rooms.reroute(room):
            return
        log.info("a job that nobody took is dispatched again")
