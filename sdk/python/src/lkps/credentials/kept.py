"""A token in memory, for whom asking takes long and remembers nothing."""

import time
from dataclasses import dataclass, field

_MARGIN_SECONDS = 120  # whoever gives it has its own margin, of five minutes mostly


@dataclass
class Kept:
    """Empty at first, and again shortly before its end, which is in seconds of the epoch."""

    token: str = field(default="", repr=False)
    expires_at: float = 0.0

    def keep(self, token: str, expires_at: float) -> str:
        self.token, self.expires_at = token, expires_at
        return token

    def good(self) -> str:
        return self.token if time.time() < self.expires_at - _MARGIN_SECONDS else ""

    def forget(self) -> None:
        self.token, self.expires_at = "", 0.0
