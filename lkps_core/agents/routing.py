"""The routing secret: LiveKit dispatches to a worker only when it knows its agent's `deployment`.

LiveKit matches a dispatch on agent name and deployment exactly, and lets any holder of an agent
token claim any name. The name is public; this value is not (livekit-server 1.12 and later).
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

from lkps_core.agents.model import Agent, Registration


def routing_secret(secret: bytes, agent_name: str, version: int) -> str:
    """52 lower-case base32 characters (LiveKit takes 64 bytes, no underscore, no white space)."""
    message = f"lkps routing v1|{agent_name}|{version}".encode()
    return _base32(hmac.new(secret, message, hashlib.sha256).digest())


KNOWN_AFTER = timedelta(seconds=6)
"""When every process knows of a rotation: their memory of an agent is at most 5 s old."""


def offered_version(agent: Agent, now: datetime) -> int:
    """The version that an instance is given: of a planned rotation, not before all know of it."""
    previous = agent.previous_routing_version
    if previous is None or agent.rotated_at is None or now - agent.rotated_at >= KNOWN_AFTER:
        return agent.routing_version
    return previous


def dispatch_version(agent: Agent, online: Iterable[Registration]) -> int:
    """The version to dispatch to: the one that most live instances listen with.

    While a planned rotation moves instances over, that can be the previous one. An instance that
    was offered the new secret connects with it at once, and says so only when it renews again.
    """
    previous = agent.previous_routing_version
    if previous is None:
        return agent.routing_version
    offered = [instance.offered_version for instance in online]
    moved = offered.count(agent.routing_version)
    return previous if offered.count(previous) > moved else agent.routing_version


def other_version(agent: Agent, version: int) -> int | None:
    """Where an instance may listen that the dispatch to `version` did not reach."""
    versions = {agent.routing_version, agent.previous_routing_version} - {version, None}
    return versions.pop() if versions else None


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()
