"""The platform's limits, as people read them."""

from collections.abc import Iterable

from rich.console import RenderableType

from lkps.cli.answers import Json
from lkps.cli.printing import details
from lkps.cli.views.words import duration


def limits(one: Json) -> Iterable[RenderableType]:
    longest = one.get("max_session_seconds")
    yield details(
        [
            ("starts a minute by one application", one["starts_per_minute_per_application"]),
            ("starts a minute by one user", one["starts_per_minute_per_user"]),
            ("sessions of one agent at once", one.get("max_sessions_per_agent") or "no limit"),
            ("longest session", "no limit" if longest is None else duration(longest)),
        ]
    )
