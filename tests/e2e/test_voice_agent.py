"""The example's voice agent: a spoken sentence comes back as another, without the internet."""

import pytest

from examples.voice_agent.local.answers import ANSWERS, UNKNOWN
from tests.docs.pages import ROOT, blocks
from tests.e2e.parts.lkps import Lkps
from tests.e2e.parts.talker import Talker, talking
from tests.sdk.parts.agent import Agent, AgentLauncher
from tests.sdk.parts.waiting import eventually

pytestmark = pytest.mark.timeout(300)


GREETING = "hello what would you like to know"
GOODBYE = "we have to end soon goodbye"
SENTENCES = (GREETING, GOODBYE, UNKNOWN, *ANSWERS, *ANSWERS.values())


@pytest.fixture
async def agent(agents: AgentLauncher, agent_name: str) -> Agent:
    (start,) = blocks(ROOT / "examples/voice_agent/README.md")
    _, program, *arguments = start.commands.split()
    agent = await agents.start(program, *arguments, VOICE_AGENT_NAME=agent_name)
    await eventually(lambda: "registered worker" in agent.output, 60)
    return agent


async def test_a_spoken_sentence_comes_back_as_another(
    agent: Agent, lkps: Lkps, agent_name: str
) -> None:
    started = await lkps.start(agent_name, wait_for_agent=10)
    async with talking(started["livekit_url"], started["participant_token"], SENTENCES) as guest:
        greeting = await guest.hears()
        answers = {question: await answer(guest, question) for question in ANSWERS}

    assert greeting == GREETING
    assert answers == ANSWERS


async def test_the_agent_says_goodbye_before_the_session_ends(
    agent: Agent, lkps: Lkps, agent_name: str
) -> None:
    limited = await lkps.call(
        "admin", "PATCH", f"agents/{agent_name}", {"max_session_seconds": 70}, {"If-Match": "*"}
    )
    assert limited.status == 200, limited.body
    started = await lkps.start(agent_name, wait_for_agent=10)
    async with talking(started["livekit_url"], started["participant_token"], SENTENCES) as guest:
        said = [await guest.hears(), await guest.hears()]

    assert said == [GREETING, GOODBYE]


async def answer(guest: Talker, question: str) -> str:
    """What is said to it; asked again when the agent asks for that, as people do."""
    for _ in range(3):
        guest.says(question)
        if (said := await guest.hears()) != UNKNOWN:
            return said
    return UNKNOWN
