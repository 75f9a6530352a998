"""What a part, an agent or a client of the local platform finds in its environment."""

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ")
SETTINGS_PREFIX = "LKPS_"


def bare_environment() -> dict[str, str]:
    """What programs need to run: no setting, key or proxy of whoever started the platform."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def own_settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(SETTINGS_PREFIX)}


def local_settings(public_url: str, state: Path) -> dict[str, str]:
    """The service's settings that depend on no other part; `state` is private to the run."""
    return {
        "LKPS_ENVIRONMENT": "local",
        "LKPS_INSTALLATION": "local",
        "LKPS_PUBLIC_URL": public_url,
        "LKPS_ALLOWED_ORIGINS": "http://localhost:3000,http://127.0.0.1:3000",
        "LKPS_SECRET": base64.b64encode(secrets.token_bytes(32)).decode(),
        "LKPS_AGENT_NAMES": "first-come",
        "LKPS_CHECKPOINT_KEY": str(state / "checkpoint-key.pem"),
    }
