"""What a block cannot end by itself, told to whoever blocks, with the guide's runbook for it."""

from datetime import datetime, timedelta

from lkps_core.agents.registrations import Registrations
from lkps_core.policy.model import Revocation
from lkps_core.wire.revocations import BeyondReach

_RUNBOOK = "docs/authorization.md#what-a-block-cannot-reach"
_MOST = 200


async def beyond_reach(
    registrations: Registrations, revocation: Revocation, now: datetime, agent_token_seconds: int
) -> list[BeyondReach]:
    """Agent tokens that are out: LiveKit takes them until they expire, and has no list of them."""
    if revocation.kind == "session":
        return []
    if revocation.kind == "agent":
        live = await registrations.live(revocation.subject_id, now, _MOST)
        what = (
            f"Its instances ({len(live)} are live) keep their connection to LiveKit, and with the"
            " agent tokens that are out can open others. LKPS sends them no session."
        )
    else:
        what = (
            "Agent tokens that it got as an agent's runner stay valid at LiveKit. Its instances"
            " that run now go on taking their agents' sessions, until those agents are blocked too"
            " or their routing secrets are rotated in an emergency."
        )
    until = now + timedelta(seconds=agent_token_seconds)
    return [BeyondReach(what=what, until=until, runbook=_RUNBOOK)]
