"""The one access token of a request, taken from its Authorization header and nowhere else."""

import re

from lkps_core.errors import CredentialsAmbiguous, CredentialsMissing, TokenInvalid

MAX_TOKEN_LENGTH = 16 * 1024

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def bearer_token(authorization: str | None) -> str:
    """Return the token in its compact form, ASCII and of bounded length (RFC 6750, 2.1)."""
    if authorization is None:
        raise CredentialsMissing
    if "," in authorization:
        # The Functions host joins repeated headers with a comma, which no bearer token contains.
        raise CredentialsAmbiguous
    scheme, _, credentials = authorization.partition(" ")
    token = credentials.strip(" ")
    if scheme.lower() != "bearer" or not token:
        raise CredentialsMissing
    if " " in token:
        raise CredentialsAmbiguous
    if len(token) > MAX_TOKEN_LENGTH:
        raise TokenInvalid("token_too_long")
    if not _COMPACT.fullmatch(token):
        raise TokenInvalid("token_shape")
    return token
