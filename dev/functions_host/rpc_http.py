"""HTTP to `RpcHttp` and back, exactly as the host converts them.

After GrpcMessageConversionExtensions.cs, RawScriptResult.cs and ExceptionMiddleware.cs of the host.
"""

import time
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response
from multidict import CIMultiDict

from dev.functions_host.protocol import InvocationResponse, RpcHttp, RpcHttpCookie, TypedData

_SAME_SITE = {1: "lax", 2: "strict", 3: "none"}


def rpc_request(request: BaseRequest, params: Mapping[str, str], body: bytes) -> TypedData:
    """The trigger's value: names lower-cased, repeats joined, empty query values left out."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        _join(headers, name.lower(), value)
    url = request.rel_url
    return TypedData(
        http=RpcHttp(
            method=request.method,
            url=f"{request.scheme}://{headers.get('host', '')}{url.raw_path_qs}",
            headers=headers,
            params=params,
            query=_query(url.raw_query_string),
            body=TypedData(bytes=body or None),
        )
    )


async def read_body(request: BaseRequest, limit: int) -> bytes | None:
    """The body whose length was declared; a chunked one counts as none. None: over the limit."""
    length = request.content_length or 0
    if length > limit:
        return None
    if length == 0:
        return b""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # or aiohttp takes the answer for sent
    return await request.content.read()


def http_response(invocation: InvocationResponse) -> Response:
    """What the function returned; an empty 500 for a function that failed."""
    if invocation.failure is not None:
        return Response(status=500)
    returned = invocation.return_value
    if returned is None:
        return Response(status=200)
    if returned.http is None:
        return Response(text=returned.string)
    http = returned.http
    headers = CIMultiDict(http.headers or {})
    for cookie in http.cookies or ():
        headers.add("Set-Cookie", _set_cookie(cookie))
    body = http.body.bytes if http.body is not None else None
    return Response(status=int(http.status_code), body=body, headers=headers)


def _query(raw: str) -> dict[str, str]:
    """Names are one whatever their case, as the host's; the first spelling stays."""
    spelled: dict[str, str] = {}
    query: dict[str, str] = {}
    for name, value in parse_qsl(raw) if raw else ():
        _join(query, spelled.setdefault(name.lower(), name), value)
    return query


def _join(values: dict[str, str], name: str, value: str) -> None:
    before = values.get(name)
    values[name] = f"{before},{value}" if before and value else before or value


def _set_cookie(cookie: RpcHttpCookie) -> str:
    return "; ".join([f"{quote(cookie.name, '')}={quote(cookie.value, '')}", *_attributes(cookie)])


def _attributes(cookie: RpcHttpCookie) -> Iterable[str]:
    if cookie.expires is not None:
        when = time.gmtime(cookie.expires.value.seconds)
        yield f"expires={time.strftime('%a, %d %b %Y %H:%M:%S GMT', when)}"
    if cookie.max_age is not None:
        yield f"max-age={int(cookie.max_age.value)}"
    if cookie.domain is not None and cookie.domain.value:
        yield f"domain={cookie.domain.value}"
    if cookie.path is not None and cookie.path.value:
        yield f"path={cookie.path.value}"
    if cookie.secure is not None and cookie.secure.value:
        yield "secure"
    if cookie.same_site in _SAME_SITE:
        yield f"samesite={_SAME_SITE[cookie.same_site]}"
    if cookie.http_only is not None and cookie.http_only.value:
        yield "httponly"
