"""The function app's managed identity as azure-core's credential, over msal.

azure-identity would do the same for 170 ms more of every cold start.
"""

import asyncio
import os
import time
from types import TracebackType
from typing import Any, Self

import msal  # type: ignore[import-untyped]
import requests
from azure.core.credentials import AccessToken

from lkps_core.errors import StorageUnavailable

_RESOURCE_SUFFIX = "/.default"


_PATIENCE_SECONDS = 2.0


class _PatientSession(requests.Session):
    """For so long and no longer: msal gives no timeout, and each that hangs costs a thread."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # noqa: ANN401
        return super().send(request, **{**options, "timeout": _PATIENCE_SECONDS})


class ManagedIdentityCredential:
    """An AsyncTokenCredential. `AZURE_CLIENT_ID` chooses a user-assigned identity."""

    def __init__(self) -> None:
        client_id = os.environ.get("AZURE_CLIENT_ID")
        identity: Any = (
            msal.UserAssignedManagedIdentity(client_id=client_id)
            if client_id
            else msal.SystemAssignedManagedIdentity()
        )
        self._session = _PatientSession()
        self._session.trust_env = False  # the identity endpoint is on this machine
        self._remembered: dict[Any, Any] = {}
        self._client = msal.ManagedIdentityClient(
            identity, http_client=self._session, http_cache=self._remembered
        )

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:  # noqa: ANN401
        """From msal's cache, or from the identity endpoint in a thread of its own."""
        resource = scopes[0].removesuffix(_RESOURCE_SUFFIX)
        self._remembered.clear()  # msal would repeat an error for a minute
        try:
            answer = await asyncio.to_thread(
                self._client.acquire_token_for_client, resource=resource
            )
        # The last two are what msal makes of an answer that is not the identity endpoint's.
        except (requests.RequestException, ValueError, AttributeError) as error:
            raise StorageUnavailable(reason="the managed identity did not answer") from error
        if "access_token" not in answer:
            raise StorageUnavailable(reason=f"the managed identity refused: {answer.get('error')}")
        return AccessToken(answer["access_token"], int(time.time()) + int(answer["expires_in"]))

    async def close(self) -> None:
        self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()
