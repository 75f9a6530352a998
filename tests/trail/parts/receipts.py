"""The receipt that the service gives for a row of a trail."""

import base64
from typing import Any

from lkps_trail.merkle import inclusion_proof, leaf_hash
from tests.trail.parts.trails import Trail, row


def receipt_json(trail: Trail, stream: str, number: int) -> dict[str, Any]:
    """Without a proof when no checkpoint covers the row."""
    recorded = row(stream, number, salt=trail.salt)
    members: dict[str, Any] = {
        "session_id": "concierge--1",
        "stream": stream,
        "number": number,
        "row": recorded.decode(),
        "row_hash": base64.b64encode(leaf_hash(recorded)).decode(),
        "key": trail.signer.key.text,
    }
    for batch, _ in trail.covered:
        place = batch.place_of(stream, number)
        if place is not None:
            path = inclusion_proof(batch.before, batch.leaves, place)
            members["proof"] = {
                "place": batch.before.size + place,
                "path": [base64.b64encode(one).decode() for one in path],
                "checkpoint": batch.note,
                "checkpoint_number": batch.number,
            }
    return members
