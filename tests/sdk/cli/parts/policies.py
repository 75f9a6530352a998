"""A policy file, and what LKPS may say of one."""

from lkps_core.wire.policy import Change, Finding
from tests.sdk.cli.parts.answers import CLIENT, GRANT, OTHER, OWNER

FILE = f"""\
version: 1
agents:
  concierge:
    access_mode: granted
    owners: [{OWNER}]
    grants:
      - client_app_id: {CLIENT}
        reason: the shop's backend
        expires_at: 2026-12-31
"""
CREATED = Change(
    action="create",
    kind="agent",
    agent_name="concierge",
    before=None,
    after={"access_mode": "granted", "report_only": False, "owners": [OWNER], "grants": []},
)
UPDATED = Change(
    action="update",
    kind="agent",
    agent_name="greeter",
    before={"access_mode": "open", "owners": [OWNER], "contact": None},
    after={"access_mode": "granted", "owners": [OTHER], "contact": "team"},
)
DELETED = Change(
    action="delete",
    kind="grant",
    agent_name="greeter",
    grant_id=GRANT,
    before={"client_app_id": CLIENT, "reason": "the pilot"},
    after=None,
)
WARNING = Finding(code="no_owner", pointer="/agents/concierge/owners", detail="Nobody manages it.")
