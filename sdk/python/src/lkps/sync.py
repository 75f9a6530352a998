"""`lkps.SessionClient` for programs without asyncio: the same calls, without `await`."""

from collections.abc import Callable, Coroutine, Iterator
from functools import partial, wraps
from typing import Any, Concatenate, Literal, ParamSpec, Self, TypeVar

from lkps import session_client
from lkps.background import Background
from lkps.credentials import Credential, TokenCredential
from lkps.session_answers import SessionStatus

P = ParamSpec("P")
T = TypeVar("T")

_Call = Callable[Concatenate[session_client.SessionClient, P], Coroutine[Any, Any, T]]


def _awaited(call: _Call[P, T]) -> Callable[Concatenate["SessionClient", P], T]:
    """The same method, without `await`."""

    @wraps(call)
    def method(client: "SessionClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client._run(partial(call, client._client, *args, **kwargs))  # noqa: SLF001  its own

    return method


class SessionClient:
    """`lkps.SessionClient`, to be called from any thread, from many at once too.

    It runs that client in an event loop in a thread of its own, which begins with the first call.
    A second client, over another HTTP library, would be a second set of retries and errors; and
    a credential is a coroutine, which may want the loop again that it was first awaited in.
    """

    def __init__(
        self,
        *,
        lkps_url: str | None = None,
        credential: Credential | TokenCredential | None = None,
        timeout: float = 15.0,
    ) -> None:
        self._client = session_client.SessionClient(
            lkps_url=lkps_url, credential=credential, timeout=timeout
        )
        self._background = Background()
        self._run = self._background.run

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._background.close(self._client.aclose)

    start = _awaited(session_client.SessionClient.start)
    token = _awaited(session_client.SessionClient.token)
    invite = _awaited(session_client.SessionClient.invite)
    join = _awaited(session_client.SessionClient.join)
    get = _awaited(session_client.SessionClient.get)
    end = _awaited(session_client.SessionClient.end)

    def list(
        self, agent_name: str, *, state: Literal["open", "ended"] | None = None
    ) -> Iterator[SessionStatus]:
        """The application's sessions with the agent, as `lkps.SessionClient.list` has them."""
        listed = self._client.list(agent_name, state=state)

        async def following() -> SessionStatus | None:
            return await anext(listed, None)

        while (session := self._run(following)) is not None:
            yield session
