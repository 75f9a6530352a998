"""The demonstration's agent: the example, as a process of its own, without any LiveKit key."""

import sys

from dev.platform import Part, Platform
from dev.platform.places import LOGS, ROOT
from dev.platform.processes import Command

NAME = "echo"

_CONNECTED = "registered worker"


class EchoAgent(Part):
    """Ready when its worker is connected to LiveKit, which it logs.

    It takes every job however busy the machine is: an honest agent would refuse one then.
    """

    def __init__(self, platform: Platform, identity: str = "agent", name: str = NAME) -> None:
        environment = platform.agent_environment(identity) | {
            "ECHO_AGENT_NAME": name,
            "ECHO_AGENT_ALWAYS_ACCEPT": "1",
        }
        argv = (sys.executable, "examples/echo_agent.py", "start")
        super().__init__(f"agent-{name}", Command(argv, environment, ROOT), LOGS)
        self.environment = environment

    async def is_ready(self) -> bool:
        return _CONNECTED in self.printed()
