"""The CheckpointStore port: a blob for each checkpoint, written once."""

import asyncio
from collections.abc import Awaitable
from typing import Self

from azure.core.credentials import AzureNamedKeyCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from lkps_core.adapters.tables.account import error_code, lean_transport
from lkps_core.errors import StorageUnavailable
from lkps_core.ports import AlreadyThere

CALL_SECONDS = 2.0
TRANSFER_SECONDS = 10.0
"""For a call that carries a blob, which may have some megabytes."""

_API_VERSION = "2023-11-03"
"""Of the service: one that Azurite knows as well, whichever the library would take."""

_NO_BLOB, _NO_CONTAINER = "BlobNotFound", "ContainerNotFound"
_TAKEN = ("BlobAlreadyExists", "BlobImmutableDueToPolicy")


class BlobCheckpoints:
    """`create_missing` is for `local` only. The client lives as long as the process."""

    def __init__(self, container: ContainerClient, *, create_missing: bool = False) -> None:
        self._container = container
        self._create_missing = create_missing

    @classmethod
    def from_connection_string(cls, tables_connection_string: str, container_url: str) -> Self:
        """With the account and key of the tables; ValueError when the string has none."""
        parts = dict(
            part.split("=", 1) for part in tables_connection_string.split(";") if "=" in part
        )
        if not parts.get("AccountName") or not parts.get("AccountKey"):
            raise ValueError("the connection string must have an account key")
        key = AzureNamedKeyCredential(parts["AccountName"], parts["AccountKey"])
        return cls(_client(container_url, key), create_missing=True)

    @classmethod
    def from_url(cls, container_url: str, credential: AsyncTokenCredential) -> Self:
        return cls(_client(container_url, credential))

    async def add(self, number: int, blob: bytes) -> None:
        try:
            await self._call(self._upload(number, blob), TRANSFER_SECONDS)
        except AlreadyThere:
            if await self.get(number) != blob:
                raise
        except LookupError as error:
            reason = "the checkpoints' container cannot be made"
            raise StorageUnavailable(reason=reason) from error

    async def get(self, number: int) -> bytes | None:
        try:
            return await self._call(self._download(number), TRANSFER_SECONDS)
        except LookupError:
            return None

    async def last(self, at_least: int = 0) -> int:
        """Numbers have no gap: look ever further until there is none, then in between."""
        low, step = at_least, 1
        while await self._exists(low + step):
            low, step = low + step, 2 * step
        high = low + step
        while high - low > 1:
            middle = (low + high) // 2
            if await self._exists(middle):
                low = middle
            else:
                high = middle
        return low

    async def close(self) -> None:
        await self._container.close()

    async def _upload(self, number: int, blob: bytes) -> None:
        client = self._container.get_blob_client(_name(number))
        for attempt in range(2):
            try:
                await client.upload_blob(blob, overwrite=False)  # If-None-Match: *
            except ResourceNotFoundError:
                if attempt or not self._create_missing:
                    raise
                await self._create()
            else:
                return

    async def _create(self) -> None:
        try:
            await self._container.create_container()
        except ResourceExistsError:
            return

    async def _download(self, number: int) -> bytes:
        stream = await self._container.download_blob(_name(number))
        return await stream.readall()

    async def _exists(self, number: int) -> bool:
        client = self._container.get_blob_client(_name(number))
        try:  # the library's own `exists` takes a missing container for a missing blob
            await self._call(client.get_blob_properties())
        except LookupError:
            return False
        return True

    async def _call[T](self, operation: Awaitable[T], seconds: float = CALL_SECONDS) -> T:
        """AlreadyThere, LookupError for what does not exist, StorageUnavailable for all else."""
        try:
            async with asyncio.timeout(seconds):
                return await operation
        except TimeoutError as error:
            raise StorageUnavailable(
                reason="the checkpoints' container did not answer in time"
            ) from error
        except AzureError as error:
            raise self._translated(error) from error

    def _translated(self, error: AzureError) -> Exception:
        """Our word for the library's error, whose own text stays behind: it has the request."""
        code = error_code(error)
        if code in _TAKEN:
            return AlreadyThere()
        if code == _NO_BLOB or (code == _NO_CONTAINER and self._create_missing):
            return LookupError()
        if code == _NO_CONTAINER:
            return StorageUnavailable(reason="the checkpoints' container is missing")
        what = code or type(error).__name__
        return StorageUnavailable(reason=f"the checkpoints' container answered {what}")


def _client(
    container_url: str, credential: AzureNamedKeyCredential | AsyncTokenCredential
) -> ContainerClient:
    endpoint, _, name = container_url.rstrip("/").rpartition("/")
    return ContainerClient(
        endpoint,
        name,
        credential=credential,
        api_version=_API_VERSION,
        transport=lean_transport(),
        retry_total=0,
        logging_enable=False,
    )


def _name(number: int) -> str:
    return f"{number:012d}.json"
