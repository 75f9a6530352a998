import asyncio
import io
import json
import re
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.dev.functions_host.host_process import HostProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def raw(host: HostProcess, request: bytes) -> tuple[bytes, bytes]:
    """Sends bytes as they are; the head and the body of the one answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", host.port)
    writer.write(request)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


async def echo(client: aiohttp.ClientSession, path: str, **options: Any) -> Any:  # noqa: ANN401
    async with client.request("POST", URL(path, encoded=True), **options) as answer:
        assert answer.status == 200
        return await answer.json()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/echo"),
        ("OPTIONS", "/api/echo"),
        ("HEAD", "/api/thread"),
        ("GET", "/api/nowhere"),
        ("GET", "/"),
        ("GET", "/echo"),
        ("GET", "/api/echo%2Fword"),
    ],
)
async def test_what_fits_no_function_is_an_empty_404(
    client: aiohttp.ClientSession, method: str, path: str
) -> None:
    async with client.request(method, URL(path, encoded=True)) as answer:
        assert (answer.status, await answer.read()) == (404, b"")
        assert "Allow" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "DELETE", "PROPFIND"])
async def test_a_function_without_methods_takes_every_method(
    client: aiohttp.ClientSession, method: str
) -> None:
    async with client.request(method, "/api/any") as answer:
        assert await answer.text() == method


async def test_the_first_function_by_name_answers(client: aiohttp.ClientSession) -> None:
    async with client.get("/api/things/today") as answer:
        assert await answer.text() == "hides"


async def test_empty_query_values_are_dropped_and_repeats_joined(
    client: aiohttp.ClientSession,
) -> None:
    seen = await echo(client, "/api/echo?a=1&empty=&bare&A=2&b=x+y%26&a=")
    assert seen["params"] == {"a": "1,2", "b": "x y&"}


async def test_the_function_sees_the_whole_url_and_its_route_parameter(
    host: HostProcess, client: aiohttp.ClientSession
) -> None:
    seen = await echo(client, "/api/echo/w%C3%B6rd?q=%C3%A9")
    assert seen["url"] == f"{host.url}/api/echo/w%C3%B6rd?q=%C3%A9"
    assert seen["route_params"] == {"word": "wörd"}
    assert (await echo(client, "/api/echo"))["route_params"] == {}


async def test_header_names_are_lower_case_and_repeats_are_joined(host: HostProcess) -> None:
    _, body = await raw(
        host,
        b"GET /api/echo HTTP/1.1\r\nHost: lkps.example\r\nConnection: close\r\n"
        b"X-Many: one\r\nx-many: two, three\r\nX-MANY: \r\nX-Empty:\r\n"
        b"AUTHORIZATION: Bearer x\r\n\r\n",
    )
    headers = json.loads(body)["headers"]
    assert headers == {
        "host": "lkps.example",
        "connection": "close",
        "x-many": "one,two, three",
        "x-empty": "",
        "authorization": "Bearer x",
    }


async def test_a_body_of_declared_length_arrives(client: aiohttp.ClientSession) -> None:
    assert (await echo(client, "/api/echo", data=b'{"a": 1}'))["body"] == '{"a": 1}'


async def test_a_chunked_body_arrives_empty_and_the_connection_stays_usable(
    host: HostProcess,
) -> None:
    chunked = (
        b"POST /api/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    )
    again = b"GET /api/any HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    head, rest = await raw(host, chunked + again)
    first, _, second = rest.partition(b"HTTP/1.1 ")
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(first)["body"] == ""
    assert second.startswith(b"200")
    assert second.endswith(b"GET")


async def test_a_compressed_body_is_left_as_it_is(client: aiohttp.ClientSession) -> None:
    seen = await echo(client, "/api/echo", data=b"\x1f\x8bno", headers={"Content-Encoding": "gzip"})
    assert seen["body"] == "\x1f\x8bno"


async def test_a_body_of_several_megabytes_arrives_after_100_continue(
    client: aiohttp.ClientSession,
) -> None:
    size = 5 * 1024 * 1024
    async with client.post("/api/length", data=io.BytesIO(bytes(size)), expect100=True) as answer:
        assert await answer.text() == str(size)


async def test_a_header_of_the_size_of_a_large_access_token_arrives(
    client: aiohttp.ClientSession,
) -> None:
    token = "t" * 20_000
    seen = await echo(client, "/api/echo", headers={"Authorization": token})
    assert seen["headers"]["authorization"] == token


async def test_each_invocation_has_context_variables_of_its_own(
    client: aiohttp.ClientSession,
) -> None:
    for _ in range(3):
        async with client.get("/api/context") as answer:
            assert await answer.text() == "nothing"


async def test_an_invocation_carries_on_the_caller_s_trace_in_a_span_of_its_own(
    client: aiohttp.ClientSession,
) -> None:
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    seen = await echo(client, "/api/echo", headers={"traceparent": f"00-{trace}-{span}-01"})
    assert re.fullmatch(rf"00-{trace}-(?!{span})[0-9a-f]{{16}}-01", seen["trace"])


@pytest.mark.parametrize("header", ["", "00-nonsense-01", f"00-{'0' * 32}-00f067aa0ba902b7-01"])
async def test_an_invocation_without_a_valid_trace_begins_one(
    client: aiohttp.ClientSession, header: str
) -> None:
    seen = await echo(client, "/api/echo", headers={"traceparent": header})
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", seen["trace"])
    assert "0" * 32 not in seen["trace"]


async def test_a_caller_who_leaves_does_not_end_the_invocation(
    host: HostProcess, client: aiohttp.ClientSession
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", host.port)
    writer.write(b"GET /api/slow?seconds=0.31 HTTP/1.1\r\nHost: h\r\n\r\n")
    await host.logged("slow began")
    writer.close()
    async with asyncio.timeout(10):
        while True:
            async with client.get("/api/finished") as answer:
                if await answer.json() == ["0.31"]:
                    return


async def test_a_malformed_request_is_refused_and_its_text_stays_out_of_the_log(
    host: HostProcess,
) -> None:
    head, _ = await raw(
        host, b"GET /api/any HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer s3cret\x00\r\n\r\n"
    )
    assert b" 400 " in head.splitlines()[0]
    await host.logged("Error handling request")
    assert "s3cret" not in host.text
