"""The refusals of signing people in, at the authorization endpoint and of what it issued."""

from dev.tenant.refusals import Refused


def redirect_uri_foreign(redirect_uri: str) -> Refused:
    sentence = (
        f"The redirect URI '{redirect_uri}' specified in the request does not match the redirect "
        "URIs configured for the application, which are http://localhost and http://127.0.0.1."
    )
    return Refused("invalid_request", 50011, sentence)


def redirect_uri_unregistered() -> Refused:
    sentence = "No reply address is registered for the application: it is a confidential client."
    return Refused("invalid_request", 500113, sentence)


def response_type_unsupported() -> Refused:
    sentence = "The response type is not 'code', the one that is enabled for the application."
    return Refused("unsupported_response_type", 70005, sentence)


def response_mode_unsupported(mode: str) -> Refused:
    return Refused("invalid_request", 70007, f"'{mode}' is not a supported value of response_mode.")


def challenge_missing() -> Refused:
    sentence = "The code_challenge is missing, or is not the 43 characters of an S256 challenge."
    return Refused("invalid_request", 50147, sentence)


def challenge_method_unsupported() -> Refused:
    sentence = "The code_challenge_method must be 'S256'."
    return Refused("invalid_request", 90023, sentence)


def prompt_unsupported(prompt: str) -> Refused:
    return Refused("invalid_request", 90023, f"Unsupported 'prompt' value '{prompt}'.")


def login_required() -> Refused:
    sentence = "A silent sign-in request was sent but no user is signed in."
    return Refused("login_required", 50058, sentence)


def redirect_uri_changed(sent: str, asked_with: str) -> Refused:
    sentence = (
        f"The reply address '{sent}' does not match the reply address '{asked_with}' provided "
        "when requesting Authorization code."
    )
    return Refused("invalid_client", 500112, sentence)


def verifier_wrong() -> Refused:
    sentence = (
        "The Code_Verifier does not match the code_challenge supplied in the authorization request."
    )
    return Refused("invalid_grant", 501481, sentence)


def verifier_malformed() -> Refused:
    """Microsoft lists no code for it: it has that of any invalid grant."""
    return grant_invalid("The Code_Verifier is not 43 to 128 unreserved characters.")


def code_redeemed() -> Refused:
    sentence = "OAuth2 Authorization code was already redeemed, please retry with a new valid code."
    return Refused("invalid_grant", 54005, sentence)


def code_expired() -> Refused:
    sentence = "The provided authorization code has expired. Send a new authorization request."
    return Refused("invalid_grant", 70008, sentence)


def grant_invalid(sentence: str) -> Refused:
    return Refused("invalid_grant", 70000, sentence)


def scopes_widened() -> Refused:
    sentence = "One or more scopes requested are unauthorized: the user must sign in for them."
    return Refused("invalid_grant", 70000, sentence)
