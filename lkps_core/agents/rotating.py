"""Rotating an agent's routing secret: without an outage, or at once at the cost of one."""

from dataclasses import replace

from lkps_core.agents.directory import Directory
from lkps_core.agents.managing import managed_agent
from lkps_core.agents.model import Agent
from lkps_core.audit.stream import Trail
from lkps_core.call import Call
from lkps_core.changes import putting, recorded
from lkps_core.errors import RotationUnderWay
from lkps_core.ports import Rows
from lkps_core.wire.agents import Rotated, RotateSecret


class Rotating:
    def __init__(
        self, renew_seconds: int, directory: Directory, agents: Rows[Agent], trail: Trail
    ) -> None:
        self._renew_seconds = renew_seconds
        self._directory = directory
        self._agents = agents
        self._trail = trail

    async def rotate(self, call: Call, name: str, request: RotateSecret) -> Rotated:
        """A new secret, which instances get when they renew next. Owners and admins.

        Until the live instances have moved, a planned rotation goes on dispatching to the old one.
        """
        stored = await managed_agent(self._directory, call, name)
        agent = stored.row
        online = await self._directory.online_now(name, call.at)
        behind = [one for one in online if one.routing_version < agent.routing_version]
        if behind and not request.emergency:
            raise RotationUnderWay(reason=f"{len(behind)}_instances")
        rotated = replace(
            agent,
            routing_version=agent.routing_version + 1,
            previous_routing_version=None if request.emergency else agent.routing_version,
            rotated_at=call.at,
        )
        event = call.event(
            "agent.rotated",
            agent_name=name,
            routing_version=rotated.routing_version,
            reason="emergency" if request.emergency else "planned",
            comment=request.reason,
        )
        await recorded(self._trail, event, putting(self._agents, stored, rotated))
        self._directory.forget_agent(name)
        return self._answer(rotated, len(online))

    def _answer(self, agent: Agent, instances: int) -> Rotated:
        is_planned = agent.previous_routing_version is not None
        outage = 0 if is_planned or not instances else self._renew_seconds
        return Rotated(
            agent_name=agent.name,
            routing_version=agent.routing_version,
            previous_routing_version=agent.previous_routing_version,
            instances_to_move=instances,
            outage_seconds=outage,
            detail=_PLANNED if is_planned else _EMERGENCY.format(seconds=outage),
        )


_PLANNED = (
    "Each instance gets the new secret when it renews next and reconnects with it. Until then it is"
    " dispatched to with the old one."
)
_EMERGENCY = (
    "The old secret is dispatched to no more. Until an instance has renewed, in {seconds} s at"
    " most, sessions that start find no agent. Conversations in progress go on."
)
