"""The OpenAPI document: complete, resolvable, and its examples are answers the gateway accepts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from counterfoil.features.points import bodies
from counterfoil.gateway.moves import Move
from counterfoil.gateway.problems import MEDIA_TYPE, STATUS
from tests.gateway.routes import PUBLIC, ROUTES, routes_of
from tests.gateway.stand import Stand, good

PROBLEM = "#/components/schemas/Problem"


@pytest.fixture(scope="module")
def document(shared: Stand) -> dict[str, Any]:
    answer: dict[str, Any] = good(shared.client.get("/openapi.json"))
    return answer


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path.replace(":path}", "}"), operation


def nodes(value: Any) -> Iterator[Any]:
    yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(child)


def resolved(document: dict[str, Any], name: str) -> Any:
    assert name.startswith("#/"), name
    found: Any = document
    for part in name[2:].split("/"):
        found = found[part]
    return found


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    names = {node["$ref"] for node in nodes(document) if isinstance(node, dict) and "$ref" in node}
    assert len(names) > 10
    for name in names:
        assert resolved(document, name)
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_every_documented_route_is_known(document: dict[str, Any], shared: Stand) -> None:
    assert {(method, path) for method, path, _ in operations(document)} <= routes_of(shared.app) == set(ROUTES)
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for _method, path, operation in operations(document):
        assert operation["summary"], path
        placed = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
        assert placed == {one.removesuffix(":path") for one in re.findall(r"{([\w:]+)}", path)}, path
        assert operation["tags"], path


def test_every_route_declares_its_problems(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        responses = operation["responses"]
        assert any(status.startswith("2") for status in responses), path
        if ROUTES[method, path][0] != PUBLIC:
            assert {"400", "401", "403", "500", "503"} <= set(responses), (method, path)
        for status, response in responses.items():
            if status.startswith(("4", "5")) and path != "/readyz":
                content = response["content"]
                assert content[MEDIA_TYPE]["schema"] == {"$ref": PROBLEM}, (method, path, status)
    codes = resolved(document, PROBLEM)["properties"]["code"]["enum"]
    assert codes == sorted(STATUS)


def test_movements_declare_key_and_conflicts(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        if "points" in operation["tags"] and path != "/v1/batches":
            assert {"200", "201", "404", "409", "413", "422"} <= set(operation["responses"]), path
            assert "Idempotency-Key" in {one["name"] for one in operation["parameters"]}, path
            assert operation["requestBody"]["required"] is True, (method, path)


def test_the_schemas_are_the_models(document: dict[str, Any]) -> None:
    """What the document says of a verb's body is what the gateway reads it with."""
    models: list[type[Move]] = [*bodies.MODELS.values(), bodies.Capture, bodies.Release]
    for model in models:
        schema = document["components"]["schemas"][model.__name__]
        assert set(schema["properties"]) == set(model.model_fields)
        assert schema["additionalProperties"] is False
        required = {name for name, field in model.model_fields.items() if field.is_required()}
        assert set(schema.get("required", [])) == required


def test_examples_are_valid(document: dict[str, Any]) -> None:
    """Each example of a property is accepted by its model."""
    seen = 0
    for model in bodies.MODELS.values():
        for name, field in model.model_fields.items():
            for example in field.examples or []:
                TypeAdapter(field.rebuild_annotation()).validate_python(example)
                seen += 1
            for example in document["components"]["schemas"][model.__name__]["properties"][name].get("examples", []):
                TypeAdapter(field.rebuild_annotation()).validate_python(example)
                seen += 1
    assert seen > 10


def test_whole_examples_work(document: dict[str, Any], shared: Stand) -> None:
    """A whole example of a body is accepted by its route."""
    tried = 0
    for method, path, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        schema = content.get("schema", {})
        schema = resolved(document, schema["$ref"]) if "$ref" in schema else schema
        examples = [content["example"]] if "example" in content else []
        examples += [schema["example"]] if "example" in schema else schema.get("examples", [])
        for example in examples:
            answer = shared.client.request(method, path, json=example, headers=shared.operator)
            assert answer.status_code < 300, answer.text
            tried += 1
    assert tried >= 1


def test_statuses_that_happen_are_declared(document: dict[str, Any], shared: Stand) -> None:
    """Walk every route with little and with nothing: each status met is in the document."""
    from tests.gateway.routes import filled

    declared = {(method, path): set(operation["responses"]) for method, path, operation in operations(document)}
    for (method, path), statuses in declared.items():
        body = ROUTES[method, path][1]
        for who in ("", "A", "B", "operator"):
            for sent in (body, {"colour": "red"}, None):
                more = {} if sent is None else {"json": sent}
                headers = {**shared.headers(who), "Idempotency-Key": "walk"}
                answer = shared.client.request(method, filled(path), headers=headers, **more)
                assert str(answer.status_code) in statuses, (method, path, who, sent, answer.text)
