"""Nothing secret is in any log at DEBUG, in a job's environment, or in a `repr`."""

import dataclasses
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lkps as package
from tests.sdk.parts.agent import AgentLauncher
from tests.sdk.parts.livekit import LiveKit
from tests.sdk.parts.lkps import LkpsDouble, Refusal
from tests.sdk.parts.tap import Tap
from tests.sdk.parts.tenant import CLIENT_SECRET, TenantDouble
from tests.sdk.parts.waiting import eventually

PROGRAM = "tests/sdk/programs/confiding_agent.py"
SECRETIVE = re.compile(r"token|secret|password|deployment|invitation|assertion|variables|cache$")


async def test_a_worker_and_its_jobs_at_debug_tell_nothing_secret(
    agents: AgentLauncher,
    lkps: LkpsDouble,
    livekit: LiveKit,
    tenant: TenantDouble,
    tap: Tap,
    tmp_path: Path,
) -> None:
    lkps.renew_after, lkps.always_new_token = 1, True
    agents.environment["CONFIDING_FOLDER"] = str(tmp_path)
    agent = await agents.start(PROGRAM, "start", "--log-level", "debug")
    await agent.is_connected()
    rooms = [
        await livekit.create_room("confiding", lkps.routing_secret(), metadata)
        for metadata in ("", "raise this")
    ]
    await eventually(lambda: livekit.agents_in(rooms[0]))
    await eventually(lambda: len(lkps.told_of(rooms[1])) == 2)
    lkps.refusal = Refusal(401, "token_invalid")
    await agent.says("the agent stays connected")
    lkps.refusal = None
    await agent.says("renewed again")
    tap.cut_workers()
    await agent.is_connected(times=2)
    lkps.routing_version = 2
    await agent.is_connected(times=3)
    in_proc = b"".join(agent.environments()).decode(errors="replace")
    await livekit.delete_room(rooms[0])
    assert await agent.stop() == 0

    logs = "".join(_texts(tmp_path, "*.log"))
    told = agent.output + logs
    environments = [json.loads(one) for one in _texts(tmp_path, "*.environ")]
    tokens = [*lkps.tokens, livekit.secret, lkps.routing_secret(1), lkps.routing_secret(2), "eyJ"]
    assert told.count("DEBUG") > 20
    assert "held: " in logs
    assert len(environments) == 2
    assert [one for one in [*tokens, *tenant.issued, CLIENT_SECRET] if one in told] == []
    for environment in (in_proc, *map(json.dumps, environments)):
        assert [one for one in [*tokens, *tenant.issued] if one in environment] == []
        assert "LIVEKIT_API" not in environment


def test_no_field_that_may_hold_a_secret_is_in_a_repr() -> None:
    shown = [
        f"{kind.__module__}.{kind.__name__}.{field.name}"
        for kind in _dataclasses()
        for field in dataclasses.fields(kind)
        if SECRETIVE.search(field.name) and field.repr and "str" in str(field.type)
    ]

    assert shown == []


def _texts(folder: Path, pattern: str) -> list[str]:
    return [one.read_text() for one in folder.glob(pattern)]


def _dataclasses() -> Iterator[Any]:
    for found in pkgutil.walk_packages(package.__path__, "lkps."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for kind in vars(module).values():
            is_own = isinstance(kind, type) and kind.__module__ == found.name
            if is_own and dataclasses.is_dataclass(kind):
                yield kind
