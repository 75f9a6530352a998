"""A client application as a program: MSAL, one request to LKPS, then LiveKit; no key of LiveKit.

It prints a line of JSON for each step, and waits for a line on its input before it ends the
session.
"""

import asyncio
import hashlib
import json
import os
import sys

import aiohttp
import msal  # type: ignore[import-untyped]

from tests.e2e.parts.guest import Guest

AGENT_NAME = sys.argv[1]


def access_token() -> str:
    """From Entra ID, with the client credentials grant."""
    application = msal.ConfidentialClientApplication(
        os.environ["AZURE_CLIENT_ID"],
        client_credential=os.environ["AZURE_CLIENT_SECRET"],
        authority=f"{os.environ['LKPS_AUTHORITY']}/{os.environ['AZURE_TENANT_ID']}",
        instance_discovery=False,
    )
    scope = f"{os.environ['LKPS_API_CLIENT_ID']}/.default"
    return str(application.acquire_token_for_client([scope])["access_token"])


def tell(step: str, **particulars: object) -> None:
    print(json.dumps({"step": step, **particulars}), flush=True)  # noqa: T201  its only output


async def main() -> None:
    credentials = {"Authorization": f"Bearer {access_token()}"}
    async with aiohttp.ClientSession(f"{os.environ['LKPS_URL']}/api/", headers=credentials) as lkps:
        body = {"agent_name": AGENT_NAME, "wait_for_agent": 10}
        async with lkps.post("session/start", json=body) as response:
            started = await response.json()
        sha256 = hashlib.sha256(started["participant_token"].encode()).hexdigest()
        shown = {name: value for name, value in started.items() if name != "participant_token"}
        tell("started", status=response.status, token_sha256=sha256, **shown)
        guest = await talk(started)
        await asyncio.to_thread(sys.stdin.readline)
        async with lkps.post(f"session/{started['session_id']}/end") as response:
            tell("ended", status=response.status, **await response.json())
        await guest.left.wait()
        tell("disconnected")
        await guest.leave()


async def talk(started: dict[str, str]) -> Guest:
    guest = Guest()
    await guest.join(started["livekit_url"], started["participant_token"])
    tell("joined", room=guest.room.name, identity=guest.me.identity)
    assert await guest.exchange(b"hello") == b"hello"
    tell("echoed")
    await guest.speak(440)
    heard = await asyncio.wait_for(guest.loudest_frequency(), 20)
    tell("heard", hertz=heard, agents=[one.identity for one in guest.agents])
    return guest


if __name__ == "__main__":
    asyncio.run(main())
