"""Auditors, and a trail that checkpoints cover."""

import json
from typing import Any

from lkps.cli.signatures import verify_signature
from lkps_trail.notes import NoteKey
from lkps_trail.verifying import Verified, verify_export
from tests.builders.lkps import AUDITOR, Lkps, guid, user
from tests.builders.tokens import TENANT

INSPECTOR = user("inspector", "Audit.Read", roles=("LKPS.Auditor",))

OWNER = {"tid": TENANT, "oid": guid("sp manager")}
"""The application MANAGER, as a body names it."""

PERIOD = "from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z"


async def note_key(lkps: Lkps) -> NoteKey:
    answer = await lkps.send("GET", "audit/checkpoints", by=AUDITOR)
    return NoteKey.parse(answer.json["key"])


async def exported(lkps: Lkps, period: str = PERIOD) -> bytes:
    """The whole file, of as many answers as it takes."""
    whole, after = b"", ""
    while True:
        answer = await lkps.send("GET", f"audit/export?{period}{after}", by=AUDITOR)
        assert answer.status == 200, answer.raw
        *lines, last = answer.raw.splitlines(keepends=True)
        whole += b"".join(lines)
        if "more" not in json.loads(last):
            return whole + last
        after = f"&after={json.loads(last)['more']['after']}"


async def verified(lkps: Lkps, period: str = PERIOD) -> Verified:
    file = await exported(lkps, period)
    return verify_export(file.splitlines(keepends=True), await note_key(lkps), verify_signature)


async def asked(lkps: Lkps, query: str = "", *, by: str = AUDITOR) -> list[dict[str, Any]]:
    """All rows that the question finds, page by page, the questions themselves left out."""
    found: list[dict[str, Any]] = []
    after = ""
    lkps.clock.pass_by(1)  # an answer has what came before the question
    while True:
        answer = await lkps.send("GET", f"audit?{query}{after}", by=by)
        assert answer.status == 200, answer.raw
        found += [row for row in answer.json["rows"] if row["action"] != "audit.read"]
        if "next" not in answer.json:
            return found
        after = f"&after={answer.json['next']}"
