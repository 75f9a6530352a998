"""Every address of the API with what each method does there."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from lkps_core.api.health import live, ready
from lkps_core.api.http import Request, Response
from lkps_core.api.openapi import openapi_json
from lkps_core.api.operations import OPERATIONS, Operation
from lkps_core.api.webhook import webhook
from lkps_core.services import Services


@dataclass(frozen=True, slots=True)
class OpenOperation:
    """An operation that asks for no credentials."""

    name: str
    act: Callable[[Services, Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address; the Functions host needs it as one function, declared for every method."""

    path: str
    operations: Mapping[str, Operation | OpenOperation]

    @property
    def name(self) -> str:
        """The function's name, which decides: the host tries functions in the order of their names.

        It knows no precedence of routes (Azure/azure-functions-host#9876), so an address without
        parameters must sort before one that would match it too.
        """
        letter = "abc"[self.path.count("{")]
        return f"{letter}_{re.sub('[^a-z0-9]+', '_', self.path).strip('_')}"

    @property
    def allow(self) -> str:
        return ", ".join([*sorted(self.operations), "OPTIONS"])

    def operation_name(self, method: str) -> str:
        operation = self.operations.get(method)
        return operation.name if operation else self.name


def _endpoints() -> tuple[Endpoint, ...]:
    by_path: dict[str, dict[str, Operation | OpenOperation]] = {
        "livekit/webhook": {"POST": OpenOperation("livekit_webhook", webhook)},
        "health/live": {"GET": OpenOperation("health_live", live)},
        "health/ready": {"GET": OpenOperation("health_ready", ready)},
        "openapi.json": {"GET": OpenOperation("openapi", openapi_json)},
    }
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    return tuple(Endpoint(path, operations) for path, operations in by_path.items())


ENDPOINTS = _endpoints()
