"""Settings: what the agent's environment says about LKPS and about the agent's own identity."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from lkps.credentials import (
    PUBLIC_AUTHORITY,
    ClientCertificate,
    ClientSecret,
    Credential,
    EntraApplication,
)
from lkps.errors import ConfigurationError

LIVEKIT_KEYS = ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_WORKER_TOKEN")
_IDENTITY = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "LKPS_API_CLIENT_ID")
_SECRET = "AZURE_CLIENT_SECRET"  # noqa: S105  the name of the variable
_CERTIFICATE = "AZURE_CLIENT_CERTIFICATE_PATH"


@dataclass(frozen=True)
class Settings:
    """Where LKPS is, and as whom it is called."""

    lkps_url: str
    credential: Credential


def read_settings(
    environ: Mapping[str, str], *, lkps_url: str | None, credential: Credential | None
) -> Settings:
    """What is given wins over the environment; `ConfigurationError` names all that is missing."""
    refuse_livekit_keys(environ)
    url = lkps_url or environ.get("LKPS_URL", "")
    missing = [] if url else ["LKPS_URL"]
    if credential is None:
        missing += [name for name in _IDENTITY if not environ.get(name)]
        if not environ.get(_SECRET) and not environ.get(_CERTIFICATE):
            missing.append(f"{_SECRET} (or {_CERTIFICATE})")
    if missing:
        raise ConfigurationError(f"missing in the environment: {', '.join(missing)}")
    return Settings(_screened(url), credential or _credential(environ))


def refuse_livekit_keys(environ: Mapping[str, str]) -> None:
    """An agent that holds a LiveKit key could do anything on LiveKit, whatever LKPS decides."""
    found = [name for name in LIVEKIT_KEYS if environ.get(name)]
    if found:
        raise ConfigurationError(
            f"an agent of LKPS holds no LiveKit key: delete {', '.join(found)} from its environment"
        )


def _screened(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url.rstrip("/")
    if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
        return url.rstrip("/")
    raise ConfigurationError("LKPS_URL must be an https:// address (http:// only on this machine)")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _credential(environ: Mapping[str, str]) -> Credential:
    application = EntraApplication(
        tenant_id=environ["AZURE_TENANT_ID"],
        client_id=environ["AZURE_CLIENT_ID"],
        scope=f"{environ['LKPS_API_CLIENT_ID']}/.default",
        authority=environ.get("LKPS_AUTHORITY") or PUBLIC_AUTHORITY,
    )
    if secret := environ.get(_SECRET):
        return ClientSecret(application, secret)
    return ClientCertificate(application, Path(environ[_CERTIFICATE]))
