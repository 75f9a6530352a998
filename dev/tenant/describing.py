"""Describes a stand-in that is about to run: its addresses, and what its directory has."""

from pathlib import Path

from dev.tenant.description import Tenant
from dev.tenant.directory import Directory
from dev.tenant.grants import CLIENT_CREDENTIALS
from dev.tenant.identities import CLI
from dev.tenant.identity import Identity
from dev.tenant.metadata import token_endpoint
from dev.tenant.people_grants import DEVELOPMENT_USER


def describe(state: Path, directory: Directory, http: str, https: str) -> Tenant:
    endpoint = token_endpoint(http, directory.tenant_id)
    scope = f"api://{directory.audience}/.default"
    applications = (
        Identity(
            name=each.application.name,
            kind="app",
            client_id=each.client_id,
            object_id=each.object_id,
            roles=each.application.roles,
            scopes=(),
            token_endpoint=endpoint,
            grant=CLIENT_CREDENTIALS,
            scope=scope,
            client_secret=each.secret,
            certificate_file=_file(state, each.application.name, "pem", each.credential),
            private_key_file=_file(state, each.application.name, "key", each.credential),
        )
        for each in directory.applications
    )
    people = (
        Identity(
            name=each.person.name,
            kind="user",
            client_id=directory.public_clients[CLI],
            object_id=each.object_id,
            roles=each.person.roles,
            scopes=each.person.scopes,
            token_endpoint=endpoint,
            grant=DEVELOPMENT_USER,
            scope=scope,
            username=each.person.username,
        )
        for each in directory.people
    )
    return Tenant(
        tenant_id=directory.tenant_id,
        authority=http,
        authority_https=https,
        ca_file=str(state / "ca.pem"),
        audience=directory.audience,
        public_clients=directory.public_clients,
        groups=directory.groups,
        identities=(*applications, *people),
    )


def _file(state: Path, name: str, suffix: str, credential: object | None) -> str | None:
    return None if credential is None else str(state / f"{name}.{suffix}")
