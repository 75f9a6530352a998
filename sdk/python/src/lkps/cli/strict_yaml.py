"""Strict YAML: JSON's values and no others, and no more of them than fits."""

from dataclasses import dataclass

import yaml

from lkps.cli.yaml_scalars import NO_PLACE, TAG, NotStrictYaml, line_of, refusal, scalar

LIMIT = 4 * 2**20
"""Bytes of the text, and of the values once every alias is replaced by what it stands for."""

_DEEPEST = 32
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def compose(text: str) -> yaml.Node | None:
    """The document's node, whose value is in `Values`; None for an empty document."""
    try:
        _require_shallow(text)
        node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotStrictYaml(error.problem or "not YAML", mark.line + 1 if mark else 1) from None
    except yaml.YAMLError as error:
        raise NotStrictYaml(f"not YAML: {getattr(error, 'reason', 'unreadable')}", 1) from None
    return node


@dataclass(frozen=True)
class _Read:
    value: object
    size: int
    depth: int


class Values:
    """Reads nodes; what an alias stands for is read once, and counted each time."""

    def __init__(self) -> None:
        self._read: dict[int, _Read | None] = {}

    def of(self, node: yaml.Node) -> object:
        return self._of(node).value

    def _of(self, node: yaml.Node) -> _Read:
        if id(node) in self._read:
            before = self._read[id(node)]
            if before is None:
                raise refusal(node, "an alias stands for what it is in")
            return before
        self._read[id(node)] = None
        read = self._fresh(node)
        if read.size > LIMIT or read.depth > _DEEPEST:
            raise refusal(node, "too large, or too deep, once its aliases are replaced")
        self._read[id(node)] = read
        return read

    def _fresh(self, node: yaml.Node) -> _Read:
        if isinstance(node, yaml.ScalarNode):
            return _Read(scalar(node), len(node.value) + 4, 0)
        if node.tag not in {f"{TAG}map", f"{TAG}seq"}:
            raise refusal(node, NO_PLACE)
        if isinstance(node, yaml.SequenceNode):
            items = [self._of(item) for item in node.value]
            return _gathered([item.value for item in items], items)
        members: dict[str, _Read] = {}
        for key, value in node.value:
            name = _key(key)
            if name in members:
                raise refusal(key, f"`{name}` is there twice")
            members[name] = self._of(value)
        return _gathered(
            {name: read.value for name, read in members.items()},
            [*members.values(), *(_Read(name, len(name) + 4, 0) for name in members)],
        )


def _gathered(value: object, parts: list[_Read]) -> _Read:
    size = 4 + sum(part.size for part in parts)
    return _Read(value, size, 1 + max((part.depth for part in parts), default=0))


def _key(node: yaml.Node) -> str:
    if node.tag == f"{TAG}merge":
        raise refusal(node, "merge keys (<<) are not taken: repeat the members")
    if node.tag != f"{TAG}str":
        raise refusal(node, "a name must be a string: put it in quotes")
    return str(node.value)


def _require_shallow(text: str) -> None:
    """Before it is composed, which is recursive in C."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise NotStrictYaml("too deep", line_of(event))
