"""What a caller can be allowed to do: each an app role for applications and a scope for users."""

from typing import NamedTuple


class Permission(NamedTuple):
    """The names Entra knows it by. An app token never carries the scope, nor a user's the role."""

    role: str
    scope: str


RUN_AGENTS = Permission("LKPS.Agent", "Agent.Register")
START_SESSIONS = Permission("LKPS.Client", "Session.Start")
MANAGE_AGENTS = Permission("LKPS.Manage", "Agent.Manage")
ADMINISTER = Permission("LKPS.Admin", "Platform.Admin")
AUDIT = Permission("LKPS.Auditor", "Audit.Read")
