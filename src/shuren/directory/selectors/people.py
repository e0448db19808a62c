"""People, read: one, many, of an org, of a class."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from shuren.directory.data import (
    AffiliationData,
    EnrollmentData,
    EnrollmentRole,
    GuardianData,
    OrgStatus,
    Permission,
    PersonData,
    Role,
    RoleOption,
    Sex,
)
from shuren.directory.models import Affiliation, AppliedRoster, Enrollment, FormerNumber, GuardianLink, Org, Person
from shuren.directory.selectors.orgs import CHUNK
from shuren.directory.selectors.scope import active_grant_q, current_q, scope_of
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import Scope, path_q


def person_data(person: Person) -> PersonData:
    return PersonData(
        id=person.pk,
        public_id=ids.encode("person", person.pk),
        sourced_id=person.sourced_id,
        number=person.number,
        name=person.name,
        sex=Sex(person.sex),
        is_synthetic=person.is_synthetic,
    )


def access_person(*, actor: Actor, id: int, permission: Permission, now: datetime) -> PersonData:
    """The person, if `actor` holds `permission` on them; otherwise `NotFound`, as if they did not exist."""
    return person_data(person_row_for(actor=actor, id=id, permission=permission, now=now))


def person_row_for(*, actor: Actor, id: int, permission: Permission, now: datetime) -> Person:
    return person_row_within(scope_of(actor=actor, permission=permission, now=now), id, day=day_of(now))


def person_row_within(scope: Scope, id: int, *, day: date) -> Person:
    person = Person.objects.visible().filter(pk=id, merged_into__isnull=True).first()
    if person is None or person.pk not in people_within(scope, [person.pk], day=day):
        raise NotFound(_("没有找到这个人。"))
    return person


def people_within(scope: Scope, person_ids: Collection[int], *, day: date) -> set[int]:
    """Those of `person_ids` that a scope reaches: named in it, or affiliated or enrolled in one of its branches.

    A past affiliation reaches nobody, one that is still to begin does. A scope that covers the whole installation also
    reaches people who belong nowhere.
    """
    found = set(scope.person_ids) & set(person_ids)
    rest = sorted(set(person_ids) - found)
    if not rest or not scope.paths:
        return found
    if covers_everything(scope):
        return found | set(rest)
    open_q = Q(end_date__isnull=True) | Q(end_date__gt=day)
    for model in (Affiliation, Enrollment):
        if rest:
            rows = model.objects.visible().filter(path_q("org_path", scope.paths), open_q, person_id__in=rest)
            found |= set(rows.values_list("person_id", flat=True))
            rest = [id for id in rest if id not in found]
    return found


def person_ids_by_name_and_phone(*, name: str, phone: str) -> list[int]:
    """People of exactly this name and phone number, merged ones left out; at most ten."""
    if not name or not phone:
        return []
    rows = Person.objects.visible().filter(phone=phone, phone__gt="", name=name, merged_into__isnull=True)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:10])


def people_added_by(import_id: int) -> tuple[int, int]:
    """The half-open range of ids of the people a roster added; empty when it added none or was undone."""
    applied = AppliedRoster.objects.filter(pk=import_id, undone_at__isnull=True).first()
    first, end = applied.ranges.get(Person._meta.db_table, (0, 0)) if applied else (0, 0)
    return int(first), int(end)


def covers_everything(scope: Scope) -> bool:
    """Whether the scope holds the region's root, judged without a query where no path is a root's.

    Trees that stand apart hold nobody real, so they do not count.
    """
    tops = [path for path in scope.paths if path.count("/") == 1]
    if not tops:
        return False
    roots = Org.objects.visible().filter(parent__isnull=True).order_by("id")
    return roots.values_list("path", flat=True).first() in tops


def people_by_ids(person_ids: Iterable[int]) -> dict[int, PersonData]:
    """People by row id; one who was merged is answered with their own old row."""
    wanted = sorted(set(person_ids))
    found: dict[int, PersonData] = {}
    for start in range(0, len(wanted), CHUNK):
        found.update(
            (person.pk, person_data(person)) for person in Person.objects.visible().filter(pk__in=wanted[start : start + CHUNK])
        )
    return found


def people_of_org(*, path: str, roles: Collection[Role] | None, day: date, limit: int) -> list[PersonData]:
    rows = (
        Affiliation.objects.visible().filter(path_q("org_path", [path]), current_q(day)).order_by("org_path", "role", "person_id")
    )
    if roles is not None:
        rows = rows.filter(role__in=[role.value for role in roles])
    wanted = list(dict.fromkeys(rows.values_list("person_id", flat=True)[:limit]))
    found = people_by_ids(wanted)
    return [found[id] for id in wanted]


def members_of_org(*, org_id: int, roles: Collection[Role], day: date, limit: int) -> list[PersonData]:
    """People of one org itself, not of those below it, by name as the directory sorts it; pupils are those enrolled."""
    wanted: list[int] = []
    if Role.PUPIL in roles:
        seats = Enrollment.objects.visible().filter(current_q(day), class_org_id=org_id, role=EnrollmentRole.STUDENT)
        wanted += seats.order_by("person__sort_key", "person_id").values_list("person_id", flat=True)[:limit]
    others = [role.value for role in roles if role is not Role.PUPIL]
    if others:
        rows = Affiliation.objects.visible().filter(current_q(day), org_id=org_id, role__in=others)
        wanted += rows.order_by("person__sort_key", "person_id").values_list("person_id", flat=True)[:limit]
    found = people_by_ids(wanted)
    return [found[id] for id in dict.fromkeys(wanted) if id in found]


def affiliations_of(person_ids: Collection[int], *, day: date | None = None) -> list[AffiliationData]:
    """Affiliations, newest first; with `day` only those in force on it."""
    rows = Affiliation.objects.visible().filter(person_id__in=person_ids).order_by("-begin_date", "-id")
    columns = ("person_id", "org_id", "org_path", "role", "is_primary", "begin_date", "end_date")
    found = (rows if day is None else rows.filter(current_q(day))).values_list(*columns)
    return [AffiliationData(p, o, path, Role(role), main, begin, end) for p, o, path, role, main, begin, end in found]


def enrollments_of_paths(
    paths: Sequence[str], *, role: EnrollmentRole | None, day: date | None, is_primary: bool | None
) -> Iterator[EnrollmentData]:
    """Every enrollment in the branches, streamed in order of class path."""
    rows = Enrollment.objects.visible().filter(path_q("org_path", paths)).order_by("org_path", "role", "person_id")
    if role is not None:
        rows = rows.filter(role=role.value)
    if day is not None:
        rows = rows.filter(current_q(day))
    if is_primary is not None:
        rows = rows.filter(is_primary=is_primary)
    columns = ("person_id", "class_org_id", "org_path", "role", "is_primary", "begin_date", "end_date")
    for person, org, path, kind, main, begin, end in rows.values_list(*columns).iterator(chunk_size=CHUNK):
        yield EnrollmentData(person, org, path, EnrollmentRole(kind), main, begin, end)


def enrollments_of_people(person_ids: Collection[int], *, day: date | None = None) -> list[EnrollmentData]:
    """Enrollments, newest first; with `day` only those in force on it."""
    columns = ("person_id", "class_org_id", "org_path", "role", "is_primary", "begin_date", "end_date")
    wanted = sorted(set(person_ids))
    found: list[EnrollmentData] = []
    for start in range(0, len(wanted), CHUNK):
        rows = Enrollment.objects.visible().filter(person_id__in=wanted[start : start + CHUNK]).order_by("-begin_date", "-id")
        rows = rows if day is None else rows.filter(current_q(day))
        for person, org, path, kind, main, begin, end in rows.values_list(*columns):
            found.append(EnrollmentData(person, org, path, EnrollmentRole(kind), main, begin, end))
    return found


def class_teachers_of(class_ids: Collection[int], *, day: date) -> dict[int, list[int]]:
    """Class teachers per class: teachers enrolled as primary, and class teachers affiliated with the class itself."""
    teaching = (
        Enrollment.objects.visible()
        .filter(current_q(day), class_org_id__in=class_ids, role=EnrollmentRole.TEACHER, is_primary=True)
        .values_list("class_org_id", "person_id")
    )
    affiliated = Affiliation.objects.visible().filter(current_q(day), org_id__in=class_ids, role=Role.CLASS_TEACHER)
    found: dict[int, list[int]] = {id: [] for id in class_ids}
    for class_id, person_id in [*teaching, *affiliated.values_list("org_id", "person_id")]:
        if person_id not in found[class_id]:
            found[class_id].append(person_id)
    return found


def wards_of(guardian_ids: Collection[int], *, day: date) -> list[GuardianData]:
    return _links(Q(guardian_id__in=guardian_ids), day)


def guardians_of(ward_ids: Collection[int], *, day: date) -> list[GuardianData]:
    return _links(Q(ward_id__in=ward_ids), day)


def _links(condition: Q, day: date) -> list[GuardianData]:
    rows = GuardianLink.objects.visible().filter(condition, current_q(day)).order_by("id")
    return [GuardianData(*row) for row in rows.values_list("guardian_id", "ward_id", "relation")]


def person_ids_by_sourced(sourced_ids: Iterable[str]) -> dict[str, int]:
    return _ids_by("sourced_id", sourced_ids)


def person_ids_by_number(numbers: Iterable[str]) -> dict[str, int]:
    """People by number for life, then 学籍号, then staff number, then any former number; merged people lead on."""
    wanted = {text for text in numbers if text}
    found: dict[str, int] = {}
    for column in ("number", "pupil_number", "staff_number"):
        found.update(_ids_by(column, wanted - found.keys()))
    rest = sorted(wanted - found.keys())
    for start in range(0, len(rest), CHUNK):
        rows = FormerNumber.objects.filter(value__in=rest[start : start + CHUNK]).order_by("until", "id")
        found.update(rows.values_list("value", "person_id"))
    return found


def _ids_by(column: str, values: Iterable[str]) -> dict[str, int]:
    wanted = sorted(set(values))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = Person.objects.visible().filter(**{f"{column}__in": wanted[start : start + CHUNK]}).order_by("-pk")
        for text, pk, merged in rows.values_list(column, "pk", "merged_into_id"):
            found[text] = merged or pk
    return found


def role_options(person_id: int, now: datetime) -> list[RoleOption]:
    """The hats a person may choose from, each with the first org it comes from; in the order of `Role`."""
    day = day_of(now)
    person = Person.objects.get(pk=person_id)
    seen: dict[Role, RoleOption] = {}
    sources = [
        person.grants.filter(active_grant_q(now), org__status=OrgStatus.ACTIVE).values_list("role", "org_id", "org__name"),
        person.affiliations.visible()
        .filter(current_q(day), org__status=OrgStatus.ACTIVE)
        .values_list("role", "org_id", "org__name"),
    ]
    for rows in sources:
        for role, org_id, name in rows:
            seen.setdefault(Role(role), RoleOption(Role(role), org_id, name))
    classes = person.enrollments.visible().filter(current_q(day), class_org__status=OrgStatus.ACTIVE)
    for kind, main, org_id, name in classes.values_list("role", "is_primary", "class_org_id", "class_org__name"):
        is_teacher = kind == EnrollmentRole.TEACHER
        for role in (Role.TEACHER, Role.CLASS_TEACHER)[: 1 + main] if is_teacher else (Role.PUPIL,):
            seen.setdefault(role, RoleOption(role, org_id, name))
    if person.ward_links.visible().filter(current_q(day)).exists():
        seen[Role.PARENT] = RoleOption(Role.PARENT, None, "")
    return [seen[role] for role in Role if role in seen]
