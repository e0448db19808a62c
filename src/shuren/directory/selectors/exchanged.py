"""What the roster tells the registry of standards: its formats, field by field, and which codes people and orgs state."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from django.db.models import Count, Model

from shuren.directory.models import AcademicSession, Affiliation, ClassDetail, Course, Enrollment, GuardianLink, Org, Person
from shuren.directory.rules.roster.oneroster import FILES, ORG_TYPES, ROLE_WORDS, FileSpec
from shuren.directory.rules.roster.workbook import CLASSES, SHEETS, Column, Sheet
from shuren.standards import api as standards
from shuren.standards.data import ExchangeField, ExchangeFormat, UseKind, WordUse

_SUBJECTS = {"link": "guardian", "demographic": "person"}
_CELLS = {"class_code": "code", "class_type": "type"}
_STORED: Mapping[str, tuple[tuple[type[Model], str], ...]] = {
    "sex": ((Person, "sex"),),
    "grade": ((Person, "grade"), (Org, "grade")),
    "org_type": ((Org, "type"),),
    "org_status": ((Org, "status"),),
    "role": ((Affiliation, "role"),),
    "class_type": ((ClassDetail, "class_type"),),
    "enrollment_role": ((Enrollment, "role"),),
    "session_type": ((AcademicSession, "type"),),
    "subject": ((Course, "subject"),),
    "guardian_relation": ((GuardianLink, "relation"),),
}
_LIST = r"[0-9A-Za-z]{1,8}(,[0-9A-Za-z]{1,8})*"
# OneRoster writes these in words of its own: the element behind is the same, its codes are not.
_OWN_VALUES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("orgs", "type"): ORG_TYPES,
    ("roles", "role"): ROLE_WORDS,
    ("roles", "roleType"): ("primary", "secondary"),
    ("users", "enabledUser"): ("true", "false"),
    ("enrollments", "role"): ("administrator", "proctor", "student", "teacher"),
    ("demographics", "sex"): ("female", "male", "other", "unspecified"),
}
_OWN_PATTERNS = {
    ("users", "grades"): _LIST,
    ("courses", "grades"): _LIST,
    ("classes", "grades"): _LIST,
    ("courses", "subjects"): r"[^\r\n]{1,400}",
    ("orgs", "metadata.grade"): _LIST,
}

# The workbook itself speaks Chinese alone; its sheets are called so to readers of English.
_SHEET_NAMES = {
    "机构": "organizations",
    "学年学期": "academic sessions",
    "课程": "courses",
    "班级": "classes",
    "教职工": "staff",
    "学生": "pupils",
    "家长": "guardians",
    "任课": "teaching",
}


def roster_formats() -> Iterator[ExchangeFormat]:
    """The files of OneRoster 1.2 and the sheets of the house's workbook, as both are read."""
    for spec in FILES.values():
        names = [*spec.header, *spec.extensions]
        title = f"OneRoster {spec.name}.csv"
        yield ExchangeFormat(
            f"oneroster.{spec.name}", title, title, "OneRoster 1.2", tuple(_csv_field(spec, name) for name in names)
        )
    for number, sheet in enumerate(SHEETS, start=1):
        fields = tuple(_sheet_field(sheet, column) for column in sheet.columns)
        title, title_en = f"名册工作簿：{sheet.name}", f"Roster workbook: {_SHEET_NAMES[sheet.name]}"
        yield ExchangeFormat(f"workbook.{number:02}", title, title_en, "", fields)


def words_stored() -> Iterator[WordUse]:
    """Code sets whose codes people, orgs and what lies between them state."""
    for code_set, places in _STORED.items():
        for model, column in places:
            yield WordUse(UseKind.TABLE, f"{model._meta.db_table}.{column}", code_set=code_set)


def codes_stored(code_set: str, codes: Collection[str]) -> Mapping[str, int]:
    """How many people, orgs and the like state each of these codes."""
    found: Counter[str] = Counter()
    for model, column in _STORED.get(code_set, ()):
        rows = model._default_manager.filter(**{f"{column}__in": list(codes)}).order_by()
        found.update(dict(rows.values_list(column).annotate(count=Count("pk"))))
    return found


def _csv_field(spec: FileSpec, name: str) -> ExchangeField:
    cell = {**spec.cells, **spec.extensions}.get(name, "")
    element = _element("class" if spec.name == "classes" else spec.table, cell)
    return ExchangeField(
        name,
        element=element,
        is_required=name in spec.required or name == "sourcedId",
        values=_OWN_VALUES.get((spec.name, name), ()),
        pattern=_OWN_PATTERNS.get((spec.name, name), ""),
        jyt=standards.jyt_name(element),
    )


def _sheet_field(sheet: Sheet, column: Column) -> ExchangeField:
    table = "class" if sheet is CLASSES else sheet.table
    prefix, _line, cell = column.cell.partition("_")
    places = {"a": "affiliation", "e": "enrollment", "l": "link"}
    element = _element(places[prefix], cell) if prefix in places else _element(table, column.cell)
    return ExchangeField(
        column.heading,
        element=element,
        is_required=column.is_required,
        values=tuple(column.choices),
        pattern=r"[^\r\n]{1,120}" if element in _FREE else "",
        jyt=standards.jyt_name(element),
        note=column.note,
    )


# What a clerk writes in words of their own is turned into codes when it is read.
_FREE = frozenset({"guardian.relation", "course.subject"})


def _element(table: str, cell: str) -> str:
    """The element that a staged cell carries; empty for what only ties rows together."""
    if table == "class" and cell not in ("name", "class_code", "class_type"):
        table = "org"
    code = f"{_SUBJECTS.get(table, table)}.{_CELLS.get(cell, cell)}"
    return code if standards.known_element(code) is not None else ""
