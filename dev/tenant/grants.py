"""Which token a request to the token endpoint gets: who asks, with what proof, for which scope."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from dev.tenant import refusals
from dev.tenant.assertions import ASSERTION_TYPE, AssertionVerifier
from dev.tenant.directory import Directory, RegisteredApplication, RegisteredPerson
from dev.tenant.identities import API_SCOPES
from dev.tenant.tokens import (
    CLIENT_CERTIFICATE,
    CLIENT_SECRET,
    Claims,
    ClientAuthentication,
    Issuer,
)

CLIENT_CREDENTIALS = "client_credentials"
DEVELOPMENT_USER = "urn:lkps:dev:user"
OPENID_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})


@dataclass(frozen=True, slots=True)
class Grants:
    """The token endpoint's decisions.

    `urn:lkps:dev:user` stands in for a person's sign-in: it takes a `username` and no proof. It
    exists in this stand-in only; Entra has nothing like it.
    """

    issuer: Issuer
    assertions: AssertionVerifier

    def answer(self, form: Mapping[str, str]) -> dict[str, object]:
        """The answer with an access token; raises `Refused`."""
        grant = _required(form, "grant_type")
        if grant == CLIENT_CREDENTIALS:
            return self.issuer.answer(self._application_claims(form))
        if grant == DEVELOPMENT_USER:
            return self.issuer.answer(self._person_claims(form))
        raise refusals.grant_unsupported()

    @property
    def _directory(self) -> Directory:
        return self.issuer.directory

    def _application_claims(self, form: Mapping[str, str]) -> Claims:
        client_id = _required(form, "client_id")
        if client_id == self._directory.public_client_id:
            raise refusals.client_is_public()
        client = self._directory.application(client_id)
        if client is None:
            raise refusals.client_unknown(client_id, self._directory.tenant_id)
        authentication = self._authenticate(client, form)
        self._require_default(_required(form, "scope"))
        return self.issuer.application_claims(client, authentication)

    def _authenticate(
        self, client: RegisteredApplication, form: Mapping[str, str]
    ) -> ClientAuthentication:
        if form.get("client_assertion_type") == ASSERTION_TYPE:
            self.assertions.verify(_required(form, "client_assertion"), client)
            return CLIENT_CERTIFICATE
        secret = form.get("client_secret")
        if secret is None:
            raise refusals.credential_missing()
        if not hmac.compare_digest(secret.encode(), client.secret.encode()):
            raise refusals.secret_wrong(client.client_id)
        return CLIENT_SECRET

    def _person_claims(self, form: Mapping[str, str]) -> Claims:
        client_id = _required(form, "client_id")
        if self._directory.application(client_id) is not None:
            raise refusals.client_is_confidential()
        if client_id != self._directory.public_client_id:
            raise refusals.client_unknown(client_id, self._directory.tenant_id)
        user = self._directory.person(_required(form, "username"))
        if user is None:
            raise refusals.user_unknown()
        return self.issuer.person_claims(user, self._scopes(_required(form, "scope"), user))

    def _scopes(self, scope: str, user: RegisteredPerson) -> tuple[str, ...]:
        asked = {self._name(part) for part in scope.split() if part not in OPENID_SCOPES}
        if not asked:
            raise refusals.scope_malformed(scope)
        if asked == {".default"}:
            return user.person.scopes
        if ".default" in asked:
            raise refusals.scope_malformed(scope)
        for name in sorted(asked - API_SCOPES):
            raise refusals.scope_unknown(name)
        if not asked <= set(user.person.scopes):
            raise refusals.consent_missing()
        return tuple(name for name in user.person.scopes if name in asked)

    def _require_default(self, scope: str) -> None:
        if len(scope.split()) != 1:
            raise refusals.scope_malformed(scope)
        if not scope.endswith("/.default"):
            raise refusals.scope_not_default(scope)
        self._name(scope)

    def _name(self, scope: str) -> str:
        resource, _, name = scope.rpartition("/")
        audience = self._directory.audience
        if resource not in {audience, f"api://{audience}"}:
            raise refusals.resource_unknown(resource, self._directory.tenant_id)
        return name


def _required(form: Mapping[str, str], name: str) -> str:
    value = form.get(name)
    if not value:
        raise refusals.parameter_missing(name)
    return value
