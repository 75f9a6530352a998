"""The patient: what is examined, and what the steps so far have learnt of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lkps.credentials import Credential


@dataclass
class Patient:
    """`agent` is empty where none was named. What is not learnt yet is empty or None.

    `call` allows a test session, and `platform` asks LKPS about LiveKit, as its administrator.
    """

    environ: Mapping[str, str] = field(repr=False)
    agent: str = ""
    call: bool = False
    platform: bool = False

    variables: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    url: str = ""
    credential: Credential | None = field(default=None, repr=False)
    mode: str = ""
    token: str = field(default="", repr=False)
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    is_reachable: bool = False
    answers: bool = False
    date: str = ""
    is_accepted: bool = False
    permissions: frozenset[str] = frozenset()
    livekit_url: str = ""

    @property
    def api_client_id(self) -> str:
        return self.variables.get("LKPS_API_CLIENT_ID", "")

    def may(self, *permissions: str) -> bool:
        """As LKPS says, whatever the token does."""
        return bool(self.permissions.intersection(permissions))
