"""A person beside the program, who signs in whenever Entra ID wants them to."""

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

from lkps.credentials.person import NotSignedIn, Person, SignIn


@dataclass(frozen=True)
class Attended:
    """They sign in when the first token is wanted, and again once Entra ID forgot them."""

    person: Person
    way: SignIn = field(repr=False)
    _turn: threading.Lock = field(
        default_factory=threading.Lock, init=False, repr=False, compare=False
    )

    async def access_token(self) -> str:
        """In a thread that no program waits for at its end: perhaps they never sign in."""
        token: Future[str] = Future()
        threading.Thread(target=self._bring, args=(token,), daemon=True).start()
        return await asyncio.wrap_future(token)

    def _bring(self, token: "Future[str]") -> None:
        if not token.set_running_or_notify_cancel():
            return
        try:
            token.set_result(self._in_turn())
        except Exception as error:  # noqa: BLE001  whoever waits gets it
            token.set_exception(error)

    def _in_turn(self) -> str:
        with self._turn:
            try:
                return self.person.silently()
            except NotSignedIn:
                self.person.sign_in(self.way)
                return self.person.silently()
