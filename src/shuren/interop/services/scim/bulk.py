"""Many writes in one message (RFC 7644 3.7): each stands or falls alone, in the order sent."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from scim2_models import (
    BulkResponse,
    Context,
    InvalidPathException,
    InvalidSyntaxException,
    InvalidValueException,
    NotFoundException,
    PayloadTooLargeException,
    Resource,
    SCIMException,
)

from shuren.interop.rules.scim.faults import error_of
from shuren.interop.rules.scim.resources import MAX_OPERATIONS
from shuren.interop.services.scim.callers import Caller
from shuren.interop.services.scim.provision_groups import create_group, delete_group, patch_group, replace_group
from shuren.interop.services.scim.provision_users import create_user, delete_user, patch_user, replace_user
from shuren.kernel.errors import ShurenError

_CREATE: dict[str, Callable[..., Resource[Any]]] = {"Users": create_user, "Groups": create_group}
_CHANGE: dict[tuple[str, str], Callable[..., Resource[Any]]] = {
    ("PUT", "Users"): replace_user,
    ("PATCH", "Users"): patch_user,
    ("PUT", "Groups"): replace_group,
    ("PATCH", "Groups"): patch_group,
}
_DELETE: dict[str, Callable[..., None]] = {"Users": delete_user, "Groups": delete_group}


def serve_bulk(caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
    """A BulkResponse to up to 100 operations; a `bulkId` stands for what an earlier one of them made.

    Stops after `failOnErrors` failures.
    """
    caller.may_write()
    operations, limit = body.get("Operations"), body.get("failOnErrors")
    if not isinstance(operations, list):
        raise InvalidSyntaxException(detail="Operations is required")
    if len(operations) > MAX_OPERATIONS:
        raise PayloadTooLargeException(detail=f"At most {MAX_OPERATIONS} operations.")
    made: dict[str, str] = {}
    answers: list[dict[str, Any]] = []
    failures = 0
    for operation in operations:
        answer = _served(caller, operation if isinstance(operation, Mapping) else {}, made)
        answers.append(answer)
        failures += "response" in answer
        if isinstance(limit, int) and failures >= limit > 0:
            break
    return {"schemas": [str(BulkResponse.__schema__)], "Operations": answers}


def _served(caller: Caller, operation: Mapping[str, Any], made: dict[str, str]) -> dict[str, Any]:
    method, bulk_id = str(operation.get("method", "")).upper(), operation.get("bulkId")
    answer: dict[str, Any] = {"method": method} | ({"bulkId": bulk_id} if isinstance(bulk_id, str) else {})
    try:
        done = _done(caller, method, operation, made)
    except (SCIMException, ShurenError, ValidationError) as error:
        fault = error_of(error)
        return {**answer, "status": str(fault.status), "response": fault.model_dump(scim_ctx=Context.DEFAULT)}
    if done is None:
        return {**answer, "status": "204"}
    if isinstance(bulk_id, str) and done.id:
        made[bulk_id] = done.id
    answer |= {"location": done.meta.location, "version": done.meta.version} if done.meta else {}
    return {**answer, "status": "201" if method == "POST" else "200"}


def _done(caller: Caller, method: str, operation: Mapping[str, Any], made: Mapping[str, str]) -> Resource[Any] | None:
    endpoint, _slash, row = str(operation.get("path", "")).strip("/").partition("/")
    row = _resolved(row, made)
    data = json.loads(json.dumps(operation.get("data")), object_hook=lambda found: _hooked(found, made))
    if endpoint not in _DELETE:
        raise InvalidPathException(detail="path must be /Users or /Groups")
    if method == "DELETE" and row:
        _DELETE[endpoint](caller, row, if_match=str(operation.get("version") or ""))
        return None
    if not isinstance(data, Mapping):
        raise InvalidSyntaxException(detail="data is required")
    if method == "POST" and not row:
        if not operation.get("bulkId"):
            raise InvalidValueException(detail="bulkId is required with POST")
        return _CREATE[endpoint](caller, data)
    change = _CHANGE.get((method, endpoint))
    if change is None or not row:
        raise NotFoundException
    return change(caller, row, data, if_match=str(operation.get("version") or ""))


def _hooked(found: dict[str, Any], made: Mapping[str, str]) -> dict[str, Any]:
    return {key: _resolved(value, made) if isinstance(value, str) else value for key, value in found.items()}


def _resolved(text: str, made: Mapping[str, str]) -> str:
    if not text.startswith("bulkId:"):
        return text
    if text.removeprefix("bulkId:") not in made:
        raise InvalidValueException(detail=f"{text} names no earlier operation that succeeded")
    return made[text.removeprefix("bulkId:")]
