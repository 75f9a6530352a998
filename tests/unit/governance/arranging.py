"""What the tests of governance share: people and programs, an agent of theirs, and what it cost."""

from collections.abc import Sequence
from typing import Any

from tests.builders.lkps import AGENT, Answered, Lkps, app, guid, user
from tests.builders.tokens import TENANT, bearer, user_claims

OWNER = app("owner", "LKPS.Manage")
OLGA = user("olga", "Agent.Manage")
OTHER_OWNER = app("other owner", "LKPS.Manage")
ADA = user("ada", "Platform.Admin", roles=("LKPS.Admin",))
CRM = app("crm", "LKPS.Client")
CRM_ID = guid("app crm")
SALES = guid("group sales")
PATH = "agents/concierge"
CONTACT = "concierge@example.com"

type Plain = tuple[int, dict[str, str], bytes]


def person(
    name: str,
    *scopes: str,
    through: str = "crm",
    groups: Sequence[str] = (),
    overage: bool = False,
) -> str:
    """The Authorization of somebody signed in through an application, with groups in the token."""
    claims = user_claims(
        oid=guid(f"user {name}"),
        azp=guid(f"app {through}"),
        scp=" ".join(scopes or ("Session.Start",)),
        groups=list(groups),
    )
    return bearer({**claims, "hasgroups": True} if overage else claims)


def ids(*names: str) -> list[dict[str, str]]:
    """Principals in a body: `sp owner`, `user olga`."""
    return [{"tid": TENANT, "oid": guid(name)} for name in names]


def texts(*names: str) -> list[str]:
    """The same on the trail."""
    return sorted(f"{TENANT}:{guid(name)}" for name in names)


async def governed(environment: dict[str, str] | None = None, **members: object) -> Lkps:
    """The service with `concierge` online, owned by OLGA and OWNER, called by whom it is granted.

    `members` are changed by an admin.
    """
    lkps = Lkps(environment or {})
    await lkps.register(by=AGENT)
    body = {
        "runners": ids("sp agent"),
        "owners": ids("user olga", "sp owner"),
        "contact": CONTACT,
        "access_mode": "granted",
    }
    assert (await lkps.assign(body)).status == 200
    if members:
        assert (await change(lkps, members, by=ADA)).status == 200
    return lkps


async def change(
    lkps: Lkps, members: object, *, by: str = OLGA, etag: str | None = "*", name: str = "concierge"
) -> Answered:
    headers = {"if-match": etag} if etag else {}
    return await lkps.send("PATCH", f"agents/{name}", members, by=by, headers=headers)


async def grant(
    lkps: Lkps, *, by: str = OLGA, name: str = "concierge", **terms: object
) -> Answered:
    """Grant to the CRM application, unless the terms say otherwise."""
    body = {"client_app_id": CRM_ID, "reason": "a test", **terms}
    return await lkps.send("POST", f"agents/{name}/grants", body, by=by)


async def granted(lkps: Lkps, *, by: str = OLGA, **terms: Any) -> str:  # noqa: ANN401
    """The id of a new grant."""
    answer = await grant(lkps, by=by, **terms)
    assert answer.status == 201, answer.raw
    grant_id: str = answer.json["grant_id"]
    return grant_id


async def block(lkps: Lkps, *, by: str = ADA, **what: object) -> Answered:
    return await lkps.send("POST", "revocations", {"reason": "a test", **what}, by=by)


async def shown(lkps: Lkps, name: str = "concierge") -> dict[str, Any]:
    return (await lkps.send("GET", f"agents/{name}", by=ADA)).json


async def outcome(lkps: Lkps, by: str, name: str = "concierge") -> int | str:
    """Of a start: 200, or the code that it was refused with."""
    answer = await lkps.start(name, by=by)
    code: str = answer.json.get("code", "")
    return answer.status if answer.status == 200 else code


def refused(answer: Answered) -> tuple[int, str]:
    return answer.status, answer.json["code"]


def actions(lkps: Lkps) -> list[str]:
    return [row["action"] for row in lkps.rows]


def plain(answer: Answered, *names: str) -> Plain:
    """The answer without its request id, and without the names that were asked about."""
    raw = answer.raw.replace(answer.headers["X-Request-ID"].encode(), b"")
    for name in names:
        raw = raw.replace(name.encode(), b"")
    return answer.status, {**answer.headers, "X-Request-ID": ""}, raw


def calls(lkps: Lkps) -> list[list[str]]:
    """Every call to storage and LiveKit so far; what refusals record is not among them."""
    ports: tuple[Any, ...] = (*lkps.tables, lkps.rooms)
    return [[*port.calls] for port in ports]


def since(before: list[list[str]], lkps: Lkps) -> list[list[str]]:
    return [now[len(was) :] for was, now in zip(before, calls(lkps), strict=True)]
