"""Credentials in the shape of azure-core's, those of azure-identity for example."""

import asyncio
import inspect
from dataclasses import dataclass, field
from typing import Any, Protocol

from lkps.credentials.kept import Kept
from lkps.credentials.refusals import explained
from lkps.credentials.roles import Replacing
from lkps.errors import CredentialError, Unavailable

_OF_THE_NETWORK = frozenset({"ServiceRequestError", "ServiceResponseError"})


class TokenCredential(Protocol):
    """azure-core's `TokenCredential`, or its `AsyncTokenCredential`."""

    def get_token(self, *scopes: str) -> Any: ...  # noqa: ANN401  a token, or what brings it


@dataclass(frozen=True)
class AzureCredential:
    """What was handed in, asked for LKPS's API; it is its owner's to close."""

    credential: TokenCredential = field(repr=False)
    scope: str
    _kept: Kept = field(default_factory=Kept, init=False, repr=False, compare=False)
    _replacing: Replacing = field(default_factory=Replacing, init=False, repr=False, compare=False)

    async def access_token(self) -> str:
        token = self._kept.good() or await self._asked()
        return await self._asked() if self._replacing.is_due(token) else token

    async def _asked(self) -> str:
        try:
            issued = await asyncio.to_thread(self.credential.get_token, self.scope)
            if inspect.isawaitable(issued):
                issued = await issued
            return self._kept.keep(str(issued.token), float(issued.expires_on))
        except Exception as error:
            if _OF_THE_NETWORK.intersection(one.__name__ for one in type(error).__mro__):
                raise Unavailable(f"{self._name} cannot ask: {type(error).__name__}") from error
            reason = explained(str(error)) or type(error).__name__
            raise CredentialError(f"{self._name} gives no token: {reason}") from error

    @property
    def _name(self) -> str:
        return type(self.credential).__name__
