"""Settings: what a program's environment says about LKPS, and about who calls it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from lkps.credentials import AzureCredential, Credential, TokenCredential
from lkps.credentials.choosing import choose, what_modes_lack
from lkps.credentials.environment import EVERYTHING, Environment
from lkps.errors import ConfigurationError
from lkps.profile import kept_profile

logger = logging.getLogger("lkps")

LIVEKIT_KEYS = ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_WORKER_TOKEN")
_URL, _API = "LKPS_URL", "LKPS_API_CLIENT_ID"


@dataclass(frozen=True)
class Settings:
    """Where LKPS is, and as whom it is called.

    `mode` is how the credential proves that, one of those in the README or `given`, and `why` is
    why it was chosen.
    """

    lkps_url: str
    credential: Credential
    mode: str
    why: str


def read_settings(
    environ: Mapping[str, str],
    *,
    lkps_url: str | None = None,
    credential: Credential | TokenCredential | None = None,
    user_scope: str = EVERYTHING,
) -> Settings:
    """What is given wins over the environment; `ConfigurationError` names all that is missing.

    `user_scope` is what a person is asked to allow, when it is one who calls.
    """
    refuse_livekit_keys(environ)
    environment = Environment(_with_url(environ, lkps_url), user_scope)
    if credential is None:
        return _found(environment, lkps_url)
    return _given(environment, credential)


def _given(environment: Environment, credential: Credential | TokenCredential) -> Settings:
    if isinstance(credential, Credential):
        _require(environment.missing(_URL))
    else:
        _require(environment.missing(_URL, _API))
        credential = AzureCredential(credential, environment.scope())
    return Settings(screened(environment.get(_URL)), credential, "given", "it was handed in")


def _found(environment: Environment, lkps_url: str | None) -> Settings:
    choice = choose(environment)
    if choice is None:
        raise ConfigurationError(_nothing_fits(environment))
    if choice.name == "login":
        environment = _with_profile(environment, lkps_url)
    _require([*environment.missing(_URL, _API), *choice.missing], f"{choice.name}: {choice.why}")
    logger.info("chose a credential", extra={"credential": choice.name, "why": choice.why})
    return Settings(
        screened(environment.get(_URL)),
        choice.mode.credential(environment),
        choice.name,
        choice.why,
    )


def _with_url(environ: Mapping[str, str], lkps_url: str | None) -> dict[str, str]:
    return {**environ, _URL: lkps_url} if lkps_url else dict(environ)


def _with_profile(environment: Environment, lkps_url: str | None) -> Environment:
    """`lkps login` kept where LKPS is, too."""
    kept = kept_profile(environment.variables).environment()
    variables = _with_url({**environment.variables, **kept}, lkps_url)
    return Environment(variables, environment.user_scope)


def _require(missing: list[str], because: str = "") -> None:
    if missing:
        reason = f" ({because})" if because else ""
        raise ConfigurationError(f"missing in the environment: {', '.join(missing)}{reason}")


def _nothing_fits(environment: Environment) -> str:
    missing = ", ".join([*environment.missing(_URL, _API), "who calls"])
    return (
        f"missing in the environment: {missing}. One of these says it, the shortest first:\n"
        f"{what_modes_lack(environment)}"
    )


def refuse_livekit_keys(environ: Mapping[str, str]) -> None:
    """An agent that holds a LiveKit key could do anything on LiveKit, whatever LKPS decides."""
    found = [name for name in LIVEKIT_KEYS if environ.get(name)]
    if found:
        raise ConfigurationError(
            f"an agent of LKPS holds no LiveKit key: delete {', '.join(found)} from its environment"
        )


def screened(url: str) -> str:
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
