"""A worker tells what became of its job in a session: LiveKit itself never knows."""

import asyncio

from lkps_core.agents.directory import Directory
from lkps_core.agents.names import agent_name_in
from lkps_core.agents.registrations import Registrations
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.errors import AgentNotRunnable, RegistrationNotFound, SessionNotFound
from lkps_core.ports import Rows, Stored
from lkps_core.sessions.events import of
from lkps_core.sessions.life import told
from lkps_core.sessions.model import Job, Session
from lkps_core.sessions.watching import Watching
from lkps_core.wire.agents import ReportJob


class Reporting:
    def __init__(
        self,
        directory: Directory,
        registrations: Registrations,
        sessions: Rows[Session],
        trail: Trail,
        watching: Watching,
    ) -> None:
        self._directory = directory
        self._registrations = registrations
        self._sessions = sessions
        self._trail = trail
        self._watching = watching

    async def report(self, call: Call, registration_id: str, request: ReportJob) -> None:
        """Of a session of that agent. An instance that is draining has left its registration
        already: for it the caller's being a runner of the agent counts.
        """
        name = await self._agent_of(call, registration_id)
        stored = await self._session(name, request.session_id)
        job = Job(
            request.participant_identity,
            request.outcome,
            reason=request.reason,
            registration_id=registration_id,
        )
        if stored.row.state != "open" or told(stored.row, job) == stored.row:
            return
        if request.outcome != "accepted":
            await self._record(call, stored.row, job)
        await self._watching.reported(stored, job, call.operation)

    async def _agent_of(self, call: Call, registration_id: str) -> str:
        name = agent_name_in(registration_id)
        if name is None:
            raise RegistrationNotFound(reason="not_an_id")
        registration, agent = await asyncio.gather(
            self._registrations.get(name, registration_id), self._directory.agent(name)
        )
        is_runner = agent is not None and call.caller.id in agent.runners
        if registration is not None and registration.row.holder != call.caller.id:
            raise RegistrationNotFound(reason="not_the_holder")
        if registration is None and not is_runner:
            raise RegistrationNotFound(reason="unknown")
        if not is_runner:
            raise AgentNotRunnable(reason="no_longer_a_runner")
        return name

    async def _session(self, agent_name: str, session_id: str) -> Stored[Session]:
        if agent_name_in(session_id) != agent_name:
            raise SessionNotFound(reason="of_another_agent")
        stored = await self._sessions.get(agent_name, session_id)
        if stored is None:
            raise SessionNotFound(reason="unknown")
        return stored

    async def _record(self, call: Call, session: Session, job: Job) -> None:
        await self._trail.record(
            call.event(
                "session.job_ended",
                reason=job.outcome,
                comment=job.reason,
                **of(session),
                registration_id=job.registration_id,
                participant_identity=job.identity,
            )
        )
