"""YAML's scalars as JSON's: what YAML would guess differently from people is refused."""

import math
import re

import yaml

from lkps.cli.instants import instant

TAG = "tag:yaml.org,2002:"
NO_PLACE = "such a value has no place here"
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")


class NotStrictYaml(Exception):  # noqa: N818
    def __init__(self, detail: str, line: int) -> None:
        super().__init__(detail)
        self.line = line


def refusal(node: yaml.Node, detail: str) -> NotStrictYaml:
    return NotStrictYaml(detail, line_of(node))


def line_of(node: yaml.Node | yaml.Event) -> int:
    return node.start_mark.line + 1 if node.start_mark else 1


def scalar(node: yaml.ScalarNode) -> object:
    kind, text = node.tag.removeprefix(TAG), str(node.value)
    if kind == "str":
        return text
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if kind == "int" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "timestamp":
        return _timestamp(node, text)
    if kind == "float":
        return _number(node, text)
    raise refusal(node, _OTHERS.get(kind, NO_PLACE))


_OTHERS = {
    "bool": "write true or false, or put it in quotes",
    "int": "write the number in plain digits, or put it in quotes",
}


def _timestamp(node: yaml.ScalarNode, text: str) -> str:
    try:
        return instant(text)
    except ValueError as error:
        raise refusal(node, str(error)) from None


def _number(node: yaml.ScalarNode, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise refusal(node, "write the number in plain digits, or put it in quotes")
    return number
