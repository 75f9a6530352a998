"""The receipt of a session: its row in the trail, and the proof that a checkpoint covers it."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lkps_core.agents.directory import Directory
from lkps_core.agents.names import agent_name_in
from lkps_core.auditing.asking import Asking, Question
from lkps_core.auditing.checkpointing import LATE
from lkps_core.auditing.ledger import Ledger
from lkps_core.call import Call
from lkps_core.errors import SessionNotFound
from lkps_core.identity.permissions import AUDIT
from lkps_core.identity.principal import PrincipalId
from lkps_core.sessions.access import standing
from lkps_core.wire.audit import Proof, SessionReceipt
from lkps_trail.canonical import canonical
from lkps_trail.merkle import inclusion_proof, leaf_hash

_MOST = 10


class Receipts:
    def __init__(self, directory: Directory, asking: Asking, ledger: Ledger) -> None:
        self._directory = directory
        self._asking = asking
        self._ledger = ledger

    async def receipt(self, call: Call, session_id: str) -> SessionReceipt:
        """For the starter, the agent's owners, admins and auditors; SessionNotFound for others."""
        agent_name = agent_name_in(session_id)
        if agent_name is None:
            raise SessionNotFound(reason="unknown")
        question = Question(session_id=session_id, action="session.authorized", outcome="success")
        page = await self._asking.ask(question, call.at, _MOST)
        stored = await self._directory.agent_now(agent_name)
        row = next((one for one in page.rows if "reason" not in one), None)  # not a later token's
        if row is None:
            raise SessionNotFound(reason="unknown")
        agent = stored.row if stored else None
        starter = PrincipalId(row["tid"], row["oid"])
        as_what = standing(call.caller, starter, row["azp"], agent)
        if as_what is None and not call.caller.may(AUDIT):
            raise SessionNotFound(reason="not_starter")
        recorded = canonical(row)
        return SessionReceipt(
            session_id=session_id,
            stream=row["stream"],
            number=row["number"],
            row=recorded.decode(),
            row_hash=_base64(leaf_hash(recorded)),
            proof=await self._proof(row),
            key=(await self._ledger.key()).text,
        )

    async def _proof(self, row: Mapping[str, Any]) -> Proof | None:
        """None while no checkpoint covers the row."""
        at = datetime.fromisoformat(row["at"])
        candidate, last = await self._ledger.first_since(at), await self._ledger.last_number()
        until: datetime | None = None  # one run may make many; a row can be durable late
        while candidate <= last:
            covered = await self._ledger.get(candidate)
            until = until or covered.checkpoint.at + LATE
            batch = covered.batch
            place = batch.place_of(row["stream"], row["number"])
            if place is not None:
                return Proof(
                    place=batch.before.size + place,
                    path=[
                        _base64(one) for one in inclusion_proof(batch.before, batch.leaves, place)
                    ],
                    checkpoint=batch.note,
                    checkpoint_number=batch.number,
                )
            if covered.checkpoint.at > until:
                return None
            candidate += 1
        return None


def _base64(decoded: bytes) -> str:
    return base64.b64encode(decoded).decode()
