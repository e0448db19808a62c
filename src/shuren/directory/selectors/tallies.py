"""Counts of what holds on a day, by everything that a statistics form tells apart: one statement per subject.

No access filter here: the caller has asked for every unit. Pupils are those whose homeroom lies in the unit, and whoever works at
several places of it counts once, with all roles.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from shuren.directory.data import (
    EnrollmentRole,
    OrgData,
    OrgType,
    PersonRow,
    Role,
    Sex,
    TallyAsked,
    TallyCondition,
    TallyRow,
    TallySubject,
)
from shuren.directory.models import Affiliation, Enrollment, Org
from shuren.directory.rules.tallies import born_by, told_grade, written_grades
from shuren.directory.rules.tree import prefixes_of
from shuren.directory.selectors.orgs import org_data
from shuren.directory.selectors.people_list import list_row
from shuren.directory.selectors.scope import current_q
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import path_q

_BATCH = 5_000
# Who works somewhere; pupils and parents only belong there.
WORKING = tuple(role.value for role in Role if role not in (Role.PUPIL, Role.PARENT, Role.VENDOR))


def tally(asked: TallyAsked) -> Iterator[TallyRow]:
    """Rows of everything that is alike, unit by unit."""
    return _SUBJECTS[asked.subject](asked)


def tallied_people(asked: TallyAsked, condition: TallyCondition, *, number: int = 1, size: int = 50) -> Page[PersonRow]:
    """A page of the pupils or of those who work in the units and count as `condition` says, in order of name."""
    if asked.subject is TallySubject.PUPILS:
        pupils = _with_facts(_pupils(asked), asked).filter(_person_q(asked, condition)).select_related("person", "class_org")
        pupils = pupils.filter(class_org__grade__in=written_grades(condition.grades)) if condition.grades else pupils
        # Somebody in two homerooms is two rows of one list, as they are two in the count.
        return page_of(pupils.order_by("person__sort_key", "pk"), _pupil_row, number=number, size=size)
    staff = _with_facts(_staff(asked), asked).filter(_person_q(asked, replace(condition, is_new=None)))
    if condition.is_new is not None and asked.since is not None:
        # New is who has been there since, and in no other role before.
        before = _staff(asked).exclude(_new_q(asked, "begin_date")).values("person_id")
        staff = staff.exclude(person_id__in=before) if condition.is_new else staff.filter(person_id__in=before)
    staff = staff.filter(role__in=[role.value for role in condition.roles]) if condition.roles else staff
    firsts = staff.order_by("person_id", "pk")
    once: dict[int, int] = {}
    for pk, person_id in firsts.values_list("pk", "person_id").iterator(chunk_size=_BATCH):
        once.setdefault(person_id, pk)
    rows = Affiliation.objects.filter(pk__in=once.values()).select_related("person", "org")
    return page_of(rows.order_by("person__sort_key", "pk"), _staff_row, number=number, size=size)


def tallied_orgs(asked: TallyAsked, condition: TallyCondition, *, number: int = 1, size: int = 50) -> Page[OrgData]:
    """A page of the homerooms or orgs of the units that count as `condition` says."""
    found = Q()
    if condition.grades:
        found &= Q(grade__in=written_grades(condition.grades))
    if condition.types:
        found &= Q(type__in=[kind.value for kind in condition.types])
    if condition.is_new is not None:
        found &= _new_q(asked, "begin_date") if condition.is_new else ~_new_q(asked, "begin_date")
    if asked.subject is TallySubject.ORGS:
        return page_of(_orgs(asked).filter(found).order_by("path"), org_data, number=number, size=size)
    classes = _classes(asked).filter(found)
    if condition.size_from is not None:
        classes = classes.filter(Q(pupils__gte=condition.size_from))
    if condition.size_below is not None:
        classes = classes.filter(Q(pupils__lt=condition.size_below))
    return page_of(classes.order_by("path"), org_data, number=number, size=size)


def _pupils(asked: TallyAsked) -> QuerySet[Enrollment]:
    rows = Enrollment.objects.visible().filter(current_q(asked.day), path_q("org_path", asked.units))
    return rows.filter(role=EnrollmentRole.STUDENT.value, is_primary=True)


def _staff(asked: TallyAsked) -> QuerySet[Affiliation]:
    rows = Affiliation.objects.visible().filter(current_q(asked.day), path_q("org_path", asked.units))
    return rows.filter(role__in=WORKING)


def _orgs(asked: TallyAsked) -> QuerySet[Org]:
    return Org.objects.visible().filter(current_q(asked.day), path_q("path", asked.units)).defer("geometry")


def _classes(asked: TallyAsked) -> QuerySet[Any]:
    """The homerooms, each with its `pupils`."""
    day = asked.day
    begun = Q(enrollments__begin_date__isnull=True) | Q(enrollments__begin_date__lte=day)
    holding = begun & (Q(enrollments__end_date__isnull=True) | Q(enrollments__end_date__gt=day))
    pupils = Q(enrollments__role=EnrollmentRole.STUDENT.value, enrollments__is_primary=True) & holding
    rows = _orgs(asked).filter(type=OrgType.CLASS.value)
    rows = rows.filter(Q(class_detail__isnull=True) | Q(class_detail__class_type="homeroom"))
    return rows.annotate(pupils=Count("enrollments__person_id", filter=pupils, distinct=True))


def _with_facts(rows: QuerySet[Any], asked: TallyAsked) -> QuerySet[Any]:
    """The band of age, by comparing dates: taking a date apart is a call out of the database for every row."""
    bands = sorted({0, *asked.ages}, reverse=True)
    whens = [When(person__birth_date__lte=born_by(asked.day, age), then=Value(age)) for age in bands]
    is_new = Case(When(_new_q(asked, "begin_date"), then=Value(1)), default=Value(0), output_field=IntegerField())
    band = Case(*whens, default=Value(None), output_field=IntegerField()) if asked.ages else Value(None, IntegerField(null=True))
    found: QuerySet[Any] = rows.annotate(band=band, is_new=is_new)
    return found


def _new_q(asked: TallyAsked, column: str) -> Q:
    return Q(**{f"{column}__gte": asked.since}) if asked.since else Q(pk__in=())


def _person_q(asked: TallyAsked, condition: TallyCondition) -> Q:
    found = Q()
    if condition.sexes:
        found &= Q(person__sex__in=[sex.value for sex in condition.sexes])
    if condition.age_from is not None:
        found &= Q(person__birth_date__lte=born_by(asked.day, condition.age_from))
    if condition.age_below is not None:
        found &= Q(person__birth_date__gt=born_by(asked.day, condition.age_below), person__birth_date__lte=asked.day)
    if condition.is_new is not None:
        found &= Q(is_new=int(condition.is_new))
    return found


def _tally_pupils(asked: TallyAsked) -> Iterator[TallyRow]:
    rows = _with_facts(_pupils(asked), asked).order_by()
    found = rows.values_list("org_path", "class_org__grade", "person__sex", "band", "is_new").annotate(size=Count("pk"))
    counts: Counter[tuple[str, str, str, int | None, int]] = Counter()
    units = frozenset(asked.units)
    for path, grade, sex, band, is_new, size in found.iterator(chunk_size=_BATCH):
        counts[_unit_of(path, units), told_grade(grade), sex, band, is_new] += size
    for (unit, grade, sex, band, is_new), size in counts.items():
        yield TallyRow(unit, size, grade=grade, sex=Sex(sex), age=band, is_new=bool(is_new))


def _tally_staff(asked: TallyAsked) -> Iterator[TallyRow]:
    rows = _with_facts(_staff(asked), asked).order_by()
    units = frozenset(asked.units)
    roles: dict[tuple[str, int], set[Role]] = defaultdict(set)
    facts: dict[tuple[str, int], tuple[str, int | None, int]] = {}
    told = rows.values_list("org_path", "person_id", "role", "person__sex", "band", "is_new")
    for path, person_id, role, sex, band, is_new in told.iterator(chunk_size=_BATCH):
        key = _unit_of(path, units), person_id
        roles[key].add(Role(role))
        before = facts.get(key)
        facts[key] = (sex, band, is_new if before is None else min(is_new, before[2]))
    counts: Counter[tuple[str, frozenset[Role], tuple[str, int | None, int]]] = Counter()
    for key, held in roles.items():
        counts[key[0], frozenset(held), facts[key]] += 1
    for (unit, held_roles, (sex, band, is_new)), size in counts.items():
        yield TallyRow(unit, size, roles=held_roles, sex=Sex(sex), age=band, is_new=bool(is_new))


def _tally_classes(asked: TallyAsked) -> Iterator[TallyRow]:
    units = frozenset(asked.units)
    for org in _classes(asked).order_by().iterator(chunk_size=_BATCH):
        is_new = bool(asked.since and org.begin_date and org.begin_date >= asked.since)
        yield TallyRow(
            _unit_of(org.path, units), 1, grade=told_grade(org.grade), size=org.pupils, type=OrgType.CLASS, is_new=is_new
        )


def _tally_orgs(asked: TallyAsked) -> Iterator[TallyRow]:
    counts: Counter[tuple[str, str, str, bool]] = Counter()
    units = frozenset(asked.units)
    rows = _orgs(asked).order_by().values_list("path", "type", "grade", "begin_date")
    for path, kind, grade, begun in rows.iterator(chunk_size=_BATCH):
        counts[_unit_of(path, units), kind, told_grade(grade), bool(asked.since and begun and begun >= asked.since)] += 1
    for (unit, kind, grade, is_new), size in counts.items():
        yield TallyRow(unit, size, type=OrgType(kind), grade=grade, is_new=is_new)


def _unit_of(path: str, units: frozenset[str]) -> str:
    return next(prefix for prefix in prefixes_of(path) if prefix in units)


def _pupil_row(row: Enrollment) -> PersonRow:
    return list_row(row.person, Role.PUPIL, row.class_org)


def _staff_row(row: Affiliation) -> PersonRow:
    return list_row(row.person, Role(row.role), row.org)


_SUBJECTS = {
    TallySubject.PUPILS: _tally_pupils,
    TallySubject.STAFF: _tally_staff,
    TallySubject.CLASSES: _tally_classes,
    TallySubject.ORGS: _tally_orgs,
}
