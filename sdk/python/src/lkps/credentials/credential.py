"""What a credential is, and what those have in common that block while they ask."""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol, runtime_checkable

from lkps.credentials.roles import Replacing


@runtime_checkable
class Credential(Protocol):
    """Whatever can say who calls."""

    async def access_token(self) -> str:
        """An access token for LKPS's API, valid now; wanted before every request, so cache it."""
        ...


@dataclass(frozen=True)
class Blocking(ABC):
    """Asks in a thread, one at a time.

    Entra ID issues tokens without roles, now and then also to applications that have some: such a
    token is replaced once. When that does not help, LKPS refuses it, and says which role it wants;
    it is replaced again a minute later at the earliest.
    """

    _turn: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)
    _replacing: Replacing = field(default_factory=Replacing, init=False, repr=False, compare=False)

    async def access_token(self) -> str:
        return await asyncio.to_thread(self._in_turn)

    def _in_turn(self) -> str:
        with self._turn:
            token = self._ask()
            if self._replacing.is_due(token):
                self._forget()
                token = self._ask()
        return token

    @abstractmethod
    def _ask(self) -> str:
        """A token that is valid now, from memory when there is one."""

    @abstractmethod
    def _forget(self) -> None:
        """The next token is asked for anew."""
