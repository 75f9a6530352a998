"""Which session a room is for."""

import pytest

from lkps.naming import session_id_of


@pytest.mark.parametrize(
    ("room_name", "session_id"),
    [
        ("prod-eu--concierge--abc", "concierge--abc"),
        ("prod--concierge--abc--def", "concierge--abc--def"),
        ("prod--concierge-2--abc", None),
        ("prod--other--abc", None),
        ("prod--concierge", None),
        ("prod-concierge-abc", None),
        ("", None),
    ],
)
def test_a_room_of_an_agents_session_is_named_after_it(
    room_name: str, session_id: str | None
) -> None:
    assert session_id_of(room_name, "concierge") == session_id
