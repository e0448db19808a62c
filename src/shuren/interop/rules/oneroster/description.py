"""The service described in OpenAPI 3, from the same tables by which it answers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shuren.interop.rules.oneroster import scopes
from shuren.interop.rules.oneroster.marks import KINDS
from shuren.interop.rules.oneroster.places import gradebook_scopes, resource_scopes
from shuren.interop.rules.oneroster.schemas import CREATED, SCHEMAS, STATUS_INFO, mark_schema, sent_schema

FILES = {
    "rostering": "onerosterv1p2rostersservice_openapi3_v1p0.json",
    "gradebook": "onerosterv1p2gradebookservice_openapi3_v1p0.json",
    "resources": "onerosterv1p2resourcesservice_openapi3_v1p0.json",
}
Scopes = tuple[str, ...]
# The collections of the roster: the schema of their objects, and the names of the two envelopes.
ROSTER: dict[str, tuple[str, str, str]] = {
    "academicSessions": ("AcademicSession", "academicSessions", "academicSession"),
    "classes": ("Class", "classes", "class"),
    "courses": ("Course", "courses", "course"),
    "demographics": ("Demographics", "demographics", "demographics"),
    "enrollments": ("Enrollment", "enrollments", "enrollment"),
    "gradingPeriods": ("AcademicSession", "academicSessions", "academicSession"),
    "orgs": ("Org", "orgs", "org"),
    "schools": ("Org", "orgs", "org"),
    "students": ("User", "users", "user"),
    "teachers": ("User", "users", "user"),
    "terms": ("AcademicSession", "academicSessions", "academicSession"),
    "users": ("User", "users", "user"),
}
NESTED_PLACES = (
    ("classes", "students"),
    ("classes", "teachers"),
    ("courses", "classes"),
    ("schools", "classes"),
    ("schools", "courses"),
    ("schools", "enrollments"),
    ("schools", "students"),
    ("schools", "teachers"),
    ("schools", "terms"),
    ("students", "classes"),
    ("teachers", "classes"),
    ("users", "classes"),
    ("terms", "classes"),
    ("terms", "gradingPeriods"),
)
CLASS_PLACES = ("enrollments", "students", "teachers")
_ERRORS = ("400", "401", "403", "404", "405", "422", "429", "500")
_LISTED = (
    ("limit", {"type": "integer", "minimum": 1, "maximum": 1_000_000_000, "default": 100}),
    ("offset", {"type": "integer", "minimum": 0, "maximum": 1_000_000_000, "default": 0}),
    ("sort", {"type": "string"}),
    ("orderBy", {"type": "string", "enum": ["asc", "desc"]}),
    ("filter", {"type": "string"}),
    ("fields", {"type": "string"}),
)
_GRADEBOOK = (
    *((name,) for name in KINDS),
    *((name, "*") for name in KINDS),
    *(("classes", "*", name) for name in ("categories", "lineItems", "results", "scoreScales")),
    ("classes", "*", "lineItems", "*", "results"),
    ("classes", "*", "students", "*", "results"),
    ("classes", "*", "academicSessions", "*", "results"),
    ("schools", "*", "lineItems"),
    ("schools", "*", "scoreScales"),
    ("lineItems", "*", "results"),
)
_RESOURCES = (("resources",), ("resources", "*"), *((name, "*", "resources") for name in ("classes", "courses", "users")))


def description(service: str, root: str, token_url: str) -> dict[str, Any]:
    """The OpenAPI document of one of the three services; `root` is the address above them."""
    schemas = {name: schema for name, schema in SCHEMAS.items() if service == "rostering" or name == "Ref"}
    if service == "gradebook":
        schemas |= {_schema(name): mark_schema(kind) for name, kind in KINDS.items()}
        schemas |= {f"{_schema(name)}Sent": sent_schema(kind) for name, kind in KINDS.items()}
        schemas["Created"] = CREATED
    if service == "resources":
        schemas["Resource"] = {"type": "object"}
    paths = {"rostering": _rostering, "gradebook": _gradebook, "resources": _resources}[service]
    return {
        "openapi": "3.0.3",
        "info": {"title": f"OneRoster {service}", "version": "1.2"},
        "servers": [{"url": f"{root}/{service}/v1p2"}],
        "paths": dict(paths()),
        "components": {
            "schemas": {"imsx_StatusInfo": STATUS_INFO, **schemas},
            "securitySchemes": {
                "OAuth2CC": {
                    "type": "oauth2",
                    "flows": {"clientCredentials": {"tokenUrl": token_url, "scopes": dict.fromkeys(scopes.ALL, "")}},
                }
            },
        },
    }


def _rostering() -> Iterator[tuple[str, Any]]:
    for name, (schema, plural, singular) in ROSTER.items():
        opened = scopes.DEMOGRAPHICS if name == "demographics" else scopes.CORE
        yield f"/{name}", {"get": _get((name,), _many(schema, plural), opened)}
        yield f"/{name}/{{a}}", {"get": _get((name, "*"), _one(schema, singular), opened)}
    places = [(owner, "*", name) for owner, name in NESTED_PLACES]
    for place in [*places, *(("schools", "*", "classes", "*", name) for name in CLASS_PLACES)]:
        schema, plural, _singular = ROSTER[place[-1]]
        yield _path(place), {"get": _get(place, _many(schema, plural), scopes.NESTED)}


def _gradebook() -> Iterator[tuple[str, Any]]:
    for place in _GRADEBOOK:
        methods = gradebook_scopes(place) or {}
        yield _path(place), {method.lower(): _mark(place, method, opened) for method, opened in methods.items()}


def _mark(place: Sequence[str], method: str, opened: Scopes) -> dict[str, Any]:
    name = place[0] if len(place) == 2 else place[-1]
    kind = KINDS[name]
    if method == "GET":
        schema = _schema(name)
        return _get(place, _one(schema, kind.singular) if len(place) == 2 else _many(schema, name), opened)
    operation = _operation(place, method, opened)
    if method == "DELETE":
        return operation | {"responses": _errors() | {"204": {"description": "Gone."}}}
    sent: dict[str, Any] = {"$ref": f"#/components/schemas/{_schema(name)}Sent"}
    if method == "PUT":
        body = _envelope(kind.singular, sent)
        done = {code: {"description": "Kept."} for code in ("200", "201")}
    else:
        body = _envelope(name, {"type": "array", "minItems": 1, "maxItems": 1_000, "items": sent})
        done = {"201": _answer({"$ref": "#/components/schemas/Created"})}
    content = {"content": {"application/json": {"schema": body}}, "required": True}
    return operation | {"requestBody": content, "responses": _errors() | done}


def _resources() -> Iterator[tuple[str, Any]]:
    for place in _RESOURCES:
        schema = _one("Resource", "resource") if len(place) == 2 else _many("Resource", "resources")
        yield _path(place), {"get": _get(place, schema, resource_scopes(place) or ())}


def _path(place: Sequence[str]) -> str:
    letters = iter("ab")
    return "".join(f"/{{{next(letters)}}}" if part == "*" else f"/{part}" for part in place)


def _schema(name: str) -> str:
    singular = KINDS[name].singular
    return singular[0].upper() + singular[1:]


def _get(place: Sequence[str], schema: dict[str, Any], opened: Scopes) -> dict[str, Any]:
    operation = _operation(place, "GET", opened)
    asked = [("fields", {"type": "string"})] if len(place) == 2 else _LISTED
    operation["parameters"] += [{"name": name, "in": "query", "schema": form} for name, form in asked]
    return operation | {"responses": _errors() | {"200": _answer(schema)}}


def _operation(place: Sequence[str], method: str, opened: Scopes) -> dict[str, Any]:
    """Any one of the scopes opens it: OpenAPI says so by one requirement each."""
    name = "".join(part[0].upper() + part[1:] if part != "*" else "One" for part in place)
    letters = [letter for letter, _part in zip("ab", [part for part in place if part == "*"], strict=False)]
    parameters: list[dict[str, Any]] = [
        {"name": letter, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 64}}
        for letter in letters
    ]
    return {
        "operationId": f"{method.lower()}{name}",
        "parameters": parameters,
        "security": [{"OAuth2CC": [scope]} for scope in opened],
    }


def _errors() -> dict[str, Any]:
    return {status: _answer({"$ref": "#/components/schemas/imsx_StatusInfo"}) for status in _ERRORS}


def _answer(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


def _envelope(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {name: schema}, "required": [name], "additionalProperties": False}


def _many(schema: str, plural: str) -> dict[str, Any]:
    return _envelope(plural, {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}})


def _one(schema: str, singular: str) -> dict[str, Any]:
    return _envelope(singular, {"$ref": f"#/components/schemas/{schema}"})
