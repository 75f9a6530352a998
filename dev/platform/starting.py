"""Starting a platform: what can start together does, and all of it ends in the opposite order."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from pathlib import Path

from dev.platform.azurite import Azurite
from dev.platform.environment import local_settings
from dev.platform.livekit import ApiKey, LiveKit, LiveKitPorts
from dev.platform.part import Part
from dev.platform.places import ROOT, run_directory
from dev.platform.plan import ALL, PartName, Plan
from dev.platform.platform import Platform
from dev.platform.ports import HOST, Ports
from dev.platform.service import Service
from dev.platform.tenant import TenantStandIn


@asynccontextmanager
async def running(
    *parts: PartName,
    settings: Mapping[str, str] | None = None,
    persistent: bool = False,
    app: Path = ROOT,
) -> AsyncIterator[Platform]:
    """A platform of `parts`, by default of all of them, on free ports until the block ends.

    Nothing of the caller's environment reaches it. `settings` win over its own LKPS_* settings;
    `persistent` lets the tables survive a restart of Azurite. Raises `PartFailed`.
    """
    plan = Plan(
        parts=ALL if not parts or "service" in parts else frozenset(parts),
        settings=settings or {},
        persistent=persistent,
        app=app,
    )
    async with started(plan) as platform:
        yield platform


@asynccontextmanager
async def started(plan: Plan) -> AsyncIterator[Platform]:
    with run_directory() as state:
        site = _Site(plan, state)
        async with AsyncExitStack() as ending:

            def launch(part: Part) -> None:
                ending.push_async_callback(part.dispose)
                part.launch()

            for part in site.dependencies:
                launch(part)
            # The service needs the tenant's ids; the others may come up while it does.
            if site.tenant:
                await site.tenant.until_ready()
            if site.service:
                launch(site.service)
            for part in site.parts:
                await part.until_ready()
            yield Platform(site.parts, site.settings, site.new_service)


class _Site:
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
        return TenantStandIn(ROOT, self._plan.logs, state, http, https)

    @cached_property
    def azurite(self) -> Azurite | None:
        if "azurite" not in self._plan.parts:
            return None
        directory = self._state if self._plan.persistent else None
        return Azurite(ROOT, self._plan.logs, self._ports.free(), directory)

    @cached_property
    def livekit(self) -> LiveKit | None:
        if "livekit" not in self._plan.parts:
            return None
        ports = LiveKitPorts(self._ports.free(self._plan.livekit_port), self._ports.free())
        webhook = f"{self._lkps_url}/api/livekit/webhook" if "service" in self._plan.parts else None
        return LiveKit(ROOT, self._plan.logs, self._state, ports, self._api_key, webhook)

    @cached_property
    def service(self) -> Service | None:
        if "service" not in self._plan.parts:
            return None
        return Service(ROOT, self._plan.logs, self._lkps_port, self.settings, app=self._plan.app)

    def new_service(self, settings: Mapping[str, str]) -> Service:
        self._services += 1
        return Service(
            ROOT,
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
        settings = local_settings(self._lkps_url)
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
