"""The CheckpointStore port: in memory and on real Blob Storage, the same."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.credentials import AccessToken, AzureNamedKeyCredential
from azure.storage.blob.aio import ContainerClient

from dev.platform import Platform
from dev.platform.azurite import ACCOUNT, ACCOUNT_KEY
from lkps_core.adapters.checkpoints import BlobCheckpoints
from lkps_core.adapters.memory_trail import MemoryCheckpoints
from lkps_core.errors import StorageUnavailable
from lkps_core.lazy import LazyCheckpoints
from lkps_core.ports import AlreadyThere, CheckpointStore
from lkps_core.settings import Settings
from tests.builders.forwarder import Forwarder
from tests.builders.lkps import ENVIRONMENT

CALLS: dict[str, Callable[[CheckpointStore], Awaitable[object]]] = {
    "add": lambda store: store.add(1, b"one"),
    "get": lambda store: store.get(1),
    "last": lambda store: store.last(),
}

KEY = f"AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"


def client(container_url: str) -> ContainerClient:
    """The library's, to look at the container past the adapter."""
    credential = AzureNamedKeyCredential(ACCOUNT, ACCOUNT_KEY)
    return ContainerClient.from_container_url(container_url, credential, api_version="2023-11-03")


@pytest.fixture
async def blobs(platform: Platform) -> AsyncIterator[Forwarder]:
    """A way to Azurite's blobs."""
    port = urlsplit(platform.azurite.checkpoints_url).port
    async with Forwarder(f"http://127.0.0.1:{port}") as blobs:
        yield blobs


@pytest.fixture
def container_url(blobs: Forwarder) -> str:
    return f"{blobs.origin}/{ACCOUNT}/checkpoints-{uuid.uuid4().hex}"


@pytest.fixture
async def on_azurite(container_url: str) -> AsyncIterator[BlobCheckpoints]:
    store = BlobCheckpoints.from_connection_string(KEY, container_url)
    yield store
    await store.close()


@pytest.fixture(params=["memory", "azurite"])
def store(request: pytest.FixtureRequest, on_azurite: BlobCheckpoints) -> CheckpointStore:
    return MemoryCheckpoints() if request.param == "memory" else on_azurite


async def test_at_first_there_is_none(store: CheckpointStore) -> None:
    assert await store.last() == 0
    assert await store.get(1) is None


async def test_a_blob_is_read_as_it_was_written(store: CheckpointStore) -> None:
    await store.add(1, b"one")
    await store.add(2, b'{"two": "\xc3\xa9"}\n')
    assert [await store.get(number) for number in (1, 2, 3)] == [
        b"one",
        b'{"two": "\xc3\xa9"}\n',
        None,
    ]


async def test_the_same_blob_can_be_added_again(store: CheckpointStore) -> None:
    for _ in range(3):
        await store.add(1, b"one")
    assert await store.last() == 1


async def test_a_number_is_never_given_to_another_blob(store: CheckpointStore) -> None:
    await store.add(1, b"one")
    with pytest.raises(AlreadyThere):
        await store.add(1, b"other")
    assert await store.get(1) == b"one"


async def test_of_two_at_once_one_is_there_and_the_other_learns_of_it(
    store: CheckpointStore,
) -> None:
    outcomes = await asyncio.gather(
        store.add(1, b"one"), store.add(1, b"other"), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes if outcome] == [AlreadyThere]
    assert await store.get(1) == (b"other" if outcomes[0] else b"one")


@pytest.mark.parametrize("many", [1, 2, 3, 4, 7, 8, 9, 21])
async def test_the_last_is_found_from_whichever_is_known(store: CheckpointStore, many: int) -> None:
    for number in range(1, many + 1):
        await store.add(number, b"one of many")
    assert [await store.last(known) for known in range(many + 1)] == [many] * (many + 1)


async def test_in_memory_the_container_can_be_down() -> None:
    store = MemoryCheckpoints()
    store.down = True
    with pytest.raises(StorageUnavailable):
        await store.last()


class _Identity:
    """A managed identity that does not answer."""

    async def get_token(self, *_: str, **__: object) -> AccessToken:
        raise StorageUnavailable(reason="the managed identity did not answer")

    async def close(self) -> None:
        return

    async def __aenter__(self) -> "_Identity":
        return self

    async def __aexit__(self, *_: object) -> None:
        return


class TestOnAzurite:
    """What only the real adapter has: a wire that breaks, and a container that may be missing."""

    @pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # once in 5 minutes
    async def test_a_blob_of_some_megabytes_is_taken(self, platform: Platform) -> None:
        blob = bytes(range(256)) * 20_000
        url = f"{platform.azurite.checkpoints_url}-{uuid.uuid4().hex}"
        store = BlobCheckpoints.from_connection_string(KEY, url)
        try:
            await store.add(1, blob)
            assert await store.get(1) == blob
        finally:
            await store.close()

    async def test_a_name_sorts_as_its_number_does(
        self, on_azurite: BlobCheckpoints, container_url: str
    ) -> None:
        for number in (1, 2):
            await on_azurite.add(number, b"one of many")
        async with client(container_url) as container:
            names = [name async for name in container.list_blob_names()]
        assert names == ["000000000001.json", "000000000002.json"]

    async def test_a_blob_of_which_nobody_knows_is_unavailable_and_can_be_added_again(
        self, on_azurite: BlobCheckpoints, blobs: Forwarder
    ) -> None:
        await on_azurite.add(1, b"one")
        blobs.answers_to_lose = 2
        with pytest.raises(StorageUnavailable):
            await on_azurite.add(2, b"two")
        blobs.answers_to_lose = 0
        await on_azurite.add(2, b"two")
        assert (await on_azurite.last(), await on_azurite.get(2)) == (2, b"two")

    async def test_where_the_last_is_known_it_costs_one_request(
        self, on_azurite: BlobCheckpoints, blobs: Forwarder
    ) -> None:
        for number in range(1, 6):
            await on_azurite.add(number, b"one of many")
        blobs.requests.clear()
        await on_azurite.last(5)
        assert [request.partition(" ")[0] for request in blobs.requests] == ["HEAD"]

    async def test_the_last_of_many_is_found_without_a_list(
        self, on_azurite: BlobCheckpoints, blobs: Forwarder
    ) -> None:
        for number in range(1, 41):
            await on_azurite.add(number, b"one of many")
        blobs.requests.clear()
        assert await on_azurite.last() == 40
        assert {request.partition(" ")[0] for request in blobs.requests} == {"HEAD"}
        assert len(blobs.requests) <= 12

    @pytest.mark.parametrize("call", CALLS)
    async def test_a_container_that_is_missing_is_unavailable_and_is_not_made(
        self, container_url: str, call: str
    ) -> None:
        container = client(container_url)
        store = BlobCheckpoints(container)
        try:
            with pytest.raises(StorageUnavailable) as refused:
                await CALLS[call](store)
            assert not await container.exists()
        finally:
            await store.close()
        assert refused.value.reason == "the checkpoints' container is missing"

    async def test_a_container_that_hangs_is_unavailable_in_time(
        self, platform: Platform, on_azurite: BlobCheckpoints
    ) -> None:
        await on_azurite.add(1, b"one")
        began = time.monotonic()
        platform.azurite.pause()
        try:
            with pytest.raises(StorageUnavailable) as refused:
                await on_azurite.last(1)
        finally:
            platform.azurite.resume()
        assert time.monotonic() - began < 3
        assert refused.value.reason == "the checkpoints' container did not answer in time"
        assert await on_azurite.last(1) == 1

    @pytest.mark.parametrize("call", CALLS)
    async def test_a_key_that_is_refused_is_unavailable(
        self, container_url: str, call: str
    ) -> None:
        other = KEY.replace("Eby8", "Abc1")
        store = BlobCheckpoints.from_connection_string(other, container_url)
        try:
            with pytest.raises(StorageUnavailable) as refused:
                await CALLS[call](store)
        finally:
            await store.close()
        assert "AuthorizationFailure" in (refused.value.reason or "")

    @pytest.mark.parametrize("call", CALLS)
    @pytest.mark.parametrize(
        ("status", "code"), [(409, "ContainerBeingDeleted"), (503, "ServerBusy"), (404, "Unknown")]
    )
    async def test_a_refusal_of_another_kind_is_unavailable(
        self, call: str, status: int, code: str
    ) -> None:
        async def refuse(_: web.Request) -> web.Response:
            return web.Response(status=status, headers={"x-ms-error-code": code})

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", refuse)
        async with TestServer(app) as server:
            url = str(server.make_url(f"/{ACCOUNT}/checkpoints"))
            store = BlobCheckpoints.from_connection_string(KEY, url)
            try:
                with pytest.raises(StorageUnavailable) as refused:
                    await CALLS[call](store)
            finally:
                await store.close()
        assert refused.value.reason == f"the checkpoints' container answered {code}"

    async def test_a_container_that_cannot_be_reached_is_unavailable(self) -> None:
        url = f"http://127.0.0.1:1/{ACCOUNT}/checkpoints"
        store = BlobCheckpoints.from_connection_string(KEY, url)
        try:
            with pytest.raises(StorageUnavailable):
                await store.get(1)
        finally:
            await store.close()

    async def test_an_identity_that_does_not_answer_is_unavailable(self) -> None:
        store = BlobCheckpoints.from_url("https://127.0.0.1:1/checkpoints", _Identity())
        try:
            with pytest.raises(StorageUnavailable) as refused:
                await store.get(1)
        finally:
            await store.close()
        assert refused.value.reason == "the managed identity did not answer"

    @pytest.mark.parametrize("connection", ["", "AccountName=a", "AccountKey=c2VjcmV0", "x;y"])
    def test_a_connection_string_without_an_account_or_key_cannot_be_used(
        self, connection: str
    ) -> None:
        with pytest.raises(ValueError, match="account key"):
            BlobCheckpoints.from_connection_string(connection, "http://127.0.0.1:1/a/checkpoints")

    async def test_the_service_opens_the_container_at_its_first_use(
        self, container_url: str, blobs: Forwarder
    ) -> None:
        settings = Settings.read(
            {
                **ENVIRONMENT,
                "LKPS_ENVIRONMENT": "local",
                "LKPS_TABLES_CONNECTION_STRING": KEY,
                "LKPS_CHECKPOINTS_URL": container_url,
            }
        )
        store = LazyCheckpoints(settings)
        await store.close()
        store = LazyCheckpoints(settings)
        assert blobs.requests == []
        try:
            await store.add(1, b"one")
            assert (await store.last(), await store.get(1)) == (1, b"one")
        finally:
            await store.close()
