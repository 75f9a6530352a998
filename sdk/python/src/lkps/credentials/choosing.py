"""Choosing: which mode proves who calls, why that one, and what each of them lacks."""

from dataclasses import dataclass, field

from lkps.credentials.environment import Environment
from lkps.credentials.modes import MODES, Mode
from lkps.errors import ConfigurationError

FORCED = "LKPS_CREDENTIAL"


@dataclass(frozen=True)
class Choice:
    """`missing` are the variables and steps without which there is no credential."""

    mode: Mode = field(repr=False)
    name: str
    why: str
    missing: tuple[str, ...]


def choose(environment: Environment) -> Choice | None:
    """The mode that `LKPS_CREDENTIAL` names, else the first that something speaks for.

    It is never another one because something is missing: that would be another identity.
    """
    if forced := environment.get(FORCED):
        return _choice(_named(forced), f"{FORCED} names it", environment)
    for mode in MODES:
        if why := mode.sign(environment):
            return _choice(mode, why, environment)
    return None


def what_modes_lack(environment: Environment) -> str:
    """A line for each mode: the shortest way first, and of equal ones what is found by itself."""
    ways = {mode.name: _way(mode, environment) for mode in MODES}
    shortest_first = sorted(ways, key=lambda name: (len(ways[name]), _forcing(name) in ways[name]))
    return "\n".join(f"  {name}: {', '.join(ways[name])}" for name in shortest_first)


def _named(name: str) -> Mode:
    for mode in MODES:
        if mode.name == name:
            return mode
    names = ", ".join(mode.name for mode in MODES)
    raise ConfigurationError(f"{FORCED} must be one of {names}")


def _choice(mode: Mode, why: str, environment: Environment) -> Choice:
    return Choice(mode, mode.name, why, tuple(mode.missing(environment)))


def _way(mode: Mode, environment: Environment) -> list[str]:
    """What would have the mode taken."""
    missing = mode.missing(environment)
    return missing if missing and mode.is_automatic else [*missing, _forcing(mode.name)]


def _forcing(name: str) -> str:
    return f"{FORCED}={name}"
