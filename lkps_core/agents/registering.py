"""Registration is a lease: an instance of an agent comes online, renews, and goes."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from lkps_core.agents.directory import Directory
from lkps_core.agents.model import Agent, Registration
from lkps_core.agents.names import agent_name_in, id_of
from lkps_core.agents.registrations import Registrations
from lkps_core.agents.routing import offered_version, routing_secret
from lkps_core.audit.event import Action, Event
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.errors import (
    AgentBlocked,
    AgentNotRunnable,
    EditedMeanwhile,
    Refusal,
    RegistrationNotFound,
)
from lkps_core.identity.principal import PrincipalId
from lkps_core.policy.evidence import Evidences
from lkps_core.policy.model import agent_subject
from lkps_core.ports import AlreadyThere, Changed, Randomness, Rows, Stored
from lkps_core.settings import Settings
from lkps_core.tokens import IssuedToken, TokenMint
from lkps_core.undoing import Undoing
from lkps_core.wire.agents import RegisterAgent, Registered, Renewed, RenewRegistration


class Registering:
    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        evidences: Evidences,
        agents: Rows[Agent],
        registrations: Registrations,
        trail: Trail,
        mint: TokenMint,
        undoing: Undoing,
        randomness: Randomness,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._evidences = evidences
        self._agents = agents
        self._registrations = registrations
        self._trail = trail
        self._mint = mint
        self._undoing = undoing
        self._randomness = randomness

    async def register(self, call: Call, request: RegisterAgent) -> Registered:
        """Bring an instance online.

        Raises AgentNotRunnable when the name is not the caller's, AgentBlocked when it is blocked.
        """
        agent = await self._runnable(call, request.agent_name)
        await self._refuse_blocked(call, agent.name)
        version = offered_version(agent, call.at)
        registration = Registration(
            id=id_of(agent.name, self._randomness(16)),
            agent_name=agent.name,
            holder=call.caller.id,
            azp=call.caller.azp,
            registered_at=call.at,
            lease_until=call.at + timedelta(seconds=self._settings.lease_seconds),
            routing_version=version,
            offered_version=version,
            version=request.version,
            instance=request.instance,
            labels=request.labels,
        )
        token = self._token(call, registration)
        await self._add(call, registration, _issued(call, registration, token, "agent.registered"))
        self._directory.forget_instances(agent.name)
        return Registered(
            registration_id=registration.id,
            agent_name=agent.name,
            deployment=self._secret_of(agent, version),
            routing_version=version,
            token=token.text,
            livekit_url=self._settings.livekit_url,
            expires_at=token.expires_at,
            renew_after=self._settings.renew_seconds,
        )

    async def renew(self, call: Call, registration_id: str, request: RenewRegistration) -> Renewed:
        """Extend the lease; a new token comes when half of the held one's life is over."""
        agent, stored = await self._held(call, registration_id)
        await self._refuse_blocked(call, agent.name)
        version = offered_version(agent, call.at)
        renewed = replace(
            stored.row,
            lease_until=call.at + timedelta(seconds=self._settings.lease_seconds),
            routing_version=min(request.routing_version, agent.routing_version),
            offered_version=version,
        )
        token, event = None, None
        if request.token_expires_at - call.at <= self._half_life:
            token = self._token(call, renewed)
            event = _issued(call, renewed, token, "agent.renewed")
        await self._extend(renewed, stored.etag, event)
        if version != stored.row.offered_version:
            self._directory.forget_instances(agent.name)  # it listens elsewhere from now on
        return Renewed(
            deployment=self._secret_of(agent, version),
            routing_version=version,
            expires_at=token.expires_at if token else request.token_expires_at,
            renew_after=self._settings.renew_seconds,
            token=token.text if token else None,
        )

    async def deregister(self, call: Call, registration_id: str) -> None:
        """Take the instance offline now, rather than when its lease ends."""
        agent, stored = await self._held(call, registration_id)
        await self._trail.record(
            call.event("agent.deregistered", agent_name=agent.name, registration_id=registration_id)
        )
        try:
            await self._registrations.remove(stored.row, stored.etag)
        except Changed:  # a renewal came between
            await self._unregister(stored.row)
        self._directory.forget_instances(agent.name)

    @property
    def _half_life(self) -> timedelta:
        return timedelta(seconds=self._settings.agent_token_seconds / 2)

    async def _runnable(self, call: Call, name: str) -> Agent:
        known = self._directory.remembered(name)
        if known is not None and known.value and call.caller.id in known.value.row.runners:
            self._directory.keep(name)
            return known.value.row
        stored = await self._directory.agent_now(name)
        if stored is None and self._settings.agent_names == "first-come":
            return await self._claim(call, name)
        if stored is None or call.caller.id not in stored.row.runners:
            raise AgentNotRunnable(reason="not_a_runner" if stored else "agent_unknown")
        return stored.row

    async def _claim(self, call: Call, name: str) -> Agent:
        """First come, first served: of two at the same moment the table lets one in."""
        await self._refuse_blocked(call, name)
        whose = frozenset({call.caller.id})
        owners = whose if call.caller.kind == "user" else frozenset[PrincipalId]()
        agent = Agent(name, whose, owners, call.at, access_mode=self._settings.new_agents_mode)
        try:
            await self._agents.add(agent)
            await self._trail.record(
                call.event("agent.claimed", agent_name=name, rule="first-come")
            )
        except AlreadyThere as error:
            stored = await self._directory.agent_now(name)
            if stored is None or call.caller.id not in stored.row.runners:
                raise AgentNotRunnable(reason="not_a_runner") from error
            return stored.row
        except Refusal:  # an insertion that was not answered may stand all the same
            await self._undoing.undo(lambda: self._unclaim(agent))
            raise
        return agent

    async def _refuse_blocked(self, call: Call, name: str) -> None:
        blocks = await self._evidences.blocks()
        if blocks.blocks(agent_subject(name), call.at):
            raise AgentBlocked

    async def _unclaim(self, agent: Agent) -> None:
        self._directory.forget_agent(agent.name)
        stored = await self._agents.get(agent.partition, agent.key)
        if stored is None or stored.row != agent:
            return
        try:
            await self._agents.remove(agent, stored.etag)
        except Changed:
            return

    async def _add(self, call: Call, registration: Registration, event: Event) -> None:
        added, recorded = await asyncio.gather(
            self._registrations.add(registration), self._trail.record(event), return_exceptions=True
        )
        failure = next((one for one in (recorded, added) if isinstance(one, BaseException)), None)
        if failure is None:
            return
        await self._undoing.undo(lambda: self._unregister(registration))
        raise failure

    async def _unregister(self, registration: Registration) -> None:
        stored = await self._registrations.get(registration.partition, registration.key)
        if stored is None:
            return
        try:
            await self._registrations.remove(stored.row, stored.etag)
        except Changed:
            return

    async def _extend(self, renewed: Registration, etag: str, event: Event | None) -> None:
        """A lease that was extended without its token's row does no harm: no token leaves."""
        try:
            if event is None:
                await self._registrations.replace(renewed, etag)
            else:
                await asyncio.gather(
                    self._trail.record(event), self._registrations.replace(renewed, etag)
                )
        except Changed as error:
            raise EditedMeanwhile from error

    async def _held(self, call: Call, registration_id: str) -> tuple[Agent, Stored[Registration]]:
        """The caller's own registration; foreign and unknown ids cost and answer the same."""
        name = agent_name_in(registration_id)
        if name is None:
            raise RegistrationNotFound(reason="not_an_id")
        stored = await self._registrations.get(name, registration_id)
        if stored is None or stored.row.holder != call.caller.id:
            raise RegistrationNotFound(reason="not_the_holder" if stored else "unknown")
        agent = await self._directory.agent(name)
        if agent is None or call.caller.id not in agent.runners:
            raise AgentNotRunnable(reason="no_longer_a_runner")
        return agent, stored

    def _token(self, call: Call, registration: Registration) -> IssuedToken:
        return self._mint.agent_token(registration.id, call.at, self._settings.agent_token_seconds)

    def _secret_of(self, agent: Agent, version: int) -> str:
        return routing_secret(self._settings.secret, agent.name, version)


def _issued(call: Call, registration: Registration, token: IssuedToken, action: Action) -> Event:
    return call.event(
        action,
        agent_name=registration.agent_name,
        registration_id=registration.id,
        routing_version=registration.routing_version,
        token_sha256=token.sha256,
        token_expires_at=token.expires_at,
        rule="runner",
    )
