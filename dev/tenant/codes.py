"""Authorization codes: each stands for one sign-in, once, for a minute, and for who can prove it.

RFC 6749 section 4.1, and RFC 7636 for the proof, of which S256 alone.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from dev.tenant import sign_in_refusals
from dev.tenant.keys import base64url
from dev.tenant.sign_ins import SignIn

LIFETIME_SECONDS = 60
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""RFC 7636 section 4.1."""


@dataclass(frozen=True, slots=True)
class Authorized:
    """What a code stands for, and what its redemption is held to."""

    sign_in: SignIn
    redirect_uri: str
    challenge: str = field(repr=False)

    def verify(self, client_id: str, redirect_uri: str, verifier: str) -> None:
        """Raises `Refused` unless this is the client that asked, with what it asked with."""
        if client_id != self.sign_in.client_id:
            raise sign_in_refusals.grant_invalid("The code was issued to another client.")
        if redirect_uri != self.redirect_uri:
            raise sign_in_refusals.redirect_uri_changed(redirect_uri, self.redirect_uri)
        if not VERIFIER.fullmatch(verifier):
            raise sign_in_refusals.verifier_malformed()
        if not hmac.compare_digest(challenge_of(verifier), self.challenge):
            raise sign_in_refusals.verifier_wrong()


@dataclass(slots=True)
class Codes:
    """The codes of a running stand-in, in memory."""

    _waiting: dict[str, tuple[float, Authorized]] = field(default_factory=dict, repr=False)
    _redeemed: set[str] = field(default_factory=set, repr=False)

    def issue(self, authorized: Authorized, now: float) -> str:
        code = secrets.token_urlsafe(48)
        self._waiting[code] = now + LIFETIME_SECONDS, authorized
        return code

    def redeem(self, code: str, now: float) -> Authorized:
        """Uses the code up, whatever comes of it; raises `Refused` for one that is not good."""
        if code in self._redeemed:
            raise sign_in_refusals.code_redeemed()
        if code not in self._waiting:
            raise sign_in_refusals.grant_invalid("The code is not one of this tenant's.")
        expires, authorized = self._waiting.pop(code)
        self._redeemed.add(code)
        if now >= expires:
            raise sign_in_refusals.code_expired()
        return authorized


def challenge_of(verifier: str) -> str:
    return base64url(hashlib.sha256(verifier.encode()).digest())
