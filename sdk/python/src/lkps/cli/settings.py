"""Settings: the environment over the profile, and as whom they say LKPS is called."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lkps.cli.profile import Profile
from lkps.errors import ConfigurationError, CredentialError

if TYPE_CHECKING:  # what imports MSAL is imported when it is needed: it takes its time
    from lkps.cli.api import Api
    from lkps.cli.person import Person

_PROOFS = ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH")
_OF_PROGRAMS = ("url", "tenant", "api_client_id")
_OF_PEOPLE = (*_OF_PROGRAMS, "client_id")
_APPLICATION = ("AZURE_CLIENT_ID", *_PROOFS)


class NotConfigured(CredentialError):  # noqa: N818
    """Nothing says which LKPS is meant, or who calls."""


def connect() -> "Api":
    """LKPS, called by the application in the environment, else by the person who signed in."""
    profile = current_profile()
    if is_application():
        return connect_application(profile)
    if profile.missing(*_OF_PEOPLE):
        raise NotConfigured("nobody is signed in")
    return connect_person(profile)


def is_application() -> bool:
    return bool(os.environ.get("AZURE_CLIENT_ID")) and any(map(os.environ.get, _PROOFS))


def connect_application(profile: Profile) -> "Api":
    from lkps.cli.api import Api
    from lkps.settings import read_settings

    missing = profile.missing(*_OF_PROGRAMS)
    if missing:
        raise ConfigurationError(f"missing: {', '.join(missing)}; lkps login keeps them")
    application = {name: os.environ[name] for name in _APPLICATION if name in os.environ}
    environ = profile.environment() | application
    settings = read_settings(environ, lkps_url=None, credential=None)
    return Api(settings.lkps_url, settings.credential)


def connect_person(profile: Profile) -> "Api":
    from lkps.cli.api import Api
    from lkps.settings import read_settings

    settings = read_settings({}, lkps_url=profile.url, credential=person(profile))
    return Api(settings.lkps_url, settings.credential)


def person(profile: Profile) -> "Person":
    """Raises `ConfigurationError` that names what is missing."""
    from lkps.cli.person import Person
    from lkps.cli.token_cache import TokenCache
    from lkps.credentials import PUBLIC_AUTHORITY, EntraApplication

    missing = profile.missing(*_OF_PEOPLE)
    if missing:
        raise ConfigurationError(f"missing: {', '.join(missing)}")
    application = EntraApplication(
        tenant_id=profile.tenant,
        client_id=profile.client_id,
        scope=f"{profile.api_client_id}/.default",
        authority=profile.authority or PUBLIC_AUTHORITY,
    )
    return Person(application, TokenCache(folder()))


def current_profile() -> Profile:
    return Profile.of_environment(os.environ).over(Profile.load(profile_path()))


def profile_path() -> Path:
    return folder() / "profile.json"


def folder() -> Path:
    """Where the profile and, on most platforms, the tokens are kept."""
    if own := os.environ.get("LKPS_CONFIG_DIR"):
        return Path(own)
    from platformdirs import user_config_path

    return user_config_path("lkps", appauthor=False)
