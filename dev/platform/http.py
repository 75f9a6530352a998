"""Whether an address answers, for parts that are asked over HTTP."""

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=10)


async def answers_ok(url: str) -> bool:
    """Whether a GET is answered with status 200."""
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
