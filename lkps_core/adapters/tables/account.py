"""One storage account: its clients, how long a call may take, and what its errors mean."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

from azure.core.credentials import AzureNamedKeyCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables.aio import TableClient, TableServiceClient

from lkps_core.adapters.tables.authorization import by_identity, by_key
from lkps_core.adapters.tables.insertion import Insertion
from lkps_core.errors import StorageUnavailable
from lkps_core.ports import AlreadyThere, Changed

CALL_SECONDS = 2.0

TABLES = (
    "agents",
    "platform",
    "grants",
    "registrations",
    "sessions",
    "revocations",
    "audit",
    "auditstreams",
    "auditindex",
    "holds",
)
"""Made by the deployment's Bicep; locally by the first call that misses one."""

_CONFLICT, _PRECONDITION_FAILED = 409, 412


class TablesAccount:
    """The clients live as long as the process. `create_missing` is for `local` only."""

    def __init__(
        self, service: TableServiceClient, insertion: Insertion, *, create_missing: bool = False
    ) -> None:
        self._service = service
        self.insertion = insertion
        self._create_missing = create_missing

    @classmethod
    def from_connection_string(cls, connection_string: str) -> Self:
        service = TableServiceClient.from_connection_string(
            connection_string, transport=lean_transport(), retry_total=0, logging_enable=False
        )
        key = service.credential
        if not isinstance(key, AzureNamedKeyCredential):
            raise ValueError("the connection string must have an account key")  # noqa: TRY004
        authorize = by_key(key.named_key.name, key.named_key.key)
        return cls(service, Insertion(service.url, authorize), create_missing=True)

    @classmethod
    def from_endpoint(cls, endpoint: str, credential: AsyncTokenCredential) -> Self:
        service = TableServiceClient(
            endpoint,
            credential=credential,
            transport=lean_transport(),
            retry_total=0,
            logging_enable=False,
        )
        return cls(service, Insertion(endpoint, by_identity(credential)))

    def table(self, name: str) -> TableClient:
        return self._service.get_table_client(name)

    async def call[T](
        self, operation: Callable[[], Awaitable[T]], seconds: float = CALL_SECONDS
    ) -> T:
        """Run one call within so many seconds, twice when the connection broke or no table was.

        Raises AlreadyThere, Changed, LookupError (no such row) or StorageUnavailable. A call
        that is run again may meet its own first effect: operations must be safe to repeat.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._twice(operation)
        except TimeoutError as error:
            raise StorageUnavailable(reason="the tables did not answer in time") from error

    async def ping(self) -> None:
        """Ask for a row that does not exist: proves reach, permission and that tables exist."""
        try:
            await self.call(lambda: self.table("agents").get_entity("ping", "ping"))
        except LookupError:
            return

    async def close(self) -> None:
        await asyncio.gather(self._service.close(), self.insertion.close())

    async def _twice[T](self, operation: Callable[[], Awaitable[T]]) -> T:
        try:
            return await operation()
        except (ServiceRequestError, ServiceResponseError):
            missing = False  # a kept connection that the server has closed looks like this
        except AzureError as error:
            missing = self._create_missing and error_code(error) == "TableNotFound"
            if not missing:
                raise translated(error) from error
        try:
            if missing:
                await self._create_tables()
            return await operation()
        except AzureError as error:
            raise translated(error) from error

    async def _create_tables(self) -> None:
        for name in TABLES:
            await self._service.create_table_if_not_exists(name)


def translated(error: AzureError) -> Exception:
    """Our word for the library's error, whose own text stays behind: it can hold the request."""
    if isinstance(error, ResourceExistsError) or _status(error) == _CONFLICT:
        return AlreadyThere()
    if isinstance(error, ResourceModifiedError) or _status(error) == _PRECONDITION_FAILED:
        return Changed()
    if isinstance(error, ResourceNotFoundError) and error_code(error) != "TableNotFound":
        return LookupError()
    what = error_code(error) or _status(error) or type(error).__name__
    return StorageUnavailable(reason=f"the tables answered {what}")


def _status(error: AzureError) -> int | None:
    return getattr(error, "status_code", None)


def error_code(error: AzureError) -> str | None:
    """The service's own word for it."""
    code = getattr(error, "error_code", None)
    return None if code is None else str(getattr(code, "value", code))


def lean_transport() -> AioHttpTransport:
    """Without the environment's proxies and netrc: looking them up costs more than the insert."""
    return AioHttpTransport(use_env_settings=False)
