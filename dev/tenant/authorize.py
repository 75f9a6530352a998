"""The authorization endpoint: a person says who they are, and their client gets a code for it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from dev.tenant import pages, refusals, wire
from dev.tenant.authorization import AuthorizationRequest, Client
from dev.tenant.codes import Codes
from dev.tenant.directory import Directory, RegisteredPerson
from dev.tenant.refusals import Refused
from dev.tenant.replies import Reply


@dataclass(frozen=True, slots=True)
class Authorize:
    """Nothing is kept between the page and the choice: the choice repeats the page's query."""

    directory: Directory
    codes: Codes

    def routes(self) -> list[web.RouteDef]:
        path = "/{tenant}/oauth2/v2.0/authorize"
        return [web.get(path, self.ask), web.post(path, self.choose)]

    async def ask(self, request: web.Request) -> web.Response:
        return self._answer(request, None)

    async def choose(self, request: web.Request) -> web.Response:
        chosen = await wire.form(request)
        return self._answer(request, chosen.get("username", ""))

    def _answer(self, request: web.Request, username: str | None) -> web.Response:
        correlation_id = wire.correlation_id(request)
        try:
            wire.require_tenant(request, self.directory.tenant_id)
            query = wire.query(request)
            client = Client.parse(query, self.directory)
        except Refused as refused:
            return pages.problem(str(refused.body(correlation_id)["error_description"]))
        reply = Reply.parse(client.redirect_uri, query)
        try:
            reply.require_known_mode()
            return self._signed_in(client, reply, query, username)
        except Refused as refused:
            return reply.refusal(refused, correlation_id)

    def _signed_in(
        self, client: Client, reply: Reply, query: Mapping[str, str], username: str | None
    ) -> web.Response:
        asked = AuthorizationRequest.parse(client, query, self.directory)
        user = asked.known(self.directory) if username is None else self._chosen(username)
        if user is None:
            return pages.sign_in(client.name, (each.person for each in self.directory.people))
        return reply.code(self.codes.issue(asked.signed_in(user), time.time()))

    def _chosen(self, username: str) -> RegisteredPerson:
        user = self.directory.person(username)
        if user is None:
            raise refusals.user_unknown()
        return user
