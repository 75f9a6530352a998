"""A sign-in: a person lets a client act for them, within scopes."""

from dataclasses import dataclass

from dev.tenant.directory import RegisteredPerson
from dev.tenant.scopes import Scopes


@dataclass(frozen=True, slots=True)
class SignIn:
    """`nonce` is a word of the client's that its ID token repeats; None when it sent none."""

    user: RegisteredPerson
    client_id: str
    scopes: Scopes
    nonce: str | None = None
