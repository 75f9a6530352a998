"""Refresh tokens: each stands for one sign-in until it is used, and another takes its place."""

import secrets
from dataclasses import dataclass, field

from dev.tenant import sign_in_refusals
from dev.tenant.sign_ins import SignIn


@dataclass(slots=True)
class RefreshTokens:
    """The refresh tokens of a running stand-in, in memory: after a restart people sign in again."""

    _kept: dict[str, SignIn] = field(default_factory=dict, repr=False)

    def issue(self, sign_in: SignIn) -> str:
        token = f"1.{secrets.token_urlsafe(96)}"
        self._kept[token] = sign_in
        return token

    def sign_in(self, token: str, client_id: str) -> SignIn:
        """Raises `Refused` unless the token is good and was issued to this client."""
        kept = self._kept.get(token)
        if kept is None or kept.client_id != client_id:
            raise sign_in_refusals.grant_invalid(
                "Authentication failed. Refresh Token is not valid."
            )
        return kept

    def rotate(self, token: str) -> str:
        """The next token for the same sign-in; this one is good no more."""
        return self.issue(self._kept.pop(token))
