"""The tenant's refusals, with Entra's codes, texts and JSON shape.

Microsoft: "Microsoft Entra authentication and authorization error codes".
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime


class Refused(Exception):  # noqa: N818  the domain's word: it is an answer, not a defect
    """A refusal by its OAuth `error`, its AADSTS `code` and the sentence that explains it."""

    def __init__(self, error: str, code: int, sentence: str, status: int = 400) -> None:
        super().__init__(f"AADSTS{code}")
        self.error = error
        self.code = code
        self.sentence = sentence
        self.status = status

    def body(self, correlation_id: str) -> Mapping[str, object]:
        """The token endpoint's; the authorization endpoint tells `error` and its description."""
        trace_id = str(uuid.uuid4())
        timestamp = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.code}: {self.sentence} Trace ID: {trace_id} "
            f"Correlation ID: {correlation_id} Timestamp: {timestamp}",
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
        }


def client_refused(code: int, sentence: str) -> Refused:
    return Refused("invalid_client", code, sentence, status=401)


def tenant_unknown(tenant: str) -> Refused:
    return Refused("invalid_tenant", 90002, f"Tenant '{tenant}' not found.")


def parameter_missing(name: str) -> Refused:
    sentence = f"The request body must contain the following parameter: '{name}'."
    return Refused("invalid_request", 900144, sentence)


def parameter_repeated(name: str) -> Refused:
    sentence = f"The request body contains the parameter '{name}' more than once."
    return Refused("invalid_request", 9002313, sentence)


def grant_unsupported() -> Refused:
    sentence = "The app requested an unsupported grant type."
    return Refused("unsupported_grant_type", 70003, sentence)


def client_unknown(client_id: str, tenant_id: str) -> Refused:
    sentence = (
        f"Application with identifier '{client_id}' was not found in the directory '{tenant_id}'."
    )
    return Refused("unauthorized_client", 700016, sentence)


def credential_missing() -> Refused:
    sentence = "'client_assertion' or 'client_secret' is required for 'client_credentials'."
    return client_refused(7000216, sentence)


def client_is_public() -> Refused:
    sentence = (
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
    )
    return client_refused(700025, sentence)


def client_is_confidential() -> Refused:
    sentence = "The client is confidential and cannot sign people in without its own credential."
    return client_refused(7000218, sentence)


def secret_wrong(client_id: str) -> Refused:
    return client_refused(7000215, f"Invalid client secret provided for app '{client_id}'.")


def user_unknown() -> Refused:
    sentence = "The user account does not exist in the directory."
    return Refused("invalid_grant", 50034, sentence)


def scope_malformed(scope: str) -> Refused:
    sentence = f"The provided value for the input parameter 'scope' is not valid: '{scope}'."
    return Refused("invalid_scope", 70011, sentence)


def scope_not_default(scope: str) -> Refused:
    sentence = (
        f"The provided value for scope {scope} is not valid. Client credential flows must have a "
        "scope value with /.default suffixed to the resource identifier (application ID URI)."
    )
    return Refused("invalid_scope", 1002012, sentence)


def resource_unknown(resource: str, tenant_id: str) -> Refused:
    sentence = f"The resource principal named {resource} was not found in the tenant {tenant_id}."
    return Refused("invalid_resource", 500011, sentence)


def scope_unknown(scope: str) -> Refused:
    sentence = f"The application asked for scope '{scope}' that doesn't exist on the resource."
    return Refused("invalid_client", 650053, sentence)


def consent_missing() -> Refused:
    sentence = "The user or administrator has not consented to use the application."
    return Refused("invalid_grant", 65001, sentence)
