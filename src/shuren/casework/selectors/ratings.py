"""Ratings: one by its id, lists for those who look after a branch, and the counts that are published."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Definition, Rating
from shuren.casework.rules.ratings import BAD, CONTENT, Tally
from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType, Permission
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import next_path, path_q

# Published figures are of the last year.
PERIOD = timedelta(days=365)
_UNITS = (OrgType.PROVINCE, OrgType.CITY, OrgType.COUNTY, OrgType.SCHOOL)


@dataclass(frozen=True, slots=True)
class Counted:
    """The tally of an item or a unit."""

    key: str
    title: str
    tally: Tally


def is_reader(actor: Actor, *, now: datetime) -> bool:
    """Whether the actor looks into cases, and so into ratings, anywhere."""
    return bool(directory.scope_of(actor=actor, permission=Permission.VIEW_CASES, now=now).paths)


def ratings_in_scope(*, actor: Actor, which: str = "", now: datetime) -> QuerySet[Rating]:
    """Ratings of the branches where the actor looks into cases, newest first; `which` is bad, open, late, excluded or empty."""
    scope = directory.scope_of(actor=actor, permission=Permission.VIEW_CASES, now=now)
    rows = Rating.objects.filter(path_q("org_path", scope.paths)).select_related("case", "case__org", "item", "rectification")
    bad = Q(satisfaction__in=[grade.value for grade in BAD])
    open_ = bad & Q(called_back_at__isnull=True, excluded_at__isnull=True)
    wanted = {"bad": bad, "open": open_, "late": open_ & Q(rectify_by__lt=now), "excluded": Q(excluded_at__isnull=False)}
    if which in wanted:
        rows = rows.filter(wanted[which])
    return rows.order_by("-rated_at", "-id")


def access_rating(*, actor: Actor, id: int, now: datetime) -> Rating:
    """The rating, for whoever may look into the branch of its case; otherwise `NotFound`."""
    row = Rating.objects.select_related("case", "case__org", "item", "rectification").filter(pk=id).first()
    scope = directory.scope_of(actor=actor, permission=Permission.VIEW_CASES, now=now)
    if row is None or not scope.covers(row.org_path):
        raise NotFound(_("没有找到这条评价。"))
    return row


def rating_of(case_id: int) -> Rating | None:
    """The rating of a case, for whoever may read the case; applies no scope."""
    return Rating.objects.select_related("rectification").filter(case_id=case_id).first()


def _counted_rows(path: str, now: datetime) -> QuerySet[Rating]:
    rows = Rating.objects.filter(excluded_at__isnull=True, rated_at__gte=now - PERIOD)
    return rows.filter(org_path__gte=path, org_path__lt=next_path(path))


def _tallies(rows: QuerySet[Rating], by: str, now: datetime) -> dict[object, Tally]:
    bad, content = [g.value for g in BAD], [g.value for g in CONTENT]
    is_bad, is_done = Q(satisfaction__in=bad), Q(called_back_at__isnull=False, called_back_at__lte=F("rectify_by"))
    found = (
        rows.order_by()
        .values(by)
        .annotate(
            count=Count("id"),
            content=Count("id", filter=Q(satisfaction__in=content)),
            bad=Count("id", filter=is_bad),
            due=Count("id", filter=is_bad & (Q(rectify_by__lt=now) | Q(called_back_at__isnull=False))),
            in_time=Count("id", filter=is_bad & is_done),
        )
    )
    return {row[by]: Tally(row["count"], row["content"], row["bad"], row["due"], row["in_time"]) for row in found}


def tallies_by_item(*, org: OrgData, now: datetime) -> list[Counted]:
    """The items rated in a branch in the last year, most rated first."""
    tallies = _tallies(_counted_rows(org.path, now), "item_id", now)
    items = Definition.objects.filter(kind=DefinitionKind.ITEM.value, pk__in=[pk for pk in tallies if pk is not None])
    found = [Counted(row.key, row.title, tallies[row.pk]) for row in items]
    return sorted(found, key=lambda row: (-row.tally.count, row.key))


def tallies_by_unit(*, org: OrgData, now: datetime) -> list[Counted]:
    """The units right below an org, and the org's own desk, each with everything below it."""
    by_path = _tallies(_counted_rows(org.path, now), "org_path", now)
    units = [org, *(child for child in directory.children_of(org.id) if child.type in _UNITS)]
    sums: defaultdict[int, Tally] = defaultdict(Tally)
    for path, tally in by_path.items():
        below = next((unit for unit in units[1:] if str(path).startswith(unit.path)), org)
        sums[below.id] += tally
    found = [Counted(unit.public_id, unit.name, sums[unit.id]) for unit in units if unit.id in sums]
    return sorted(found, key=lambda row: (-row.tally.count, row.title))


def whole(rows: Iterable[Counted]) -> Tally:
    """All of them together."""
    total = Tally()
    for row in rows:
        total += row.tally
    return total
