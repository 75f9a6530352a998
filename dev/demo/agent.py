"""The demonstration's agent: the example, as a process of its own, without any LiveKit key."""

import sys

import psutil

from dev.platform import Part, Platform
from dev.platform.conditions import holds_within
from dev.platform.part import READY_SECONDS
from dev.platform.places import LOGS, ROOT
from dev.platform.processes import Command

NAME = "echo"

HAS_ACCESS_TOKEN = "Entra ID issued an access token"
IS_REGISTERED = "agent registered with LKPS"
IS_CONNECTED = "registered worker"


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
        return IS_CONNECTED in self.printed()

    def kill_job(self) -> int:
        """Kill the process of the job that is in a room, which talks UDP; returns its id."""
        worker = psutil.Process(self.pid)
        for process in worker.children(recursive=True):
            if process.net_connections(kind="udp"):
                process.kill()
                return process.pid
        raise self.failure("has no job in a room")

    async def until_it_says(self, words: str) -> None:
        """Raises PartFailed when it ends instead."""
        await holds_within(READY_SECONDS, lambda: not self.is_alive or words in self.printed())
        self.require_alive()
