"""The applications, clients, groups and people of the stand-in tenant, and what each may do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Application:
    """A confidential client. `certified` says that it may also prove itself with a certificate."""

    name: str
    roles: tuple[str, ...] = ()
    certified: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A user, who signs in through one of the public clients.

    `too_many_groups` says that they are in more groups than Entra puts into a token.
    """

    name: str
    display_name: str
    scopes: tuple[str, ...]
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    too_many_groups: bool = False

    @property
    def username(self) -> str:
        return f"{self.name}@lkps.example"


CLI = "cli"
PUBLIC_CLIENTS = (CLI, "crm-frontend")

SALES, SUPPORT = GROUPS = ("sales-eu", "support")

USER_SCOPES = ("Session.Start", "Agent.Register", "Agent.Manage")

APPLICATIONS = (
    Application("agent", ("LKPS.Agent",), certified=True),
    Application("other-agent", ("LKPS.Agent",)),
    Application("client", ("LKPS.Client",), certified=True),
    Application("other-client", ("LKPS.Client",)),
    Application("crm-backend", ("LKPS.Client",)),
    Application("manager", ("LKPS.Manage",)),
    Application("admin", ("LKPS.Admin",)),
    Application("auditor", ("LKPS.Auditor",)),
    Application("nobody"),
)

PEOPLE = (
    Person("alice", "Alice Example", USER_SCOPES, groups=(SALES,)),
    Person("bob", "Bob Example", USER_SCOPES),
    Person("carol", "Carol Example", USER_SCOPES, groups=(SUPPORT,)),
    Person("otto", "Otto Example", USER_SCOPES, too_many_groups=True),
    Person("admin-person", "Ada Example", ("Platform.Admin", "Agent.Manage"), ("LKPS.Admin",)),
    Person("auditor-person", "Audrey Example", ("Audit.Read",), ("LKPS.Auditor",)),
)

API_SCOPES = frozenset(scope for person in PEOPLE for scope in person.scopes)
