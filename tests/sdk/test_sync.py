"""The session client without `await`: the other one, in the background."""

import asyncio
import inspect
import subprocess
import sys
import threading
from collections.abc import AsyncIterator

import pytest

from lkps import ConfigurationError, SessionClient, SessionEnded, sync
from tests.sdk.parts.answerer import Answerer, Told, answering, page, problem
from tests.sdk.parts.client import PARTICIPANT_TOKEN, SHOWN, STARTED, StaticCredential
from tests.sdk.parts.waiting import eventually


@pytest.fixture
async def answerer() -> AsyncIterator[Answerer]:
    async with answering(Told(200, STARTED)) as answerer:
        yield answerer


def client(answerer: Answerer) -> sync.SessionClient:
    return sync.SessionClient(lkps_url=answerer.url, credential=StaticCredential())


def public(kind: type) -> dict[str, object]:
    return {name: one for name, one in vars(kind).items() if not name.startswith("_")}


def test_it_has_each_call_with_the_same_parameters() -> None:
    theirs, ours = public(SessionClient), public(sync.SessionClient)

    assert ours.keys() == (theirs.keys() - {"aclose"}) | {"close"}
    for name in theirs.keys() & ours.keys():
        one, other = (
            inspect.signature(getattr(kind, name)) for kind in (SessionClient, sync.SessionClient)
        )
        assert one.parameters == other.parameters
        assert getattr(sync.SessionClient, name).__doc__


async def test_a_start_is_repeated_and_answered_without_a_loop_of_the_callers(
    answerer: Answerer,
) -> None:
    answerer.fates = [page(502)]

    def program() -> str:
        with client(answerer) as lkps:
            return lkps.start("concierge", wait_for_agent=1).participant_token

    assert await asyncio.to_thread(program) == PARTICIPANT_TOKEN
    first, second = answerer.sent("Idempotency-Key")
    assert first == second


async def test_a_refusal_is_raised_where_it_was_called(answerer: Answerer) -> None:
    answerer.answer = problem(409, "session_ended")

    def program() -> None:
        with client(answerer) as lkps:
            lkps.token("concierge--abc")

    with pytest.raises(SessionEnded):
        await asyncio.to_thread(program)


async def test_a_list_is_read_page_by_page(answerer: Answerer) -> None:
    answerer.fates = [
        Told(200, {"sessions": [SHOWN], "next": "concierge--abc"}),
        Told(200, {"sessions": [SHOWN]}),
    ]

    def program() -> tuple[int, list[str]]:
        with client(answerer) as lkps:
            listed = lkps.list("concierge")
            first = next(listed)
            asked = len(answerer.requests)
            return asked, [first.session_id, *(one.session_id for one in listed)]

    assert await asyncio.to_thread(program) == (1, ["concierge--abc"] * 2)
    assert len(answerer.requests) == 2


async def test_many_threads_share_one(answerer: Answerer) -> None:
    def program(lkps: sync.SessionClient) -> str:
        return lkps.start("concierge").session_id

    with client(answerer) as lkps:
        assert "lkps" not in [one.name for one in threading.enumerate()]
        started = await asyncio.gather(*(asyncio.to_thread(program, lkps) for _ in range(8)))
        assert [one.name for one in threading.enumerate()].count("lkps") == 1
        await asyncio.to_thread(lkps.close)

    assert started == ["concierge--abc"] * 8
    assert "lkps" not in [one.name for one in threading.enumerate()]


async def test_closing_ends_what_still_runs(answerer: Answerer) -> None:
    answerer.fates = ["hang"]
    lkps = client(answerer)
    waiting = asyncio.create_task(asyncio.to_thread(lkps.start, "concierge"))
    await eventually(lambda: answerer.requests)

    await asyncio.to_thread(lkps.close)

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_once_closed_it_says_so(answerer: Answerer) -> None:
    lkps = client(answerer)
    await asyncio.to_thread(lkps.start, "concierge")
    await asyncio.to_thread(lkps.close)
    await asyncio.to_thread(lkps.close)

    with pytest.raises(RuntimeError, match="make another"):
        lkps.start("concierge")


def test_closing_what_was_never_used_is_nothing() -> None:
    lkps = sync.SessionClient(lkps_url="https://lkps.example", credential=StaticCredential())
    lkps.close()


def test_what_is_missing_is_said_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LKPS_URL", raising=False)

    with pytest.raises(ConfigurationError, match="LKPS_URL"):
        sync.SessionClient(credential=StaticCredential())


FORKED = """
import os, warnings
from lkps.background import Background

async def pid(): return os.getpid()

warnings.simplefilter("ignore")
background = Background()
background.run(pid)
if os.fork() == 0:
    try:
        background.run(pid)
    except RuntimeError as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
"""


def test_in_a_fork_it_fails_instead_of_waiting_for_a_thread_that_is_not_there() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, check=True, timeout=20
    )

    assert ran.stdout == "it is closed, or of the process before a fork: make another\n"


INTERRUPTED = """
import asyncio, os, signal, threading
from lkps.background import Background

is_cancelled = threading.Event()

async def forever():
    os.kill(os.getpid(), signal.SIGINT)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        is_cancelled.set()
        raise

try:
    Background().run(forever)
except KeyboardInterrupt:
    print("interrupted", is_cancelled.wait(10))
"""


def test_an_interrupted_caller_leaves_nothing_running() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=True, timeout=20
    )

    assert ran.stdout == "interrupted True\n"
