"""The policy that session starts are measured under: an agent with ten thousand grants."""

import asyncio
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched
from statistics import median
from time import perf_counter

import aiohttp

from dev.platform import Platform
from lkps_core.adapters.tables import TableRows, TablesAccount
from lkps_core.agents.model import Agent
from lkps_core.identity import Principal, PrincipalId
from lkps_core.policy.decision import Question, decide
from lkps_core.policy.model import Grant, Scope, grant_id

GRANTS = 10_000
GRANTS_OF_A_CLIENT = 100

_AT_ONCE = 100
_DECISIONS = 5_000
_AUTHOR = PrincipalId("tenant", "owner")


async def govern(platform: Platform, session: aiohttp.ClientSession, agent_name: str) -> None:
    """Make the agent `granted`, to the client and 9,999 others, and lift the quota of starts."""
    token = await platform.access_token("admin")
    headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
    api = f"{platform.lkps_url}/api"
    limits = {"starts_per_minute_per_application": 100_000}
    mode = {"access_mode": "granted"}
    async with session.put(f"{api}/limits", json=limits, headers=headers) as response:
        response.raise_for_status()
    async with session.patch(f"{api}/agents/{agent_name}", json=mode, headers=headers) as response:
        response.raise_for_status()
    connection = platform.settings["LKPS_TABLES_CONNECTION_STRING"]
    account = TablesAccount.from_connection_string(connection)
    grants = TableRows(account, "grants", Grant)
    client = platform.identities["client"].client_id
    try:
        for some in batched(_grants(agent_name, platform.tenant_id, client), _AT_ONCE, strict=True):
            await asyncio.gather(*(grants.add(grant) for grant in some))
    finally:
        await account.close()


def _grants(agent_name: str, tid: str, client: str) -> Iterator[Grant]:
    yield _grant(agent_name, tid, client, "application", None)
    for _ in range(GRANTS - 1):
        yield _grant(agent_name, tid, str(uuid.uuid4()), "application", None)


def _grant(agent_name: str, tid: str, client: str, scope: Scope, scope_id: str | None) -> Grant:
    now = datetime.now(UTC)
    return Grant(
        id=grant_id(tid, client, scope, scope_id),
        agent_name=agent_name,
        tid=tid,
        client_app_id=client,
        scope=scope,
        scope_id=scope_id,
        reason="a benchmark",
        granted_by=_AUTHOR,
        granted_at=now,
        expires_at=now + timedelta(days=1),
        max_session_seconds=1800,
    )


def decision_microseconds() -> float:
    """The median of one decision, for a user in fifty groups whose application has 100 grants.

    The grant that fits is the last one looked at.
    """
    tid, client, now = str(uuid.uuid4()), str(uuid.uuid4()), datetime.now(UTC)
    groups = [str(uuid.uuid4()) for _ in range(50)]
    foreign = (str(uuid.uuid4()) for _ in range(GRANTS_OF_A_CLIENT - 1))
    grants = [_grant("bench", tid, client, "group", group) for group in (*foreign, groups[0])]
    question = Question(
        Principal(
            kind="user",
            tid=tid,
            oid=str(uuid.uuid4()),
            azp=client,
            uti="bench",
            permissions=frozenset(("Session.Start",)),
            groups=frozenset(groups),
        ),
        Agent("bench", frozenset(), frozenset(), now, access_mode="granted"),
        now,
        grants,
    )
    assert decide(question).rule == "granted"
    return median(_microseconds(question) for _ in range(_DECISIONS))


def _microseconds(question: Question) -> float:
    began = perf_counter()
    decide(question)
    return 1e6 * (perf_counter() - began)
