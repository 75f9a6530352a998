"""The tenant's directory: its ids, and each identity's ids and secret, the same at every start."""

import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dev.tenant.certificates import keep_credential
from dev.tenant.certified import CertifiedKey
from dev.tenant.identities import (
    APPLICATIONS,
    CLI,
    GROUPS,
    PEOPLE,
    PUBLIC_CLIENTS,
    Application,
    Person,
)
from dev.tenant.state import write_private


@dataclass(frozen=True, slots=True)
class RegisteredApplication:
    application: Application
    client_id: str
    object_id: str
    secret: str = field(repr=False)
    credential: CertifiedKey | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class RegisteredPerson:
    person: Person
    object_id: str


@dataclass(frozen=True, slots=True)
class Directory:
    """`audience` is the API's client id; people sign in through the public clients.

    Public clients are here by name with their client ids, groups with their object ids.
    """

    tenant_id: str
    audience: str
    public_clients: Mapping[str, str]
    groups: Mapping[str, str]
    applications: tuple[RegisteredApplication, ...]
    people: tuple[RegisteredPerson, ...]

    def public_client(self, client_id: str) -> str | None:
        """Its name; None when no public client has that client id."""
        return next((name for name, each in self.public_clients.items() if each == client_id), None)

    def application(self, client_id: str) -> RegisteredApplication | None:
        """None when no application has that client id."""
        return next((each for each in self.applications if each.client_id == client_id), None)

    def person(self, username: str) -> RegisteredPerson | None:
        """None when nobody has that username."""
        return next((each for each in self.people if each.person.username == username), None)


def keep_directory(state: Path) -> Directory:
    """The directory of `state`; ids and secrets that are not there yet are made and kept."""
    file = state / "directory.json"
    kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    before = len(kept)

    def guid(key: str) -> str:
        return kept.setdefault(key, str(uuid.uuid4()))

    def registered(application: Application) -> RegisteredApplication:
        name = application.name
        return RegisteredApplication(
            application,
            client_id=guid(f"{name}.client_id"),
            object_id=guid(f"{name}.object_id"),
            secret=kept.setdefault(f"{name}.secret", secrets.token_urlsafe(30)),
            credential=keep_credential(state, name) if application.certified else None,
        )

    def client_key(name: str) -> str:
        return "public_client_id" if name == CLI else f"{name}.client_id"

    directory = Directory(
        tenant_id=guid("tenant_id"),
        audience=guid("audience"),
        public_clients={name: guid(client_key(name)) for name in PUBLIC_CLIENTS},
        groups={name: guid(f"group.{name}.object_id") for name in GROUPS},
        applications=tuple(registered(application) for application in APPLICATIONS),
        people=tuple(RegisteredPerson(each, guid(f"{each.name}.object_id")) for each in PEOPLE),
    )
    if len(kept) != before:
        write_private(file, json.dumps(kept, indent=2))
    return directory
