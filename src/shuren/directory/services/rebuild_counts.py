"""Count again: the one truth behind the kept counters."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from itertools import islice
from typing import TypeVar

from django.db import transaction
from django.db.models import Count, QuerySet, Sum

from shuren.directory.data import CountKind, EnrollmentRole, OrgStatus, OrgType, Role
from shuren.directory.models import Affiliation, Enrollment, Org, OrgCount, Person
from shuren.directory.rules.tree import depth_of, ids_of, prefixes_of
from shuren.directory.selectors.orgs import CHUNK
from shuren.directory.selectors.scope import current_q
from shuren.kernel.scope import outermost, path_q

_ROLE_KINDS = {Role.PUPIL: CountKind.PUPILS, Role.TEACHER: CountKind.TEACHERS, Role.PARENT: CountKind.PARENTS}
_TYPE_KINDS = {OrgType.SCHOOL: CountKind.SCHOOLS, OrgType.CLASS: CountKind.CLASSES}
_ENROLLING = (OrgType.CLASS, OrgType.GRADE)
_BATCH = 5_000
# Each school is a range of its own in the condition.
_SCHOOLS = 100
RowT = TypeVar("RowT")
Counts = Counter[tuple[int, CountKind]]


@transaction.atomic
def rebuild_counts(*, day: date) -> int:
    """Recount every org on `day` in three grouped queries; returns how many counters are kept.

    Schools and everything above count affiliations; classes and grades count enrollments, because a roster affiliates
    a pupil with the school only.
    """
    counts: Counts = Counter()
    _add_orgs(counts, Org.objects.visible())
    _add_affiliations(counts, Affiliation.objects.visible().filter(current_q(day)))
    _add_enrollments(counts, Enrollment.objects.visible().filter(current_q(day)), Org.objects.visible())
    OrgCount.objects.all().delete()
    _write(counts)
    return len(counts) + _keep_everybody(_everybody())


def recount_orgs(org_ids: Collection[int], *, day: date) -> int:
    """Recount these orgs and whatever stands above them; returns how many counters that makes.

    A school is counted from its rows, with all that is in it. Above the schools an org has what its children have, as
    kept, and its own members: so a small change is counted without reading a province.
    """
    everybody = _everybody()  # reads all people: not while others wait to write
    with transaction.atomic():
        above, schools = _divide(org_ids)
        written = 0
        for start in range(0, len(schools), _SCHOOLS):
            written += _recount_schools(schools[start : start + _SCHOOLS], day)
        for path in sorted(above, key=depth_of, reverse=True):
            written += _add_up(path, day)
        return written + _keep_everybody(everybody)


def _divide(org_ids: Collection[int]) -> tuple[set[str], Sequence[str]]:
    """The branches these orgs lie in: those to be added up, and, below them, the schools.

    Grades and classes do not count like the orgs above them, so whatever holds some is counted as a school, whole.
    """
    paths = _read(org_ids, lambda part: Org.objects.visible().filter(pk__in=part).values_list("path", flat=True))
    holding = _read(
        {id for path in paths for id in ids_of(path)},
        lambda part: Org.objects.filter(parent_id__in=part, type__in=_ENROLLING).values_list("parent_id", flat=True),
    )
    above: set[str] = set()
    schools: set[str] = set()
    for path in paths:
        for branch in prefixes_of(path):
            if ids_of(branch)[-1] in holding:
                schools.add(branch)
                break
            above.add(branch)
    return above, outermost(schools)


def _read(ids: Collection[int], rows: Callable[[Sequence[int]], Iterable[RowT]]) -> set[RowT]:
    wanted = sorted(ids)
    return {row for start in range(0, len(wanted), CHUNK) for row in rows(wanted[start : start + CHUNK])}


def _recount_schools(schools: Sequence[str], day: date) -> int:
    counts: Counts = Counter()
    here, members = Org.objects.visible().filter(path_q("path", schools)), path_q("org_path", schools)
    _add_orgs(counts, here)
    _add_affiliations(counts, Affiliation.objects.visible().filter(members, current_q(day)))
    _add_enrollments(counts, Enrollment.objects.visible().filter(members, current_q(day)), here)
    inside = set(here.values_list("pk", flat=True))
    OrgCount.objects.filter(path_q("org__path", schools)).delete()
    return _write(Counter({key: value for key, value in counts.items() if key[0] in inside}))


def _add_up(path: str, day: date) -> int:
    """Recount one org above the schools from its children's counters and its own members."""
    org_id = ids_of(path)[-1]
    counts: Counts = Counter()
    _add_orgs(counts, Org.objects.visible().filter(pk=org_id))
    _add_affiliations(counts, Affiliation.objects.visible().filter(current_q(day), org_path=path))
    counts = Counter({key: value for key, value in counts.items() if key[0] == org_id})
    children = OrgCount.objects.filter(org__parent_id=org_id).values_list("kind").annotate(sum=Sum("value"))
    for kind, value in children:
        counts[org_id, CountKind(kind)] += value
    OrgCount.objects.filter(org_id=org_id).delete()
    return _write(counts)


def _add_orgs(counts: Counts, orgs: QuerySet[Org]) -> None:
    rows = orgs.filter(type__in=[kind.value for kind in _TYPE_KINDS], status=OrgStatus.ACTIVE)
    for kind, path in rows.values_list("type", "path").iterator(chunk_size=_BATCH):
        for org_id in ids_of(path):
            counts[org_id, _TYPE_KINDS[OrgType(kind)]] += 1


def _add_affiliations(counts: Counts, affiliations: QuerySet[Affiliation]) -> None:
    rows = affiliations.order_by().values("org_path", "role").annotate(size=Count("pk"))
    for row in rows.iterator(chunk_size=_BATCH):
        kind = _ROLE_KINDS.get(Role(row["role"]))
        for org_id in ids_of(row["org_path"]):
            counts[org_id, CountKind.MEMBERS] += row["size"]
            if kind:
                counts[org_id, kind] += row["size"]


def _add_enrollments(counts: Counts, enrollments: QuerySet[Enrollment], orgs: QuerySet[Org]) -> None:
    below = set(orgs.filter(type__in=_ENROLLING).values_list("pk", flat=True))
    rows = enrollments.order_by().values("org_path", "role").annotate(size=Count("pk"))
    for row in rows.iterator(chunk_size=_BATCH):
        kind = CountKind.PUPILS if row["role"] == EnrollmentRole.STUDENT else CountKind.TEACHERS
        for org_id in ids_of(row["org_path"])[-2:]:
            if org_id in below:
                counts[org_id, kind] += row["size"]


def _everybody() -> int:
    return Person.objects.visible().filter(merged_into__isnull=True).count()


def _keep_everybody(people: int) -> int:
    """Keep the count of all people at the root; returns the number of counters that makes, one or none."""
    root = Org.objects.visible().filter(parent__isnull=True).order_by("pk").first()
    if root is None:
        return 0
    OrgCount.objects.update_or_create(org=root, kind=CountKind.PEOPLE.value, defaults={"value": people})
    return 1


def _write(counts: Counts) -> int:
    rows = (OrgCount(org_id=org_id, kind=kind.value, value=value) for (org_id, kind), value in counts.items())
    while batch := list(islice(rows, _BATCH)):
        OrgCount.objects.bulk_create(batch, batch_size=500)
    return len(counts)
