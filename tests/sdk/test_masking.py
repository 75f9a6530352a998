"""Masking, through the formatters that livekit-agents has."""

import io
import logging
from collections.abc import Iterator

import pytest
from livekit.agents.cli.log import ColoredFormatter, JsonFormatter

from lkps.masking import Masking

SECRET = "mzxw6ytboi2dgnbv"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ2aWRlbyI6e319.c2lnbmF0dXJl"
FORMATTERS = {
    "json": JsonFormatter(),
    "coloured": ColoredFormatter("%(levelname)s %(message)s %(extra)s"),
    "plain": logging.Formatter("%(message)s"),
}


@pytest.fixture(params=FORMATTERS)
def output(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(FORMATTERS[request.param])
    root = logging.getLogger()
    root.addHandler(handler)
    masking = Masking()
    masking.hide(SECRET)
    masking.install()
    yield output
    root.removeHandler(handler)
    for target in (logging.getLogger("livekit.agents"), *root.handlers):
        target.removeFilter(masking)


class Odd:
    def __repr__(self) -> str:
        return f"Odd({SECRET})"


@pytest.mark.parametrize("secret", [SECRET, TOKEN], ids=["routing secret", "token"])
@pytest.mark.parametrize("name", ["livekit.agents", "livekit.plugins.some", "another"])
def test_a_secret_is_masked_wherever_a_record_carries_it(
    output: io.StringIO, name: str, secret: str
) -> None:
    logger = logging.getLogger(name)
    extra = {"deployment": secret, "nested": {"list": [secret]}, "error": ValueError(secret)}
    logger.warning("in the message %s", secret)
    logger.warning("in the extra", extra=extra)
    logger.warning("in an odd object", extra={"odd": Odd()})
    try:
        int(secret)
    except ValueError:
        logger.exception("failed")

    assert output.getvalue().count("***") >= 2
    assert secret not in output.getvalue()
    assert "Odd(mz" not in output.getvalue()


def test_what_is_no_secret_stays_as_it_was(output: io.StringIO) -> None:
    logging.getLogger("livekit.agents").warning("%s of %d", "one", 2, extra={"load": 0.5})

    assert "one of 2" in output.getvalue()
    assert "***" not in output.getvalue()
