"""One object of an answer, read field by field: whatever is not as the standard wants it is named, never guessed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

_LONGEST = 1_000
_SHOWN = 120
_ID_LENGTH = 64
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Reason(StrEnum):
    """Why a field cannot be taken."""

    MISSING = "missing"
    NOT_TEXT = "not_text"
    NOT_AN_OBJECT = "not_an_object"
    TOO_LONG = "too_long"
    NOT_A_DAY = "not_a_day"
    NOT_A_MOMENT = "not_a_moment"
    NOT_A_SWITCH = "not_a_switch"
    NOT_A_LIST = "not_a_list"
    WORD = "word"
    BEYOND = "beyond"


class Malformed(Exception):
    """A field of an object is not as the standard wants it."""

    def __init__(self, field: str, reason: Reason, value: object = "") -> None:
        super().__init__(field)
        self.field = field
        self.reason = reason
        self.value = str(value)[:_SHOWN]


@dataclass(frozen=True, slots=True)
class Cells:
    """An object as it was sent; every reader answers text for a cell, empty where an optional field is not there."""

    sent: Mapping[str, object]

    @classmethod
    def of(cls, sent: object, field: str = "") -> "Cells":
        if not isinstance(sent, Mapping):
            raise Malformed(field, Reason.NOT_AN_OBJECT, sent)
        return cls(sent)

    def text(self, field: str, *, is_required: bool = False, longest: int = _LONGEST) -> str:
        value = self.sent.get(field)
        if value is None or value == "":
            if is_required:
                raise Malformed(field, Reason.MISSING)
            return ""
        if not isinstance(value, str):
            raise Malformed(field, Reason.NOT_TEXT, value)
        if len(value) > longest:
            raise Malformed(field, Reason.TOO_LONG, value)
        return value.strip()

    def id(self) -> str:
        return self.text("sourcedId", is_required=True, longest=_ID_LENGTH)

    def day(self, field: str, *, is_required: bool = False) -> str:
        text = self.text(field, is_required=is_required)
        if not text:
            return ""
        # Some services write a moment where the standard wants a day; the day is what they mean.
        try:
            return date.fromisoformat(text[:10]).isoformat() if _DAY.match(text) else _not_a_day(field, text)
        except ValueError:
            return _not_a_day(field, text)

    def moment(self, field: str) -> datetime:
        text = self.text(field, is_required=True)
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise Malformed(field, Reason.NOT_A_MOMENT, text) from None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def switch(self, field: str, *, is_required: bool = False) -> str:
        value = self.sent.get(field)
        if isinstance(value, bool):
            return str(value).lower()
        text = self.text(field, is_required=is_required).lower()
        if text not in ("true", "false", ""):
            raise Malformed(field, Reason.NOT_A_SWITCH, text)
        return text

    def words(self, field: str) -> str:
        """A list of words as one cell."""
        value = self.sent.get(field)
        if value is None:
            return ""
        parts = [value] if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise Malformed(field, Reason.NOT_A_LIST, value)
        return ",".join(part.strip() for part in parts if part.strip())

    def ref(self, field: str, *, is_required: bool = False) -> str:
        """The id that a reference names."""
        value = self.sent.get(field)
        if value is None and not is_required:
            return ""
        if value is None:
            raise Malformed(field, Reason.MISSING)
        return _named(value, field)

    def refs(self, field: str) -> list[str]:
        return [_named(value, field) for value in self.many(field)]

    def many(self, field: str) -> list[object]:
        value = self.sent.get(field)
        if value is None:
            return []
        if not isinstance(value, list):
            raise Malformed(field, Reason.NOT_A_LIST, value)
        return value


def _named(value: object, field: str) -> str:
    try:
        return Cells.of(value, field).id()
    except Malformed as fault:
        inner = fault.field if fault.field != field else ""
        raise Malformed(".".join(filter(None, (field, inner))), fault.reason, fault.value) from None


def _not_a_day(field: str, text: str) -> str:
    raise Malformed(field, Reason.NOT_A_DAY, text)
