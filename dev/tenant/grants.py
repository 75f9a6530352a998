"""Which token a request to the token endpoint gets: who asks, with what proof, for which scope."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from dev.tenant import refusals
from dev.tenant.assertions import ASSERTION_TYPE, AssertionVerifier
from dev.tenant.directory import RegisteredApplication
from dev.tenant.people_grants import (
    AUTHORIZATION_CODE,
    DEVELOPMENT_USER,
    DEVICE_CODE,
    REFRESH_TOKEN,
    PeopleGrants,
)
from dev.tenant.scopes import require_default
from dev.tenant.tokens import CLIENT_CERTIFICATE, CLIENT_SECRET, ClientAuthentication, Issuer
from dev.tenant.wire import required

CLIENT_CREDENTIALS = "client_credentials"


@dataclass(frozen=True, slots=True)
class Grants:
    """The token endpoint's decisions."""

    issuer: Issuer
    assertions: AssertionVerifier
    people: PeopleGrants

    def answer(self, form: Mapping[str, str]) -> dict[str, object]:
        """The answer with an access token; raises `Refused`."""
        answering = {
            CLIENT_CREDENTIALS: self._application,
            AUTHORIZATION_CODE: self.people.authorization_code,
            DEVICE_CODE: self.people.device_code,
            REFRESH_TOKEN: self.people.refresh,
            DEVELOPMENT_USER: self.people.development_user,
        }
        grant = required(form, "grant_type")
        if grant not in answering:
            raise refusals.grant_unsupported()
        return answering[grant](form)

    def _application(self, form: Mapping[str, str]) -> dict[str, object]:
        directory = self.issuer.directory
        client_id = required(form, "client_id")
        if directory.public_client(client_id) is not None:
            raise refusals.client_is_public()
        client = directory.application(client_id)
        if client is None:
            raise refusals.client_unknown(client_id, directory.tenant_id)
        authentication = self._authenticate(client, form)
        require_default(required(form, "scope"), directory)
        return self.issuer.answer(self.issuer.application_claims(client, authentication))

    def _authenticate(
        self, client: RegisteredApplication, form: Mapping[str, str]
    ) -> ClientAuthentication:
        if form.get("client_assertion_type") == ASSERTION_TYPE:
            self.assertions.verify(required(form, "client_assertion"), client)
            return CLIENT_CERTIFICATE
        secret = form.get("client_secret")
        if secret is None:
            raise refusals.credential_missing()
        if not hmac.compare_digest(secret.encode(), client.secret.encode()):
            raise refusals.secret_wrong(client.client_id)
        return CLIENT_SECRET
