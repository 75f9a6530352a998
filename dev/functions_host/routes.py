"""Routes: ASP.NET route templates, and which function a request goes to.

The host has no precedence of templates: it tries the functions in alphabetical order of their
names, whatever their case, and takes the first whose methods and template fit
(Azure/azure-functions-host#9876). `session/{id}` of a function `a` hides `session/start` of `b`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote
from uuid import UUID

from dev.functions_host.worker import Function

_PARAMETER = re.compile(r"\{(?P<name>[^/{}?*:=]+)(?P<constraints>(?::[^{}?]+)?)(?P<optional>\??)\}")
_CATCH_ALL = re.compile(r"\{\*{1,2}(?P<name>[^/{}?*:=]+)\}")
_CONSTRAINT = re.compile(r"(?P<name>[a-z]+)(?:\((?P<arguments>-?\d+(?:,-?\d+)*)\))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Match:
    function: Function
    params: dict[str, str]


class Template:
    """One route template; an unsupported one raises ValueError."""

    def __init__(self, template: str) -> None:
        self._names: list[str] = []
        self._checks: list[tuple[str, Callable[[str], bool]]] = []
        segments = template.strip("/").split("/") if template.strip("/") else ()
        pattern = "".join(self._segment(segment) for segment in segments)
        self._pattern = re.compile(pattern, re.IGNORECASE)

    def match(self, path: str) -> dict[str, str] | None:
        """The route parameters of a decoded path; one slash at its end does not count."""
        found = self._pattern.fullmatch(path.removesuffix("/"))
        if found is None:
            return None
        values = zip(self._names, found.groups(), strict=True)
        params = {name: value for name, value in values if value}
        if all(name not in params or fits(params[name]) for name, fits in self._checks):
            return params
        return None

    def _segment(self, segment: str) -> str:
        if "{" not in segment:
            return "/" + re.escape(segment)
        if catch_all := _CATCH_ALL.fullmatch(segment):
            self._names.append(catch_all["name"])
            return "(?:/(.*))?"
        parameter = _PARAMETER.fullmatch(segment)
        if parameter is None:
            raise ValueError(f"route segment {segment!r} is not supported by this host")
        self._names.append(parameter["name"])
        for constraint in parameter["constraints"].split(":")[1:]:
            self._checks.append((parameter["name"], _constraint(constraint)))
        return "(?:/([^/]+))?" if parameter["optional"] else "/([^/]+)"


class Routes:
    """The HTTP functions of an app under the route prefix of its host.json."""

    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        self._routes = [
            (
                frozenset(method.upper() for method in function.trigger.get("methods") or ()),
                Template(f"{prefix}/{function.trigger.get('route') or function.name}"),
                function,
            )
            for function in sorted(functions, key=lambda function: function.name.upper())
            if function.is_http
        ]

    def match(self, method: str, path: str) -> Match | None:
        """The first that fits; a wrong method fits no more than a wrong path does."""
        for methods, template, function in self._routes:
            if methods and method not in methods:
                continue
            params = template.match(path)
            if params is not None:
                return Match(function, params)
        return None


def decoded(raw_path: str) -> str:
    """The path as the host's server decodes it: an encoded slash stays encoded."""
    if "%" not in raw_path:
        return raw_path
    return unquote(raw_path.replace("%2F", "%252F").replace("%2f", "%252f"))


def _constraint(text: str) -> Callable[[str], bool]:
    parsed = _CONSTRAINT.fullmatch(text)
    if parsed is not None:
        arguments = [int(number) for number in (parsed["arguments"] or "").split(",") if number]
        make = _CONSTRAINTS.get((parsed["name"].lower(), len(arguments)))
        if make is not None:
            return make(*arguments)
    raise ValueError(f"route constraint {text!r} is not supported by this host")


def _whole(low: int, high: int) -> Callable[[str], bool]:
    def fits(value: str) -> bool:
        return re.fullmatch(r"[+-]?[0-9]+", value) is not None and low <= int(value) <= high

    return fits


def _length(shortest: int, longest: int) -> Callable[[str], bool]:
    return lambda value: shortest <= len(value) <= longest


def _is_guid(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


_LONGEST = 2**63 - 1
_CONSTRAINTS: dict[tuple[str, int], Callable[..., Callable[[str], bool]]] = {
    ("int", 0): lambda: _whole(-(2**31), 2**31 - 1),
    ("long", 0): lambda: _whole(-(2**63), _LONGEST),
    ("min", 1): lambda low: _whole(low, _LONGEST),
    ("max", 1): lambda high: _whole(-(2**63), high),
    ("range", 2): _whole,
    ("length", 1): lambda length: _length(length, length),
    ("length", 2): _length,
    ("minlength", 1): lambda shortest: _length(shortest, _LONGEST),
    ("maxlength", 1): lambda longest: _length(0, longest),
    ("alpha", 0): lambda: lambda value: re.fullmatch("[A-Za-z]+", value) is not None,
    ("bool", 0): lambda: lambda value: value.lower() in {"true", "false"},
    ("guid", 0): lambda: _is_guid,
}
