"""One frozen Settings, read from the environment once; every fault of it is told in one error."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, cast
from urllib.parse import urlsplit

from lkps_core.agents.model import AccessMode
from lkps_core.agents.names import is_agent_name
from lkps_core.identity.authority import GUID, check_authority, check_tenant_id
from lkps_core.ports import Environment

type EnvironmentName = Literal["local", "nonprod", "prod"]
type AgentNames = Literal["assigned", "first-come"]


class SettingsError(Exception):
    """`problems` has one line for each setting at fault, none of them with its value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Times are whole seconds."""

    environment: EnvironmentName
    installation: str
    tenant_id: str
    api_client_id: str
    authority: str
    public_url: str
    allowed_origins: frozenset[str]
    livekit_url: str
    livekit_api_url: str
    livekit_api_key: str
    livekit_api_secret: str = field(repr=False)
    livekit_previous_api_key: str
    livekit_previous_api_secret: str = field(repr=False)
    secret: bytes = field(repr=False)
    tables_endpoint: str | None
    tables_connection_string: str | None = field(repr=False)
    agent_names: AgentNames
    require_agent: bool
    renew_seconds: int
    agent_token_seconds: int
    participant_token_seconds: int
    session_max_seconds: int
    checkpoints_url: str
    checkpoint_key: str
    audit_retention_days: int

    @property
    def origin(self) -> str:
        """The audit trail's name: where callers reach the service, and which installation."""
        return f"{urlsplit(self.public_url).netloc.lower()}/{self.installation}"

    @property
    def issuer(self) -> str:
        return f"{self.authority}/{self.tenant_id}/v2.0"

    @property
    def livekit_keys(self) -> tuple[tuple[str, str], ...]:
        """Key and secret that events may be signed with: during a rotation the previous, too."""
        current = (self.livekit_api_key, self.livekit_api_secret)
        previous = (self.livekit_previous_api_key, self.livekit_previous_api_secret)
        return (current, previous) if all(previous) else (current,)

    @property
    def lease_seconds(self) -> int:
        """A lease outlives two renewals that failed."""
        return 3 * self.renew_seconds

    @property
    def new_agents_mode(self) -> AccessMode:
        """Of an agent whose mode nobody has chosen yet."""
        return "granted" if self.environment == "prod" else "open"

    @classmethod
    def read(cls, environment: Environment) -> "Settings":
        """Raise SettingsError naming every setting that is missing or cannot be used."""
        return _Reading(environment).settings()


class _Reading:
    """The environment as it is read, gathering what is wrong with it."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._problems: list[str] = []

    def settings(self) -> Settings:
        environment = cast(
            "EnvironmentName", self._one_of("LKPS_ENVIRONMENT", "local nonprod prod")
        )
        endpoint, connection = self._tables(environment)
        livekit_url = self._text("LKPS_LIVEKIT_URL", check=_url("ws", "wss"))
        settings = Settings(
            environment=environment,
            installation=self._text("LKPS_INSTALLATION", check=_installation),
            tenant_id=self._text("LKPS_TENANT_ID", check=check_tenant_id),
            api_client_id=self._text("LKPS_API_CLIENT_ID", check=_guid),
            authority=self._text(
                "LKPS_AUTHORITY",
                default="https://login.microsoftonline.com",
                check=lambda value: check_authority(value, environment),
            ),
            public_url=self._text("LKPS_PUBLIC_URL", check=_url("http", "https")),
            allowed_origins=frozenset(
                self._text("LKPS_ALLOWED_ORIGINS", default="", check=_origins).split()
            ),
            livekit_url=livekit_url,
            livekit_api_url=self._text(
                "LKPS_LIVEKIT_API_URL",
                default=livekit_url,
                check=_url("ws", "wss", "http", "https"),
            ),
            livekit_api_key=self._text("LKPS_LIVEKIT_API_KEY"),
            livekit_api_secret=self._text("LKPS_LIVEKIT_API_SECRET", check=_long_enough),
            livekit_previous_api_key=self._text("LKPS_LIVEKIT_PREVIOUS_API_KEY", default=""),
            livekit_previous_api_secret=self._text(
                "LKPS_LIVEKIT_PREVIOUS_API_SECRET", default="", check=_long_enough
            ),
            secret=self._secret("LKPS_SECRET"),
            tables_endpoint=endpoint,
            tables_connection_string=connection,
            agent_names=cast(
                "AgentNames",
                self._one_of(
                    "LKPS_AGENT_NAMES",
                    "assigned first-come",
                    default="assigned" if environment == "prod" else "first-come",
                ),
            ),
            require_agent=self._one_of("LKPS_REQUIRE_AGENT", "true false", default="false")
            == "true",
            renew_seconds=self._seconds("LKPS_RENEW_SECONDS", default=60, least=1, most=600),
            agent_token_seconds=self._seconds(
                "LKPS_AGENT_TOKEN_SECONDS", default=3600, least=2, most=3600
            ),
            participant_token_seconds=self._seconds(
                "LKPS_PARTICIPANT_TOKEN_SECONDS", default=300, least=10, most=600
            ),
            session_max_seconds=self._seconds(
                "LKPS_SESSION_MAX_SECONDS", default=4 * 3600, least=60, most=24 * 3600
            ),
            checkpoints_url=self._text("LKPS_CHECKPOINTS_URL", check=_container(environment)),
            checkpoint_key=self._text(
                "LKPS_CHECKPOINT_KEY", check=None if environment == "local" else _vault_key
            ),
            audit_retention_days=self._whole(
                "LKPS_AUDIT_RETENTION_DAYS", "days", default=2557, least=1, most=36_500
            ),
        )
        if bool(settings.livekit_previous_api_key) != bool(settings.livekit_previous_api_secret):
            self._problems.append(
                "LKPS_LIVEKIT_PREVIOUS_API_KEY and LKPS_LIVEKIT_PREVIOUS_API_SECRET: both or none"
            )
        if environment == "prod" and settings.agent_names == "first-come":
            self._problems.append("LKPS_AGENT_NAMES: must be assigned in prod")
        if self._problems:
            raise SettingsError(self._problems)
        return settings

    def _text(
        self, name: str, *, default: str | None = None, check: Callable[[str], str] | None = None
    ) -> str:
        value = self._environment.get(name) or default
        if value is None:
            self._problems.append(f"{name}: is not set")
            return ""
        try:
            return check(value) if check and value else value
        except ValueError as error:
            self._problems.append(f"{name}: {error}")
            return ""

    def _one_of(self, name: str, words: str, *, default: str | None = None) -> str:
        def known(value: str) -> str:
            if value not in words.split():
                raise ValueError(f"must be one of {', '.join(words.split())}")
            return value

        return self._text(name, default=default, check=known)

    def _seconds(self, name: str, *, default: int, least: int, most: int) -> int:
        return self._whole(name, "seconds", default=default, least=least, most=most)

    def _whole(self, name: str, unit: str, *, default: int, least: int, most: int) -> int:
        def bounded(value: str) -> str:
            if not re.fullmatch(r"[0-9]{1,6}", value) or not least <= int(value) <= most:
                raise ValueError(f"must be whole {unit} from {least} to {most}")
            return value

        return int(self._text(name, default=str(default), check=bounded) or 0)

    def _secret(self, name: str) -> bytes:
        def decodes(value: str) -> str:
            try:
                decoded = base64.b64decode(value, validate=True)
            except binascii.Error as error:
                raise ValueError("must be base64") from error
            if len(decoded) < 32:
                raise ValueError("must be at least 32 bytes, in base64")
            return value

        return base64.b64decode(self._text(name, check=decodes))

    def _tables(self, environment: str) -> tuple[str | None, str | None]:
        endpoint = (
            self._text("LKPS_TABLES_ENDPOINT", default="", check=_url("http", "https")) or None
        )
        connection = self._environment.get("LKPS_TABLES_CONNECTION_STRING") or None
        if connection and environment != "local":
            self._problems.append(
                "LKPS_TABLES_CONNECTION_STRING: is for local only; use managed identity"
            )
        elif not connection and not self._environment.get("LKPS_TABLES_ENDPOINT"):
            self._problems.append("LKPS_TABLES_ENDPOINT: is not set")
        return endpoint, connection


def _guid(value: str) -> str:
    if not GUID.fullmatch(value.lower()):
        raise ValueError("must be a GUID")
    return value.lower()


def _installation(value: str) -> str:
    if not is_agent_name(value) or len(value) > 32:
        raise ValueError("must be a-z, 0-9 and single hyphens, at most 32")
    return value


def _long_enough(value: str) -> str:
    if len(value) < 32:
        raise ValueError("must be at least 32 characters")
    return value


def _url(*schemes: str) -> Callable[[str], str]:
    wrong = f"must be a URL that begins with {' or '.join(schemes)}, without user or query"

    def check(value: str) -> str:
        try:
            parts = urlsplit(value)
            port = parts.port  # raises as well
        except ValueError:
            raise ValueError(wrong) from None  # the library's own text repeats the value
        extra = parts.username or parts.password or parts.query or parts.fragment
        if parts.scheme not in schemes or not parts.hostname or extra or port == 0:
            raise ValueError(wrong)
        # A note's signer, which the trail's name is, has neither: C2SP signed-note.
        if re.search(r"\s", value) or "+" in parts.netloc:
            raise ValueError("must have neither white space nor a + in its host")
        if parts.scheme in ("ws", "http") and not _is_private(parts.hostname):
            raise ValueError("must be encrypted (https or wss) outside a private network")
        return value.rstrip("/")

    return check


def _container(environment: EnvironmentName) -> Callable[[str], str]:
    is_local = environment == "local"
    address = _url("http", "https") if is_local else _url("https")
    account = "(?:/[a-z0-9]{3,24})?" if is_local else ""  # Azurite has it in the path
    path = re.compile(account + r"/(?=.{3,63}$)[a-z0-9](?:-?[a-z0-9])+")

    def check(value: str) -> str:
        url = address(value)
        if not path.fullmatch(urlsplit(url).path):
            raise ValueError("must be a blob container's URL")
        return url

    return check


def _vault_key(value: str) -> str:
    if not re.fullmatch(r"https://[a-z0-9.-]{1,255}/keys/[0-9A-Za-z-]{1,127}/[0-9a-f]{32}", value):
        raise ValueError("must be a Key Vault key's id: https://{vault}/keys/{name}/{version}")
    return value


def _is_private(host: str) -> bool:
    """A loopback or private address, or a name without dots: clear text may be in order there."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".internal", ".local"))


def _origins(value: str) -> str:
    origins = [origin.strip() for origin in value.split(",") if origin.strip()]
    if not all(_is_origin(origin) for origin in origins):
        raise ValueError("must be origins (scheme://host[:port]) separated by commas, never *")
    return " ".join(origins)


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}" == text
