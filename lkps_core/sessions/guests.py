"""Guests of a session, whom its starter invited, and the invitations that are still to be used."""

from dataclasses import dataclass
from datetime import datetime

from lkps_core.identity.principal import PrincipalId

MOST_GUESTS = 16
"""Of one session, over its whole life: the row keeps each of them."""

MOST_INVITATIONS = 8
"""Of one session that can be used at the same time."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Lets one caller in, once. Its text is with those whom the starter gave it, nowhere else."""

    sha256: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Guest:
    """Who used an invitation, through which application, and as whom it is in the room."""

    id: PrincipalId
    azp: str
    identity: str
