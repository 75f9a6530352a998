"""How LKPS_* variables of the developer's environment change the platform of `make up`."""

from collections.abc import Mapping

from dev.platform.environment import own_settings
from dev.platform.places import STATE
from dev.platform.plan import ALL, PartName, Plan

LKPS_PORT, LIVEKIT_PORT = 7071, 7880

# With one of the first set, the part is not started and all of the second are needed.
_INSTEAD: tuple[tuple[PartName, tuple[str, ...], tuple[str, ...]], ...] = (
    ("tenant", ("LKPS_AUTHORITY",), ("LKPS_TENANT_ID", "LKPS_API_CLIENT_ID")),
    ("livekit", ("LKPS_LIVEKIT_URL",), ("LKPS_LIVEKIT_API_KEY", "LKPS_LIVEKIT_API_SECRET")),
    (
        "azurite",
        ("LKPS_TABLES_ENDPOINT", "LKPS_TABLES_CONNECTION_STRING"),
        ("LKPS_CHECKPOINTS_URL", "LKPS_CHECKPOINT_KEY"),  # the platform's key ends with it
    ),
)


class SettingsMissing(Exception):  # noqa: N818  the domain's word
    """A variable that is set makes others necessary."""


def plan_of(environment: Mapping[str, str]) -> Plan:
    """Raises `SettingsMissing`, whose message names every variable that is needed."""
    settings = own_settings(environment)
    parts, problems = set(ALL), list[str]()
    for part, instead, needed in _INSTEAD:
        if given := next((name for name in instead if settings.get(name)), None):
            parts.remove(part)
            missing = [name for name in needed if not settings.get(name)]
            problems += [f"{given} needs {' and '.join(missing)} as well"] if missing else []
    if problems:
        raise SettingsMissing("; ".join(problems))
    return Plan(
        parts=frozenset(parts),
        settings=settings,
        tenant_state=STATE / "tenant",
        timers=True,
        lkps_port=LKPS_PORT,
        livekit_port=LIVEKIT_PORT,
    )
