"""The fields of every object of the roster: by which cell each is filtered and ordered, and in what form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum

from shuren.directory.data import RosterTable, RosterTest
from shuren.interop.rules.oneroster import words
from shuren.interop.rules.oneroster.faults import Fault, bad_filter, unknown_field
from shuren.interop.rules.oneroster.filters import Comparison
from shuren.kernel import ids
from shuren.kernel.errors import NotFound

_NOBODY = 0


class Form(StrEnum):
    """How a value is written."""

    TEXT = "text"
    WORD = "word"
    ID = "id"
    DATE = "date"
    MOMENT = "moment"
    NUMBER = "number"
    STATUS = "status"
    FLAG = "flag"
    BRANCH = "branch"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its cell, its form, and what else its form needs: the words, or the kind of id.

    `is_personal` marks what an app of others may know only as it was disclosed.
    """

    cell: str
    form: Form = Form.TEXT
    words: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    is_personal: bool = False
    is_sortable: bool = True


def _id(cell: str, kind: str) -> Field:
    return Field(cell, Form.ID, kind=kind, is_sortable=False)


def _word(cell: str, said: Mapping[str, str]) -> Field:
    return Field(cell, Form.WORD, words=said)


def _base(kind: str) -> dict[str, Field]:
    return {
        "sourcedId": Field("id", Form.ID, kind=kind),
        "status": Field("is_gone", Form.STATUS, is_sortable=False),
        "dateLastModified": Field("modified", Form.MOMENT),
    }


_BRANCH = Field("branch", Form.BRANCH, kind="org", is_sortable=False)


def _personal(cell: str) -> Field:
    return Field(cell, is_personal=True)


SESSION = {
    **_base("session"),
    "title": Field("title"),
    "type": _word("type", words.SESSION_TYPES),
    "startDate": Field("begin_date", Form.DATE),
    "endDate": Field("end_date", Form.DATE),
    "schoolYear": Field("school_year", Form.NUMBER),
    "parent.sourcedId": _id("parent", "session"),
}
ORG = {
    **_base("org"),
    "name": Field("name"),
    "type": _word("type", words.ORG_TYPES),
    "identifier": Field("code"),
    "parent.sourcedId": _id("parent", "org"),
}
COURSE = {
    **_base("course"),
    "title": Field("title"),
    "courseCode": Field("code"),
    "grades": Field("grades"),
    "subjects": Field("subject"),
    "org.sourcedId": _id("org", "org"),
    "schoolYear.sourcedId": _id("session", "session"),
}
CLASS = {
    **_base("org"),
    "title": Field("name"),
    "classCode": Field("class_code"),
    "classType": _word("class_type", words.CLASS_TYPES),
    "grades": Field("grade"),
    "course.sourcedId": _id("course", "course"),
    "school.sourcedId": _BRANCH,
    "terms.sourcedId": _id("term", "session"),
}
USER = {
    **_base("person"),
    "enabledUser": Field("is_active", Form.FLAG),
    "username": _personal("username"),
    "givenName": _personal("given_name"),
    "familyName": _personal("family_name"),
    "identifier": _personal("number"),
    "email": _personal("email"),
    "phone": _personal("phone"),
    "sms": _personal("phone"),
    "grades": _personal("grade"),
    "roles.role": Field("role", Form.WORD, words=words.ROLES, is_sortable=False),
    "roles.org.sourcedId": _BRANCH,
    "role": Field("role", Form.WORD, words=words.ROLES, is_sortable=False),
}
DEMOGRAPHICS = {
    **_base("person"),
    "birthDate": Field("birth_date", Form.DATE, is_personal=True),
    "sex": Field("sex", Form.WORD, words=words.SEXES, is_personal=True),
}
ENROLLMENT = {
    **_base("enrollment"),
    "user.sourcedId": _id("person", "person"),
    "class.sourcedId": _id("class", "org"),
    "school.sourcedId": _BRANCH,
    "role": _word("role", words.ENROLLMENT_ROLES),
    "primary": Field("leads", Form.FLAG, is_sortable=False),
    "beginDate": Field("begin_date", Form.DATE),
    "endDate": Field("end_date", Form.DATE),
}
# Fields of the standard that the house keeps nothing of: known, so that a filter finds nobody rather than being wrong.
UNKEPT = {
    RosterTable.SESSIONS: frozenset({"children.sourcedId"}),
    RosterTable.ORGS: frozenset({"children.sourcedId"}),
    RosterTable.COURSES: frozenset({"subjectCodes", "resources.sourcedId"}),
    RosterTable.CLASSES: frozenset({"location", "subjects", "subjectCodes", "periods", "resources.sourcedId"}),
    RosterTable.PEOPLE: frozenset(
        {
            "userMasterIdentifier",
            "middleName",
            "preferredFirstName",
            "preferredMiddleName",
            "preferredLastName",
            "pronouns",
            "userIds.type",
            "userIds.identifier",
            "agents.sourcedId",
            "primaryOrg.sourcedId",
            "roles.roleType",
            "americanIndianOrAlaskaNative",
            "asian",
            "blackOrAfricanAmerican",
            "nativeHawaiianOrOtherPacificIslander",
            "white",
            "demographicRaceTwoOrMoreRaces",
            "hispanicOrLatinoEthnicity",
            "countryOfBirthCode",
            "stateOfBirthAbbreviation",
            "cityOfBirth",
            "publicSchoolResidenceStatus",
        }
    ),
    RosterTable.ENROLLMENTS: frozenset(),
}


def test_of(part: Comparison, fields: Mapping[str, Field], table: RosterTable) -> RosterTest:
    """A comparison as a test of the database; raises a fault for a field that nobody knows or a value of the wrong form.

    Of a `BRANCH` the value is the org's id still: the caller knows its path.
    """
    found = fields.get(part.field)
    if found is None:
        if part.field in UNKEPT[table] or part.field.startswith("metadata."):
            return RosterTest("id", "=" if part.operator != "!=" else "!=", _NOBODY)
        raise unknown_field(part.field)
    if found.form is Form.WORD:
        return RosterTest(found.cell, "in", words.meant(found.words, part.operator, part.value))
    if found.form is Form.STATUS:
        gone = set(words.meant({"": "active", "1": "tobedeleted"}, part.operator, part.value))
        return _either(found.cell, gone)
    if found.form is Form.FLAG:
        return _either(found.cell, set(words.meant(words.FLAGS, part.operator, part.value)))
    if found.form in (Form.ID, Form.BRANCH):
        return _test_of_id(part, found)
    return RosterTest(found.cell, part.operator, _read(part, found))


def _either(cell: str, held: set[str]) -> RosterTest:
    if len(held) == 1:
        return RosterTest(cell, "=", held == {"1"})
    return RosterTest("id", "!=" if held else "=", _NOBODY)


def _test_of_id(part: Comparison, found: Field) -> RosterTest:
    if part.operator not in ("=", "!=", "~"):
        raise bad_filter(f"{part.field} is an opaque id; it can be compared with =, != and ~ only.")
    try:
        value = ids.decode(found.kind, part.value)
    except NotFound:
        value = _NOBODY
    operator = "!=" if part.operator == "!=" else "="
    return RosterTest("id" if value == _NOBODY else found.cell, operator, value)


def _read(part: Comparison, found: Field) -> str | int | date | datetime:
    if part.operator == "~":
        if found.form is Form.MOMENT:
            raise bad_filter(f"{part.field} is a moment; it can be compared with =, !=, <, <=, > and >=.")
        return part.value
    if found.form is Form.NUMBER:
        if not part.value.isascii() or not part.value.isdecimal() or len(part.value) > 9:
            raise bad_filter(f"{part.field} is a number.")
        return int(part.value)
    if found.form is Form.DATE:
        return _moment(part, found).date() if "T" in part.value else _day(part)
    return _moment(part, found) if found.form is Form.MOMENT else part.value


def _day(part: Comparison) -> date:
    try:
        return date.fromisoformat(part.value)
    except ValueError:
        raise bad_filter(f"{part.field} is a date such as 2026-09-01.") from None


def _moment(part: Comparison, found: Field) -> datetime:
    try:
        moment = datetime.fromisoformat(part.value)
    except ValueError:
        raise bad_filter(f"{part.field} is a moment such as 2026-09-01T00:00:00.000Z.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if not 1900 <= moment.year <= 2200:
        raise Fault(400, f"{part.field} lies outside the years 1900 to 2200.", minor="invalid_filter_field")
    return moment
