"""The running platform: its addresses, its identities and its parts."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from dev.platform.azurite import Azurite
from dev.platform.environment import bare_environment
from dev.platform.livekit import LiveKit
from dev.platform.part import Part
from dev.platform.service import Service
from dev.platform.tenant import TenantStandIn
from dev.tenant.description import Identity, Tenant


@dataclass(frozen=True, slots=True)
class Platform:
    """Asking for a part that this platform was started without raises `LookupError`.

    `settings` are those of the service, empty without it; `new_service` makes one more process.
    """

    parts: tuple[Part, ...]
    settings: Mapping[str, str] = field(repr=False)
    new_service: Callable[[Mapping[str, str]], Service] = field(repr=False)

    @property
    def tenant(self) -> TenantStandIn:
        return self._part(TenantStandIn)

    @property
    def azurite(self) -> Azurite:
        return self._part(Azurite)

    @property
    def livekit(self) -> LiveKit:
        return self._part(LiveKit)

    @property
    def service(self) -> Service:
        return self._part(Service)

    @property
    def lkps_url(self) -> str:
        return self.service.url

    @property
    def livekit_url(self) -> str:
        return self.livekit.url

    @property
    def authority(self) -> str:
        return self._directory.authority

    @property
    def tenant_id(self) -> str:
        return self._directory.tenant_id

    @property
    def audience(self) -> str:
        return self._directory.audience

    @property
    def identities(self) -> Mapping[str, Identity]:
        return {identity.name: identity for identity in self._directory.identities}

    async def access_token(self, name: str) -> str:
        """A new access token of the identity called `name`; raises `KeyError`, `TokenRefused`."""
        return await self._directory.access_token(name)

    def agent_environment(self, name: str) -> dict[str, str]:
        """All that the agent or client application `name` has in its environment."""
        identity = self._directory.identity(name)
        return bare_environment() | {
            "LKPS_URL": self.lkps_url,
            "LKPS_API_CLIENT_ID": self.audience,
            "LKPS_AUTHORITY": self._directory.authority_https,
            "AZURE_TENANT_ID": self.tenant_id,
            "AZURE_CLIENT_ID": identity.client_id,
            "AZURE_CLIENT_SECRET": identity.client_secret or "",
            "REQUESTS_CA_BUNDLE": self._directory.ca_file,
        }

    @asynccontextmanager
    async def service_process(
        self, settings: Mapping[str, str] | None = None
    ) -> AsyncIterator[Service]:
        """One more process of the service on the same dependencies, until the block ends."""
        service = self.new_service(settings or {})
        try:
            await service.start()
            yield service
        finally:
            await service.dispose()

    @property
    def _directory(self) -> Tenant:
        return self.tenant.description

    def _part[P: Part](self, kind: type[P]) -> P:
        for part in self.parts:
            if isinstance(part, kind):
                return part
        raise LookupError(f"this platform was started without {kind.__name__}")
