"""The device authorization endpoint, and the page on which a person types the code they were shown.

RFC 8628 sections 3.1 to 3.3.
"""

import time
from dataclasses import dataclass

from aiohttp import web

from dev.tenant import device_pages, pages, refusals, wire
from dev.tenant.devices import DeviceCodes
from dev.tenant.directory import Directory
from dev.tenant.endpoints import NO_STORE
from dev.tenant.metadata import verification_uri
from dev.tenant.people_grants import require_public_client
from dev.tenant.refusals import Refused
from dev.tenant.scopes import Scopes


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """One listener's. What the page asks for, it is told anew with every step: code, then who."""

    authority: str
    directory: Directory
    codes: DeviceCodes

    def routes(self) -> list[web.RouteDef]:
        page = "/{tenant}/oauth2/deviceauth"
        return [
            web.post("/{tenant}/oauth2/v2.0/devicecode", self.authorize),
            web.get(page, self.ask),
            web.post(page, self.answer),
        ]

    async def authorize(self, request: web.Request) -> web.Response:
        wire.require_tenant(request, self.directory.tenant_id)
        form = await wire.form(request)
        client_id = require_public_client(form, self.directory)
        scopes = Scopes.parse(wire.required(form, "scope"), self.directory)
        device_code, user_code = self.codes.issue(client_id, scopes, time.time())
        page = verification_uri(self.authority, self.directory.tenant_id)
        answer = {
            "user_code": user_code,
            "device_code": device_code,
            "verification_uri": page,
            "expires_in": self.codes.lifetime,
            "interval": self.codes.interval,
            "message": f"To sign in, use a web browser to open the page {page} and enter the code "
            f"{user_code} to authenticate.",
        }
        return web.json_response(answer, headers=NO_STORE)

    async def ask(self, request: web.Request) -> web.Response:
        wire.require_tenant(request, self.directory.tenant_id)
        return device_pages.code()

    async def answer(self, request: web.Request) -> web.Response:
        """Of a form with the `user_code`, then also with a `username` or with `declined`."""
        wire.require_tenant(request, self.directory.tenant_id)
        form = await wire.form(request)
        try:
            return self._answered(
                form.get("user_code", ""), form.get("username"), declined="declined" in form
            )
        except Refused as refused:
            said = refused.body(wire.correlation_id(request))
            return pages.problem(str(said["error_description"]))

    def _answered(self, user_code: str, username: str | None, *, declined: bool) -> web.Response:
        now = time.time()
        client = str(self.directory.public_client(self.codes.waiting(user_code, now).client_id))
        if declined:
            self.codes.decline(user_code, now)
            return device_pages.declined(client)
        if username is None:
            people = (each.person for each in self.directory.people)
            return device_pages.choice(client, user_code, people)
        user = self.directory.person(username)
        if user is None:
            raise refusals.user_unknown()
        self.codes.approve(user_code, user, now)
        return device_pages.signed_in(client)
