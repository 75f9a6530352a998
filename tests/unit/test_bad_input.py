"""Whatever is sent, the answer is a problem document of a stable kind, and nothing comes of it."""

import json
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lkps_core.api.endpoints import ENDPOINTS
from lkps_core.api.http import Request
from lkps_core.api.operations import OPERATIONS, Operation
from tests.builders.lkps import (
    ADMIN,
    AGENT,
    ALICE,
    CLIENT,
    Answered,
    Lkps,
    guid,
    somebody_for,
)
from tests.builders.tokens import bearer

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW", "get", "")
PATHS = sorted(endpoint.path for endpoint in ENDPOINTS)
ANY_ID = "concierge--" + "a" * 26
BODIED = [operation for operation in OPERATIONS if operation.body]
ANY_GRANT = f"{guid('tenant')}:{guid('app client')}:{'a' * 26}"


def path_of(template: str) -> str:
    replaced = template.replace("{id}", ANY_ID).replace("{name}", "concierge")
    return replaced.replace("{grant_id}", ANY_GRANT)


def assert_problem(answer: Answered, status: int, code: str) -> dict[str, Any]:
    assert (answer.status, answer.json["code"]) == (status, code), answer.raw
    document = answer.json
    assert document["type"] == f"urn:lkps:problem:{code}"
    assert document["status"] == status
    assert document["request_id"] == answer.headers["X-Request-ID"]
    assert answer.headers["Cache-Control"] == "no-store"
    return document


def assert_untouched(lkps: Lkps) -> None:
    assert lkps.rooms.calls == []
    for table in lkps.tables:
        assert table._rows == {}
    assert {row["action"] for row in lkps.rows} <= {"request.refused"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", METHODS)
async def test_a_method_that_an_address_does_not_answer_is_told_which_it_does(
    lkps: Lkps, path: str, method: str
) -> None:
    (endpoint,) = [one for one in ENDPOINTS if one.path == path]
    if method in endpoint.operations:
        return
    answer = await lkps.send(method, path_of(path), by=CLIENT)
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == endpoint.allow
    assert_untouched(lkps)


@pytest.mark.parametrize("operation", BODIED, ids=lambda operation: operation.name)
@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"nonsense", 400, "body_malformed"),
        (b"[]", 400, "body_malformed"),
        (b'"text"', 400, "body_malformed"),
        (b"null", 400, "body_malformed"),
        (b"1", 400, "body_malformed"),
        (b"{", 400, "body_malformed"),
        (b"{}{}", 400, "body_malformed"),
        (b'{"agent_name":"a","agent_name":"b"}', 400, "body_malformed"),
        (b'{"agent_name":NaN}', 400, "body_malformed"),
        (b'{"agent_name":1e999}', 400, "body_malformed"),
        (b'{"agent_name":"\\ud800"}', 400, "body_malformed"),
        (b'{"\\udfff":1}', 400, "body_malformed"),
        (b'{"agent_name":"\xff"}', 400, "body_malformed"),
        (b'\xef\xbb\xbf{"agent_name":"a"}', 400, "body_malformed"),
        ('{"agent_name":"a"}'.encode("utf-16"), 400, "body_malformed"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, 400, "body_malformed"),
        (b"[" * 16_000 + b"]" * 16_000, 400, "body_malformed"),
        (b'{"a":' + b"1" * 20_000 + b"}", 400, "body_malformed"),
        (b'{"unknown":1}', 422, "body_invalid"),
    ],
)
async def test_a_body_that_is_not_what_it_should_be_is_refused(
    lkps: Lkps, operation: Operation, raw: bytes, status: int, code: str
) -> None:
    answer = await lkps.send(
        operation.method, path_of(operation.path), raw=raw, by=somebody_for(operation)
    )
    assert_problem(answer, status, code)
    assert_untouched(lkps)


@pytest.mark.parametrize("operation", BODIED, ids=lambda operation: operation.name)
async def test_a_body_beyond_the_operations_limit_is_refused(
    lkps: Lkps, operation: Operation
) -> None:
    raw = b"a" * (operation.body_limit + 1)
    answer = await lkps.send(
        operation.method, path_of(operation.path), raw=raw, by=somebody_for(operation)
    )
    assert_problem(answer, 413, "body_too_large")
    assert_untouched(lkps)


@pytest.mark.parametrize("operation", BODIED, ids=lambda operation: operation.name)
@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json, application/json",
        "application/json; charset=utf-8; x=y",
    ],
)
async def test_a_body_of_another_kind_is_refused(
    lkps: Lkps, operation: Operation, media_type: str
) -> None:
    answer = await lkps.send(
        operation.method,
        path_of(operation.path),
        raw=b"{}",
        by=somebody_for(operation),
        headers={"content-type": media_type},
    )
    assert_problem(answer, 415, "media_type_unsupported")
    assert_untouched(lkps)


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "Application/JSON", "application/json;charset=UTF-8"],
)
async def test_json_may_be_announced_in_any_case(lkps: Lkps, media_type: str) -> None:
    answer = await lkps.send(
        "POST",
        "agent/register",
        raw=b'{"agent_name":"concierge"}',
        by=AGENT,
        headers={"content-type": media_type},
    )
    assert answer.status == 200


async def test_a_body_of_exactly_the_limit_is_read(lkps: Lkps) -> None:
    body = b'{"agent_name":"concierge"}'
    raw = body + b" " * (32 * 1024 - len(body))
    assert (await lkps.send("POST", "agent/register", raw=raw, by=AGENT)).status == 200
    assert (await lkps.send("POST", "agent/register", raw=raw + b" ", by=AGENT)).status == 413


START: dict[str, Any] = {"agent_name": "concierge"}
NO_NAMES: list[object] = [None, 1, True, [], {}, "", "A", "a--b", "a" * 64]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *[("agent_name", value) for value in NO_NAMES],
        ("participant_name", None),
        ("participant_name", "é" * 129),
        ("participant_identity", "a" * 129),
        ("participant_identity", "a\nb"),
        ("participant_identity", 7),
        ("participant_metadata", "a" * 2049),
        ("participant_metadata", {}),
        ("participant_attributes", []),
        ("participant_attributes", {"a": 1}),
        ("participant_attributes", {"a": None}),
        ("participant_attributes", {f"a{number}": "" for number in range(33)}),
        ("participant_attributes", {"a": "b" * 2048}),
        ("participant_attributes", {"a" * 129: ""}),
        ("metadata", "é" * 8193),
        ("metadata", {}),
        *(("wait_for_agent", value) for value in (-1, 11, 1.5, "1", True, None, 10**400)),
        ("room_config", []),
        ("room_config", "concierge"),
        ("room_name", "room"),
        ("deployment", "x"),
        ("__class__", "x"),
        ("", "x"),
    ],
)
async def test_a_members_wrong_type_or_size_is_told_by_its_place(
    lkps: Lkps, member: str, value: object
) -> None:
    raw = json.dumps({**START, member: value}, ensure_ascii=False).encode()
    answer = await lkps.send("POST", "session/start", raw=raw, by=CLIENT)
    if answer.status == 400:
        assert_problem(answer, 400, "body_malformed")
        return
    errors = assert_problem(answer, 422, "body_invalid")["errors"]
    assert {"pointer", "code", "detail"} == set(errors[0])
    assert any(error["pointer"].startswith(f"/{member}") for error in errors)
    assert_untouched(lkps)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("version", ""),
        ("version", "a" * 129),
        ("version", "a\u0000b"),
        ("instance", "a\u2028b"),
        ("labels", {"a": "b" * 129}),
        ("labels", {f"a{number}": "b" for number in range(17)}),
        ("labels", {f"a{number}": "é" * 128 for number in range(10)}),
        ("labels", {"": "b"}),
        ("labels", []),
    ],
)
async def test_what_an_instance_says_of_itself_is_bounded(
    lkps: Lkps, member: str, value: object
) -> None:
    body = {"agent_name": "concierge", member: value}
    answer = await lkps.send("POST", "agent/register", body, by=AGENT)
    assert_problem(answer, 422, "body_invalid")
    assert_untouched(lkps)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"owners": [{"tid": "x", "oid": "y"}]}, "/owners/0/tid"),
        ({"runners": [{"tid": "0" * 36, "oid": "y"}]}, "/runners/0/tid"),
        ({"runners": "everyone"}, "/runners"),
        ({"runners": [{"tid": None}]}, "/runners/0/tid"),
        ({"beat_id": ""}, "/beat_id"),
        ({"access_mode": "ajar"}, "/access_mode"),
        ({"report_only": True}, "/report_only"),
    ],
)
async def test_an_assignment_is_told_where_it_is_wrong(
    lkps: Lkps, body: dict[str, object], pointer: str
) -> None:
    answer = await lkps.assign(body)
    errors = assert_problem(answer, 422, "body_invalid")["errors"]
    assert errors[0]["pointer"] == pointer
    assert_untouched(lkps)


@pytest.mark.parametrize("member", ["runners", "owners"])
async def test_nobody_of_another_tenant_runs_or_owns_an_agent(lkps: Lkps, member: str) -> None:
    elsewhere = "99999999-9999-4999-8999-999999999999"
    foreign = {"tid": elsewhere, "oid": elsewhere}
    answer = await lkps.assign({member: [foreign]})
    errors = assert_problem(answer, 422, "body_invalid")["errors"]
    assert errors == [
        {
            "pointer": f"/{member}/0/tid",
            "code": "tenant_foreign",
            "detail": "must be the tenant that LKPS serves",
        }
    ]
    assert_untouched(lkps)


@pytest.mark.parametrize("name", ["Concierge", "a--b", "%2e%2e", "a" * 64])
async def test_a_name_that_is_none_is_not_assigned(lkps: Lkps, name: str) -> None:
    assert_problem(await lkps.send("PUT", f"agents/{name}", {}, by=ADMIN), 422, "body_invalid")
    assert_problem(await lkps.send("GET", f"agents/{name}", by=ADMIN), 404, "agent_not_found")
    assert_untouched(lkps)


async def test_no_answer_grows_with_the_number_of_its_errors(lkps: Lkps) -> None:
    raw = json.dumps({f"m{number}": 1 for number in range(2500)}).encode()
    answer = await lkps.send("POST", "session/start", raw=raw, by=CLIENT)
    assert len(assert_problem(answer, 422, "body_invalid")["errors"]) == 20
    assert len(answer.raw) < 8 * 1024


async def test_a_problem_repeats_no_value_that_was_sent(lkps: Lkps) -> None:
    secret = "s3cr3t-" * 8
    body = {"agent_name": secret, "metadata": [secret], "participant_attributes": {"a": [secret]}}
    answer = await lkps.send("POST", "session/start", body, by=CLIENT)
    assert answer.status == 422
    assert secret not in answer.raw.decode()


NOTHING_SHARED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3)
    ),
    max_leaves=8,
)
MEMBERS = sorted({name for one in BODIED if one.body for name in one.body.model_fields})
BODIES = st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=8), JSON, max_size=6)
MOMENTS = st.text(string.digits + "-+:TZW. ", max_size=40) | st.datetimes().map(
    lambda at: f"{at.isoformat()}-23:59"
)


@NOTHING_SHARED
@given(st.sampled_from(BODIED), BODIES)
async def test_arbitrary_json_is_never_a_defect(
    operation: Operation, body: dict[str, object]
) -> None:
    answer = await Lkps().send(
        operation.method, path_of(operation.path), body, by=somebody_for(operation)
    )
    assert answer.status in (200, 201, 400, 403, 404, 422, 428), answer.raw


@NOTHING_SHARED
@given(st.sampled_from(BODIED), st.binary(max_size=200))
async def test_arbitrary_bytes_are_never_a_defect(operation: Operation, raw: bytes) -> None:
    answer = await Lkps().send(
        operation.method, path_of(operation.path), raw=raw, by=somebody_for(operation)
    )
    assert answer.status in (400, 404, 422), answer.raw


@NOTHING_SHARED
@given(MOMENTS)
async def test_arbitrary_moments_are_never_a_defect(moment: str) -> None:
    lkps = Lkps()
    held = await lkps.register()
    answer = await lkps.send(
        "POST",
        f"agent/registrations/{held['registration_id']}/renew",
        {"token_expires_at": moment, "routing_version": 1},
        by=AGENT,
    )
    assert answer.status in (200, 422), answer.raw


@NOTHING_SHARED
@given(
    st.sampled_from([path for path in PATHS if "{" in path]),
    st.text(max_size=40).filter(lambda text: "/" not in text),
)
async def test_arbitrary_ids_and_names_are_never_a_defect(path: str, text: str) -> None:
    lkps = Lkps()
    (endpoint,) = [one for one in ENDPOINTS if one.path == path]
    for method in endpoint.operations:
        for by in (ADMIN, ALICE):
            request = Request(
                method, {"authorization": by}, {"id": text, "name": text, "grant_id": text}, b""
            )
            response = await lkps.api.answer(endpoint, request)
            assert response.status != 500
    assert_untouched(lkps)


@NOTHING_SHARED
@given(
    st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: "Bearer " + raw.decode("latin-1"))
)
async def test_an_arbitrary_authorization_is_never_a_defect(authorization: str) -> None:
    lkps = Lkps()
    answer = await lkps.send("POST", "session/start", START, by=authorization)
    assert answer.status in (400, 401), answer.raw
    assert_untouched(lkps)
    assert lkps.rows == []


@NOTHING_SHARED
@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit"]), JSON, max_size=4), JSON)
async def test_a_signed_token_with_arbitrary_members_is_never_a_defect(
    head: dict[str, object], claims: object
) -> None:
    token = bearer(json.dumps(claims).encode(), head=json.dumps(head).encode())
    answer = await Lkps().send("POST", "session/start", START, by=token)
    assert answer.status == 401, answer.raw


@pytest.mark.parametrize(
    "header", ["", "short", "x" * 65, "with space!", "a\nb12345678", "ключ-ключ"]
)
async def test_a_request_id_that_cannot_be_used_is_left_out(lkps: Lkps, header: str) -> None:
    await lkps.send(
        "POST", "agent/register", {"agent_name": "a"}, by=AGENT, headers={"x-request-id": header}
    )
    assert "inbound_request_id" not in lkps.rows[-1]


async def test_a_request_id_that_can_be_used_is_on_the_trail_beside_our_own(lkps: Lkps) -> None:
    headers = {"x-request-id": "gateway-0123456789"}
    answer = await lkps.send(
        "POST", "agent/register", {"agent_name": "a"}, by=AGENT, headers=headers
    )
    row = lkps.rows[-1]
    assert row["inbound_request_id"] == "gateway-0123456789"
    assert row["request_id"] == answer.headers["X-Request-ID"] != "gateway-0123456789"
