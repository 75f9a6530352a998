"""What an app and its developer configure: host.json and local.settings.json."""

import json
import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# the host's default; the platform before it has a limit of 210 MB of its own
_DEFAULT_BODY_LIMIT = 100 * 1024 * 1024


class ConfigurationError(Exception):
    """A configuration file is missing or not what the host expects."""


@dataclass(frozen=True, slots=True)
class HostConfiguration:
    route_prefix: str
    body_limit: int

    @classmethod
    def load(cls, app_dir: Path, environment: Mapping[str, str]) -> "HostConfiguration":
        http = _json_object(app_dir / "host.json").get("extensions", {}).get("http", {})
        limit = environment.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "")
        return cls(
            route_prefix=http.get("routePrefix", "api"),
            body_limit=int(limit) if limit.isdecimal() else _DEFAULT_BODY_LIMIT,
        )


def apply_local_settings(file: Path, environment: MutableMapping[str, str] = os.environ) -> None:
    """Sets the file's "Values" that the environment does not have yet, as Core Tools do."""
    values = _json_object(file).get("Values", {})
    for name, value in values.items():
        if not isinstance(value, str):
            raise ConfigurationError(f"{file}: the value of {name} is not a string")
        environment.setdefault(name, value)


def _json_object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} cannot be read: {type(error).__name__}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file} is not a JSON object")
    return content
