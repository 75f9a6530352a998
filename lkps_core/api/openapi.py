"""`GET openapi.json`: the API described from the table that routes it and the models that parse."""

import json
import re
from collections import defaultdict
from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from lkps_core import __version__
from lkps_core.api.http import Request, Response
from lkps_core.api.operations import EVERY_OPERATION_MAY_REFUSE, OPERATIONS, Operation
from lkps_core.errors import (
    AuditUnavailable,
    BodyInvalid,
    BodyMalformed,
    BodyTooLarge,
    CredentialsAmbiguous,
    CredentialsMissing,
    EventNotSigned,
    KeysUnavailable,
    LiveKitUnavailable,
    MediaTypeUnsupported,
    PermissionLacking,
    Refusal,
    StorageUnavailable,
    TokenInvalid,
)
from lkps_core.services import Services

_REFERENCES = "#/components/schemas/{model}"

_GATE: tuple[type[Refusal], ...] = (
    CredentialsMissing,
    CredentialsAmbiguous,
    TokenInvalid,
    PermissionLacking,
    KeysUnavailable,
)
_FORM: tuple[type[Refusal], ...] = (
    BodyMalformed,
    BodyInvalid,
    BodyTooLarge,
    MediaTypeUnsupported,
)

_HEARING: tuple[type[Refusal], ...] = (LiveKitUnavailable, StorageUnavailable, AuditUnavailable)

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable: decide on this."},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


async def openapi_json(services: Services, _: Request) -> Response:
    body = json.dumps(description(services.settings.public_url)).encode()
    return Response(200, body, "application/json")


@cache
def description(public_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document; `public_url` is where callers reach the service."""
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for operation in OPERATIONS:
        paths[f"/{operation.path}"][operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "LiveKit Platform Service",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": f"{public_url}/api"}],
        "security": [{"entra": []}],
        "paths": {**paths, **_open_paths()},
        "components": {
            "securitySchemes": {
                "entra": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
            "schemas": {**_schemas(), "Problem": _PROBLEM},
        },
    }


def refusals(operation: Operation) -> tuple[type[Refusal], ...]:
    """All that a caller of the operation can be refused for."""
    form = _FORM if operation.body else ()
    return (*_GATE, *form, *operation.may_refuse, *EVERY_OPERATION_MAY_REFUSE)


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": _who(operation),
        "parameters": _parameters(operation),
        "responses": {**_success(operation), **_problems(refusals(operation))},
    }
    if operation.body:
        described["requestBody"] = {
            "required": not operation.body_optional,
            "content": {"application/json": {"schema": _reference(operation.body.__name__)}},
        }
    return described


def _who(operation: Operation) -> str:
    roles = ", ".join(permission.role for permission in operation.allowed_to)
    scopes = ", ".join(permission.scope for permission in operation.allowed_to)
    users = "outside production, users" if operation.users_outside_prod_only else "users"
    return f"For applications with one of the app roles {roles}; {users} with one of {scopes}."


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    in_path = re.findall(r"\{(\w+)\}", operation.path)
    places = [
        *((name, "path") for name in in_path),
        *((name, "query") for name in operation.query),
        *((name, "header") for name in operation.headers),
    ]
    return [
        {"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}}
        for name, place in places
    ]


def _success(operation: Operation) -> dict[str, Any]:
    if operation.media_type:
        text = {operation.media_type: {"schema": {"type": "string"}}}
        return {"200": {"description": "Done", "content": text}}
    if operation.answer is None:
        return {"204": {"description": "Done"}}
    schema = _reference(operation.answer.__name__)
    success = {"description": "Done", "content": {"application/json": {"schema": schema}}}
    return {"200": success, **({"201": success} if operation.may_create else {})}


def _problems(classes: tuple[type[Refusal], ...]) -> dict[str, Any]:
    codes: dict[int, list[str]] = defaultdict(list)
    for one in classes:
        codes[one.status].append(f"`{one.code}`: {one.title}")
    content = {"application/problem+json": {"schema": _reference("Problem")}}
    return {
        str(status): {"description": "\n\n".join(lines), "content": content}
        for status, lines in sorted(codes.items())
    }


def _open_paths() -> dict[str, Any]:
    def get(summary: str, *statuses: str) -> dict[str, Any]:
        responses = {
            status: {"description": summary, "content": {"application/json": {}}}
            for status in statuses
        }
        return {"get": {"summary": summary, "security": [], "responses": responses}}

    return {
        "/livekit/webhook": {"post": _webhook()},
        "/health/live": get("Whether the process answers", "200"),
        "/health/ready": get("Whether the service can do its work", "200", "503"),
        "/openapi.json": get("This description", "200"),
    }


def _webhook() -> dict[str, Any]:
    return {
        "operationId": "livekit_webhook",
        "summary": "For LiveKit: what happens in rooms",
        "description": "Signed with LiveKit's API key (LiveKit's documentation, Webhooks).",
        "security": [],
        "requestBody": {"required": True, "content": {"application/webhook+json": {}}},
        "responses": {
            "200": {"description": "Heard"},
            **_problems((EventNotSigned, BodyTooLarge, *_HEARING)),
        },
    }


def _schemas() -> dict[str, Any]:
    bodies = [(one.body, "validation") for one in OPERATIONS if one.body]
    answers = [(one.answer, "serialization") for one in OPERATIONS if one.answer]
    unique = list(dict.fromkeys([*bodies, *answers]))
    _, definitions = models_json_schema(unique, ref_template=_REFERENCES)  # type: ignore[arg-type]
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _reference(name: str) -> dict[str, str]:
    return {"$ref": _REFERENCES.format(model=name)}
