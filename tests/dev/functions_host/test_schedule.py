from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev.functions_host.schedule import Schedule

NOW = datetime(2026, 3, 13, 10, 20, 30, 400_000, UTC)  # a Friday


@pytest.mark.parametrize(
    ("expression", "after"),
    [
        ("* * * * * *", "2026-03-13T10:20:31"),
        ("0 * * * * *", "2026-03-13T10:21:00"),
        ("0 */5 * * * *", "2026-03-13T10:25:00"),
        ("*/5 * * * *", "2026-03-13T10:25:00"),
        ("30 20 10 * * *", "2026-03-14T10:20:30"),
        ("15,45 * * * * *", "2026-03-13T10:20:45"),
        ("0 0 9-17 * * *", "2026-03-13T11:00:00"),
        ("0 0 9-17/4 * * *", "2026-03-13T13:00:00"),
        ("0 50/5 * * * *", "2026-03-13T10:50:00"),
        ("0 0 0 * * 1-5", "2026-03-16T00:00:00"),
        ("0 0 0 * * Sunday", "2026-03-15T00:00:00"),
        ("0 0 0 1 jan *", "2027-01-01T00:00:00"),
        ("0 0 0 13 * fri", "2026-11-13T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
    ],
)
def test_the_next_occurrence_is_the_first_that_fits_every_field(
    expression: str, after: str
) -> None:
    assert Schedule.parse(expression).next_after(NOW) == datetime.fromisoformat(after + "Z")


@pytest.mark.parametrize(
    "expression",
    [
        *("", "* * * *", "* * * * * * *", "00:05:00", "%SCHEDULE%"),
        *("60 * * * * *", "0 0 24 * * *", "0 0 0 0 * *", "0 0 0 * 13 *", "0 0 0 * * 7"),
        *("5-1 * * * * *", "*/0 * * * * *", "x * * * * *", "1- * * * * *", "1,,2 * * * * *"),
    ],
)
def test_an_expression_that_is_not_ncrontab_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="schedule"):
        Schedule.parse(expression)


def test_a_day_that_never_comes_is_an_error_and_not_a_wait() -> None:
    with pytest.raises(ValueError, match="no occurrence"):
        Schedule.parse("0 0 0 30 2 *").next_after(NOW)


@given(
    second=st.integers(0, 59),
    minutes=st.sets(st.integers(0, 59), min_size=1),
    step=st.integers(1, 12),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_no_fitting_minute_lies_between_a_moment_and_its_next_occurrence(
    second: int, minutes: set[int], step: int, moment: datetime
) -> None:
    listed = ",".join(map(str, minutes))
    found = Schedule.parse(f"{second} {listed} */{step} * * *").next_after(moment)

    def fits(at: datetime) -> bool:
        return at.minute in minutes and at.hour % step == 0

    assert found > moment
    assert fits(found)
    assert found.second == second
    earlier = found - timedelta(minutes=1)
    while earlier > moment:
        assert not fits(earlier)
        earlier -= timedelta(minutes=1)
