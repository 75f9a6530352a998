"""The API's description is what the service does: every answer here is one that it promises."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.e2e.parts.lkps import Answer, Lkps

type Ask = Callable[["Told"], Awaitable[Answer]]

UNKNOWN = f"concierge--{'a' * 26}"


POLICY = {"agents": {"described": {"access_mode": "granted"}}}


class Told:
    """The description, and calls whose answers are held against it."""

    def __init__(self, lkps: Lkps, description: dict[str, Any], agent_name: str) -> None:
        self._lkps = lkps
        self._description = description
        self._agent_name = agent_name

    async def call(
        self, who: str | None, method: str, template: str, body: object = None, **options: str
    ) -> Answer:
        """Asserts that status, media type, code and body are as described."""
        path = template.strip("/").format(name=self._agent_name, **options)
        answer = await (
            self._lkps.send(method, path, json=body)
            if who is None
            else self._lkps.call(who, method, path, body, {"If-Match": "*"})
        )
        responses = self._description["paths"][template][method.lower()]["responses"]
        assert str(answer.status) in responses, (template, answer.status, answer.body)
        response = responses[str(answer.status)]
        if answer.code is not None:
            assert f"`{answer.code}`" in response["description"]
        self._require_schema(response, answer)
        return answer

    def _require_schema(self, response: dict[str, Any], answer: Answer) -> None:
        if "content" not in response:
            assert answer.body == b""
            return
        media_type = answer.headers["Content-Type"].partition(";")[0]
        schema = response["content"][media_type].get("schema", {})
        Draft202012Validator({**schema, "components": self._description["components"]}).validate(
            answer.json
        )


@pytest.fixture
async def description(lkps: Lkps) -> dict[str, Any]:
    return (await lkps.send("GET", "openapi.json")).json


@pytest.fixture
def told(lkps: Lkps, description: dict[str, Any], agent_name: str) -> Told:
    return Told(lkps, description, agent_name)


async def test_the_description_is_valid_and_says_where_the_service_is(
    lkps: Lkps, description: dict[str, Any]
) -> None:
    OpenAPIV31SpecValidator(description).validate()
    assert description["servers"] == [{"url": f"{lkps.url}/api"}]


async def test_what_succeeds_is_described(told: Told, agent_name: str) -> None:
    start = {"agent_name": agent_name}
    registered = await told.call("agent", "POST", "/agent/register", start)
    held = {"token_expires_at": registered["expires_at"], "routing_version": 1}
    registration = {"id": registered["registration_id"]}
    started = await told.call("client", "POST", "/session/start", start)
    session = {"id": started["session_id"]}

    answers = [
        await told.call("agent", "POST", "/agent/registrations/{id}/renew", held, **registration),
        await told.call("admin", "GET", "/agents/{name}"),
        await told.call("admin", "PUT", "/agents/{name}", {"beat_id": "BEAT-1"}),
        await told.call("admin", "PATCH", "/agents/{name}", {"max_sessions": 7}),
        await told.call("admin", "GET", "/agents"),
        await told.call("client", "POST", "/authorization/check", start),
        await told.call("auditor", "GET", "/whoami"),
        await told.call("admin", "GET", "/limits"),
        await told.call("admin", "PUT", "/limits", {}),
        await told.call("admin", "GET", "/policy"),
        await told.call("admin", "POST", "/policy/plan", POLICY),
        await told.call("admin", "POST", "/policy/apply", POLICY),
        await told.call("client", "GET", "/session/{id}", **session),
        await told.call("client", "POST", "/session/{id}/end", {}, **session),
        await told.call(None, "GET", "/health/live"),
        await told.call(None, "GET", "/health/ready"),
        await told.call(None, "GET", "/openapi.json"),
    ]
    gone = await told.call("agent", "DELETE", "/agent/registrations/{id}", **registration)

    assert {answer.status for answer in answers} == {200}
    assert gone.status in (204, 403)


async def test_grants_and_blocks_from_their_making_to_their_end_are_described(
    told: Told, lkps: Lkps, agent_name: str
) -> None:
    await lkps.register(agent_name)
    terms = {"client_app_id": str(uuid.uuid4()), "reason": "a test"}
    grants, one = "/agents/{name}/grants", "/agents/{name}/grants/{grant_id}"
    granted = await told.call("admin", "POST", grants, terms)
    grant = {"grant_id": granted.json["grant_id"]}
    block = {"session_id": f"{agent_name}--{'a' * 26}", "reason": "a test"}
    blocked = await told.call("admin", "POST", "/revocations", block)
    revocation = {"id": blocked.json["revocation_id"]}

    answers = [
        granted,
        await told.call("admin", "POST", grants, terms),
        await told.call("admin", "GET", grants),
        await told.call("admin", "GET", one, **grant),
        await told.call("admin", "PATCH", one, {"max_sessions": 7}, **grant),
        await told.call("admin", "DELETE", one, **grant),
        await told.call("admin", "POST", "/agents/{name}/rotate", {"reason": "a test"}),
        blocked,
        await told.call("admin", "GET", "/revocations"),
        await told.call("admin", "GET", "/revocations/{id}", **revocation),
        await told.call("admin", "DELETE", "/revocations/{id}", **revocation),
    ]

    assert [answer.status for answer in answers] == [
        *(201, 200, 200, 200, 200, 204),
        200,
        *(201, 200, 200, 204),
    ]


async def test_the_end_of_a_registration_is_described(told: Told, agent_name: str) -> None:
    registered = await told.call("agent", "POST", "/agent/register", {"agent_name": agent_name})

    gone = await told.call(
        "agent", "DELETE", "/agent/registrations/{id}", id=registered["registration_id"]
    )

    assert gone.status == 204


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "status"),
    [
        (None, "POST", "/agent/register", {}, 401),
        ("client", "POST", "/agent/register", {}, 403),
        ("agent", "POST", "/agent/register", {"agent_name": "A"}, 422),
        ("agent", "POST", "/agent/register", [], 400),
        ("agent", "POST", "/agent/register", None, 415),
        ("agent", "POST", "/agent/register", {"agent_name": "x" * 33_000}, 413),
        (None, "POST", "/agent/registrations/{id}/renew", {}, 401),
        ("agent", "POST", "/agent/registrations/{id}/renew", {}, 422),
        (
            "agent",
            "POST",
            "/agent/registrations/{id}/renew",
            {"token_expires_at": "2030-01-01T00:00:00Z", "routing_version": 1},
            404,
        ),
        ("agent", "DELETE", "/agent/registrations/{id}", None, 404),
        ("client", "DELETE", "/agent/registrations/{id}", None, 403),
        ("admin", "GET", "/agents/{name}", None, 404),
        ("client", "GET", "/agents/{name}", None, 403),
        ("alice", "PUT", "/agents/{name}", {}, 403),
        ("admin", "PUT", "/agents/{name}", {"runners": [{}]}, 422),
        (None, "POST", "/session/start", {}, 401),
        ("client", "POST", "/session/start", {}, 422),
        ("client", "POST", "/session/start", {"agent_name": "nobodys"}, 403),
        ("client", "GET", "/session/{id}", None, 404),
        ("nobody", "GET", "/session/{id}", None, 403),
        ("client", "POST", "/session/{id}/end", {}, 404),
        ("client", "POST", "/session/{id}/end", {"why": 1}, 422),
    ],
)
async def test_what_is_refused_is_described(
    told: Told, who: str | None, method: str, path: str, body: object, status: int
) -> None:
    answer = await told.call(who, method, path, body, id=UNKNOWN)

    assert answer.status == status, answer.body
    assert answer.code is not None
