"""Exit codes: what a program that runs `lkps` may rely on."""

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    REFUSED = 1
    USAGE = 2
    DENIED = 3
    NOT_SIGNED_IN = 4
    UNREACHABLE = 5
    EDITED_MEANWHILE = 6
    CHANGES = 7


MEANINGS = {
    Exit.DONE: "done",
    Exit.REFUSED: "LKPS says no, or there are findings: doctor, a policy, an export, a receipt",
    Exit.USAGE: "the command line or a setting is wrong",
    Exit.DENIED: "check: the caller may not call the agent",
    Exit.NOT_SIGNED_IN: "nobody is signed in, or Entra ID or LKPS does not accept the sign-in",
    Exit.UNREACHABLE: "LKPS or Entra ID cannot be reached, or asks to come back later",
    Exit.EDITED_MEANWHILE: "someone else changed it meanwhile: read it again",
    Exit.CHANGES: "policy plan --detailed-exitcode: there are changes",
}
