"""Developers run agents on their own machine as themselves, after `lkps login` and nothing else."""

from pathlib import Path

from dev.platform import Platform
from dev.platform.environment import bare_environment
from tests.e2e.parts.lkps import Lkps
from tests.sdk.cli.parts.program import BROWSER, run
from tests.sdk.parts.agent import AgentLauncher


async def test_an_agent_runs_as_whoever_did_lkps_login(
    platform: Platform, lkps: Lkps, agent_name: str, tmp_path: Path
) -> None:
    tenant = platform.tenant.description
    kept = {"LKPS_CONFIG_DIR": str(tmp_path / "lkps"), "REQUESTS_CA_BUNDLE": tenant.ca_file}
    where = (
        *("--url", platform.lkps_url, "--tenant", platform.tenant_id),
        *("--client-id", tenant.public_clients["cli"], "--api-client-id", platform.audience),
        *("--authority", tenant.authority_https, "--login-hint", "alice@lkps.example"),
    )
    signed_in = await run(bare_environment() | kept | {"BROWSER": BROWSER}, "login", *where)
    assert signed_in.code == 0, signed_in.err
    agents = AgentLauncher(tmp_path, {**kept, "ECHO_AGENT_NAME": agent_name})
    try:
        agent = await agents.start("tests/e2e/programs/light_agent.py")
        await agent.is_connected()
        started = await lkps.start(agent_name, wait_for_agent=5)
    finally:
        await agents.stop()

    assert '"credential": "login"' in agent.output
    assert started["agent_status"] == "joined"
    owners = (await lkps.call("admin", "GET", f"agents/{agent_name}"))["owners"]
    assert [one["oid"] for one in owners] == [tenant.identity("alice").object_id]
