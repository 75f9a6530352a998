"""Keeping: the folder of what the command keeps, for its owner alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lkps.errors import ConfigurationError


@contextmanager
def keeping(folder: Path) -> Iterator[None]:
    """The folder is there in the block; raises `ConfigurationError` when nothing can be kept."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise ConfigurationError(
            f"{folder}: {error.strerror or error}. LKPS_CONFIG_DIR names another folder"
        ) from error
