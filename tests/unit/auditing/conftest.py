"""A service whose callers come with fresh access tokens for years."""

import pytest

from tests.builders.lkps import Lkps


@pytest.fixture
def lkps() -> Lkps:
    return Lkps(renews_tokens=True)
