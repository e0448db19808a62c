"""What is published for anybody: answers, and consultations with how many took part."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shuren.casework.data import CaseState, DefinitionKind
from shuren.casework.models import Case, Entry
from shuren.kernel import ids
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of

ANSWERS, CONSULTATIONS = "gov.answers", "gov.consultations"
_HIDDEN = {ANSWERS: "withdrawn", CONSULTATIONS: "draft"}
# Opinions counted for one consultation at most; more is told as more.
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Consultation:
    """A plan on which everybody may say what they think, while it is open."""

    entry: Entry
    is_open: bool
    opinions: int
    by_stance: dict[str, int]


def _rows(register: str) -> QuerySet[Entry]:
    rows = Entry.objects.filter(
        register__kind=DefinitionKind.REGISTER.value, register__key=register, removed_at__isnull=True
    ).select_related("org")
    return rows.exclude(state=_HIDDEN[register])


def answers_page(*, search: str = "", number: int = 1, size: int = 20) -> Page[Entry]:
    """Published answers, newest first; `search` looks into their titles."""
    rows = _rows(ANSWERS)
    if search.strip():
        rows = rows.filter(label__contains=search.strip()[:40])
    return page_of(rows.order_by("-changed_at", "-id"), lambda row: row, number=number, size=size)


def access_published(register: str, id: int) -> Entry:
    """An entry that is published; `NotFound` else."""
    entry = _rows(register).filter(pk=id).first()
    if entry is None:
        raise NotFound(_("没有找到公开的内容。"))
    return entry


def consultations_shown(*, today: date, limit: int = 50) -> list[Consultation]:
    """Open consultations first, then those that have ended, newest first."""
    found = [consultation_of(entry, today=today) for entry in _rows(CONSULTATIONS).order_by("-id")[:limit]]
    return sorted(
        found, key=lambda one: (not one.is_open, str(one.entry.data.get("closes", "")) if one.is_open else "", -one.entry.pk)
    )


def consultation_of(entry: Entry, *, today: date) -> Consultation:
    """A consultation with how many took part, by what they think overall; nobody is named."""
    rows = Case.objects.filter(origin=f"entry:{entry.pk}").exclude(
        state__in=[CaseState.DRAFT.value, CaseState.WITHDRAWN.value, CaseState.CANCELLED.value]
    )
    stances = Counter(str(data.get("stance", "")) for data in rows.values_list("data", flat=True)[:_MOST])
    return Consultation(entry, is_open_on(entry, today), sum(stances.values()), dict(stances))


def is_open_on(entry: Entry, day: date) -> bool:
    """Whether opinions are taken on that day, both ends included."""
    opens, closes = str(entry.data.get("opens", "")), str(entry.data.get("closes", ""))
    return entry.state == "open" and opens <= day.isoformat() <= closes


def public_id(entry: Entry) -> str:
    return ids.encode("entry", entry.pk)
