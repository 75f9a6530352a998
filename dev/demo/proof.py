"""The trail is covered by a signed checkpoint, exported, and verified from the file alone."""

import aiohttp

from dev.platform import Platform
from lkps.cli.signatures import verify_signature
from lkps_trail.notes import NoteKey
from lkps_trail.verifying import Verified, verify_export

_PERIOD = {"from": "2026-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}


async def verified(platform: Platform) -> Verified:
    """As the platform's auditor. Raises RuntimeError when it is not as it was signed."""
    headers = {"Authorization": f"Bearer {await platform.access_token('auditor')}"}
    async with aiohttp.ClientSession(f"{platform.lkps_url}/api/", headers=headers) as lkps:
        async with lkps.get("audit/checkpoints", raise_for_status=True) as response:
            key = NoteKey.parse((await response.json())["key"])
        async with lkps.get("audit/export", params=_PERIOD, raise_for_status=True) as response:
            file = await response.read()
    result = verify_export(file.splitlines(keepends=True), key, verify_signature)
    if result.findings or result.last is None:
        raise RuntimeError(f"the trail does not verify: {result.findings}")
    return result
