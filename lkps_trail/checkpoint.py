"""A checkpoint (c2sp.org/tlog-checkpoint): the tree's size and root at a moment, to be signed."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from lkps_trail.merkle import HASH_BYTES, Frontier
from lkps_trail.notes import NoteInvalid, NoteKey, VerifySignature, opened

_TEXT = re.compile(
    r"([^\s+]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n"
    r"since (0|[1-9][0-9]{0,18})\ntime ([0-9TZ:.-]{27})\n"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`origin` names the log. Two extension lines are ours: the size of the tree before, and when.

    Without the former, whoever holds an export could take rows off its front.
    """

    origin: str
    size: int
    root: bytes
    since: int
    at: datetime

    @property
    def text(self) -> str:
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\nsince {self.since}\ntime {instant(self.at)}\n"

    def covers(self, tree: Frontier) -> bool:
        """Whether it is the tree that was signed."""
        return (tree.size, tree.root) == (self.size, self.root)

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """NoteInvalid when it is another text, or the same in another spelling."""
        found = _TEXT.fullmatch(text)
        if not found:
            raise NoteInvalid("not a checkpoint of LKPS")
        origin, size, root, since, at = found.groups()
        try:
            parsed = cls(
                origin,
                int(size),
                base64.b64decode(root, validate=True),
                int(since),
                datetime.strptime(at, _INSTANT).replace(tzinfo=UTC),
            )
        except (binascii.Error, ValueError) as error:
            raise NoteInvalid("not a checkpoint of LKPS") from error
        if len(parsed.root) != HASH_BYTES or parsed.text != text:
            raise NoteInvalid("not a checkpoint of LKPS")
        return parsed


def signed_checkpoint(note: str, key: NoteKey, verify: VerifySignature) -> Checkpoint:
    """The checkpoint in the note; NoteInvalid when the key did not sign it for its own log."""
    checkpoint = Checkpoint.parse(opened(note, key, verify))
    if checkpoint.origin != key.name:
        raise NoteInvalid("a checkpoint of another log")
    return checkpoint


_INSTANT = "%Y-%m-%dT%H:%M:%S.%fZ"


def instant(at: datetime) -> str:
    """The moment as the trail spells it: in UTC, with microseconds."""
    return at.astimezone(UTC).strftime(_INSTANT)
