"""The objects of the standard as JSON schemas: nothing beyond what it names, and everything it requires."""

from typing import Any

from shuren.interop.rules.oneroster.marks import REF_TYPES, STATUSES, Form, Kind

_TEXT: dict[str, Any] = {"type": "string"}
_FLAG: dict[str, Any] = {"type": "string", "enum": ["true", "false"]}
_DAY: dict[str, Any] = {"type": "string", "format": "date"}
_MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_REF: dict[str, Any] = {"$ref": "#/components/schemas/Ref"}
_EXTENDED = {"type": "string", "pattern": "^ext:[A-Za-z0-9._-]+$"}


def _words(*words: str, is_open: bool = True) -> dict[str, Any]:
    closed: dict[str, Any] = {"type": "string", "enum": list(words)}
    return {"anyOf": [closed, _EXTENDED]} if is_open else closed


def _object(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


_BASE: dict[str, Any] = {
    "sourcedId": _TEXT,
    "status": _words("active", "tobedeleted", is_open=False),
    "dateLastModified": _MOMENT,
}
_ROLES = (
    "aide",
    "counselor",
    "districtAdministrator",
    "guardian",
    "parent",
    "principal",
    "proctor",
    "relative",
    "siteAdministrator",
    "student",
    "systemAdministrator",
    "teacher",
)
_ROLE = _object(
    {"roleType": _words("primary", "secondary", is_open=False), "role": _words(*_ROLES), "org": _REF},
    {"beginDate": _DAY, "endDate": _DAY},
)
SCHEMAS: dict[str, dict[str, Any]] = {
    "Ref": _object({"href": _TEXT, "sourcedId": _TEXT, "type": _TEXT}, {}),
    "AcademicSession": _object(
        {
            **_BASE,
            "title": _TEXT,
            "startDate": _DAY,
            "endDate": _DAY,
            "type": _words("gradingPeriod", "semester", "schoolYear", "term"),
            "schoolYear": _TEXT,
        },
        {"parent": _REF},
    ),
    "Org": _object(
        {
            **_BASE,
            "name": _TEXT,
            "type": _words("department", "district", "local", "national", "school", "state"),
            "identifier": _TEXT,
        },
        {"parent": _REF},
    ),
    "Course": _object(
        {**_BASE, "title": _TEXT, "courseCode": _TEXT},
        {"schoolYear": _REF, "grades": _TEXTS, "subjects": _TEXTS, "org": _REF},
    ),
    "Class": _object(
        {
            **_BASE,
            "title": _TEXT,
            "classType": _words("homeroom", "scheduled"),
            "course": _REF,
            "school": _REF,
            "terms": {"type": "array", "items": _REF, "minItems": 1},
        },
        {"classCode": _TEXT, "grades": _TEXTS},
    ),
    "User": _object(
        {
            **_BASE,
            "enabledUser": _FLAG,
            "givenName": _TEXT,
            "familyName": _TEXT,
            "roles": {"type": "array", "items": _ROLE, "minItems": 1},
        },
        {
            "username": _TEXT,
            "userMasterIdentifier": _TEXT,
            "primaryOrg": _REF,
            "identifier": _TEXT,
            "email": _TEXT,
            "sms": _TEXT,
            "phone": _TEXT,
            "agents": {"type": "array", "items": _REF},
            "grades": _TEXTS,
        },
    ),
    "Demographics": _object(_BASE, {"birthDate": _DAY, "sex": _words("female", "male", "other", "unspecified")}),
    "Enrollment": _object(
        {
            **_BASE,
            "user": _REF,
            "class": _REF,
            "school": _REF,
            "role": _words("administrator", "proctor", "student", "teacher"),
        },
        {"primary": _FLAG, "beginDate": _DAY, "endDate": _DAY},
    ),
}
_MINOR = _object({"imsx_codeMinorFieldName": _TEXT, "imsx_codeMinorFieldValue": _TEXT}, {})
STATUS_INFO = _object(
    {
        "imsx_codeMajor": _words("success", "processing", "failure", "unsupported", is_open=False),
        "imsx_severity": _words("status", "warning", "error", is_open=False),
    },
    {
        "imsx_description": _TEXT,
        "imsx_CodeMinor": _object({"imsx_codeMinorField": {"type": "array", "items": _MINOR}}, {}),
    },
)
CREATED = _object(
    {
        "sourcedIdPairs": {
            "type": "array",
            "items": _object({"suppliedSourcedId": _TEXT, "allocatedSourcedId": _TEXT}, {}),
        }
    },
    {},
)
_SCALE = {"type": "array", "items": _object({"itemValueLHS": _TEXT, "itemValueRHS": _TEXT}, {})}
_LEARNING = {"type": "array", "items": _object({"source": _TEXT, "learningObjectiveIds": _TEXTS}, {})}
_FORMS: dict[Form, dict[str, Any]] = {
    Form.TEXT: _TEXT,
    Form.NUMBER: {"type": "number"},
    Form.DATE: _DAY,
    Form.FLAG: _FLAG,
    Form.REF: _REF,
    Form.STATUS: _words(*sorted(STATUSES)),
}
_TOLD = {
    "lineItems": ("assignDate", "dueDate", "school", "category"),
    "results": ("scoreStatus", "scoreDate"),
    "assessmentResults": ("scoreStatus", "scoreDate"),
    "scoreScales": ("type", "scoreScaleValue"),
}


def _form(name: str, form: Form) -> dict[str, Any]:
    return _FORMS.get(form, _SCALE if name == "scoreScaleValue" else _LEARNING)


def mark_schema(kind: Kind) -> dict[str, Any]:
    """An object of the gradebook as it is told."""
    forms = {name: _form(name, form) for name, form in kind.fields.items()}
    needed = (*kind.required, *_TOLD.get(kind.name, ()))
    required = {**_BASE, **{name: forms[name] for name in needed}}
    return _object(required, {name: form for name, form in forms.items() if name not in needed})


def sent_schema(kind: Kind) -> dict[str, Any]:
    """An object as it may be sent: refs by their id alone, unknown fields passed over."""
    loose = _object({"sourcedId": _TEXT}, {"href": _TEXT, "type": _TEXT}) | {"additionalProperties": True}
    forms = {name: loose if name in REF_TYPES else _form(name, form) for name, form in kind.fields.items()}
    return {"type": "object", "properties": forms, "required": list(kind.required)}
