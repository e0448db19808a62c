"""Everything that goes wrong, in the shape the standard gives it."""

from collections.abc import Mapping

_MINOR = {
    400: "invaliddata",
    401: "unauthorisedrequest",
    403: "forbidden",
    404: "unknownobject",
    405: "invaliddata",
    409: "invaliddata",
    413: "invaliddata",
    415: "invaliddata",
    422: "invaliddata",
    429: "server_busy",
    503: "server_busy",
}


class Fault(Exception):
    """A request that cannot be answered."""

    def __init__(self, status: int, description: str, *, minor: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.minor = minor
        self.headers = dict(headers or {})


def status_info(status: int, description: str, *, minor: str = "") -> dict[str, object]:
    """The body of every answer that is none (imsx_StatusInfo)."""
    value = minor or _MINOR.get(status, "internal_server_error")
    return {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": description,
        "imsx_CodeMinor": {
            "imsx_codeMinorField": [
                {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": value},
            ]
        },
    }


def unknown_object() -> Fault:
    return Fault(404, "There is no such object within reach of this token.")


def unknown_field(name: str) -> Fault:
    return Fault(400, f"There is no field {name!r} to filter by.", minor="invalid_filter_field")


def bad_filter(why: str) -> Fault:
    return Fault(400, f"The filter cannot be read: {why}", minor="invalid_filter_field")
