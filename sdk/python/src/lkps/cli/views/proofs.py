"""What verifying found, and checkpoints, as people read them."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from lkps.cli.answers import FOREIGN, Foreign, Json
from lkps.cli.printing import details, table, text, unbroken
from lkps.cli.views.words import when

if TYPE_CHECKING:
    from lkps_trail.checkpoint import Checkpoint
    from lkps_trail.verifying import Verified


def result_of(verified: "Verified") -> Json:
    """`verified` is whether every row that a checkpoint covers is as signed, and there is one."""
    from lkps_trail.verifying import MOST_FINDINGS

    nothing = verified.uncovered > 0 and verified.rows == 0
    return {
        "verified": not verified.findings and not nothing,
        "checkpoints": verified.batches,
        "rows": verified.rows,
        "uncovered": verified.uncovered,
        "start": verified.start,
        "first": verified.first and _members(verified.first),
        "last": verified.last and _members(verified.last),
        "findings": [asdict(one) for one in verified.findings],
        "more_findings": len(verified.findings) == MOST_FINDINGS,
    }


def verified(result: Json) -> Iterable[RenderableType]:
    findings = result["findings"]
    if result["verified"]:
        yield Text("as signed", "bold green")
    elif findings:
        count = f"{len(findings)}{' or more' if result['more_findings'] else ''}"
        yield Text.assemble(("NOT as signed", "bold red"), f": {count} findings")
    else:
        yield Text.assemble(("nothing proved", "bold red"), ": no checkpoint covers these rows yet")
    yield details(
        [
            ("covered", f"{result['rows']} rows, under {result['checkpoints']} checkpoints"),
            *(_extent(result) if result["first"] else []),
            ("not covered yet", f"{result['uncovered']} rows"),
        ]
    )
    if findings:
        yield Text()
    for finding in findings:
        yield Text.assemble(text(finding["place"], "bold"), text(f": {finding['what']}"))


def _extent(result: Json) -> list[tuple[str, object]]:
    first, last = result["first"], result["last"]
    return [
        ("checkpoints", f"{when(first['at'])} to {when(last['at'])}"),
        ("in the trail", f"rows {result['start'] + 1} to {last['size']} of all that were signed"),
    ]


def checkpoints(answer: Json) -> Iterable[RenderableType]:
    yield text(f"{answer['origin']}: {answer['last']} checkpoints", "bold")
    if not answer["checkpoints"]:
        return
    made = table("NUMBER", "AT", "ROWS", "ROOT")
    for one in answer["checkpoints"]:
        signed = _members(_read(str(one["note"])))
        made.add_row(
            text(one["number"]),
            text(when(signed["at"])),
            text(signed["size"]),
            unbroken(signed["root"]),
        )
    yield made


def proof_of(row: Json, checkpoint: "Checkpoint") -> Json:
    return {"verified": True, "row": row, "checkpoint": _members(checkpoint)}


def proved(result: Json) -> Iterable[RenderableType]:
    row, checkpoint = result["row"], result["checkpoint"]
    yield Text("recorded, and as signed", "bold green")
    rows = [
        ("session", row.get("session_id")),
        ("agent", row.get("agent_name")),
        ("action", f"{row.get('action')}: {row.get('outcome')}"),
        ("at", when(row.get("at"))),
        ("by", row.get("oid")),
        ("through", row.get("azp")),
        ("row", f"{row['number']} of {row['stream']}"),
        ("checkpoint", f"{when(checkpoint['at'])}, of {checkpoint['size']} rows"),
    ]
    yield details([one for one in rows if one[1] is not None])


def _read(note: str) -> "Checkpoint":
    from lkps_trail.checkpoint import Checkpoint
    from lkps_trail.notes import NoteInvalid, text_of

    try:
        return Checkpoint.parse(text_of(note))
    except NoteInvalid as error:
        raise Foreign(f"{FOREIGN}: {error}") from error


def _members(checkpoint: "Checkpoint") -> Json:
    import base64

    from lkps_trail.checkpoint import instant

    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": base64.b64encode(checkpoint.root).decode(),
        "at": instant(checkpoint.at),
    }
