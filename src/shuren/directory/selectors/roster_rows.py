"""The standing roster, row by row, for exchange with other systems: tested, ordered and paged by the database.

The branches are the caller's: they come from a scope. Inside them everything is shown, with what ended as `is_gone`, so that
others learn of it. Rows are as old as their last change (see `Roster.modified_at`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Case, Exists, F, Model, OuterRef, Q, QuerySet, TextField, When
from django.db.models.functions import Coalesce, Substr

from shuren.directory.data import EnrollmentRole, OrgStatus, OrgType, Role, RosterQuery, RosterRow, RosterTable, RosterTest
from shuren.directory.models import AcademicSession, Affiliation, AppliedRoster, ClassDetail, Course, Enrollment, Org, Person
from shuren.directory.rules.tree import ids_of
from shuren.directory.selectors.people import covers_everything
from shuren.directory.selectors.roster_moments import FIRST, import_moments, modified_q
from shuren.directory.selectors.roster_tests import Cell, Kind, test_q
from shuren.kernel.clock import day_of
from shuren.kernel.clock import local as local_moment
from shuren.kernel.scope import Scope, path_q

_SCHOOLS = (OrgType.SCHOOL.value, OrgType.CAMPUS.value, OrgType.TEACHING_POINT.value)
_TAUGHT = {Role.PUPIL.value: EnrollmentRole.STUDENT.value, Role.TEACHER.value: EnrollmentRole.TEACHER.value}
_BASE = ("pk", "modified_at", "import_id")

_ORG = {
    "name": Cell("name"),
    "code": Cell("code"),
    "type": Cell("type"),
    "status": Cell("status"),
    "parent": Cell("parent_id", Kind.NUMBER),
    "path": Cell("path"),
}
_CLASS = {
    **_ORG,
    "class_code": Cell("class_detail__class_code"),
    "class_type": Cell("class_detail__class_type"),
    "course": Cell("class_detail__course_id", Kind.NUMBER),
    "grade": Cell("grade", Kind.LIST),
}
_CELLS: dict[RosterTable, dict[str, Cell]] = {
    RosterTable.SESSIONS: {
        "title": Cell("title"),
        "type": Cell("type"),
        "begin_date": Cell("begin_date", Kind.DATE),
        "end_date": Cell("end_date", Kind.DATE),
        "parent": Cell("parent_id", Kind.NUMBER),
        "school_year": Cell("school_year", Kind.NUMBER),
    },
    RosterTable.ORGS: _ORG,
    RosterTable.COURSES: {
        "title": Cell("title"),
        "code": Cell("code"),
        "grades": Cell("grades", Kind.LIST),
        "subject": Cell("subject", Kind.LIST),
        "org": Cell("org_id", Kind.NUMBER),
        "session": Cell("session_id", Kind.NUMBER),
    },
    RosterTable.CLASSES: _CLASS,
    RosterTable.PEOPLE: {
        "name": Cell("name"),
        "family_name": Cell("family"),
        "given_name": Cell("given"),
        "number": Cell("number"),
        "username": Cell("username"),
        "email": Cell("email", Kind.EMAIL),
        "phone": Cell("phone"),
        "grade": Cell("grade", Kind.LIST),
        "sex": Cell("sex"),
        "birth_date": Cell("birth_date", Kind.DATE),
        "is_active": Cell("is_active", Kind.FLAG),
    },
    RosterTable.ENROLLMENTS: {
        "person": Cell("person_id", Kind.NUMBER),
        "class": Cell("class_org_id", Kind.NUMBER),
        "role": Cell("role"),
        "is_primary": Cell("is_primary", Kind.FLAG),
        "begin_date": Cell("begin_date", Kind.DATE),
        "end_date": Cell("end_date", Kind.DATE),
        "path": Cell("org_path"),
    },
}
_MODELS: dict[RosterTable, type[Model]] = {
    RosterTable.SESSIONS: AcademicSession,
    RosterTable.ORGS: Org,
    RosterTable.COURSES: Course,
    RosterTable.CLASSES: Org,
    RosterTable.PEOPLE: Person,
    RosterTable.ENROLLMENTS: Enrollment,
}


def roster_rows(query: RosterQuery, *, now: datetime) -> list[RosterRow]:
    """One page. In the order of ids a page is found by `after`, however far on it is."""
    rows = _ordered(_tested(query, now), query)
    if query.after:
        rows = rows.filter(pk__gt=query.after)
    names = list(_CELLS[query.table])
    columns = [_CELLS[query.table][name].column for name in names]
    found = list(rows.values_list(*_BASE, *columns)[query.skip : query.skip + query.size])
    moments = import_moments({line[2] for line in found})
    cells = [dict(zip(names, line[3:], strict=True)) for line in found]
    _finish(query, [line[0] for line in found], cells, now)
    return [
        RosterRow(
            id=line[0],
            modified_at=_moment(line[1] or moments.get(line[2], FIRST), row, query.table, now),
            is_gone=_is_gone(query.table, row, now),
            cells=row,
        )
        for line, row in zip(found, cells, strict=True)
    ]


def roster_total(query: RosterQuery, *, now: datetime) -> int:
    """How many rows pass, over all pages."""
    return _tested(query, now).count()


def session_ids_of(paths: Sequence[str]) -> set[int]:
    """The terms in which classes of the branches are taught."""
    terms = ClassDetail.terms.through.objects.filter(path_q("classdetail__org__path", paths))
    return set(terms.values_list("academicsession_id", flat=True).distinct())


def _tested(query: RosterQuery, now: datetime) -> QuerySet[Any]:
    rows = _within(query, now)
    for test in query.narrowed:
        rows = rows.filter(_test(query, test, now))
    parts = [_test(query, test, now) for test in query.tests]
    if query.is_any and parts:
        joined = parts[0]
        for part in parts[1:]:
            joined |= part
        return rows.filter(joined)
    for part in parts:
        rows = rows.filter(part)
    return rows


def _ordered(rows: QuerySet[Any], query: RosterQuery) -> QuerySet[Any]:
    if query.order == "modified":
        applied = AppliedRoster.objects.filter(pk=OuterRef("import_id")).annotate(at=Coalesce("shown_at", "applied_at"))
        rows = rows.annotate(moment=Coalesce("modified_at", applied.values("at")[:1]))
    column = {"modified": "moment", "id": "pk"}.get(query.order) or (
        _CELLS[query.table][query.order].column if query.order in _CELLS[query.table] else "pk"
    )
    if column == "pk":
        return rows.order_by("-pk" if query.is_descending else "pk")
    first = F(column).desc(nulls_last=True) if query.is_descending else F(column).asc(nulls_first=True)
    return rows.order_by(first, "pk")


def _within(query: RosterQuery, now: datetime) -> QuerySet[Any]:
    table, paths = query.table, query.paths
    rows: QuerySet[Any] = _MODELS[table]._default_manager.visible()  # type: ignore[attr-defined]  # all are rosters
    if table is RosterTable.SESSIONS:
        return rows if paths else rows.none()
    if table in (RosterTable.ORGS, RosterTable.CLASSES):
        is_class = Q(type=OrgType.CLASS.value)
        return rows.filter(path_q("path", paths), is_class if table is RosterTable.CLASSES else ~is_class)
    if table is RosterTable.COURSES:
        taught = ClassDetail.objects.filter(path_q("org__path", paths), course=OuterRef("pk"))
        return rows.filter(path_q("org__path", paths) | Q(Exists(taught)))
    if table is RosterTable.ENROLLMENTS:
        return rows.filter(path_q("org_path", paths))
    rows = rows.annotate(family=_part("family_name", 1, 1), given=_part("given_name", 2, None))
    return rows if _is_everything(paths) else rows.filter(_tied(path_q("org_path", paths)))


def _part(column: str, first: int, length: int | None) -> Case:
    """A part of a name as it is kept, or where only the whole name is, cut from it behind the first character."""
    return Case(When(**{column: ""}, then=Substr("name", first, length)), default=F(column), output_field=TextField())


def _is_everything(paths: Sequence[str]) -> bool:
    return covers_everything(Scope(paths=tuple(paths)))


def _tied(condition: Q, *, role: str = "") -> Q:
    """People with a role or a place in a class as the condition says."""
    own = OuterRef("pk")
    held = Affiliation.objects.visible().filter(condition, person=own)
    taught = Enrollment.objects.visible().filter(condition, person=own)
    if role:
        held = held.filter(role=role)
        taught = taught.filter(role=_TAUGHT[role]) if role in _TAUGHT else taught.none()
    return Q(Exists(held)) | Q(Exists(taught))


def _open_q(now: datetime) -> Q:
    return Q(end_date__isnull=True) | Q(end_date__gt=day_of(now))


def _gone_q(query: RosterQuery, now: datetime) -> Q:
    table = query.table
    if table in (RosterTable.ORGS, RosterTable.CLASSES):
        return ~Q(status=OrgStatus.ACTIVE.value)
    if table is RosterTable.ENROLLMENTS:
        return Q(end_date__lte=day_of(now))
    if table is RosterTable.PEOPLE:
        gone = Q(is_active=False) | Q(merged_into__isnull=False)
        return gone if _is_everything(query.paths) else gone | ~_tied(path_q("org_path", query.paths) & _open_q(now))
    return Q(pk__in=())


def _test(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
    special = _SPECIAL.get((query.table, test.cell)) or _SPECIAL.get((None, test.cell))
    if special is not None:
        return special(query, test, now)
    return test_q(_CELLS[query.table][test.cell], test)


def _by_modified(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
    assert isinstance(test.value, datetime)
    has_ends = query.table is RosterTable.ENROLLMENTS
    table = _MODELS[query.table]._meta.db_table
    return modified_q(test.operator, test.value, table=table, today=day_of(now) if has_ends else None)


def _by_gone(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
    gone = _gone_q(query, now)
    return gone if bool(test.value) is (test.operator == "=") else ~gone


def _by_id(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
    return test_q(Cell("pk", Kind.NUMBER), test)


def _by_branch(column: str) -> Callable[[RosterQuery, RosterTest, datetime], Q]:
    def branch(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
        held = path_q(column, [str(test.value)])
        return ~held if test.operator == "!=" else held

    return branch


def _people_by_branch(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
    held = _tied(path_q("org_path", [str(test.value)]) & _open_q(now))
    return ~held if test.operator == "!=" else held


def _people_by_role(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
    return _holding(test.value, _open_q(now) & path_q("org_path", query.paths))


def _people_once(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
    """Who holds one of the roles in the branches, and who is gone and once did."""
    held = path_q("org_path", query.paths)
    return _holding(test.value, held & _open_q(now)) | (_gone_q(query, now) & _holding(test.value, held))


def _people_at(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
    """`value` is a branch, and the roles of which one is held there now."""
    assert isinstance(test.value, tuple)
    branch, *roles = test.value
    return _holding(tuple(roles), _open_q(now) & path_q("org_path", [str(branch)]))


def _holding(roles: object, condition: Q) -> Q:
    held = Q(pk__in=())
    for role in roles if isinstance(roles, tuple) else (roles,):
        held |= _tied(condition, role=str(role))
    return held


def _classes_of_person(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
    """`value` is the person, and the role when only classes are meant in which they hold it."""
    assert isinstance(test.value, tuple)
    person_id, role = test.value
    held = Enrollment.objects.visible().filter(_open_q(now), class_org=OuterRef("pk"), person_id=person_id)
    return Q(Exists(held.filter(role=role) if role else held))


def _classes_of_term(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
    held = ClassDetail.terms.through.objects.filter(classdetail=OuterRef("pk"), academicsession_id=str(test.value))
    return ~Q(Exists(held)) if test.operator == "!=" else Q(Exists(held))


def _leading(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
    """Places of class teachers."""
    leads = Q(role=EnrollmentRole.TEACHER.value, is_primary=True)
    return leads if bool(test.value) is (test.operator == "=") else ~leads


def _classes_lacking(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
    """Classes without a course, or without a term."""
    if test.value == "course":
        return Q(class_detail__course__isnull=True)
    return ~Q(Exists(ClassDetail.terms.through.objects.filter(classdetail=OuterRef("pk"))))


def _courses_in(query: RosterQuery, test: RosterTest, now: datetime) -> Q:
    branch = [str(test.value)]
    taught = ClassDetail.objects.filter(path_q("org__path", branch), course=OuterRef("pk"))
    return path_q("org__path", branch) | Q(Exists(taught))


_SPECIAL: dict[tuple[RosterTable | None, str], Callable[[RosterQuery, RosterTest, datetime], Q]] = {
    (None, "modified"): _by_modified,
    (None, "is_gone"): _by_gone,
    (None, "id"): _by_id,
    (RosterTable.ORGS, "branch"): _by_branch("path"),
    (RosterTable.CLASSES, "branch"): _by_branch("path"),
    (RosterTable.ENROLLMENTS, "branch"): _by_branch("org_path"),
    (RosterTable.COURSES, "branch"): _courses_in,
    (RosterTable.PEOPLE, "branch"): _people_by_branch,
    (RosterTable.PEOPLE, "role"): _people_by_role,
    (RosterTable.PEOPLE, "role_once"): _people_once,
    (RosterTable.PEOPLE, "role_at"): _people_at,
    (RosterTable.CLASSES, "person"): _classes_of_person,
    (RosterTable.CLASSES, "term"): _classes_of_term,
    (RosterTable.ENROLLMENTS, "leads"): _leading,
    (RosterTable.CLASSES, "lacks"): _classes_lacking,
}


def _moment(kept: datetime, row: Mapping[str, object], table: RosterTable, now: datetime) -> datetime:
    """A place in a class that ended by its date changed at that midnight."""
    end = row.get("end_date") if table is RosterTable.ENROLLMENTS else None
    if isinstance(end, date) and end <= day_of(now):
        zone = local_moment(now).tzinfo
        return max(kept, datetime(end.year, end.month, end.day, tzinfo=zone).astimezone(UTC))
    return kept


def _is_gone(table: RosterTable, row: Mapping[str, object], now: datetime) -> bool:
    if table in (RosterTable.ORGS, RosterTable.CLASSES):
        return row["status"] != OrgStatus.ACTIVE.value
    if table is RosterTable.ENROLLMENTS:
        return isinstance(row["end_date"], date) and row["end_date"] <= day_of(now)
    return table is RosterTable.PEOPLE and not row["is_here"]


def _finish(query: RosterQuery, found: Sequence[int], cells: list[dict[str, object]], now: datetime) -> None:
    """What stands in other tables: the school above a class, its terms, whether a person is still here."""
    table = query.table
    if table in (RosterTable.CLASSES, RosterTable.ENROLLMENTS):
        schools = school_ids_above(str(row["path"]) for row in cells)
        for row in cells:
            row["school"] = schools[str(row["path"])]
    if table is RosterTable.CLASSES:
        pairs = ClassDetail.terms.through.objects.filter(classdetail_id__in=found).order_by("academicsession_id")
        terms: dict[int, list[int]] = {}
        for class_id, term_id in pairs.values_list("classdetail_id", "academicsession_id"):
            terms.setdefault(class_id, []).append(term_id)
        for pk, row in zip(found, cells, strict=True):
            row["terms"] = terms.get(pk, [])
    if table is RosterTable.PEOPLE:
        gone = set(Person.objects.filter(_gone_q(query, now), pk__in=found).values_list("pk", flat=True))
        for pk, row in zip(found, cells, strict=True):
            row["is_here"] = pk not in gone


def school_ids_above(paths: Iterable[str]) -> dict[str, int]:
    """The nearest school of each path, or where there is none the org above."""
    wanted = set(paths)
    above = {org_id for path in wanted for org_id in ids_of(path)[:-1]}
    schools = set(Org.objects.filter(pk__in=above, type__in=_SCHOOLS).values_list("pk", flat=True))
    found = {}
    for path in wanted:
        chain = ids_of(path)
        found[path] = next((org_id for org_id in reversed(chain[:-1]) if org_id in schools), chain[-2] if chain[1:] else chain[0])
    return found
