"""An agent with its owners, for every test of governance."""

import pytest

from tests.builders.lkps import Lkps
from tests.unit.governance.arranging import governed


@pytest.fixture
async def lkps() -> Lkps:
    return await governed()
