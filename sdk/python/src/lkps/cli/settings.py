"""Settings: the environment over the profile, and as whom they say LKPS is called."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lkps.errors import ConfigurationError, CredentialError
from lkps.profile import OF_PEOPLE, VARIABLES, Profile, kept_profile, profile_folder

if TYPE_CHECKING:  # what imports MSAL is imported when it is needed: it takes its time
    from lkps.cli.api import Api
    from lkps.credentials import Person
    from lkps.credentials.choosing import Choice

_OF_SOMEBODY = frozenset({"login", "azure-cli"})


class NotConfigured(CredentialError):  # noqa: N818
    """Nothing says which LKPS is meant, or who calls."""


def connect() -> "Api":
    """LKPS, called by whom the environment names, else by the person who signed in."""
    profile = current_profile()
    if is_by_environment():
        return connect_by_environment(profile)
    if profile.missing(*OF_PEOPLE):
        raise NotConfigured("nobody is signed in")
    return connect_person(profile)


def is_by_environment() -> bool:
    """Whether it names a program, or in LKPS_CREDENTIAL another way than `lkps login`."""
    from lkps.credentials.choosing import FORCED

    choice = _choice(os.environ)
    if choice is None or choice.name == "login":
        return False
    return choice.name not in _OF_SOMEBODY or bool(os.environ.get(FORCED))


def connect_by_environment(profile: Profile) -> "Api":
    from lkps.cli.api import Api
    from lkps.settings import LIVEKIT_KEYS, read_settings

    allowed = {name: value for name, value in os.environ.items() if name not in LIVEKIT_KEYS}
    environ = allowed | profile.environment()
    missing = profile.missing("url", *_of_entra(environ))
    if missing:
        raise ConfigurationError(f"missing: {', '.join(missing)}; lkps login keeps them")
    settings = read_settings(environ)
    return Api(settings.lkps_url, settings.credential)


def connect_person(profile: Profile) -> "Api":
    from lkps.cli.api import Api
    from lkps.settings import read_settings

    settings = read_settings({}, lkps_url=profile.url, credential=person(profile))
    return Api(settings.lkps_url, settings.credential)


def person(profile: Profile) -> "Person":
    """Raises `ConfigurationError` that names what is missing."""
    from lkps.credentials.environment import EVERYTHING
    from lkps.credentials.login import login

    missing = profile.missing(*OF_PEOPLE)
    if missing:
        raise ConfigurationError(f"missing: {', '.join(missing)}")
    return login(profile, profile_folder(os.environ), EVERYTHING)


def current_profile() -> Profile:
    return kept_profile(os.environ)


def _of_entra(environ: Mapping[str, str]) -> tuple[str, ...]:
    """A managed identity, for one, is of a tenant, and needs not be told which."""
    choice = _choice(environ)
    needs_tenant = choice is not None and VARIABLES["tenant"] in choice.missing
    return ("tenant", "api_client_id") if needs_tenant else ("api_client_id",)


def _choice(environ: Mapping[str, str]) -> "Choice | None":
    from lkps.credentials.choosing import choose
    from lkps.credentials.environment import Environment

    return choose(Environment(environ))
