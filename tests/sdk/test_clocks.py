"""Whether this machine's clock is right, as who answered sees it."""

from datetime import UTC, datetime

import pytest

from lkps.clocks import clock_error

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("Wed, 25 Nov 2026 12:00:00 GMT", ""),
        ("Wed, 25 Nov 2026 11:59:00 GMT", ""),
        ("Wed, 25 Nov 2026 12:01:00 GMT", ""),
        ("Wed, 25 Nov 2026 11:58:50 GMT", "this machine's clock is 70 s ahead: set it right"),
        ("Wed, 25 Nov 2026 12:07:10 GMT", "this machine's clock is 7 minutes behind: set it right"),
        (
            "Wed, 25 Nov 2026 11:00:00 -0000",
            "this machine's clock is 60 minutes ahead: set it right",
        ),
        ("", ""),
        ("yesterday", ""),
    ],
)
def test_a_clock_is_wrong_from_a_minute_on(date: str, said: str) -> None:
    assert clock_error(date, NOW) == said
