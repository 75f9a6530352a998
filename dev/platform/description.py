"""What `dev/.state/platform.json` says of the platform that `make up` runs."""

import json
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.platform.platform import Platform
from dev.platform.tenant import TenantStandIn
from dev.tenant.identity import Identity


@contextmanager
def described(platform: Platform, path: Path) -> Iterator[None]:
    """The file, and the settings for Core Tools beside it, are there until the block ends."""
    core_tools = path.with_name("local.settings.json")
    _write(path, description(platform))
    _write(core_tools, local_settings_file(platform))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        core_tools.unlink(missing_ok=True)


def description(platform: Platform) -> dict[str, object]:
    settings = platform.settings
    stand_in = next((part for part in platform.parts if isinstance(part, TenantStandIn)), None)
    tenant = stand_in.description if stand_in else None
    return {
        "lkps_url": platform.lkps_url,
        "livekit_url": settings["LKPS_LIVEKIT_URL"],
        "authority": settings["LKPS_AUTHORITY"],
        "authority_https": tenant.authority_https if tenant else None,
        "ca_file": tenant.ca_file if tenant else None,
        "tenant_id": settings["LKPS_TENANT_ID"],
        "audience": settings["LKPS_API_CLIENT_ID"],
        "public_clients": tenant.public_clients if tenant else {},
        "groups": tenant.groups if tenant else {},
        "identities": {
            identity.name: _identity(identity) for identity in (tenant.identities if tenant else ())
        },
    }


def local_settings_file(platform: Platform) -> dict[str, object]:
    """A `local.settings.json` with which `func start` runs the service on this platform."""
    host = {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    }
    return {"IsEncrypted": False, "Values": host | dict(platform.settings)}


def _write(path: Path, content: dict[str, object]) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)


def _identity(identity: Identity) -> dict[str, object]:
    form = identity.form(identity.scope)
    return {
        "kind": identity.kind,
        "client_id": identity.client_id,
        "object_id": identity.object_id,
        "roles": identity.roles,
        "scopes": identity.scopes,
        "token": {
            "endpoint": identity.token_endpoint,
            "form": form,
            "curl": _curl(identity.token_endpoint, form),
        },
    }


def _curl(endpoint: str, form: dict[str, str]) -> str:
    fields = [
        word for name, value in form.items() for word in ("--data-urlencode", f"{name}={value}")
    ]
    return shlex.join(["curl", "--silent", endpoint, *fields])
