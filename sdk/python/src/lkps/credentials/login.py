"""The login that the command `lkps` keeps for whoever signed in."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import msal  # type: ignore[import-untyped]

from lkps.credentials.entra import PUBLIC_AUTHORITY, EntraApplication
from lkps.credentials.person import Person
from lkps.profile import OF_PEOPLE, PROFILE, Profile, kept_profile, profile_folder

_EXTRA = ("msal_extensions", "platformdirs")


def login(profile: Profile, folder: Path, scope: str) -> Person:
    """The person who signed in to what the profile says; needs the extra `cli`."""
    from lkps.credentials.token_cache import TokenCache

    application = EntraApplication(
        tenant_id=profile.tenant,
        client_id=profile.client_id,
        scope=f"{profile.api_client_id}/{scope}",
        authority=profile.authority.rstrip("/") or PUBLIC_AUTHORITY,
    )
    return Person(application, TokenCache(folder))


def is_signed_in(environ: Mapping[str, str]) -> bool:
    """Whether somebody is, as far as this machine knows. Entra ID is not asked."""
    if not can_sign_in() or not (profile_folder(environ) / PROFILE).exists():
        return False
    profile = kept_profile(environ)
    if profile.missing(*(name for name in OF_PEOPLE if name != "url")):
        return False
    tokens = login(profile, profile_folder(environ), ".default").cache.opened
    try:
        return any(tokens.search(msal.TokenCache.CredentialType.ACCOUNT))
    except (OSError, ValueError):  # they cannot be decrypted, or are not as they were written
        return False


def can_sign_in() -> bool:
    return all(map(find_spec, _EXTRA))
