"""The operations of the API, as the catalogue of data has them: read off its own OpenAPI document."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.module_loading import import_string

from shuren.datahub.data import Asset, AssetColumn, AssetKind

_METHODS = ("get", "post", "put", "patch", "delete")
# Named, not imported: whoever only runs a job needs no API.
_API = "shuren.front.rest.root.api"


def api_operations() -> Iterator[Asset]:
    """Every operation with the fields of its answer."""
    schema = import_string(_API).get_openapi_schema()
    components = schema.get("components", {}).get("schemas", {})
    for path, item in schema["paths"].items():
        for method in _METHODS:
            if method in item:
                yield _operation(path, method, item[method], components)


def _operation(path: str, method: str, operation: Mapping[str, Any], components: Mapping[str, Any]) -> Asset:
    return Asset(
        kind=AssetKind.API,
        name=operation["operationId"],
        title_zh=str(operation.get("summary") or operation["operationId"]),
        title_en=str(operation.get("summary") or ""),
        owner="front",
        description=f"{method.upper()} {path}",
        columns=tuple(_answered(operation, components)),
    )


def _answered(operation: Mapping[str, Any], components: Mapping[str, Any]) -> Iterator[AssetColumn]:
    for status, answer in operation.get("responses", {}).items():
        if str(status).startswith("2"):
            body = answer.get("content", {}).get("application/json", {}).get("schema", {})
            yield from _fields(body, components, "", ())
            return


def _fields(schema: Mapping[str, Any], components: Mapping[str, Any], prefix: str, way: tuple[str, ...]) -> Iterator[AssetColumn]:
    """The fields of an object by their paths; what contains itself is walked once."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name in way:
        return
    way, schema = (*way, name) if name else way, components.get(name, schema) if name else schema
    if schema.get("type") == "array":
        yield from _fields(schema.get("items", {}), components, prefix, way)
    for field, told in schema.get("properties", {}).items():
        path = f"{prefix}{field}"
        yield AssetColumn(path, str(told.get("type") or ("array" if "items" in told else "object" if "$ref" in told else "")))
        if len(way) < 4:
            yield from _fields(told, components, f"{path}.", way)
