"""Planning: the policy file is read and sent, and what is refused of it is told with its line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lkps.cli.answers import Json
from lkps.errors import Refused

if TYPE_CHECKING:  # what imports YAML or requests is imported when it is needed
    from lkps.cli.api import Api
    from lkps.cli.policy_file import PolicyFile


def read(file: Path) -> "PolicyFile":
    from lkps.cli.policy_file import PolicyFile

    return PolicyFile.read(file)


def plan(api: "Api", policy: "PolicyFile") -> Json:
    with located(policy):
        return api.post("policy", "plan", body=policy.document).body


@contextmanager
def located(policy: "PolicyFile") -> Iterator[None]:
    """A refused member is told with its line."""
    try:
        yield
    except Refused as error:
        error.errors = tuple(
            {**one, "line": policy.place(one.get("pointer", ""))} for one in error.errors
        )
        raise
