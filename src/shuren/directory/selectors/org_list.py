"""Lists of orgs with their kept counts, and what an org's own page tells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.directory.data import CountKind, OrgData, OrgStatus, OrgType, Permission, Role
from shuren.directory.models import Affiliation, Org, OrgHistory
from shuren.directory.rules.tree import ids_of
from shuren.directory.selectors.counts import counts_of
from shuren.directory.selectors.orgs import CHUNK, org_data, orgs_by_ids
from shuren.directory.selectors.scope import current_q, scope_of, scopes_of
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import Scope, path_q

SORTS = {"name": "name", "code": "code", "type": "type", "place": "path"}


@dataclass(frozen=True, slots=True)
class OrgRow:
    """An org in a list, with where it stands and what is counted below it."""

    org: OrgData
    parent_name: str
    counts: dict[CountKind, int]


@dataclass(frozen=True, slots=True)
class OrgQuery:
    """What is asked of a list of orgs; with nothing asked the list shows the top of one's branches."""

    search: str = ""
    type: OrgType | None = None
    parent_id: int | None = None
    with_ended: bool = False
    sort: str = ""


def org_rows(scope: Scope, query: OrgQuery) -> QuerySet[Org]:
    rows = Org.objects.visible().filter(path_q("path", scope.paths)).defer("geometry")
    if not query.with_ended:
        rows = rows.filter(status=OrgStatus.ACTIVE)
    if query.parent_id is not None:
        rows = rows.filter(parent_id=query.parent_id)
    elif not query.search and query.type is None:
        tops = [ids_of(path)[-1] for path in scope.paths]
        rows = rows.filter(Q(pk__in=tops) | Q(parent_id__in=tops))
    if query.type is not None:
        rows = rows.filter(type=query.type.value)
    if query.search:
        text = query.search.strip()
        rows = rows.filter(Q(name__contains=text) | Q(short_name__contains=text) | Q(code__startswith=text))
    column = SORTS.get(query.sort.removeprefix("-"))
    if column:
        return rows.order_by(f"-{column}" if query.sort.startswith("-") else column, "id")
    return rows.order_by("parent_id", "position", "id") if query.parent_id is not None else rows.order_by("path")


def page_of_orgs(*, scope: Scope, query: OrgQuery, number: int, size: int) -> Page[OrgRow]:
    """One page of the orgs inside the scope."""
    page = page_of(org_rows(scope, query), org_data, number=number, size=size)
    return Page(_with_counts(page.rows), page.total, page.is_exact, page.number, page.size)


def stream_orgs(*, scope: Scope, query: OrgQuery) -> Iterator[OrgRow]:
    batch: list[OrgData] = []
    for org in org_rows(scope, query).iterator(chunk_size=CHUNK):
        batch.append(org_data(org))
        if len(batch) >= CHUNK:
            yield from _with_counts(batch)
            batch = []
    yield from _with_counts(batch)


def _with_counts(orgs: Sequence[OrgData]) -> list[OrgRow]:
    counts = counts_of([org.id for org in orgs])
    parents = orgs_by_ids(org.parent_id for org in orgs if org.parent_id is not None)
    return [OrgRow(org, parents[org.parent_id].name if org.parent_id in parents else "", counts[org.id]) for org in orgs]


@dataclass(frozen=True, slots=True)
class OrgFacts:
    """What an org's page shows beyond `OrgData`; `chain` is the way from the root, the org itself last."""

    org: OrgData
    chain: tuple[OrgData, ...]
    credit_code: str
    begin_date: date | None
    end_date: date | None
    successor: OrgData | None
    counts: dict[CountKind, int]
    leaders: tuple[tuple[int, str, Role], ...]


def org_facts(row: Org, *, day: date) -> OrgFacts:
    """Facts of an org the caller has accessed; leaders are heads and officers entered at the org itself."""
    chain_ids = ids_of(row.path)
    wanted = [*chain_ids, row.successor_id] if row.successor_id else chain_ids
    found = orgs_by_ids(wanted)
    leading = Affiliation.objects.visible().filter(
        current_q(day),
        org_id=row.pk,
        role__in=[Role.HEAD, Role.COUNTY_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER],
    )
    leaders = leading.order_by("role", "pk").values_list("person_id", "person__name", "role")[:5]
    return OrgFacts(
        org=org_data(row),
        chain=tuple(found[id] for id in chain_ids),
        credit_code=row.credit_code,
        begin_date=row.begin_date,
        end_date=row.end_date,
        successor=found.get(row.successor_id) if row.successor_id else None,
        counts=counts_of([row.pk])[row.pk],
        leaders=tuple((pk, name, Role(role)) for pk, name, role in leaders),
    )


def org_page(
    *, actor: Actor, id: int, permissions: Sequence[Permission], now: datetime
) -> tuple[OrgFacts, dict[Permission, Scope]]:
    """An org `actor` may see, with the scopes its page asks about (`VIEW_ORGS` is always among them)."""
    scopes = scopes_of(actor=actor, permissions=(Permission.VIEW_ORGS, *permissions), now=now)
    row = Org.objects.visible().filter(pk=id).first()
    if row is None or not scopes[Permission.VIEW_ORGS].covers(row.path):
        raise NotFound(_("没有找到这个机构。"))
    return org_facts(row, day=day_of(now)), scopes


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """What was done to an org, when and why."""

    at: datetime
    change: str
    reason: str
    former_name: str


def history_of_org(org_id: int, *, limit: int = 20) -> list[HistoryRow]:
    """The latest changes first."""
    rows = OrgHistory.objects.filter(org_id=org_id).order_by("-at", "-id")[:limit]
    return [HistoryRow(row.at, row.change, row.reason, row.before.get("name", "")) for row in rows]


def managed_orgs(*, actor: Actor, types: Sequence[OrgType], now: datetime, below: str = "", limit: int = 500) -> list[OrgData]:
    """Active orgs of these levels that `actor` manages, inside the branch `below` if given, to choose from."""
    scope = scope_of(actor=actor, permission=Permission.MANAGE_ORGS, now=now)
    rows = Org.objects.visible().filter(
        path_q("path", scope.paths), type__in=[kind.value for kind in types], status=OrgStatus.ACTIVE
    )
    if below:
        rows = rows.filter(path_q("path", [below]))
    return [org_data(org) for org in rows.order_by("path").defer("geometry")[:limit]]
