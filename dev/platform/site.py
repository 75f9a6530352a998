"""Where a planned platform's parts are made: their ports, folders and settings fit together."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from dev.platform.azurite import Azurite, AzuritePorts
from dev.platform.environment import local_settings
from dev.platform.livekit import ApiKey, LiveKit, LiveKitPorts
from dev.platform.part import Part
from dev.platform.plan import Plan
from dev.platform.ports import HOST, Ports
from dev.platform.service import Service
from dev.platform.tenant import TenantStandIn


class Site:
    """The parts of one platform, each made when it is first asked for."""

    def __init__(self, plan: Plan, state: Path) -> None:
        self._plan = plan
        self._state = state
        self._ports = Ports()
        self._lkps_port = self._ports.free(plan.lkps_port)
        self._services = 1

    @property
    def dependencies(self) -> tuple[Part, ...]:
        return tuple(part for part in (self.tenant, self.azurite, self.livekit) if part)

    @property
    def parts(self) -> tuple[Part, ...]:
        return (*self.dependencies, self.service) if self.service else self.dependencies

    @cached_property
    def tenant(self) -> TenantStandIn | None:
        if "tenant" not in self._plan.parts:
            return None
        state = self._plan.tenant_state or self._state / "tenant"
        http, https = self._ports.free(), self._ports.free()
        return TenantStandIn(self._plan.logs, state, http, https)

    @cached_property
    def azurite(self) -> Azurite | None:
        if "azurite" not in self._plan.parts:
            return None
        tables, blobs, queues = (self._ports.free() for _ in range(3))
        ports = AzuritePorts(tables, blobs, queues)
        return Azurite(
            self._plan.logs,
            self._state,
            ports,
            persistent=self._plan.persistent,
            node_options=self._plan.node_options,
        )

    @cached_property
    def livekit(self) -> LiveKit | None:
        if "livekit" not in self._plan.parts:
            return None
        ports = LiveKitPorts(self._ports.free(self._plan.livekit_port), self._ports.free())
        service = f"{self._lkps_url}/api/livekit/webhook" if "service" in self._plan.parts else None
        webhook = service if self._plan.webhook is None else self._plan.webhook
        return LiveKit(self._plan.logs, self._state, ports, self._api_key, webhook)

    @cached_property
    def service(self) -> Service | None:
        if "service" not in self._plan.parts:
            return None
        return Service(
            self._plan.logs,
            self._lkps_port,
            self.settings,
            app=self._plan.app,
            timers=self._plan.timers,
        )

    def new_service(self, settings: Mapping[str, str]) -> Service:
        self._services += 1
        return Service(
            self._plan.logs,
            self._ports.free(),
            {**self.settings, **settings},
            app=self._plan.app,
            name=f"service-{self._services}",
        )

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """The service's; empty without it."""
        if "service" not in self._plan.parts:
            return {}
        settings = local_settings(self._lkps_url, self._state)
        if self.tenant:
            settings |= self.tenant.settings
        if self.azurite:
            settings |= self.azurite.settings
        if self.livekit:
            settings |= self.livekit.settings
        return settings | dict(self._plan.settings)

    @property
    def _lkps_url(self) -> str:
        return f"http://{HOST}:{self._lkps_port}"

    @cached_property
    def _api_key(self) -> ApiKey:
        made, given = ApiKey.make(), self._plan.settings
        return ApiKey(
            given.get("LKPS_LIVEKIT_API_KEY", made.key),
            given.get("LKPS_LIVEKIT_API_SECRET", made.secret),
        )
