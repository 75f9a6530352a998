"""Masking: no routing secret and no token in what the worker logs, whatever the formatter."""

import logging
import re

_MASK = "***"
_JWT = re.compile(r"eyJ[\w-]{5,}\.eyJ[\w-]{5,}\.[\w-]+")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class Masking(logging.Filter):
    """Rewrites records that hold a hidden value, or anything of a JWT's shape.

    It sits on the logger of livekit-agents, whose line "registered worker" carries the routing
    secret, and on the root's handlers, where the lines of job processes arrive past every logger.
    A job's process has one as well: LiveKit's job carries the secret, and handlers may be its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self._hidden: set[str] = set()

    def hide(self, secret: str) -> None:
        if secret:
            self._hidden.add(secret)

    def install(self) -> None:
        for target in (logging.getLogger("livekit.agents"), *logging.getLogger().handlers):
            if self not in target.filters:
                target.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        self._mask_message(record)
        self._mask_traceback(record)
        for name, value in vars(record).items():
            if name not in _STANDARD and self.masks(text := _text(value)):
                setattr(record, name, self.masked(text))
        return True

    def masks(self, text: str) -> bool:
        return self.masked(text) != text

    def masked(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, _MASK)
        return _JWT.sub(_MASK, text)

    def _mask_message(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if self.masks(message):
            record.msg, record.args = self.masked(message), None

    def _mask_traceback(self, record: logging.LogRecord) -> None:
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text and self.masks(record.exc_text):
            record.exc_text, record.exc_info = self.masked(record.exc_text), None


MASKING = Masking()
"""This process's."""


def _text(value: object) -> str:
    return value if isinstance(value, str) else f"{value} {value!r}"
