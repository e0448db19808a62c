"""Proposed duplicates, read."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from shuren.directory.data import HousePurpose, Permission, Sex, Standing
from shuren.directory.models import Affiliation, DuplicatePair, Enrollment, Person
from shuren.directory.selectors.people import covers_everything
from shuren.directory.selectors.scope import current_q, scope_of
from shuren.directory.selectors.told import facts_inside
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import path_q


def open_pairs(*, actor: Actor, now: datetime) -> QuerySet[DuplicatePair]:
    """Undecided pairs of people both of whom `actor` manages, likeliest first."""
    rows = DuplicatePair.objects.filter(decided_at__isnull=True).select_related("first", "second").order_by("-score", "id")
    scope = scope_of(actor=actor, permission=Permission.MANAGE_PEOPLE, now=now)
    if covers_everything(scope):
        return rows
    still_open = Q(end_date__isnull=True) | Q(end_date__gt=day_of(now))
    for side in ("first", "second"):
        within = Q(pk__in=())
        for model in (Affiliation, Enrollment):
            belongs = model.objects.visible().filter(
                path_q("org_path", scope.paths), still_open, person_id=OuterRef(f"{side}_id")
            )
            within |= Q(Exists(belongs))
        rows = rows.filter(within)
    return rows


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two rows of a pair, as the page compares them."""

    public_id: str
    name: str
    number: str
    sex: Sex
    birth_date: str
    pupil_number: str
    places: str


@dataclass(frozen=True, slots=True)
class PairRow:
    """A proposed pair with its evidence; `percent` is the score."""

    public_id: str
    percent: int
    marks: tuple[str, ...]
    first: Side
    second: Side


def page_of_pairs(*, actor: Actor, number: int, size: int, now: datetime) -> Page[PairRow]:
    page = page_of(open_pairs(actor=actor, now=now), lambda pair: pair, number=number, size=size)
    people = [person for pair in page.rows for person in (pair.first, pair.second)]
    places = _places([person.pk for person in people], day_of(now))
    rows = [
        PairRow(
            public_id=ids.encode("pair", pair.pk),
            percent=round(pair.score * 100),
            marks=tuple(pair.evidence),
            first=_side(pair.first, places),
            second=_side(pair.second, places),
        )
        for pair in page.rows
    ]
    return Page(rows, page.total, page.is_exact, page.number, page.size)


def _side(person: Person, places: dict[int, str]) -> Side:
    """As whoever keeps the roster is told it: only they are shown pairs."""
    compared = {key: getattr(person, key) for key in ("name", "birth_date", "pupil_number")}
    told = facts_inside(compared, purpose=HousePurpose.ADMINISTRATION, standing=Standing.KEEPER)
    return Side(
        public_id=ids.encode("person", person.pk),
        name=told["name"].text,
        number=person.number,
        sex=Sex(person.sex),
        birth_date=told["birth_date"].text,
        pupil_number=told["pupil_number"].text,
        places=places.get(person.pk, ""),
    )


def _places(person_ids: list[int], day: date) -> dict[int, str]:
    found: dict[int, dict[str, None]] = {}
    rows = Affiliation.objects.visible().filter(current_q(day), person_id__in=person_ids).order_by("pk")
    for person_id, name in rows.values_list("person_id", "org__name"):
        found.setdefault(person_id, {})[name] = None
    return {person_id: "、".join(names) for person_id, names in found.items()}


def pair_row_for(*, actor: Actor, id: int, now: datetime) -> DuplicatePair:
    pair = open_pairs(actor=actor, now=now).filter(pk=id).first()
    if pair is None:
        raise NotFound(_("没有找到这对疑似重复人员。"), remedy=_("也许已经处理过，请刷新页面。"))
    return pair
