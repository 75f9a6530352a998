"""The trail is covered by a signed checkpoint, exported, and verified from the file alone."""

import json

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
        lines = await _exported(lkps)
    result = verify_export(lines, key, verify_signature)
    if result.findings or result.last is None:
        raise RuntimeError(f"the trail does not verify: {result.findings}")
    return result


async def _exported(lkps: aiohttp.ClientSession) -> list[bytes]:
    """The file's lines, of as many answers as it takes."""
    lines: list[bytes] = []
    after: dict[str, str] = {}
    while True:
        query = _PERIOD | after
        async with lkps.get("audit/export", params=query, raise_for_status=True) as response:
            *rows, last = (await response.read()).splitlines(keepends=True)
        lines += rows
        if not last.startswith(b'{"more":'):
            return [*lines, last]
        after = json.loads(last)["more"]
