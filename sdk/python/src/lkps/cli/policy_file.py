"""The policy file: what is sent for it, and on which line a member is."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import yaml

from lkps.cli.answers import Json
from lkps.cli.strict_yaml import LIMIT, Values, compose
from lkps.cli.yaml_scalars import NotStrictYaml, line_of
from lkps.errors import LkpsError

STDIN = Path("-")


class PolicyFileError(LkpsError):
    """The file cannot be sent; the message says where, and what to write."""


@dataclass(frozen=True)
class PolicyFile:
    name: str
    document: Json
    root: yaml.Node

    @classmethod
    def read(cls, path: Path) -> Self:
        """`-` is standard input. Raises `PolicyFileError`."""
        name = "stdin" if path == STDIN else str(path)
        try:
            root = compose(_text(path, name))
            document = None if root is None else Values().of(root)
        except NotStrictYaml as error:
            raise PolicyFileError(f"{name}:{error.line}: {error}") from None
        if root is None or not isinstance(document, dict):
            raise PolicyFileError(f"{name}:1: must have members: version, limits, agents")
        return cls(name, document, root)

    def place(self, pointer: str) -> str:
        """File and line of what the pointer (RFC 6901) leads to, or of the last member before."""
        node, line = self.root, line_of(self.root)
        for part in pointer.split("/")[1:]:
            found = _child(node, part.replace("~1", "/").replace("~0", "~"))
            if found is None:
                break
            node, line = found
        return f"{self.name}:{line}"


def _text(path: Path, name: str) -> str:
    try:
        if path == STDIN:
            content = sys.stdin.buffer.read(LIMIT + 1)
        else:
            with path.open("rb") as file:
                content = file.read(LIMIT + 1)
        if len(content) > LIMIT:
            raise PolicyFileError(f"{name}: must be at most {LIMIT // 2**20} MiB")
        return content.decode()
    except OSError as error:
        raise PolicyFileError(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PolicyFileError(f"{name}: must be UTF-8") from error


def _child(node: yaml.Node, part: str) -> tuple[yaml.Node, int] | None:
    """A member begins at its name, not at its value."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return value, line_of(key)
    if isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
        item = node.value[int(part)]
        return item, line_of(item)
    return None
