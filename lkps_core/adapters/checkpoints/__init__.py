"""Where checkpoints are kept and who signs them: a blob container, and a key in a vault."""

from lkps_core.adapters.checkpoints.file_key import FileKey
from lkps_core.adapters.checkpoints.store import BlobCheckpoints
from lkps_core.adapters.checkpoints.vault_key import VaultKey

__all__ = ["BlobCheckpoints", "FileKey", "VaultKey"]
