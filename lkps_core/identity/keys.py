"""The tenant's signing keys, held: how long they are trusted and when they are fetched again."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from lkps_core.errors import KeysUnavailable, TokenInvalid
from lkps_core.identity.jwk import usable_keys
from lkps_core.ports import Clock

TRUST_FOR = timedelta(hours=24)
REFRESH_AFTER = timedelta(hours=1)
REFRESH_RETRY = timedelta(minutes=1)
FORCE_EVERY = timedelta(minutes=5)
# With no key at all every caller waits, so the next try is soon; but not with every request, or a
# crowd of callers would keep down an endpoint that is about to recover.
OUTAGE_RETRY = timedelta(seconds=1)
PATIENCE_SECONDS = 5.0

_log = logging.getLogger(__name__)


class KeySource(Protocol):
    async def fetch(self) -> Mapping[str, object]:
        """The tenant's JWK set as it is published; KeysUnavailable when it cannot be had."""
        ...


@dataclass(frozen=True, slots=True)
class _Held:
    """`since` is when the fetch began: what came later may not be in it."""

    keys: Mapping[str, RSAPublicKey]
    since: datetime


class Keys:
    """One cache for each process. A request waits for a fetch only when it cannot do without."""

    def __init__(self, source: KeySource, issuer: str, clock: Clock) -> None:
        self._source = source
        self._issuer = issuer
        self._clock = clock
        self._held: _Held | None = None
        self._flight: asyncio.Task[None] | None = None
        self._ended: datetime | None = None
        self._forced: datetime | None = None
        self._failure = "keys_not_fetched"

    async def key(self, kid: str) -> RSAPublicKey:
        """Return the tenant's key of that name.

        Raises TokenInvalid when the tenant has no such key, and KeysUnavailable when no key is
        held that is young enough to say so.
        """
        held = self._trusted()
        if held is None:
            return self._known(kid, await self._first_keys())
        if self._has_passed(REFRESH_AFTER, held.since) and self._has_passed(
            REFRESH_RETRY, self._ended
        ):
            self._fly()
        if kid in held.keys:
            return held.keys[kid]
        return self._known(kid, await self._keys_with(kid, held))

    async def ready(self) -> None:
        """Return when some key can be trusted now; raises KeysUnavailable."""
        if self._trusted() is None:
            await self._first_keys()

    def _known(self, kid: str, held: _Held) -> RSAPublicKey:
        if kid not in held.keys:
            raise TokenInvalid("key_unknown")
        return held.keys[kid]

    async def _first_keys(self) -> _Held:
        if not self._has_passed(OUTAGE_RETRY, self._ended):
            raise self._unavailable()
        await self._landed(self._fly(), PATIENCE_SECONDS)
        held = self._trusted()
        if held is None:
            raise self._unavailable()
        return held

    async def _keys_with(self, kid: str, held: _Held) -> _Held:
        """The keys once they have this one, or once nothing more may be tried for it.

        A fetch under way may have begun before the tenant published the key: so it is awaited
        first, and does not use up the forced one.
        """
        loop = asyncio.get_running_loop()
        patient_until = loop.time() + PATIENCE_SECONDS
        while kid not in held.keys and (patience := patient_until - loop.time()) > 0:
            flight = self._flight or self._forced_flight()
            if flight is None:
                break
            await self._landed(flight, patience)
            held = self._held or held
        return held

    def _forced_flight(self) -> asyncio.Task[None] | None:
        """Attempts are counted, not successes: an outage is no licence to fetch at will."""
        if not self._has_passed(FORCE_EVERY, self._forced):
            return None
        self._forced = self._clock()
        return self._fly()

    def _fly(self) -> asyncio.Task[None]:
        """Start the one shared fetch, or join it."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._fetch())
        return self._flight

    async def _fetch(self) -> None:
        began = self._clock()
        try:
            keys = usable_keys(await self._source.fetch(), self._issuer)
        except KeysUnavailable as error:
            self._failure = error.reason
            _log.warning("signing keys were not fetched", extra={"reason": error.reason})
        else:
            self._held = _Held(keys, began)
        finally:
            self._ended = self._clock()
            self._flight = None

    async def _landed(self, flight: asyncio.Task[None], patience: float) -> None:
        """Wait in a way that leaves the fetch to the others when this request is cancelled."""
        landed, _ = await asyncio.wait((flight,), timeout=patience)
        for done in landed:
            done.result()

    def _trusted(self) -> _Held | None:
        if self._held is None or self._has_passed(TRUST_FOR, self._held.since):
            return None
        return self._held

    def _has_passed(self, span: timedelta, since: datetime | None) -> bool:
        return since is None or self._clock() - since >= span

    def _unavailable(self) -> KeysUnavailable:
        return KeysUnavailable(reason=self._failure)
