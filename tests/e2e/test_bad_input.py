"""Whatever comes over the wire: a problem document, nothing done, and the token nowhere."""

import asyncio
import base64
import http.client
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from dev.platform import Platform, running
from lkps_core.agents.names import is_agent_name
from tests.e2e.parts.lkps import Answer, Lkps
from tests.e2e.parts.rooms import Rooms
from tests.e2e.parts.tables import Row, Tables

ORIGIN = "http://localhost:3000"
ANY_ID = f"concierge--{'a' * 26}"

ROUTES: dict[str, str] = {
    "agent/register": "OPTIONS, POST",
    f"agent/registrations/{ANY_ID}": "DELETE, OPTIONS",
    f"agent/registrations/{ANY_ID}/renew": "OPTIONS, POST",
    f"agent/registrations/{ANY_ID}/jobs": "OPTIONS, POST",
    "agents": "GET, OPTIONS",
    "agents/concierge": "GET, OPTIONS, PATCH, PUT",
    "agents/concierge/grants": "GET, OPTIONS, POST",
    "agents/concierge/grants/a:b:c": "DELETE, GET, OPTIONS, PATCH",
    "agents/concierge/rotate": "OPTIONS, POST",
    "audit": "GET, OPTIONS",
    "audit/checkpoints": "GET, OPTIONS",
    "audit/export": "GET, OPTIONS",
    "audit/holds": "GET, OPTIONS, POST",
    "audit/holds/agent:concierge": "DELETE, OPTIONS",
    "audit/reindex": "OPTIONS, POST",
    "authorization/check": "OPTIONS, POST",
    "limits": "GET, OPTIONS, PUT",
    "policy": "GET, OPTIONS",
    "policy/plan": "OPTIONS, POST",
    "policy/apply": "OPTIONS, POST",
    "revocations": "GET, OPTIONS, POST",
    "revocations/agent:concierge": "DELETE, GET, OPTIONS",
    "whoami": "GET, OPTIONS",
    "platform/check": "OPTIONS, POST",
    "session/start": "OPTIONS, POST",
    f"session/{ANY_ID}": "GET, OPTIONS",
    f"session/{ANY_ID}/end": "OPTIONS, POST",
    f"session/{ANY_ID}/invitations": "OPTIONS, POST",
    f"session/{ANY_ID}/token": "OPTIONS, POST",
    "sessions": "GET, OPTIONS",
    "sweep": "GET, OPTIONS, POST",
    "livekit/webhook": "OPTIONS, POST",
    f"session/{ANY_ID}/receipt": "GET, OPTIONS",
    "health/live": "GET, OPTIONS",
    "health/ready": "GET, OPTIONS",
    "openapi.json": "GET, OPTIONS",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")

BODIES: dict[str, tuple[bytes, int, str]] = {
    "empty": (b"", 400, "body_malformed"),
    "not JSON": (b"agent_name=concierge", 400, "body_malformed"),
    "an array": (b"[]", 400, "body_malformed"),
    "a string": (b'"concierge"', 400, "body_malformed"),
    "null": (b"null", 400, "body_malformed"),
    "two objects": (b'{"agent_name":"a"}{"agent_name":"a"}', 400, "body_malformed"),
    "cut off": (b'{"agent_name":"a', 400, "body_malformed"),
    "33 KiB": (b'{"agent_name":"a","metadata":"' + b"x" * 33 * 1024 + b'"}', 413, "body_too_large"),
    "deep": (b'{"agent_name":' + b"[" * 15_000 + b"]" * 15_000 + b"}", 400, "body_malformed"),
    "17 deep": (b'{"a":' * 17 + b"1" + b"}" * 17, 400, "body_malformed"),
    "a lone surrogate": (b'{"agent_name":"a","metadata":"\\ud800"}', 400, "body_malformed"),
    "surrogate name": (b'{"\\udfff":"a","agent_name":"a"}', 400, "body_malformed"),
    "a member twice": (b'{"agent_name":"a","agent_name":"a"}', 400, "body_malformed"),
    "escaped twice": (b'{"agent_name":"a","\\u0061gent_name":"b"}', 400, "body_malformed"),
    "NaN": (b'{"agent_name":"a","wait_for_agent":NaN}', 400, "body_malformed"),
    "Infinity": (b'{"agent_name":"a","wait_for_agent":-Infinity}', 400, "body_malformed"),
    "1e999": (b'{"agent_name":"a","wait_for_agent":1e999}', 400, "body_malformed"),
    "many digits": (b'{"wait_for_agent":' + b"9" * 5000 + b"}", 400, "body_malformed"),
    "BOM": (b'\xef\xbb\xbf{"agent_name":"a"}', 400, "body_malformed"),
    "UTF-16": ('{"agent_name":"a"}'.encode("utf-16"), 400, "body_malformed"),
    "UTF-16 without BOM": ('{"agent_name":"a"}'.encode("utf-16-le"), 400, "body_malformed"),
    "Latin-1": (b'{"agent_name":"a","participant_name":"\xe9"}', 400, "body_malformed"),
    "overlong UTF-8": (b'{"agent_name":"\xc0\xaf"}', 400, "body_malformed"),
    "unknown member": (b'{"agent_name":"a","admin":true}', 422, "body_invalid"),
    "a room of one's own": (b'{"agent_name":"a","room_name":"mine"}', 422, "body_invalid"),
    "egress": (b'{"room_config":{"agents":[{"agent_name":"a"}],"egress":{}}}', 422, "body_invalid"),
    "deployment": (
        b'{"room_config":{"agents":[{"agent_name":"a","deployment":"x"}]}}',
        422,
        "body_invalid",
    ),
    "no agent": (b"{}", 422, "body_invalid"),
    "a number": (b'{"agent_name":7}', 422, "body_invalid"),
    "wait as text": (b'{"agent_name":"a","wait_for_agent":"1"}', 422, "body_invalid"),
    "wait as bool": (b'{"agent_name":"a","wait_for_agent":true}', 422, "body_invalid"),
    "wait too long": (b'{"agent_name":"a","wait_for_agent":11}', 422, "body_invalid"),
    "upper case": (b'{"agent_name":"Concierge"}', 422, "body_invalid"),
    "two hyphens": (b'{"agent_name":"a--b"}', 422, "body_invalid"),
    "a line end": (b'{"agent_name":"a\\n"}', 422, "body_invalid"),
    "a key's end": (b'{"agent_name":"a/b#c?d"}', 422, "body_invalid"),
    "full-width": ('{"agent_name":"\uff41"}'.encode(), 422, "body_invalid"),
    "64 letters": (b'{"agent_name":"' + b"a" * 64 + b'"}', 422, "body_invalid"),
    "control": (b'{"agent_name":"a","participant_identity":"\\u0000"}', 422, "body_invalid"),
    "33 attributes": (
        json.dumps(
            {"agent_name": "a", "participant_attributes": {f"k{n}": "" for n in range(33)}}
        ).encode(),
        422,
        "body_invalid",
    ),
}

TOKEN_CHANGES: dict[str, dict[str, Any]] = {
    "another audience": {"claims": {"aud": "00000000-0000-4000-8000-000000000000"}},
    "an audience array": {"claims": {"aud": ["{audience}"]}},
    "another tenant": {"claims": {"tid": "00000000-0000-4000-8000-000000000000"}},
    "another issuer": {"claims": {"iss": "https://sts.windows.net/x/"}},
    "version 1": {"claims": {"ver": "1.0"}},
    "expired": {"claims": {"exp": 1_000_000_000, "iat": 999_999_000, "nbf": 999_999_000}},
    "expiry as text": {"claims": {"exp": "9999999999"}},
    "expiry as float": {"claims": {"exp": 9999999999.5}},
    "expiry as bool": {"claims": {"exp": True}},
    "huge expiry": {"claims": {"exp": 10**300}},
    "lives too long": {"claims": {"exp": 9_999_999_999}},
    "not yet valid": {"claims": {"nbf": 9_999_999_998}},
    "of the future": {"claims": {"iat": 9_999_999_998}},
    "no expiry": {"without": ["exp"]},
    "no kind": {"without": ["idtyp"]},
    "no object id": {"without": ["oid"]},
    "no client": {"without": ["azp"]},
    "app with scopes": {"claims": {"scp": "Session.Start"}},
    "public client": {"claims": {"azpacr": "0"}},
    "bound to a key": {"claims": {"cnf": {"kid": "x"}}},
    "oid with a slash": {"claims": {"oid": "../../x"}},
    "null claim": {"claims": {"tid": None}},
    "no algorithm": {"header": {"alg": "none"}},
    "HS256": {"header": {"alg": "HS256"}},
    "unknown key": {"header": {"kid": "unknown"}},
    "key as number": {"header": {"kid": 7}},
    "kid as path": {"header": {"kid": "../../etc/passwd"}},
    "no key": {"without_header": ["kid"]},
    "critical": {"header": {"crit": ["exp"]}},
    "compressed": {"header": {"zip": "DEF"}},
    "key inside": {"header": {"jwk": {"kty": "RSA"}}},
    "key elsewhere": {"header": {"jku": "https://attacker.example/keys"}},
    "another type": {"header": {"typ": "dpop+jwt"}},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform() -> AsyncIterator[Platform]:
    """One of its own: elsewhere sessions of other tests come to their end meanwhile."""
    async with running() as platform:
        yield platform


@pytest.fixture(autouse=True)
async def nothing_comes_of_it(tables: Tables, rooms: Rooms) -> AsyncIterator[None]:
    """No room is made, and no row but a refusal's."""
    before = await _state(tables, rooms)
    rows = {_place(row) for row in await tables.trail()}
    yield
    assert await _state(tables, rooms) == before
    added = [row for row in await tables.trail() if _place(row) not in rows]
    assert {row["action"] for row in added} <= {"request.refused"}
    assert {row["outcome"] for row in added} <= {"refused"}


@pytest.mark.parametrize("path", ROUTES, ids=lambda path: path.replace(ANY_ID, "{id}"))
async def test_a_method_that_an_address_does_not_know_is_told_which_it_does(
    lkps: Lkps, path: str
) -> None:
    allowed = ROUTES[path].split(", ")
    for method in (one for one in METHODS if one not in allowed):
        answer = await lkps.send(method, path, headers={"Origin": ORIGIN})

        _require_headers(answer)
        assert answer.status == 405, method
        assert sorted(answer.headers["Allow"].split(", ")) == allowed
        if method != "HEAD":
            assert answer.code == "method_not_allowed"


@pytest.mark.parametrize("path", ROUTES, ids=lambda path: path.replace(ANY_ID, "{id}"))
async def test_a_browser_asks_first_and_is_answered_without_credentials(
    lkps: Lkps, path: str
) -> None:
    preflight = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    ours = await lkps.send("OPTIONS", path, headers=preflight)
    foreign = await lkps.send(
        "OPTIONS", path, headers={**preflight, "Origin": "https://evil.example"}
    )

    _require_headers(ours)
    assert (ours.status, foreign.status) == (204, 204)
    assert "Authorization" in ours.headers["Access-Control-Allow-Headers"]
    assert sorted(ours.headers["Access-Control-Allow-Methods"].split(", ")) == ROUTES[path].split(
        ", "
    )
    assert "Access-Control-Allow-Origin" not in foreign.headers


@pytest.mark.parametrize("what", BODIES)
async def test_a_bad_body_is_refused(lkps: Lkps, what: str) -> None:
    body, status, code = BODIES[what]

    answer = await _post(lkps, body)

    await _require_problem(lkps, answer, status, code)


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""],
)
async def test_another_media_type_is_refused(lkps: Lkps, media_type: str) -> None:
    answer = await _post(lkps, b'{"agent_name":"a"}', {"Content-Type": media_type})

    await _require_problem(lkps, answer, 415, "media_type_unsupported")


async def test_a_chunked_body_arrives_empty_and_is_refused(lkps: Lkps) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"agent_name":'
        yield b'"concierge"}'

    answer = await _post(lkps, chunks())

    await _require_problem(lkps, answer, 400, "body_malformed")


@pytest.mark.parametrize("key", ["", " ", "two words", "x" * 256, "caf\xe9", "a\tb"])
async def test_a_bad_idempotency_key_is_refused(lkps: Lkps, key: str) -> None:
    answer = await _post(lkps, b'{"agent_name":"a"}', {"Idempotency-Key": key})

    assert (answer.status, answer.code) in ((400, "header_invalid"), (403, "agent_not_callable"))
    if key != "":  # the host leaves an empty header out
        assert answer.code == "header_invalid"


@pytest.mark.parametrize(
    "object_id",
    ["x", "a--b", f"a--{'A' * 26}", f"a--{'a' * 27}", "..%2F..%2Fx", "%00", "%F0%9F%92%A9", "a'b"],
)
async def test_what_is_no_id_is_as_unknown_as_any_other(lkps: Lkps, object_id: str) -> None:
    session = await lkps.call("client", "GET", f"session/{object_id}")
    registration = await lkps.call("agent", "DELETE", f"agent/registrations/{object_id}")

    assert (session.status, session.code) == (404, "session_not_found")
    assert (registration.status, registration.code) == (404, "registration_not_found")


@pytest.mark.parametrize("what", TOKEN_CHANGES)
async def test_a_well_signed_token_that_breaks_a_rule_is_refused(lkps: Lkps, what: str) -> None:
    changes = json.loads(
        json.dumps(TOKEN_CHANGES[what]).replace("{audience}", lkps.platform.audience)
    )
    token = await lkps.platform.tenant.description.crafted_token("client", **changes)

    answer = await _with_authorization(lkps, f"Bearer {token}")

    await _require_problem(lkps, answer, 401, "token_invalid", secret=token)
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


type Forgery = Callable[[str], str]

FORGERIES: dict[str, Forgery] = {
    "no signature": lambda token: f"{token.rpartition('.')[0]}.",
    "two parts": lambda token: token.rpartition(".")[0],
    "four parts": lambda token: f"{token}.{'a' * 10}",
    "signature of another": lambda token: (
        token[:-8] + ("A" * 8 if token[-8:] != "A" * 8 else "B" * 8)
    ),
    "padded": lambda token: f"{token}==",
    "17 KiB": lambda token: f"{token}{'A' * 17 * 1024}",
    "header of none": lambda token: f"{_b64(b'{"alg":"none"}')}.{token.split('.')[1]}.",
    "header twice": lambda token: _with_header(token, b'{"alg":"RS256","alg":"RS256","kid":"a"}'),
    "header in UTF-16": lambda token: _with_header(token, '{"alg":"RS256"}'.encode("utf-16")),
    "header of surrogates": lambda token: _with_header(token, b'{"alg":"RS256","kid":"\\ud800"}'),
    "payload swapped": lambda token: _with_payload(token, b'{"aud":"x"}'),
    "payload deep": lambda token: _with_payload(token, b'{"a":' + b"[" * 9000 + b"]" * 9000 + b"}"),
    "payload with BOM": lambda token: _with_payload(token, b'\xef\xbb\xbf{"aud":"x"}'),
}


@pytest.mark.parametrize("what", FORGERIES)
async def test_a_forged_token_is_refused(lkps: Lkps, what: str) -> None:
    forged = FORGERIES[what](await lkps.access_token("client"))

    answer = await _with_authorization(lkps, f"Bearer {forged}")

    await _require_problem(lkps, answer, 401, "token_invalid", secret=forged)


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        (None, 401, "credentials_missing"),
        ("", 401, "credentials_missing"),
        ("Bearer", 401, "credentials_missing"),
        ("Bearer ", 401, "credentials_missing"),
        ("Basic Y2xpZW50OnNlY3JldA==", 401, "credentials_missing"),
        ("Negotiate {token}", 401, "credentials_missing"),
        ("{token}", 401, "credentials_missing"),
        ("Bearer {token} {token}", 400, "credentials_ambiguous"),
        ("Bearer {token},Bearer {token}", 400, "credentials_ambiguous"),
        ("Bearer {token},", 400, "credentials_ambiguous"),
        ("Bearer caf\xe9", 401, "token_invalid"),
        ("Bearer a.b.c", 401, "token_invalid"),
        ("Bearer ../../x", 401, "token_invalid"),
    ],
)
async def test_credentials_of_another_form_are_refused(
    lkps: Lkps, authorization: str | None, status: int, code: str
) -> None:
    token = await lkps.access_token("client")
    value = None if authorization is None else authorization.replace("{token}", token)

    answer = await _with_authorization(lkps, value)

    await _require_problem(lkps, answer, status, code)
    assert "error=" not in answer.headers.get("WWW-Authenticate", "") or code == "token_invalid"


async def test_two_authorization_headers_are_refused(lkps: Lkps) -> None:
    token = await lkps.access_token("client")
    headers = CIMultiDict([("Authorization", f"Bearer {token}")] * 2)

    answer = await lkps.send("POST", "session/start", json={"agent_name": "a"}, headers=headers)

    await _require_problem(lkps, answer, 400, "credentials_ambiguous")


@pytest.mark.parametrize("place", ["?access_token={token}", "?token={token}"])
async def test_a_token_anywhere_else_is_none(lkps: Lkps, place: str) -> None:
    token = await lkps.access_token("client")

    answer = await lkps.send(
        "POST",
        f"session/start{place.replace('{token}', token)}",
        json={"agent_name": "a"},
        headers={"X-MS-TOKEN-AAD-ACCESS-TOKEN": token, "Cookie": f"Authorization=Bearer {token}"},
    )

    await _require_problem(lkps, answer, 401, "credentials_missing")


async def test_who_is_known_but_not_allowed_is_told_what_it_lacks(lkps: Lkps) -> None:
    answer = await lkps.call("nobody", "POST", "session/start", {"agent_name": "a"})

    await _require_problem(lkps, answer, 403, "permission_lacking")
    assert 'scope="LKPS.Client Session.Start"' in answer.headers["WWW-Authenticate"]


async def test_raw_nonsense_brings_nobody_down(platform: Platform, lkps: Lkps) -> None:
    for nonsense in (
        b"\x00\x01\x02\r\n\r\n",
        b"POST /api/session/start HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n{}",
        b"GET /api/../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://[::1/api/session/start HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /api/session/start HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", platform.service.port)
        writer.write(nonsense)
        writer.write_eof()
        first = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
        await writer.wait_closed()
        assert b" 500 " not in first
        assert (await lkps.send("GET", "health/live")).status == 200


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_MEMBERS = st.sampled_from(
    [
        "agent_name",
        "participant_identity",
        "participant_attributes",
        "participant_metadata",
        "metadata",
        "wait_for_agent",
        "room_config",
        "version",
        "labels",
        "token_expires_at",
        "routing_version",
        "runners",
        "owners",
        "access_mode",
        "client_app_id",
        "group_id",
        "expires_at",
        "max_sessions",
        "reason",
        "until",
        "session_id",
        "caller",
    ]
)
_BODIES = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(_MEMBERS, _JSON, max_size=4)
    .filter(lambda body: not is_agent_name(str(body.get("agent_name", "-"))))
    .map(lambda body: json.dumps(body).encode()),
)
_FUZZED = st.sampled_from(
    [
        ("client", "POST", "session/start"),
        ("client", "POST", f"session/{ANY_ID}/end"),
        ("agent", "POST", "agent/register"),
        ("agent", "POST", f"agent/registrations/{ANY_ID}/renew"),
        ("admin", "PUT", "agents/{name}"),
        ("admin", "PATCH", "agents/nobody"),
        ("admin", "POST", "agents/nobody/grants"),
        ("admin", "POST", "agents/nobody/rotate"),
        ("admin", "POST", "revocations"),
        ("admin", "PUT", "limits"),
        ("admin", "POST", "audit/holds"),
        ("admin", "POST", "audit/reindex"),
        ("admin", "DELETE", "audit/holds/agent:nobody"),
        ("client", "POST", "authorization/check"),
    ]
)
# What HTTP itself lets pass: control characters the host refuses without asking us.
_HEADERS = st.text([chr(code) for code in (*range(0x21, 0x7F), *range(0xA1, 0x100))], max_size=40)


def test_no_fuzz_is_ever_answered_with_a_defect(platform: Platform) -> None:
    tokens = {who: asyncio.run(platform.access_token(who)) for who in ("client", "agent", "admin")}
    connection = http.client.HTTPConnection("127.0.0.1", platform.service.port, timeout=10)

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_FUZZED, _BODIES, _HEADERS)
    def fuzz(route: tuple[str, str, str], body: bytes, header: str) -> None:
        who, method, path = route
        headers = {
            "Authorization": f"Bearer {tokens[who]}",
            "Content-Type": "application/json",
            "X-Request-ID": header.encode("latin-1"),
            "Idempotency-Key": header.encode("latin-1"),
        }
        connection.request(method, f"/api/{path}", body, headers)  # type: ignore[arg-type]
        with connection.getresponse() as response:
            answer = json.loads(response.read())
        assert 400 <= response.status < 500, answer
        assert answer["code"] != "defect"

    try:
        fuzz()
    finally:
        connection.close()


def _place(row: Row) -> tuple[str, str]:
    return row["PartitionKey"], row["RowKey"]


async def _state(tables: Tables, rooms: Rooms) -> list[int]:
    kept = [len(await tables.rows(table)) for table in ("agents", "registrations", "sessions")]
    return [*kept, len(await rooms.names())]


async def _post(lkps: Lkps, body: object, headers: Mapping[str, str] | None = None) -> Answer:
    token = await lkps.access_token("client")
    own = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return await lkps.send(
        "POST", "session/start", data=body, headers={**own, "Origin": ORIGIN, **(headers or {})}
    )


async def _with_authorization(lkps: Lkps, authorization: str | None) -> Answer:
    headers = {"Origin": ORIGIN, "Content-Type": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    return await lkps.send("POST", "session/start", data=b'{"agent_name":"a"}', headers=headers)


async def _require_problem(
    lkps: Lkps, answer: Answer, status: int, code: str, *, secret: str | None = None
) -> None:
    secret = secret or await lkps.access_token("client")
    assert (answer.status, answer.code) == (status, code), answer.body
    assert answer.json["type"] == f"urn:lkps:problem:{code}"
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    _require_headers(answer)
    printed = lkps.platform.service.printed()
    assert "Traceback" not in printed
    for text in (answer.body.decode(), str(dict(answer.headers)), printed):
        assert secret not in text
        assert secret.rpartition(".")[2] not in text or secret.endswith(".")


def _require_headers(answer: Answer) -> None:
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-ID"]
    assert "Origin" in answer.headers["Vary"]


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _with_header(token: str, header: bytes) -> str:
    return ".".join([_b64(header), *token.split(".")[1:]])


def _with_payload(token: str, payload: bytes) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{_b64(payload)}.{signature}"
