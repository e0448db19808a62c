"""Count everything again: the one truth behind the kept counters."""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.db.models import Count

from shuren.directory.data import CountKind, EnrollmentRole, OrgStatus, OrgType, Role
from shuren.directory.models import Affiliation, Enrollment, Org, OrgCount, Person
from shuren.directory.rules.tree import ids_of
from shuren.directory.selectors.scope import current_q

_ROLE_KINDS = {Role.PUPIL: CountKind.PUPILS, Role.TEACHER: CountKind.TEACHERS, Role.PARENT: CountKind.PARENTS}
_TYPE_KINDS = {OrgType.SCHOOL: CountKind.SCHOOLS, OrgType.CLASS: CountKind.CLASSES}
_BATCH = 5_000


@transaction.atomic
def rebuild_counts(*, day: date) -> int:
    """Recount every org on `day` in three grouped queries; returns how many counters are kept.

    Schools and everything above count affiliations; classes and grades count enrollments, because a roster affiliates
    a pupil with the school only.
    """
    counts: Counter[tuple[int, CountKind]] = Counter()
    _add_orgs(counts)
    _add_affiliations(counts, day)
    _add_enrollments(counts, day)
    _add_people(counts)
    OrgCount.objects.all().delete()
    rows = (OrgCount(org_id=org_id, kind=kind.value, value=value) for (org_id, kind), value in counts.items())
    _write(rows)
    return len(counts)


def _add_orgs(counts: Counter[tuple[int, CountKind]]) -> None:
    rows = Org.objects.visible().filter(type__in=[kind.value for kind in _TYPE_KINDS], status=OrgStatus.ACTIVE)
    for kind, path in rows.values_list("type", "path").iterator(chunk_size=_BATCH):
        for org_id in ids_of(path):
            counts[org_id, _TYPE_KINDS[OrgType(kind)]] += 1


def _add_affiliations(counts: Counter[tuple[int, CountKind]], day: date) -> None:
    rows = Affiliation.objects.visible().filter(current_q(day)).order_by().values("org_path", "role").annotate(size=Count("pk"))
    for row in rows.iterator(chunk_size=_BATCH):
        kind = _ROLE_KINDS.get(Role(row["role"]))
        for org_id in ids_of(row["org_path"]):
            counts[org_id, CountKind.MEMBERS] += row["size"]
            if kind:
                counts[org_id, kind] += row["size"]


def _add_enrollments(counts: Counter[tuple[int, CountKind]], day: date) -> None:
    below = set(Org.objects.visible().filter(type__in=(OrgType.CLASS, OrgType.GRADE)).values_list("pk", flat=True))
    rows = Enrollment.objects.visible().filter(current_q(day)).order_by().values("org_path", "role").annotate(size=Count("pk"))
    for row in rows.iterator(chunk_size=_BATCH):
        kind = CountKind.PUPILS if row["role"] == EnrollmentRole.STUDENT else CountKind.TEACHERS
        for org_id in ids_of(row["org_path"])[-2:]:
            if org_id in below:
                counts[org_id, kind] += row["size"]


def _add_people(counts: Counter[tuple[int, CountKind]]) -> None:
    people = Person.objects.visible().filter(merged_into__isnull=True).count()
    for root in Org.objects.visible().filter(parent__isnull=True).order_by("pk")[:1]:
        counts[root.pk, CountKind.PEOPLE] = people


def _write(rows: Iterable[OrgCount]) -> None:
    batch: list[OrgCount] = []
    for row in rows:
        batch.append(row)
        if len(batch) >= _BATCH:
            OrgCount.objects.bulk_create(batch, batch_size=500)
            batch = []
    OrgCount.objects.bulk_create(batch, batch_size=500)
