"""Errors in the shape of RFC 7644 3.12."""

from pydantic import ValidationError
from scim2_models import Error, SCIMException

from shuren.kernel.errors import ShurenError

_CONFLICT = 409


def error_of(fault: Exception) -> Error:
    """What a client is told of a fault that was to be expected; texts of the house come in the caller's language."""
    if isinstance(fault, SCIMException):
        return fault.to_error()
    if isinstance(fault, ValidationError):
        return Error.from_validation_error(fault.errors()[0])
    if isinstance(fault, ShurenError):
        kind = {400: "invalidValue", _CONFLICT: "uniqueness"}.get(fault.status)
        return Error(status=fault.status, scim_type=kind, detail=str(fault))
    raise TypeError(type(fault))
