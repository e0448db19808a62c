"""How many pupils a notice concerns and how they stand, school by school; a page costs four queries at any size."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count

from shuren.directory.data import ConsentDecision, ConsentTextData, OrgStatus, OrgType, Role
from shuren.directory.models import Affiliation, Consent, Org
from shuren.directory.selectors.scope import current_q
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import path_q

_SCHOOLS = (OrgType.SCHOOL.value, OrgType.CAMPUS.value, OrgType.TEACHING_POINT.value)
_BATCH = 200


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """A school's pupils by their latest answer; who has none, or only one to an older version that asked for less, waits."""

    org_name: str
    pupils: int
    given: int
    refused: int
    withdrawn: int
    waiting: int


def page_of_coverage(text: ConsentTextData, *, day: date, number: int, size: int) -> Page[CoverageRow]:
    page = page_of(_schools(text), lambda org: org, number=number, size=size)
    return Page(_rows(page.rows, text, day), page.total, page.is_exact, page.number, page.size)


def stream_coverage(text: ConsentTextData, *, day: date) -> Iterator[CoverageRow]:
    batch: list[Org] = []
    for org in _schools(text).iterator(chunk_size=_BATCH):
        batch.append(org)
        if len(batch) == _BATCH:
            yield from _rows(batch, text, day)
            batch = []
    yield from _rows(batch, text, day)


def _schools(text: ConsentTextData):  # type: ignore[no-untyped-def]  # a query set of Org
    branch = path_q("path", [text.org_path])
    return Org.objects.visible().filter(branch, type__in=_SCHOOLS, status=OrgStatus.ACTIVE).order_by("path")


def _rows(orgs: Sequence[Org], text: ConsentTextData, day: date) -> list[CoverageRow]:
    ids = [org.pk for org in orgs]
    ties = Affiliation.objects.visible().filter(current_q(day), org_path__in=[org.path for org in orgs], role=Role.PUPIL.value)
    pupils = dict(ties.values_list("org_id").annotate(count=Count("person_id", distinct=True)))
    answers: defaultdict[int, dict[str, int]] = defaultdict(dict)
    told = (
        Consent.objects.filter(
            base_id=text.base_id,
            is_current=True,
            person__affiliations__org_id__in=ids,
            person__affiliations__role=Role.PUPIL.value,
            person__affiliations__end_date__isnull=True,
        )
        .values_list("person__affiliations__org_id", "decision")
        .annotate(count=Count("person_id", distinct=True))
    )
    for org_id, decision, count in told:
        answers[org_id][decision] = count
    found = []
    for org in orgs:
        total, said = pupils.get(org.pk, 0), answers[org.pk]
        given, refused, withdrawn = (said.get(decision.value, 0) for decision in ConsentDecision)
        waiting = max(0, total - given - refused - withdrawn)
        found.append(CoverageRow(org.name, total, given, refused, withdrawn, waiting))
    return found
