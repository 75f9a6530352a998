"""From the Authorization header to the Principal: every rule on every request, the RSA once."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from cachetools import LRUCache
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from lkps_core.errors import TokenInvalid
from lkps_core.identity.bearer import bearer_token
from lkps_core.identity.claims import Rules, principal, refuse_foreign
from lkps_core.identity.keys import Keys
from lkps_core.identity.principal import Principal
from lkps_core.identity.token import SignedClaims, read, verify

REMEMBERED_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class _Verified:
    kid: str
    key: RSAPublicKey
    claims: SignedClaims = field(repr=False)


class Authenticator:
    """Remembers by SHA-256 which tokens it verified, and with which key."""

    def __init__(
        self, keys: Keys, rules: Rules, *, remembered_tokens: int = REMEMBERED_TOKENS
    ) -> None:
        self._keys = keys
        self._rules = rules
        self._verified: LRUCache[bytes, _Verified] = LRUCache(remembered_tokens)

    async def authenticate(self, authorization: str | None, now: datetime) -> Principal:
        """Return who is calling.

        Raises CredentialsMissing, CredentialsAmbiguous, TokenInvalid or KeysUnavailable.
        """
        text = bearer_token(authorization)
        digest = hashlib.sha256(text.encode()).digest()
        verified = self._verified.get(digest)
        if verified is None or await self._keys.key(verified.kid) != verified.key:
            verified = await self._verify(text)
        try:
            caller = principal(verified.claims, self._rules, now)
        except TokenInvalid:
            self._verified.pop(digest, None)
            raise
        self._verified[digest] = verified
        return caller

    async def _verify(self, text: str) -> _Verified:
        token = read(text)
        # Before any key is looked up, lest another tenant's tokens make us fetch ours again.
        refuse_foreign(token.claims, self._rules)
        key = await self._keys.key(token.kid)
        return _Verified(token.kid, key, verify(token, key))
