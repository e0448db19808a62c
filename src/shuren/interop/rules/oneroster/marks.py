"""The objects of the gradebook: which fields each has, what must be said of it, and how leniently it is read.

What is written is read as clients send it: without status or moment, with unknown fields, with scores above the most. What is
told has the fields of the standard and no others.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from shuren.interop.rules.oneroster.faults import Fault

NO_CATEGORY = "shuren-no-category"
_ID = re.compile(r"^[\x21-\x2e\x30-\x7e]{1,64}$")
_WORD = re.compile(r"^ext:[A-Za-z0-9._-]+$")
_MAX_TEXT = 10_000
_MAX_SCORE = 1e12


class Form(StrEnum):
    """How a value of the gradebook is written."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    FLAG = "flag"
    REF = "ref"
    STATUS = "status"
    LIST = "list"


STATUSES = frozenset({"exempt", "fully graded", "not submitted", "partially graded", "submitted"})


@dataclass(frozen=True, slots=True)
class Kind:
    """One collection: its envelope for one object, its fields, and those without which it is refused."""

    name: str
    singular: str
    fields: Mapping[str, Form]
    required: tuple[str, ...] = ()
    refs: Mapping[str, str] = field(default_factory=dict)


_LEARNING = {"learningObjectiveSet": Form.LIST}
_STATES = dict.fromkeys(("inProgress", "incomplete", "late", "missing"), Form.FLAG)
_REFS = {
    "class": "class",
    "school": "org",
    "course": "course",
    "student": "user",
    "category": "category",
    "academicSession": "academicSession",
    "gradingPeriod": "academicSession",
    "scoreScale": "scoreScale",
    "lineItem": "lineItem",
    "assessmentLineItem": "assessmentLineItem",
    "parentAssessmentLineItem": "assessmentLineItem",
}
_SCORE = {
    "scoreStatus": Form.STATUS,
    "score": Form.NUMBER,
    "textScore": Form.TEXT,
    "scoreDate": Form.DATE,
    "comment": Form.TEXT,
    **_LEARNING,
    **_STATES,
}
KINDS = {
    kind.name: kind
    for kind in (
        Kind("categories", "category", {"title": Form.TEXT, "weight": Form.NUMBER}, ("title",)),
        Kind(
            "lineItems",
            "lineItem",
            {
                "title": Form.TEXT,
                "description": Form.TEXT,
                "assignDate": Form.DATE,
                "dueDate": Form.DATE,
                "class": Form.REF,
                "school": Form.REF,
                "category": Form.REF,
                "academicSession": Form.REF,
                "gradingPeriod": Form.REF,
                "scoreScale": Form.REF,
                "resultValueMin": Form.NUMBER,
                "resultValueMax": Form.NUMBER,
                **_LEARNING,
            },
            ("title", "class"),
        ),
        Kind(
            "results",
            "result",
            {"lineItem": Form.REF, "student": Form.REF, "class": Form.REF, "scoreScale": Form.REF, **_SCORE},
            ("lineItem", "student"),
        ),
        Kind(
            "scoreScales",
            "scoreScale",
            {
                "title": Form.TEXT,
                "type": Form.TEXT,
                "course": Form.REF,
                "class": Form.REF,
                "scoreScaleValue": Form.LIST,
            },
            ("title", "class"),
        ),
        Kind(
            "assessmentLineItems",
            "assessmentLineItem",
            {
                "title": Form.TEXT,
                "description": Form.TEXT,
                "class": Form.REF,
                "parentAssessmentLineItem": Form.REF,
                "scoreScale": Form.REF,
                "resultValueMin": Form.NUMBER,
                "resultValueMax": Form.NUMBER,
                **_LEARNING,
            },
            ("title",),
        ),
        Kind(
            "assessmentResults",
            "assessmentResult",
            {
                "assessmentLineItem": Form.REF,
                "student": Form.REF,
                "scoreScale": Form.REF,
                "scorePercentile": Form.NUMBER,
                **_SCORE,
            },
            ("assessmentLineItem", "student"),
        ),
    )
}
REF_TYPES = _REFS


def check_id(text: object) -> str:
    if not isinstance(text, str) or not _ID.match(text):
        raise Fault(422, "A sourcedId has 1 to 64 printable ASCII characters without blanks and slashes.")
    return text


def read_mark(kind: Kind, sent: object, *, today: date) -> dict[str, object]:
    """What is kept of an object; refs are kept as the bare sourcedId. Raises a fault that names the field."""
    if not isinstance(sent, Mapping):
        raise Fault(422, f"{kind.singular} is an object.")
    kept = {name: _read(name, form, sent[name]) for name, form in kind.fields.items() if sent.get(name) not in (None, "")}
    for name in kind.required:
        if name not in kept:
            raise Fault(422, f"{kind.singular}.{name} is required.")
    if "scoreDate" in kind.fields:
        kept.setdefault("scoreDate", today.isoformat())
        kept.setdefault("scoreStatus", "fully graded" if "score" in kept or "textScore" in kept else "not submitted")
    if kind.name == "lineItems":
        kept.setdefault("assignDate", today.isoformat())
        kept.setdefault("dueDate", kept["assignDate"])
        kept.setdefault("category", NO_CATEGORY)
    if kind.name == "scoreScales":
        kept.setdefault("type", "ext:scale")
        kept.setdefault("scoreScaleValue", [])
    return kept


def _read(name: str, form: Form, value: object) -> object:
    if form is Form.REF:
        return check_id(value.get("sourcedId") if isinstance(value, Mapping) else value)
    if form is Form.LIST:
        return _list(name, value)
    if form is Form.NUMBER:
        return _number(name, value)
    if form is Form.FLAG:
        if str(value).lower() not in ("true", "false"):
            raise Fault(422, f"{name} is true or false.")
        return str(value).lower()
    if not isinstance(value, str) or len(value) > _MAX_TEXT or "\0" in value:
        raise Fault(422, f"{name} is a text of at most {_MAX_TEXT} characters.")
    if form is Form.DATE:
        return _date(name, value)
    if form is Form.STATUS and value not in STATUSES and not _WORD.match(value):
        raise Fault(422, f"{name} is one of: {', '.join(sorted(STATUSES))}.")
    return value


def _list(name: str, value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > 200 or not all(isinstance(member, Mapping) for member in value):
        raise Fault(422, f"{name} is a list of at most 200 objects.")
    fields = ("itemValueLHS", "itemValueRHS") if name == "scoreScaleValue" else ("source", "learningObjectiveIds")
    kept: list[object] = []
    for member in value:
        if not all(_is_plain(member.get(part)) for part in fields):
            raise Fault(422, f"{name}: each member has {' and '.join(fields)}.")
        kept.append({part: member[part] for part in fields})
    return kept


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= 200 and all(isinstance(part, str) and _is_plain(part) for part in value)
    return isinstance(value, str) and len(value) <= _MAX_TEXT and "\0" not in value


def _number(name: str, value: object) -> float:
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or abs(number) > _MAX_SCORE:
        raise Fault(422, f"{name} is a number.")
    return number


def _date(name: str, value: str) -> str:
    try:
        return (datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)).isoformat()[:10]
    except ValueError:
        raise Fault(422, f"{name} is a date such as 2026-09-01.") from None
