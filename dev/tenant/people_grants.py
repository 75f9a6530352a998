"""Which tokens a public client gets from the token endpoint for a person who signed in."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dev.tenant import refusals, sign_in_refusals
from dev.tenant.codes import Codes
from dev.tenant.devices import DeviceCodes
from dev.tenant.directory import Directory
from dev.tenant.id_tokens import client_info, id_claims
from dev.tenant.refresh_tokens import RefreshTokens
from dev.tenant.scopes import Scopes
from dev.tenant.sign_ins import SignIn
from dev.tenant.tokens import Claims, Issuer
from dev.tenant.wire import required

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
DEVELOPMENT_USER = "urn:lkps:dev:user"

CREDENTIALS = frozenset({"client_secret", "client_assertion"})
"""A public client has neither, so neither is believed to prove anything."""


def require_public_client(form: Mapping[str, str], directory: Directory) -> str:
    """The client id of the public client that asks; raises `Refused` for any other."""
    client_id = required(form, "client_id")
    if directory.application(client_id) is not None:
        raise refusals.client_is_confidential()
    if directory.public_client(client_id) is None:
        raise refusals.client_unknown(client_id, directory.tenant_id)
    if not CREDENTIALS.isdisjoint(form):
        raise refusals.client_is_public()
    return client_id


@dataclass(frozen=True, slots=True)
class PeopleGrants:
    """The token endpoint's decisions about people; each answers a form or raises `Refused`.

    `urn:lkps:dev:user` stands in for a person's sign-in: it takes a `username` and no proof. It
    exists in this stand-in only; Entra has nothing like it.
    """

    issuer: Issuer
    codes: Codes
    devices: DeviceCodes
    refresh_tokens: RefreshTokens

    def development_user(self, form: Mapping[str, str]) -> dict[str, object]:
        client_id = require_public_client(form, self._directory)
        user = self._directory.person(required(form, "username"))
        if user is None:
            raise refusals.user_unknown()
        scopes = Scopes.parse(required(form, "scope"), self._directory)
        return self.issuer.answer(self._access_claims(SignIn(user, client_id, scopes)))

    def authorization_code(self, form: Mapping[str, str]) -> dict[str, object]:
        client_id = require_public_client(form, self._directory)
        redirect_uri, verifier = required(form, "redirect_uri"), required(form, "code_verifier")
        authorized = self.codes.redeem(required(form, "code"), time.time())
        authorized.verify(client_id, redirect_uri, verifier)
        sign_in = self._narrowed(authorized.sign_in, form.get("scope"))
        return self._first_answer(sign_in, form)

    def device_code(self, form: Mapping[str, str]) -> dict[str, object]:
        client_id = require_public_client(form, self._directory)
        sign_in = self.devices.redeem(required(form, "device_code"), client_id, time.time())
        return self._first_answer(sign_in, form)

    def refresh(self, form: Mapping[str, str]) -> dict[str, object]:
        """A refresh token is bound to a person and a client, and not to scopes, as Entra's."""
        presented = required(form, "refresh_token")
        client_id = require_public_client(form, self._directory)
        sign_in = self.refresh_tokens.sign_in(presented, client_id)
        if "scope" in form:
            sign_in = replace(sign_in, scopes=Scopes.parse(form["scope"], self._directory))
        answer = self._answer(sign_in, form)
        return answer | {"refresh_token": self.refresh_tokens.rotate(presented)}

    @property
    def _directory(self) -> Directory:
        return self.issuer.directory

    def _narrowed(self, sign_in: SignIn, scope: str | None) -> SignIn:
        """A code's redemption may ask for less than the sign-in did, and not for more."""
        if scope is None:
            return sign_in
        asked, before = Scopes.parse(scope, self._directory), sign_in.scopes
        person = sign_in.user.person
        if not set(asked.granted_to(person)).issubset(before.granted_to(person)):
            raise sign_in_refusals.scopes_widened()
        return replace(sign_in, scopes=replace(asked, openid=asked.openid & before.openid))

    def _access_claims(self, sign_in: SignIn) -> Claims:
        granted = sign_in.scopes.granted_to(sign_in.user.person)
        return self.issuer.person_claims(sign_in.user, granted, sign_in.client_id)

    def _first_answer(self, sign_in: SignIn, form: Mapping[str, str]) -> dict[str, object]:
        answer = self._answer(sign_in, form)
        if "offline_access" in sign_in.scopes.openid:
            answer["refresh_token"] = self.refresh_tokens.issue(replace(sign_in, nonce=None))
        return answer

    def _answer(self, sign_in: SignIn, form: Mapping[str, str]) -> dict[str, object]:
        answer = self.issuer.answer(self._access_claims(sign_in))
        answer["scope"] = sign_in.scopes.answered(sign_in.user.person)
        if "openid" in sign_in.scopes.openid:
            answer["id_token"] = self.issuer.sign(id_claims(self.issuer, sign_in))
        if form.get("client_info") == "1":
            answer["client_info"] = client_info(sign_in.user, self._directory.tenant_id)
        return answer
