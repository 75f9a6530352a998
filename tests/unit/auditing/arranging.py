"""Auditors, and a trail that checkpoints cover."""

import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lkps_trail.notes import NoteKey
from lkps_trail.verifying import Verified, verify_export
from tests.builders.lkps import AUDITOR, Lkps, guid, user
from tests.builders.tokens import TENANT

INSPECTOR = user("inspector", "Audit.Read", roles=("LKPS.Auditor",))

OWNER = {"tid": TENANT, "oid": guid("sp manager")}
"""The application MANAGER, as a body names it."""

PERIOD = "from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z"


def verify(public_key: bytes, signature: bytes, text: bytes) -> bool:
    key = load_der_public_key(public_key)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    try:
        key.verify(signature, text, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


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
    return verify_export(file.splitlines(keepends=True), await note_key(lkps), verify)


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
