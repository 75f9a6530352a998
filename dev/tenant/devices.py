"""Device codes: a client shows a short code to a person, and asks until they signed in by it.

RFC 8628. The errors are Entra's (Microsoft: "OAuth 2.0 device authorization grant").
"""

import secrets
from dataclasses import dataclass, field, replace

from dev.tenant import device_refusals, sign_in_refusals
from dev.tenant.directory import RegisteredPerson
from dev.tenant.scopes import Scopes
from dev.tenant.sign_ins import SignIn

LIFETIME_SECONDS = 900
INTERVAL_SECONDS = 5
SLOWER_SECONDS = 5
"""By how much a client that asks too soon has to slow down, each time (RFC 8628 section 3.5)."""
TOLERANCE_SECONDS = 1.0
CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"
"""RFC 8628 section 6.1: no words, and nothing to mistake for something else."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device that waits for somebody to sign in. `asked` is when it last asked, if it did."""

    client_id: str
    scopes: Scopes
    expires: float
    interval: float
    asked: float | None = None
    user: RegisteredPerson | None = None
    declined: bool = False


@dataclass(slots=True)
class DeviceCodes:
    """The device codes of a running stand-in, in memory."""

    lifetime: int = LIFETIME_SECONDS
    interval: int = INTERVAL_SECONDS
    _waiting: dict[str, Waiting] = field(default_factory=dict, repr=False)
    _by_user_code: dict[str, str] = field(default_factory=dict, repr=False)
    _redeemed: set[str] = field(default_factory=set, repr=False)

    def issue(self, client_id: str, scopes: Scopes, now: float) -> tuple[str, str]:
        """A device code, and the user code that people type."""
        device_code = secrets.token_urlsafe(96)
        user_code = "".join(secrets.choice(CONSONANTS) for _ in range(9))
        self._waiting[device_code] = Waiting(client_id, scopes, now + self.lifetime, self.interval)
        self._by_user_code[user_code] = device_code
        return device_code, user_code

    def waiting(self, user_code: str, now: float) -> Waiting:
        """Raises `Refused` for a code that nobody waits by, or not any more."""
        return self._waiting[self._device_code(user_code, now)]

    def approve(self, user_code: str, user: RegisteredPerson, now: float) -> None:
        """Raises `Refused` when a scope is not theirs."""
        device_code = self._device_code(user_code, now)
        waiting = self._waiting[device_code]
        waiting.scopes.granted_to(user.person)
        self._waiting[device_code] = replace(waiting, user=user)

    def decline(self, user_code: str, now: float) -> None:
        device_code = self._device_code(user_code, now)
        self._waiting[device_code] = replace(self._waiting[device_code], declined=True)

    def redeem(self, device_code: str, client_id: str, now: float) -> SignIn:
        """Uses the code up; raises `Refused` while nobody has signed in by it."""
        if device_code in self._redeemed:
            raise sign_in_refusals.code_redeemed()
        waiting = self._waiting.get(device_code)
        if waiting is None or waiting.client_id != client_id:
            raise device_refusals.code_unknown()
        if now >= waiting.expires:
            raise device_refusals.code_expired()
        if waiting.declined:
            raise device_refusals.declined()
        if waiting.user is None:
            raise self._not_yet(device_code, waiting, now)
        self._redeemed.add(device_code)
        return SignIn(waiting.user, client_id, waiting.scopes)

    def _not_yet(self, device_code: str, waiting: Waiting, now: float) -> Exception:
        earliest = (waiting.asked or 0.0) + waiting.interval - TOLERANCE_SECONDS
        if now >= earliest:
            self._waiting[device_code] = replace(waiting, asked=now)
            return device_refusals.pending()
        slower = waiting.interval + SLOWER_SECONDS
        self._waiting[device_code] = replace(waiting, asked=now, interval=slower)
        return device_refusals.too_often()

    def _device_code(self, user_code: str, now: float) -> str:
        device_code = self._by_user_code.get(user_code.strip().upper())
        if device_code is None or device_code in self._redeemed:
            raise device_refusals.code_unknown()
        if now >= self._waiting[device_code].expires:
            raise device_refusals.code_expired()
        return device_code
