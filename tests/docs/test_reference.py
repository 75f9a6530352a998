"""The documents say what the code does."""

import inspect
import re

from dev.reference import PAGE, page
from lkps_core import settings
from tests.docs.pages import ROOT


def test_the_api_reference_is_the_one_that_the_code_writes() -> None:
    assert PAGE.read_text() == page()


def test_every_setting_is_documented_and_none_that_is_not_read() -> None:
    read = set(re.findall(r'"(LKPS_[A-Z_]+)"', inspect.getsource(settings)))
    documented = set(re.findall(r"`(LKPS_[A-Z_]+)`", (ROOT / "docs/settings.md").read_text()))
    assert documented == read


def test_the_files_that_the_architecture_names_exist() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    named = set(re.findall(r"`(tests/[a-z0-9_/]+(?:\.py|/))`", text))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
