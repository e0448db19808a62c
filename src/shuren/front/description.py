"""What the OpenAPI document says beyond what each operation says itself: scopes, errors, examples."""

from collections.abc import Mapping
from typing import Any

from ninja.openapi.schema import OpenAPISchema

SCOPES = {
    "directory.read": "Read orgs and people of the orgs that chose the app",
    "assessments.read": "Read tests",
    "reports.read": "Read reports",
    "registers.read": "Read registers, without what is personal in them",
    "registers.write": "Write entries of registers that the orgs which chose the app, or the person, keep",
    "crypto": "Use the cryptography service with keys of the app's own",
    "webhooks": "Read and repeat the app's messages",
    "lineage.write": "Report what jobs read and wrote, as OpenLineage events",
}
_ERRORS = {
    "400": "What was sent breaks a rule",
    "401": "No valid session or access token",
    "403": "The token lacks the scope, or the role does not allow it",
    "404": "It does not exist, or lies outside the caller's scope",
    "409": "It stands otherwise by now, so that this cannot be done to it",
    "422": "What was sent does not have the right form",
    "429": "The app's quota is used up; Retry-After says when to come back",
}
_ERROR_OUT = {
    "title": "ErrorOut",
    "description": "The one shape of an error.",
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"$ref": "#/components/schemas/ErrorDetail"}},
}
_ERROR_DETAIL = {
    "title": "ErrorDetail",
    "description": "What happened and what to do about it, in the caller's language.",
    "type": "object",
    "required": ["status", "message", "remedy"],
    "properties": {
        "status": {"type": "integer", "title": "Status"},
        "message": {"type": "string", "title": "Message"},
        "remedy": {"type": "string", "title": "Remedy"},
        "code": {"type": "string", "title": "Code", "description": "What kind of refusal this is, where programs act on it"},
        "link": {"type": "string", "title": "Link", "description": "Where a person may go on from here"},
    },
    "example": {"status": 404, "message": "没有找到这个机构。", "remedy": ""},
}


def complete(document: OpenAPISchema, scopes: Mapping[str, str]) -> OpenAPISchema:
    """Add scopes (by operation id), the shape of errors, and the ways of proving oneself."""
    parts = document.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    schemas["ErrorOut"], schemas["ErrorDetail"] = _ERROR_OUT, _ERROR_DETAIL
    ways = parts.setdefault("securitySchemes", {})
    ways.pop("AppToken", None)
    ways["OAuth2"] = _oauth()
    for methods in document["paths"].values():
        for operation in methods.values():
            _complete_operation(operation, scopes.get(operation["operationId"], ""))
    return document


def _complete_operation(operation: dict[str, Any], scope: str) -> None:
    operation["security"] = [{"OAuth2": [scope]} if "AppToken" in way else way for way in operation.get("security", [])]
    answers = operation["responses"]
    declared = {str(status) for status in answers}
    for status, text in _ERRORS.items():
        if status not in declared:
            content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorOut"}}}
            answers[int(status)] = {"description": text, "content": content}


def _oauth() -> dict[str, Any]:
    addresses = {"tokenUrl": "/oauth/token/", "scopes": SCOPES}
    return {
        "type": "oauth2",
        "description": "Access tokens of registered apps. In its own name an app reaches the orgs that chose it.",
        "flows": {
            "authorizationCode": {"authorizationUrl": "/oauth/authorize/", "refreshUrl": "/oauth/token/", **addresses},
            "clientCredentials": addresses,
        },
    }
