"""Dispatching a room's job again that no worker took, while a rotation moves workers over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from lkps_core.ports import Room, Rooms

log = logging.getLogger(__name__)

REROUTE_AFTER = 3.0
"""Seconds in which an agent is in the room whose worker was reached."""


@dataclass(frozen=True, slots=True)
class Way:
    """To reach a worker: the room with the routing secret of that version in its dispatch."""

    routing_version: int
    room: Room


async def see_to_one_agent(
    rooms: Rooms, ways: Iterable[Way], is_open: Callable[[Way], Awaitable[bool]]
) -> None:
    """Try the ways, one after the other, until the room has its agent.

    `is_open` is asked before each: a block or an emergency may have closed it meanwhile.
    """
    for way in ways:
        await asyncio.sleep(REROUTE_AFTER)
        if not await is_open(way):
            continue
        if not await rooms.reroute(way.room):
            return
        log.info("a job that nobody took is dispatched again")
