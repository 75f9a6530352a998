"""An authorization request: who asks a person to sign in, where to answer, and for what.

RFC 6749 section 4.1.1, RFC 7636 section 4.3 and OpenID Connect Core section 3.1.2.1.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from dev.tenant import refusals, sign_in_refusals
from dev.tenant.codes import Authorized
from dev.tenant.directory import Directory, RegisteredPerson
from dev.tenant.scopes import Scopes
from dev.tenant.sign_ins import SignIn
from dev.tenant.wire import required

PROMPTS = frozenset({"", "none", "login", "consent", "select_account"})
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
# Loopback on any port and path; "\" is "/" to a browser, and nobody may follow a "#".
LOOPBACK_URI = re.compile(r'http://(localhost|127\.0\.0\.1)(:[0-9]+)?([/?][!-"$-\[\]-~]*)?')


@dataclass(frozen=True, slots=True)
class Client:
    """A public client that asked, and the loopback address at which it awaits the answer."""

    client_id: str
    name: str
    redirect_uri: str

    @classmethod
    def parse(cls, query: Mapping[str, str], directory: Directory) -> Self:
        """Raises `Refused`, which must not be sent to the `redirect_uri`."""
        client_id = required(query, "client_id")
        if directory.application(client_id) is not None:
            raise sign_in_refusals.redirect_uri_unregistered()
        name = directory.public_client(client_id)
        if name is None:
            raise refusals.client_unknown(client_id, directory.tenant_id)
        redirect_uri = required(query, "redirect_uri")
        if not LOOPBACK_URI.fullmatch(redirect_uri):
            raise sign_in_refusals.redirect_uri_foreign(redirect_uri)
        return cls(client_id, name, redirect_uri)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """`prompt` and `login_hint` are empty when they were not sent."""

    client: Client
    scopes: Scopes
    challenge: str
    nonce: str | None
    prompt: str
    login_hint: str

    @classmethod
    def parse(cls, client: Client, query: Mapping[str, str], directory: Directory) -> Self:
        """Raises `Refused`, which the client is told."""
        if required(query, "response_type") != "code":
            raise sign_in_refusals.response_type_unsupported()
        prompt = query.get("prompt", "")
        if prompt not in PROMPTS:
            raise sign_in_refusals.prompt_unsupported(prompt)
        return cls(
            client,
            Scopes.parse(required(query, "scope"), directory),
            _challenge(query),
            query.get("nonce"),
            prompt,
            query.get("login_hint", ""),
        )

    def known(self, directory: Directory) -> RegisteredPerson | None:
        """Who signs in without being asked; None when somebody must choose. Raises `Refused`."""
        if self.prompt in ("login", "select_account"):
            return None
        hinted = directory.person(self.login_hint)
        if hinted is None and self.prompt == "none":
            raise sign_in_refusals.login_required()
        return hinted

    def signed_in(self, user: RegisteredPerson) -> Authorized:
        """Raises `Refused` when a scope is not theirs."""
        self.scopes.granted_to(user.person)
        sign_in = SignIn(user, self.client.client_id, self.scopes, self.nonce)
        return Authorized(sign_in, self.client.redirect_uri, self.challenge)


def _challenge(query: Mapping[str, str]) -> str:
    challenge = query.get("code_challenge", "")
    if not CHALLENGE.fullmatch(challenge):
        raise sign_in_refusals.challenge_missing()
    if query.get("code_challenge_method") != "S256":
        raise sign_in_refusals.challenge_method_unsupported()
    return challenge
