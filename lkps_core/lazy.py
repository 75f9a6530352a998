"""The checkpoints' container and key, opened by their first use: what most processes never need."""

from typing import TYPE_CHECKING

from lkps_core.errors import Misconfigured
from lkps_core.settings import Settings

if TYPE_CHECKING:
    from lkps_core.adapters.checkpoints import BlobCheckpoints, FileKey, VaultKey


class LazyCheckpoints:
    """A CheckpointStore."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: BlobCheckpoints | None = None

    async def add(self, number: int, blob: bytes) -> None:
        await self._store().add(number, blob)

    async def get(self, number: int) -> bytes | None:
        return await self._store().get(number)

    async def last(self, at_least: int = 0) -> int:
        return await self._store().last(at_least)

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()

    def _store(self) -> "BlobCheckpoints":
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> "BlobCheckpoints":
        from lkps_core.adapters.checkpoints import BlobCheckpoints

        url = self._settings.checkpoints_url
        connection = self._settings.tables_connection_string
        if connection is not None:
            try:
                return BlobCheckpoints.from_connection_string(connection, url)
            except ValueError:  # its text may repeat the string, which holds a key
                raise Misconfigured(reason="settings") from None
        from lkps_core.adapters.tables.credential import ManagedIdentityCredential

        return BlobCheckpoints.from_url(url, ManagedIdentityCredential())


class LazySigner:
    """A CheckpointSigner: a key in the vault, in `local` a file."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: FileKey | VaultKey | None = None

    async def public_key(self) -> bytes:
        return await self._key().public_key()

    async def sign(self, text: bytes) -> bytes:
        return await self._key().sign(text)

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()

    def _key(self) -> "FileKey | VaultKey":
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> "FileKey | VaultKey":
        from lkps_core.adapters.checkpoints import FileKey, VaultKey

        if self._settings.environment == "local":
            return FileKey(self._settings.checkpoint_key)
        from lkps_core.adapters.tables.credential import ManagedIdentityCredential

        return VaultKey(self._settings.checkpoint_key, ManagedIdentityCredential())
