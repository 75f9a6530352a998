"""What a run of the sweep did, and the row by which one run goes on at a time."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

type Kind = Literal["due", "full"]


@dataclass(frozen=True, slots=True)
class Run:
    """How a run went. `ended` has sessions by cause.

    `rooms` and `sessions` were looked at; `rooms_removed` had no session; `rows_removed` were of
    sessions that had ended a day before. `failed` could not be seen to just now, and will be by the
    next run. `complete` is false when time was over first. `stopped` says that it would have
    removed more rooms than is plausible, and removed none.
    """

    kind: Kind
    began_at: str
    seconds: float
    rooms: int
    sessions: int
    ended: dict[str, int]
    agents_dispatched: int
    rooms_removed: int
    rows_removed: int
    leases_ended: int
    blocks_removed: int
    failed: int
    complete: bool
    stopped: bool


@dataclass
class Tally:
    """A run as it goes on: what `Run` has beside when it was."""

    rooms: int = 0
    sessions: int = 0
    ended: Counter[str] = field(default_factory=Counter[str])
    agents_dispatched: int = 0
    rooms_removed: int = 0
    rows_removed: int = 0
    leases_ended: int = 0
    blocks_removed: int = 0
    failed: int = 0
    complete: bool = True
    stopped: bool = False

    def run(self, kind: Kind, began: datetime, seconds: float) -> Run:
        counted = {**vars(self), "ended": dict(self.ended)}
        return Run(kind=kind, began_at=began.isoformat(), seconds=round(seconds, 3), **counted)


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is until when; where a full run goes on; and how the last runs went."""

    holder: str
    until: datetime
    cursor_agent: str = ""
    cursor_session: str = ""
    last: tuple[Run, ...] = ()

    @property
    def partition(self) -> str:
        return "platform"

    @property
    def key(self) -> str:
        return "sweep"
