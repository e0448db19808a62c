"""People and orgs inside a scope by place in a list, for protocols that walk all of them, and the places people hold."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from shuren.directory.data import AffiliationData, CountKind, OrgData, OrgStatus, Role
from shuren.directory.models import Affiliation, AppliedRoster, Enrollment, Org, Person
from shuren.directory.rules.tree import ids_of
from shuren.directory.selectors.counts import count_of
from shuren.directory.selectors.orgs import branch_rows, org_data, root_org
from shuren.directory.selectors.people import covers_everything
from shuren.directory.selectors.scope import current_q
from shuren.kernel.scope import Scope, path_q

# Up to here the ids of a branch are gathered and sorted; a larger branch is found along the people's own index.
GATHERED = 20_000
# A name that more people bear than this is no way to find one of them.
FOUND = 500
_COLUMNS = ("number", "name", "pupil_number", "staff_number", "phone")


def people_reached(scope: Scope, *, day: date, after: int = 0, skip: int = 0, size: int) -> tuple[int, list[int]]:
    """How many people a scope reaches, and the ids of `size` of them in order of id, behind `after` and `skip` more.

    The number is exact for a branch of up to 20,000 and for the whole region; for a branch in between it is the kept
    count of places, of which some people hold two.
    """
    living = Person.objects.visible().filter(merged_into__isnull=True).order_by("pk")
    if covers_everything(scope):
        root = root_org()
        total = count_of(root.id, CountKind.PEOPLE) if root else 0
        rows = living.filter(pk__gt=after)
        return total, list(rows.values_list("pk", flat=True)[skip : skip + size])
    kept = sum(count_of(ids_of(path)[-1], CountKind.MEMBERS) for path in scope.paths)
    tie = path_q("org_path", scope.paths) & (Q(end_date__isnull=True) | Q(end_date__gt=day))
    held, taught = Affiliation.objects.visible().filter(tie), Enrollment.objects.visible().filter(tie)
    if kept <= GATHERED:
        gathered = set(scope.person_ids).union(
            held.values_list("person_id", flat=True), taught.values_list("person_id", flat=True)
        )
        ids = sorted(living.filter(pk__in=gathered).values_list("pk", flat=True)) if gathered else []
        return len(ids), [pk for pk in ids if pk > after][skip : skip + size]
    own = OuterRef("pk")
    tied = Q(pk__in=sorted(scope.person_ids)) | Q(Exists(held.filter(person=own))) | Q(Exists(taught.filter(person=own)))
    rows = living.filter(tied, pk__gt=after)
    return kept, list(rows.values_list("pk", flat=True)[skip : skip + size])


def person_ids_found_by(column: str, value: str) -> list[int]:
    """Ids of people with this fact (`number`, `name`, `pupil_number`, `staff_number`, `phone`, `email`), at most 501."""
    living = Person.objects.visible().filter(merged_into__isnull=True)
    if not value:
        return []
    if column == "email":
        rows = living.filter(Exact(Lower("email"), value.lower()), email__gt="")
    elif column in _COLUMNS:
        rows = living.filter(**{column: value})
    else:
        raise ValueError(column)
    return list(rows.order_by("pk").values_list("pk", flat=True)[: FOUND + 1])


def orgs_reached(scope: Scope, *, skip: int = 0, size: int) -> tuple[int, list[OrgData]]:
    """How many active orgs a scope reaches, and `size` of them in order of path."""
    rows = branch_rows(scope.paths, None, with_ended=False)
    return rows.order_by().count(), [org_data(org) for org in rows[skip : skip + size]]


def org_ids_found_by(scope: Scope, name: str) -> list[int]:
    """Active orgs of this name in the scope, at most 501."""
    rows = Org.objects.visible().filter(path_q("path", scope.paths), name=name, status=OrgStatus.ACTIVE)
    return list(rows.order_by("pk").values_list("pk", flat=True)[: FOUND + 1])


def affiliations_of_people(person_ids: Collection[int], *, day: date) -> list[AffiliationData]:
    """Roles in force, first those that came first."""
    return _affiliations(Affiliation.objects.visible().filter(current_q(day), person_id__in=list(person_ids)))


def affiliation_ids(*, person_id: int, org_id: int, role: Role, day: date) -> list[int]:
    """Ids of a person's affiliations with an org in a role that are in force."""
    rows = Affiliation.objects.visible().filter(current_q(day), person_id=person_id, org_id=org_id, role=role.value)
    return list(rows.values_list("pk", flat=True))


def members_of_orgs(org_ids: Collection[int], *, day: date, limit: int) -> Mapping[int, list[int]] | None:
    """Person ids per org of those who hold a place in it itself, by role or class; None when there are more than `limit`."""
    held = Affiliation.objects.visible().filter(current_q(day), org_id__in=list(org_ids)).order_by("org_id", "person_id")
    taught = Enrollment.objects.visible().filter(current_q(day), class_org_id__in=list(org_ids))
    pairs = list(held.values_list("org_id", "person_id")[: limit + 1])
    pairs += taught.order_by("class_org_id", "person_id").values_list("class_org_id", "person_id")[: limit + 1]
    if len(pairs) > limit:
        return None
    found: dict[int, dict[int, None]] = {org_id: {} for org_id in org_ids}
    for org_id, person_id in pairs:
        found[org_id].setdefault(person_id)
    return {org_id: list(people) for org_id, people in found.items()}


def roster_moments(person_ids: Collection[int]) -> dict[int, datetime]:
    """When the roster that brought a person was applied; people entered singly are left out."""
    pairs = dict(Person.objects.filter(pk__in=list(person_ids), import_id__isnull=False).values_list("pk", "import_id"))
    applied = AppliedRoster.objects.filter(pk__in=set(pairs.values())).values_list("import_id", "applied_at")
    moments: dict[int, datetime] = dict(applied)
    return {
        person_id: moments[import_id] for person_id, import_id in pairs.items() if import_id is not None and import_id in moments
    }


def _affiliations(rows: QuerySet[Affiliation]) -> list[AffiliationData]:
    columns = ("person_id", "org_id", "org_path", "role", "is_primary", "begin_date", "end_date")
    found = rows.order_by("person_id", "-is_primary", "begin_date", "pk").values_list(*columns)
    return [AffiliationData(p, o, path, Role(role), main, begin, end) for p, o, path, role, main, begin, end in found]
