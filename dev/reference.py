"""Writes `docs/api.md` and the policy file's JSON schema from the code: `python -m dev.reference`."""

import json
from pathlib import Path

from pydantic import BaseModel

from lkps_core import errors
from lkps_core.api.openapi import description, refusals
from lkps_core.api.operations import OPERATIONS, Operation
from lkps_core.api.operations.authorization import POLICY_LIMIT
from lkps_core.api.operations.operation import BODY_LIMIT
from lkps_core.wire.policy import PolicyDocument

_ROOT = Path(__file__).parents[1]
PAGE = _ROOT / "docs/api.md"
SCHEMA = _ROOT / "sdk/python/src/lkps/cli/policy.schema.json"

_HEAD = f"""# API reference

Written from the code by `python -m dev.reference`; a test compares. `GET /api/openapi.json` says the same for programs.

Every address begins with `/api`. Bodies and answers are JSON. Times are RFC 3339 in UTC, durations whole seconds.

## Headers

| header | |
|---|---|
| `Authorization: Bearer …` | an Entra access token for LKPS, version 2.0; the only thing that says who calls |
| `Content-Type: application/json` | with every body |
| `Idempotency-Key` | on `POST session/start`: 1 to 255 visible ASCII characters. The same key, caller and agent give the same session; after its end, `session_ended` |
| `If-Match` | with every PATCH, with PUT of what is there, and where you like with DELETE: the `ETag` that you read, or `*` for whichever there is. `policy/apply` takes the plan's `basis` |
| `If-None-Match: *` | with PUT `agents/{{name}}`: only when there is none of that name yet |
| `ETag` | in answers: which version of an agent, a grant or the limits this is |
| `X-Request-ID` | yours is recorded when it is 8 to 64 of `0-9A-Za-z._:-`; the answer has LKPS's own |
| `Retry-After` | in answers, seconds: with every 503 and 429, `agent_offline`, `rotation_under_way`, `sweep_under_way` and `edited_meanwhile` |

## Limits

A body has at most {BODY_LIMIT // 1024} KiB ({POLICY_LIMIT // 1024**2} MiB at `policy/plan` and `policy/apply`) and no unknown or repeated member. Participant metadata: 2 KiB; attributes: 32, and 2 KiB in all; `metadata` for the agent: 16 KiB.
Identities and attribute names must not begin with `agent-`, `lkps` or `lk.`.

Sessions have limits and rules of their own, and [a guide](sessions.md), with what to do about each code.

Session starts a minute are counted for each client application and each user, in each process of the service: 1,200 and 60 unless the platform's limits say otherwise.

## Lists

`GET agents`, `GET agents/{{name}}/grants` and `GET revocations` answer pages of `limit` entries, 100 unless said otherwise, at most 500. While there is more, the answer has `next`: give it as `after`.

`GET sessions` does so too, for one agent (`agent_name`), in the order of the ids; `state` is `open` or `ended`. It says what the rows say: LiveKit is not asked, so what it has not told yet is not there. A page may have fewer entries, and a `next` all the same. Query parameters that are not named here are refused.

`GET audit` answers pages of 100 rows unless `limit` says otherwise, at most 1000; a page may have fewer rows, and a `next` all the same. Query parameters that are not named here are refused there.

## Browsers

Pages of the origins in `LKPS_ALLOWED_ORIGINS` may read every answer, refusals included. `OPTIONS` answers without credentials.

"""

_OPEN = """## Without credentials

| | |
|---|---|
| `GET /api/health/live` | 200 while the process answers |
| `GET /api/health/ready` | 200 or 503; what is known is at most five seconds old. Admins see each dependency's state |
| `GET /api/openapi.json` | this API's description, OpenAPI 3.1 |
| `POST /api/livekit/webhook` | for LiveKit, which signs what it sends: 200, or 401 `event_not_signed`. [How to set it](sessions.md#livekits-events) |

"""


def page() -> str:
    return _HEAD + "".join(map(_section, OPERATIONS)) + _OPEN + _refusals()


def schema() -> str:
    """Of the policy file, for editors."""
    return json.dumps(PolicyDocument.model_json_schema(), indent=2) + "\n"


def _section(operation: Operation) -> str:
    described = description("")["paths"][f"/{operation.path}"][operation.method.lower()]
    parts = [f"## {operation.method} /api/{operation.path}", operation.summary + "."]
    parts.append(described["description"])
    if operation.body is not None:
        parts.append(f"Body{', which may be left out' if operation.body_optional else ''}:")
        parts.append(_members(operation.body))
    if operation.query:
        parts.append(f"Query: {', '.join(f'`{name}`' for name in operation.query)}.")
    if operation.media_type is not None:
        parts.append(f"Answer, 200: `{operation.media_type}`.")
    else:
        parts.append("Answer: 204." if operation.answer is None else "Answer, 200:")
    if operation.answer is not None:
        parts.append(_members(operation.answer))
    codes = ", ".join(f"`{one.code}`" for one in refusals(operation))
    parts.append(f"Refused with: {codes}.")
    return "\n\n".join(parts) + "\n\n"


def _members(model: type[BaseModel]) -> str:
    if not model.model_fields:
        return "No members."
    rows = [
        f"| `{member.alias or name}` | {'required' if member.is_required() else 'optional'} "
        f"| {member.description or ''} |"
        for name, member in model.model_fields.items()
    ]
    return "\n".join(["| member | | |", "|---|---|---|", *rows])


def _refusals() -> str:
    """One row a class, by status."""
    classes = [
        one
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, errors.Refusal) and one is not errors.Refusal
    ]
    rows = [
        f"| {one.status} | `{one.code}` | {one.title} |"
        for one in sorted(classes, key=lambda one: one.status)
    ]
    return "\n".join(
        [
            "## Refusals",
            "",
            "A refusal is a problem document (RFC 9457, `application/problem+json`): `type`, `title`, `status`, `code`, `detail`, `request_id`, and with `body_invalid`",
            "`errors`, each with the JSON Pointer of a member. Decide on `code`. The request id finds the row on the audit trail.",
            "",
            "| status | code | |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page())
    SCHEMA.write_text(schema())
