"""Participant identities: a user's is derived, an application may name whom it speaks for."""

from lkps_core.errors import BodyInvalid
from lkps_core.identity.principal import Principal


def refuse_chosen_by_user(caller: Principal, chosen: str | None) -> None:
    if caller.kind == "user" and chosen is not None:
        raise refused("identity_derived", "A user's participant identity is derived: leave it out")


def refused(code: str, detail: str) -> BodyInvalid:
    return BodyInvalid([{"pointer": "/participant_identity", "code": code, "detail": detail}])
