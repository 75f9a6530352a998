"""Findings: what a step of the examination came to, and how to mend it."""

from dataclasses import dataclass
from enum import StrEnum

from lkps.errors import CredentialError, LkpsError, Refused, Unavailable


class State(StrEnum):
    OK = "ok"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Finding:
    """One line. `fix` is another one, of what failed only."""

    step: str
    state: State
    said: str
    fix: str = ""


def ok(step: str, said: str) -> Finding:
    return Finding(step, State.OK, said)


def failed(step: str, said: str, fix: str) -> Finding:
    return Finding(step, State.FAILED, said, fix)


def not_checked(step: str, why: str) -> Finding:
    return Finding(step, State.NOT_CHECKED, why)


def failed_by(step: str, error: LkpsError) -> Finding:
    """The SDK's errors say what is wrong, and then what to do about it."""
    what = " ".join(str(error).split())
    for mark in (". ", ": lkps login", "; lkps login"):
        said, found, fix = what.rpartition(mark)
        if found:
            return failed(step, said, f"{mark.lstrip('.:; ')}{fix}")
    return failed(step, what, _usual_fix(error))


def _usual_fix(error: LkpsError) -> str:
    match error:
        case Unavailable():
            return "Try again; if it stays so, ask who runs the network here"
        case CredentialError():
            return "Show this to an administrator of Entra ID"
        case Refused():
            return f"Show this to the platform team, with the request id {error.request_id}"
        case _:
            return "Change what it names"
