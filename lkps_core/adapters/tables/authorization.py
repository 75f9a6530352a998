"""How a request of ours to the tables says who sends it: as the managed identity, or by key."""

import base64
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential

type Authorize = Callable[[str], Awaitable[Mapping[str, str]]]
"""The headers that authorize a request to this address."""

_SCOPE = "https://storage.azure.com/.default"
_MARGIN_SECONDS = 300


def by_identity(credential: AsyncTokenCredential, scope: str = _SCOPE) -> Authorize:
    """An Entra token, asked for anew five minutes before it ends."""
    held: AccessToken | None = None

    async def authorize(_: str) -> Mapping[str, str]:
        nonlocal held
        if held is None or held.expires_on - time.time() < _MARGIN_SECONDS:
            held = await credential.get_token(scope)
        return {"Authorization": f"Bearer {held.token}", "x-ms-date": formatdate(usegmt=True)}

    return authorize


def by_key(account: str, key: str) -> Authorize:
    """Azurite's key, with Shared Key Lite for the Table service; never used outside `local`."""
    secret = base64.b64decode(key)

    async def authorize(address: str) -> Mapping[str, str]:
        date = formatdate(usegmt=True)
        signed = f"{date}\n/{account}{urlsplit(address).path}".encode()
        signature = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        return {"Authorization": f"SharedKeyLite {account}:{signature}", "x-ms-date": date}

    return authorize
