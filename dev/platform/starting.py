"""Starting a platform: what can start together does, and all of it ends in the opposite order."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from dev.platform.part import Part
from dev.platform.places import ROOT, run_directory
from dev.platform.plan import ALL, PartName, Plan
from dev.platform.platform import Platform
from dev.platform.site import Site


@asynccontextmanager
async def running(
    *parts: PartName,
    settings: Mapping[str, str] | None = None,
    persistent: bool = False,
    timers: bool = False,
    app: Path = ROOT,
    node_options: tuple[str, ...] = (),
    webhook: str | None = None,
) -> AsyncIterator[Platform]:
    """A platform of `parts`, by default of all of them, on free ports until the block ends.

    Nothing of the caller's environment reaches it. `settings` win over its own LKPS_* settings;
    `persistent` lets tables and blobs survive a restart of Azurite; with `timers` the service runs
    its timers on their schedules, without only by `Service.fire`; `node_options` are Azurite's;
    LiveKit's events go to `webhook` in the service's place, or to nobody when it is empty. Raises
    `PartFailed`.
    """
    plan = Plan(
        parts=ALL if not parts or "service" in parts else frozenset(parts),
        settings=settings or {},
        persistent=persistent,
        timers=timers,
        app=app,
        node_options=node_options,
        webhook=webhook,
    )
    async with started(plan) as platform:
        yield platform


@asynccontextmanager
async def started(plan: Plan) -> AsyncIterator[Platform]:
    with run_directory() as state:
        site = Site(plan, state)
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
