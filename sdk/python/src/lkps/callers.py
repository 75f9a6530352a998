"""Callers: who called the agent, as LKPS wrote it into the participant's token."""

from dataclasses import dataclass

from livekit import rtc


@dataclass(frozen=True)
class Caller:
    """The application that started the session, and its user; without one, it speaks for itself."""

    client_app_id: str
    tenant_id: str
    session_id: str
    user_oid: str | None


def caller(participant: rtc.Participant) -> Caller | None:
    """None for whoever did not come with a token of LKPS: agents, telephones, the console.

    Clients cannot change what this reads, other agents can: only participants of kind STANDARD
    are believed.
    """
    attributes = attributes_of_lkps(participant)
    if "lkps.session_id" not in attributes:
        return None
    return Caller(
        client_app_id=attributes["lkps.client_app_id"],
        tenant_id=attributes["lkps.tenant_id"],
        session_id=attributes["lkps.session_id"],
        user_oid=attributes.get("lkps.user_oid"),
    )


def attributes_of_lkps(participant: rtc.Participant) -> dict[str, str]:
    """Nothing for a participant whose attributes LKPS did not write."""
    if participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD:
        return {}
    return dict(participant.attributes)
