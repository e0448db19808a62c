"""Reads of candidates and of the values chosen among them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from shuren.datahub.data import PrecedenceData, SourceRank, SubjectKind, TieRule, Verdict
from shuren.datahub.models import Candidate, Golden, Precedence
from shuren.directory import api as directory
from shuren.directory.data import Permission, Role
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page
from shuren.standards import api as standards
from shuren.standards.data import ElementData

_KEEPERS = (Role.SCHOOL_ADMIN, Role.HEAD, Role.COUNTY_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)
_OFFICERS = _KEEPERS[2:]


@dataclass(frozen=True, slots=True)
class GoldenRow:
    """A chosen value on a list; `name` is whom it is about where the reader reaches them, `value` as its mask leaves it."""

    id: int
    public_id: str
    name: str
    value: str
    source: str
    rule: str
    values: int
    verdict: Verdict
    changed_at: datetime


def precedence_of(element_code: str) -> PrecedenceData:
    """The declared order of an element's sources; without any where nobody declared one."""
    row = Precedence.objects.filter(pk=element_code).first()
    if row is None:
        return PrecedenceData(element_code)
    ranks = tuple(SourceRank(source, days) for source, days in row.sources)
    return PrecedenceData(element_code, ranks, TieRule(row.tie), row.revision)


def may_keep(*, actor: Actor, now: datetime) -> bool:
    """Whether somebody keeps any org's data, and so may read who produces what."""
    return actor.is_system or bool(directory.role_paths_of(actor=actor, roles=_KEEPERS, now=now))


def owns(element: ElementData, *, actor: Actor, now: datetime) -> bool:
    """Whether the actor decides for an element: keepers of its owner, or the officers of the whole region."""
    root = directory.root_org()
    if actor.is_system:
        return True
    if root is not None and root.path in directory.role_paths_of(actor=actor, roles=_OFFICERS, now=now):
        return True
    if element.owner_org_id is None:
        return False
    owner = directory.orgs_by_ids([element.owner_org_id]).get(element.owner_org_id)
    return owner is not None and any(
        role in _KEEPERS and path == owner.path for role, path in directory.offices_of(actor=actor, now=now)
    )


def access_owned_element(*, actor: Actor, code: str, now: datetime) -> ElementData:
    """An element that the actor decides for; `NotFound` for everybody else."""
    found = standards.element(code)
    if not owns(found, actor=actor, now=now):
        raise NotFound(_("没有找到这个数据元。"))
    return found


def page_of_goldens(
    *, actor: Actor, element: ElementData, verdict: Verdict | None, source: str, number: int, size: int, now: datetime
) -> Page[GoldenRow]:
    """The chosen values of an element where sources differ, those that wait for the owner first asked for."""
    rows = Golden.objects.filter(element_code=element.code, values__gt=1)
    if verdict is not None:
        rows = rows.filter(verdict=verdict.value)
    if source:
        rows = rows.filter(source=source)
    total = rows.count()
    found = list(rows.select_related("candidate").order_by("pk")[(number - 1) * size : number * size])
    names = subject_names(actor=actor, subjects=[(SubjectKind(row.subject_kind), row.subject_id) for row in found], now=now)
    shown = [golden_row(row, element, names.get((SubjectKind(row.subject_kind), row.subject_id), "")) for row in found]
    return Page(rows=shown, total=total, is_exact=True, number=number, size=size)


def golden_row(row: Golden, element: ElementData, name: str) -> GoldenRow:
    value = row.candidate.value if row.candidate is not None else ""
    is_sealed = row.candidate is not None and row.candidate.value_sealed is not None
    return GoldenRow(
        id=row.pk,
        public_id=ids.encode("golden", row.pk),
        name=name,
        value="***" if is_sealed else value,
        source=row.source,
        rule=row.rule,
        values=row.values,
        verdict=Verdict(row.verdict),
        changed_at=row.changed_at,
    )


def subject_names(
    *, actor: Actor, subjects: Collection[tuple[SubjectKind, int]], now: datetime
) -> dict[tuple[SubjectKind, int], str]:
    """What those subjects are called that the actor reaches; others are left out."""
    person_ids = {subject_id for kind, subject_id in subjects if kind is SubjectKind.PERSON}
    org_ids = {subject_id for kind, subject_id in subjects if kind is SubjectKind.ORG}
    reached = (
        directory.people_within(actor=actor, person_ids=person_ids, permission=Permission.VIEW_PEOPLE, now=now)
        if person_ids
        else set()
    )
    people = directory.people_by_ids(reached) if reached else {}
    orgs = directory.orgs_by_ids(org_ids) if org_ids else {}
    found = {(SubjectKind.PERSON, key): f"{one.name}（{one.number}）" for key, one in people.items()}
    return found | {(SubjectKind.ORG, key): one.name for key, one in orgs.items()}


def access_golden(*, actor: Actor, id: int, now: datetime) -> Golden:
    """A chosen value of an element that the actor decides for, of a subject that they reach."""
    row = Golden.objects.select_related("candidate").filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这一项。"))
    access_owned_element(actor=actor, code=row.element_code, now=now)
    subject = (SubjectKind(row.subject_kind), row.subject_id)
    if not actor.is_system and subject not in subject_names(actor=actor, subjects=[subject], now=now):
        raise NotFound(_("没有找到这一项。"))
    return row


def candidates_of(row: Golden) -> list[Candidate]:
    """Every candidate beside a chosen value, in the order in which it was first told."""
    rows = Candidate.objects.filter(element_code=row.element_code, subject_kind=row.subject_kind, subject_id=row.subject_id)
    return list(rows.order_by("pk"))


def open_counts() -> dict[str, int]:
    """How many chosen values wait for their owner, per element."""
    rows = Golden.objects.filter(verdict=Verdict.OPEN.value).values_list("element_code").annotate(n=Count("pk")).order_by()
    return dict(rows)


def sources_told(element_code: str) -> list[str]:
    """The sources that told anything of an element."""
    rows = Candidate.objects.filter(Q(element_code=element_code)).order_by("source").values_list("source", flat=True)
    return list(rows.distinct())
