"""The profile: which LKPS, and through which application of which tenant people sign in to it."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from lkps.keeping import keeping

VARIABLES = {
    "url": "LKPS_URL",
    "tenant": "AZURE_TENANT_ID",
    "client_id": "LKPS_CLI_CLIENT_ID",
    "api_client_id": "LKPS_API_CLIENT_ID",
    "authority": "LKPS_AUTHORITY",
}
OF_PEOPLE = ("url", "tenant", "api_client_id", "client_id")
PROFILE = "profile.json"


@dataclass(frozen=True)
class Profile:
    """A member that is empty was not said."""

    url: str = ""
    tenant: str = ""
    client_id: str = ""
    api_client_id: str = ""
    authority: str = ""

    @classmethod
    def load(cls, path: Path) -> Self:
        """An empty one where there is no file, or none that this version can read."""
        try:
            kept = json.loads(path.read_text())
        except (OSError, ValueError):
            return cls()
        if not isinstance(kept, dict):
            return cls()
        known = {one.name for one in fields(cls)}
        return cls(**{name: str(value) for name, value in kept.items() if name in known})

    @classmethod
    def of_environment(cls, environ: Mapping[str, str]) -> Self:
        return cls(**{name: environ.get(variable, "") for name, variable in VARIABLES.items()})

    def over(self, other: Self) -> Self:
        """This one, completed by the other."""
        return type(self)(
            **{name: value or getattr(other, name) for name, value in asdict(self).items()}
        )

    def missing(self, *names: str) -> list[str]:
        """How each of the members that are empty can be said."""
        return [
            f"--{name.replace('_', '-')} ({VARIABLES[name]})"
            for name in names
            if not getattr(self, name)
        ]

    def environment(self) -> dict[str, str]:
        """As the SDK's settings name it."""
        return {VARIABLES[name]: value for name, value in asdict(self).items() if value}

    def save(self, path: Path) -> None:
        """Readable by its owner alone, and replaced whole or not at all."""
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        with keeping(path.parent):
            partial.unlink(missing_ok=True)
            opened = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(opened, "w") as file:
                json.dump(asdict(self), file, indent=2)
            partial.replace(path)


def kept_profile(environ: Mapping[str, str]) -> Profile:
    """What the environment says over what `lkps login` kept."""
    kept = Profile.load(profile_folder(environ) / PROFILE)
    return Profile.of_environment(environ).over(kept)


def profile_folder(environ: Mapping[str, str]) -> Path:
    """Where the profile and, on most platforms, the tokens are kept."""
    if own := environ.get("LKPS_CONFIG_DIR"):
        return Path(own)
    from platformdirs import user_config_path

    return user_config_path("lkps", appauthor=False)
