"""Transports: which way media takes to LiveKit, by WebRTC's own statistics."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lkps.doctor.findings import Finding, failed, not_checked, ok

if TYPE_CHECKING:
    from livekit import rtc

_SECONDS = 10.0
_TCP_SECONDS = 5.0
_OPEN_UDP = "Have UDP opened from here to LiveKit's media ports (rtc.udp_port, or its port range)"


@dataclass(frozen=True)
class Candidate:
    """Where LiveKit takes media (RFC 8445)."""

    address: str
    port: int
    protocol: str

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


@dataclass(frozen=True)
class Route:
    """The way that carries media: `relayed` is the protocol to a TURN server, if there is one."""

    remote: Candidate
    relayed: str


async def findings(room: "rtc.Room", udp: str, tcp: str) -> list[Finding]:
    """Of a room that is connected."""
    stats = await _settled(room)
    route = _route(stats)
    if route is None:
        return nothing_travels(udp, tcp)
    return [_over_udp(udp, route), await _over_tcp(tcp, route, _remote(stats))]


def nothing_travels(udp: str, tcp: str) -> list[Finding]:
    said = "LiveKit can be talked to, and no media connects"
    return [failed(udp, said, _OPEN_UDP), failed(tcp, said, f"{_OPEN_UDP}, or TCP to rtc.tcp_port")]


def _over_udp(step: str, route: Route) -> Finding:
    if route.relayed:
        said = f"media takes a detour through TURN over {route.relayed.upper()}"
        return failed(step, said, _OPEN_UDP) if route.relayed != "udp" else ok(step, said)
    if route.remote.protocol == "udp":
        return ok(step, f"media travels to {route.remote}")
    return failed(step, f"media travels over TCP, to {route.remote}: it will stutter", _OPEN_UDP)


async def _over_tcp(step: str, route: Route, offered: Iterable[Candidate]) -> Finding:
    if route.remote.protocol == "tcp":
        return ok(step, f"media travels to {route.remote}")
    ways = [one for one in offered if one.protocol == "tcp"]
    if not ways:
        return not_checked(step, "UDP carries it, and this LiveKit offers no TCP")
    for way in ways:
        if await _connects(way):
            return ok(step, f"{way} answers, should UDP fail")
    where = ", ".join(map(str, ways))
    return failed(step, f"{where} cannot be reached", f"Have TCP opened from here to {where}")


async def _connects(way: Candidate) -> bool:
    try:
        async with asyncio.timeout(_TCP_SECONDS):
            _, writer = await asyncio.open_connection(way.address, way.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _settled(room: "rtc.Room") -> list[Any]:
    """The statistics once there is a route, or as they are when time is over."""
    end = asyncio.get_running_loop().time() + _SECONDS
    while True:
        stats = await _stats(room)
        if _route(stats) is not None or asyncio.get_running_loop().time() > end:
            return stats
        await asyncio.sleep(0.1)


async def _stats(room: "rtc.Room") -> list[Any]:
    found = await room.get_rtc_stats()
    return [*found.publisher_stats, *found.subscriber_stats]


def _route(stats: Iterable[Any]) -> Route | None:
    """Of the pair that a transport selected; None while there is none."""
    selected = {one.selected_candidate_pair_id for _, one in _of(stats, "transport")}
    local, remote = dict(_of(stats, "local_candidate")), dict(_of(stats, "remote_candidate"))
    for name, pair in _of(stats, "candidate_pair"):
        if name in selected and pair.remote_candidate_id in remote:
            ours = local.get(pair.local_candidate_id)
            return Route(_candidate(remote[pair.remote_candidate_id]), _relayed(ours))
    return None


def _remote(stats: Iterable[Any]) -> list[Candidate]:
    return list(dict.fromkeys(_candidate(one) for _, one in _of(stats, "remote_candidate")))


def _of(stats: Iterable[Any], kind: str) -> list[tuple[str, Any]]:
    """Those of one kind with their ids; LiveKit's messages hold one in another."""
    inner = "candidate" if kind in {"local_candidate", "remote_candidate"} else kind
    found = (getattr(one, kind) for one in stats if one.WhichOneof("stats") == kind)
    return [(one.rtc.id, getattr(one, inner)) for one in found]


def _candidate(found: Any) -> Candidate:  # noqa: ANN401  LiveKit's message, which is untyped
    return Candidate(found.address, found.port, found.protocol)


def _relayed(found: Any) -> str:  # noqa: ANN401  LiveKit's message, which is untyped
    if found is None or not found.HasField("relay_protocol"):
        return ""
    return ("udp", "tcp", "tls")[found.relay_protocol]
