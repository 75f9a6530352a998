"""A service with an agent online whose sessions come and go."""

import pytest

from tests.builders.lkps import Lkps


@pytest.fixture
async def lkps() -> Lkps:
    lkps = Lkps(renews_tokens=True)
    await lkps.register()
    return lkps
