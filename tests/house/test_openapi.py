"""The one description of the API: complete enough that a client made from it works."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from shuren.front.rest.root import api

# A report is as deep as its test; its shape is described in docs/apps/evaluation.md.
OPEN_SHAPES = {"GET /api/v1/reports/{run}/orgs/{org}", "GET /api/v1/reports/{run}/pupils/{person}"}
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    found = operations(document)
    assert len(found) > 20
    assert [name for name, operation in found.items() if not operation.get("summary") or not operation.get("tags")] == []
    ids = [operation["operationId"] for operation in found.values()]
    assert len(ids) == len(set(ids))
    assert [one for one in ids if not re.fullmatch(r"[a-z][a-z0-9_]*", one)] == []


def test_every_operation_types_its_answers_and_its_errors(document: dict[str, Any]) -> None:
    untyped = []
    for name, operation in operations(document).items():
        answers = operation["responses"]
        good = [answers[status] for status in answers if str(status).startswith("2")]
        if name not in OPEN_SHAPES and (not good or not all(_is_typed(answer) for answer in good)):
            untyped.append(name)
        if "401" not in answers or not _is_error(answers["401"]):
            untyped.append(f"{name} 401")
    assert untyped == []


def _is_typed(answer: dict[str, Any]) -> bool:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return bool({"$ref", "type", "items", "anyOf"} & set(schema))


def _is_error(answer: dict[str, Any]) -> bool:
    return bool(answer["content"]["application/json"]["schema"].get("$ref", "").endswith("/ErrorOut"))


def test_every_operation_names_how_to_prove_oneself(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {scheme["type"] for scheme in schemes.values()} == {"apiKey", "oauth2"}
    flows = schemes["OAuth2"]["flows"]
    assert set(flows) == {"authorizationCode", "clientCredentials"}
    known = set(flows["clientCredentials"]["scopes"])
    for name, operation in operations(document).items():
        assert operation["security"], name
        for way in operation["security"]:
            assert set(way) <= set(schemes), name
            assert set(way.get("OAuth2", [])) <= known, name


def test_lists_say_how_they_are_paged(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    pages = [name for name, schema in schemas.items() if "rows" in schema.get("properties", {})]
    assert pages
    assert [name for name in pages if not {"rows", "total", "is_exact", "page"} <= set(schemas[name]["properties"])] == []


def test_the_document_is_served(db: None) -> None:
    assert Client().get("/api/v1/openapi.json").status_code == 401
