"""R1 and R2: one header, one scheme, one token of bounded size."""

import pytest

from lkps_core.errors import CredentialsAmbiguous, CredentialsMissing, Refusal, TokenInvalid
from lkps_core.identity.bearer import MAX_TOKEN_LENGTH, bearer_token

LONGEST = "a.b." + "c" * (MAX_TOKEN_LENGTH - 4)


@pytest.mark.parametrize(
    ("authorization", "token"),
    [
        ("Bearer a.b.c", "a.b.c"),
        ("bearer a.b.c", "a.b.c"),
        ("BEARER  a-_9.b.c ", "a-_9.b.c"),
        (f"Bearer {LONGEST}", LONGEST),
    ],
)
def test_the_token_is_what_follows_the_scheme(authorization: str, token: str) -> None:
    assert bearer_token(authorization) == token


@pytest.mark.parametrize(
    ("authorization", "refusal", "reason"),
    [
        (None, CredentialsMissing, "credentials_missing"),
        ("", CredentialsMissing, "credentials_missing"),
        ("Bearer", CredentialsMissing, "credentials_missing"),
        ("Bearer  ", CredentialsMissing, "credentials_missing"),
        ("a.b.c", CredentialsMissing, "credentials_missing"),
        ("Basic a.b.c", CredentialsMissing, "credentials_missing"),
        ("PoP a.b.c", CredentialsMissing, "credentials_missing"),
        ("DPoP a.b.c", CredentialsMissing, "credentials_missing"),
        ("Bearer: a.b.c", CredentialsMissing, "credentials_missing"),
        ("Bearer a.b.c, Bearer a.b.c", CredentialsAmbiguous, "credentials_ambiguous"),
        ("Bearer a.b.c,", CredentialsAmbiguous, "credentials_ambiguous"),
        ("Basic eA, Bearer a.b.c", CredentialsAmbiguous, "credentials_ambiguous"),
        ("Bearer a.b.c d.e.f", CredentialsAmbiguous, "credentials_ambiguous"),
        ("Bearer Bearer a.b.c", CredentialsAmbiguous, "credentials_ambiguous"),
        (f"Bearer {LONGEST}c", TokenInvalid, "token_too_long"),
        ("Bearer " + "." * (5 << 20), TokenInvalid, "token_too_long"),
        ("Bearer a.b", TokenInvalid, "token_shape"),
        ("Bearer a.b.", TokenInvalid, "token_shape"),
        ("Bearer a.b.c.d", TokenInvalid, "token_shape"),
        ("Bearer a.b.c.d.e", TokenInvalid, "token_shape"),
        ("Bearer a.b.c=", TokenInvalid, "token_shape"),
        ("Bearer a.b.c\n", TokenInvalid, "token_shape"),
        ("Bearer a.b.c\t", TokenInvalid, "token_shape"),
        ("Bearer a.b+/.c", TokenInvalid, "token_shape"),
        ("Bearer a.b.\u00e9", TokenInvalid, "token_shape"),
        ("Bearer a.b.\uff11", TokenInvalid, "token_shape"),
        ("Bearer a.b.\ud800", TokenInvalid, "token_shape"),
    ],
)
def test_anything_else_is_refused(
    authorization: str | None, refusal: type[Refusal], reason: str
) -> None:
    with pytest.raises(refusal) as refused:
        bearer_token(authorization)
    assert refused.value.reason == reason
