"""The API's description: valid, complete, and made of the models that parse."""

import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from lkps_core.api.endpoints import ENDPOINTS
from lkps_core.api.openapi import refusals
from lkps_core.api.operations import OPERATIONS, Operation
from tests.builders.lkps import Lkps


@pytest.fixture
async def described(lkps: Lkps) -> dict[str, Any]:
    answer = await lkps.send("GET", "openapi.json")
    assert (answer.status, lkps.rows) == (200, [])
    return answer.json


async def test_it_is_a_valid_description(described: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(described).validate()


async def test_it_is_to_be_had_without_credentials_where_callers_reach_the_service(
    described: dict[str, Any],
) -> None:
    assert described["servers"] == [{"url": "https://gateway.example/lkps/api"}]


async def test_every_address_and_every_method_of_it_is_described(
    described: dict[str, Any],
) -> None:
    assert {path: sorted(methods) for path, methods in described["paths"].items()} == {
        f"/{endpoint.path}": sorted(method.lower() for method in endpoint.operations)
        for endpoint in ENDPOINTS
    }


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_an_operation_is_described_by_its_own_models_and_refusals(
    described: dict[str, Any], operation: Operation
) -> None:
    shown = described["paths"][f"/{operation.path}"][operation.method.lower()]
    assert shown["operationId"] == operation.name
    assert "security" not in shown
    if operation.body:
        schema = shown["requestBody"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": f"#/components/schemas/{operation.body.__name__}"}
    else:
        assert "requestBody" not in shown
    has_content = operation.answer or operation.media_type
    success = shown["responses"]["200" if has_content else "204"]
    if operation.media_type:
        assert list(success["content"]) == [operation.media_type]
    if operation.answer:
        schema = success["content"]["application/json"]["schema"]
        assert schema == {"$ref": f"#/components/schemas/{operation.answer.__name__}"}
    for refusal in refusals(operation):
        assert f"`{refusal.code}`" in shown["responses"][str(refusal.status)]["description"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_every_parameter_of_an_address_is_described(
    described: dict[str, Any], operation: Operation
) -> None:
    shown = described["paths"][f"/{operation.path}"][operation.method.lower()]["parameters"]
    in_path = {one["name"] for one in shown if one["in"] == "path" and one["required"]}
    in_header = {one["name"] for one in shown if one["in"] == "header" and not one["required"]}
    assert in_path == set(re.findall(r"\{(\w+)\}", operation.path))
    assert in_header == set(operation.headers)


async def test_every_model_is_described_with_all_its_members(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    for operation in OPERATIONS:
        for model in (operation.body, operation.answer):
            if model is not None:
                members = schemas[model.__name__].get("properties", {})
                fields = model.model_fields.items()
                assert set(members) == {field.alias or name for name, field in fields}
        if operation.body is not None:
            assert schemas[operation.body.__name__]["additionalProperties"] is False


async def test_only_what_is_open_to_everyone_is_described_as_open(
    described: dict[str, Any],
) -> None:
    is_open = {
        path
        for path, methods in described["paths"].items()
        if any(method.get("security") == [] for method in methods.values())
    }
    assert described["security"] == [{"entra": []}]
    assert is_open == {"/health/live", "/health/ready", "/openapi.json", "/livekit/webhook"}
