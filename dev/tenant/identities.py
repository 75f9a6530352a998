"""The applications and people that the stand-in tenant knows, and what each may do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Application:
    """A confidential client. `certified` says that it may also prove itself with a certificate."""

    name: str
    roles: tuple[str, ...] = ()
    certified: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A user, who signs in through the tenant's one public client."""

    name: str
    display_name: str
    scopes: tuple[str, ...]
    roles: tuple[str, ...] = ()

    @property
    def username(self) -> str:
        return f"{self.name}@lkps.example"


USER_SCOPES = ("Session.Start", "Agent.Register", "Agent.Manage")

APPLICATIONS = (
    Application("agent", ("LKPS.Agent",), certified=True),
    Application("other-agent", ("LKPS.Agent",)),
    Application("client", ("LKPS.Client",), certified=True),
    Application("other-client", ("LKPS.Client",)),
    Application("admin", ("LKPS.Admin",)),
    Application("auditor", ("LKPS.Auditor",)),
    Application("nobody"),
)

PEOPLE = (
    Person("alice", "Alice Example", USER_SCOPES),
    Person("bob", "Bob Example", USER_SCOPES),
    Person("admin-person", "Ada Example", ("Platform.Admin", "Agent.Manage"), ("LKPS.Admin",)),
    Person("auditor-person", "Audrey Example", ("Audit.Read",), ("LKPS.Auditor",)),
)

API_SCOPES = frozenset(scope for person in PEOPLE for scope in person.scopes)
