"""For whom LKPS takes a caller."""

from typing import Any

import pytest

from lkps_core import __version__
from tests.builders.lkps import AGENT, CLIENT, Lkps, app, guid, user
from tests.builders.tokens import TENANT
from tests.unit.governance.arranging import ADA, OLGA, OWNER, SALES, person, refused

AUDITOR = app("auditor", "LKPS.Auditor")


async def ask(lkps: Lkps, by: str) -> dict[str, Any]:
    answer = await lkps.send("GET", "whoami", by=by)
    assert answer.status == 200, answer.raw
    return answer.json


async def test_an_application_is_told_its_ids_and_its_roles() -> None:
    lkps = Lkps({"LKPS_INSTALLATION": "blue", "LKPS_ENVIRONMENT": "prod"})
    assert await ask(lkps, app("crm", "LKPS.Manage", "LKPS.Client")) == {
        "kind": "app",
        "tid": TENANT,
        "oid": guid("sp crm"),
        "client_app_id": guid("app crm"),
        "permissions": ["LKPS.Client", "LKPS.Manage"],
        "groups": [],
        "groups_overage": False,
        "environment": "prod",
        "installation": "blue",
        "version": __version__,
        "livekit_url": "wss://livekit.example",
    }


async def test_a_user_is_told_their_ids_scopes_and_groups(lkps: Lkps) -> None:
    groups = sorted([SALES, guid("group other")])
    assert await ask(lkps, person("ann", "Session.Start", "Agent.Manage", groups=groups)) == {
        "kind": "user",
        "tid": TENANT,
        "oid": guid("user ann"),
        "client_app_id": guid("app crm"),
        "permissions": ["Agent.Manage", "Session.Start"],
        "groups": groups,
        "groups_overage": False,
        "environment": "nonprod",
        "installation": "test",
        "version": __version__,
        "livekit_url": "wss://livekit.example",
    }


async def test_a_user_in_too_many_groups_is_told_so(lkps: Lkps) -> None:
    answer = await ask(lkps, person("ann", overage=True))
    assert (answer["groups"], answer["groups_overage"]) == ([], True)


async def test_only_what_counts_is_told(lkps: Lkps) -> None:
    by = user("ann", "Session.Start", "Platform.Admin", "Mail.Read", roles=("LKPS.Client",))
    assert (await ask(lkps, by))["permissions"] == ["Session.Start"]


@pytest.mark.parametrize("by", [AGENT, CLIENT, OWNER, OLGA, ADA, AUDITOR])
async def test_whoever_may_do_anything_may_ask(lkps: Lkps, by: str) -> None:
    assert (await ask(lkps, by))["tid"] == TENANT


@pytest.mark.parametrize("by", [app("nobody"), user("nobody"), user("ada", "Platform.Admin")])
async def test_whoever_may_do_nothing_is_told_what_it_takes(lkps: Lkps, by: str) -> None:
    answer = await lkps.send("GET", "whoami", by=by)
    assert refused(answer) == (403, "permission_lacking")
    assert "Session.Start" in answer.json["detail"]


async def test_nothing_is_recorded_and_no_table_but_the_blocks_is_read(lkps: Lkps) -> None:
    rows, cold = lkps.rows, lkps.another_process()
    before = [len(table.calls) for table in lkps.tables]
    await ask(cold, CLIENT)
    await ask(cold, OLGA)
    spent = [len(table.calls) - was for table, was in zip(lkps.tables, before, strict=True)]
    assert spent == [int(table is lkps.revocations) for table in lkps.tables]
    assert lkps.rows == rows
