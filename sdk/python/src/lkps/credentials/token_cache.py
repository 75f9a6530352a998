"""Where the tokens of who signed in are kept: encrypted where the platform can, else in a file."""

from functools import cached_property
from pathlib import Path

import msal  # type: ignore[import-untyped]
from msal_extensions import (  # type: ignore[import-untyped]
    FilePersistence,
    PersistedTokenCache,
    build_encrypted_persistence,
)
from msal_extensions.persistence import BasePersistence  # type: ignore[import-untyped]

from lkps.keeping import keeping


class TokenCache:
    """Holds one person's tokens at most."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with keeping(folder):
            self._persistence = _persistence(str(folder / "tokens.bin"))

    @cached_property
    def opened(self) -> msal.SerializableTokenCache:
        """Written with every token that is renewed, and read again when another process did."""
        return PersistedTokenCache(self._persistence)

    def replace(self, cache: msal.SerializableTokenCache) -> None:
        with keeping(self._folder):
            self._persistence.save(cache.serialize())

    def clear(self) -> None:
        self.replace(msal.SerializableTokenCache())


def _persistence(location: str) -> BasePersistence:
    try:
        return build_encrypted_persistence(location)
    except (
        ImportError,
        ValueError,
        RuntimeError,
    ):  # a Linux without libsecret, or without a desktop
        return FilePersistence(location)  # readable by its owner alone
