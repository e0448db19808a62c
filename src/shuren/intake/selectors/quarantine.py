"""Rows in quarantine, inside what somebody reaches of them; and how many wait, by unit."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from shuren.intake.data import QuarantinedRowData, QuarantineQuery, QuarantineReach, QuarantineState, RowContent, RowPlace
from shuren.intake.models import QuarantinedRow
from shuren.intake.rules.quarantine import PURPOSE, ROWS_KEPT, unpacked
from shuren.kernel import ids
from shuren.kernel.errors import Conflict, NotFound
from shuren.kernel.paging import Page, page_of, stream_of
from shuren.kernel.scope import path_q
from shuren.trust import api as trust

_REASONS_OFFERED = 50
_CHUNK = 500
_KIND_OF_ID = "quarantined_row"


def places_set_aside(import_id: int) -> frozenset[RowPlace]:
    """Where the rows stand that the check of this import set aside: applying passes over them."""
    rows = QuarantinedRow.objects.filter(run_id=import_id, state=QuarantineState.PENDING)
    return frozenset(RowPlace(*row) for row in rows.values_list("file", "sheet", "row"))


def has_quarantined(import_id: int) -> bool:
    """Whether the import left rows out, whatever has become of them."""
    return QuarantinedRow.objects.filter(run_id=import_id).exists()


def quarantined_rows(
    query: QuarantineQuery, *, reach: QuarantineReach, number: int = 1, size: int = 50
) -> Page[QuarantinedRowData]:
    """A page of rows, those that came first in front."""
    return page_of(_found(query, reach), _told, number=number, size=size)


def stream_of_quarantined(query: QuarantineQuery, *, reach: QuarantineReach) -> Iterator[QuarantinedRowData]:
    return stream_of(_found(query, reach), lambda rows: [_told(row) for row in rows])


def access_quarantined_row(*, reach: QuarantineReach, id: str) -> QuarantinedRowData:
    """A row by its public id; `NotFound` outside what somebody reaches."""
    row = _reached(reach).filter(pk=ids.decode(_KIND_OF_ID, id)).first()
    if row is None:
        raise NotFound(_("隔离区里没有这一行。"))
    return _told(row)


def content_of(row: QuarantinedRow) -> RowContent:
    """What stands in a row; raises `Conflict` once that has been erased."""
    if row.sealed is None:
        raise Conflict(_("这一行的内容已经清除。"))
    return unpacked(trust.unseal(bytes(row.sealed), purpose=PURPOSE))


def reasons_quarantined(query: QuarantineQuery, *, reach: QuarantineReach) -> list[tuple[str, int]]:
    """Why rows wait and how many for each, the most first."""
    counted = _found(query, reach).order_by().values_list("reason").annotate(rows=Count("pk")).order_by("-rows", "reason")
    return list(counted[:_REASONS_OFFERED])


def units_quarantined(*, reach: QuarantineReach) -> list[str]:
    """The paths of the units that have rows waiting."""
    rows = _found(QuarantineQuery(), reach).exclude(org_path="")
    return list(rows.order_by("org_path").values_list("org_path", flat=True).distinct())


def topics_quarantined(kind: str) -> list[str]:
    """What the imports of a kind with rows in quarantine were about, such as the keys of registers."""
    found = QuarantinedRow.objects.filter(kind=kind).exclude(state=QuarantineState.PENDING)
    return list(found.order_by("topic").values_list("topic", flat=True).distinct())


def waiting_by_org(paths: Sequence[str]) -> dict[str, int]:
    """How many rows wait in each of these branches; no branch is asked for alone."""
    waiting = QuarantinedRow.objects.filter(path_q("org_path", paths), state=QuarantineState.WAITING)
    found = dict(waiting.order_by().values_list("org_path").annotate(rows=Count("pk")))
    counts: Counter[str] = Counter()
    for unit, rows in found.items():
        counts.update({path: rows for path in paths if unit.startswith(path)})
    return dict(counts)


def states_of_import(import_id: int) -> dict[QuarantineState, int]:
    """What has become of the rows that an import left out, counted."""
    rows = QuarantinedRow.objects.filter(run_id=import_id).order_by().values_list("state").annotate(rows=Count("pk"))
    return {QuarantineState(state): count for state, count in rows}


def waiting_rows(public_ids: Iterable[str], *, reach: QuarantineReach) -> list[QuarantinedRow]:
    """Those of the rows asked for that may still be mended, by import; raises `NotFound` for one that is not reached."""
    wanted = [ids.decode(_KIND_OF_ID, text) for text in dict.fromkeys(public_ids)]
    found: list[QuarantinedRow] = []
    for first in range(0, len(wanted), _CHUNK):
        some = wanted[first : first + _CHUNK]
        rows = list(_reached(reach).filter(pk__in=some))
        if len(rows) < len(some):
            raise NotFound(_("隔离区里没有这一行。"))
        found += [row for row in rows if row.state == QuarantineState.WAITING]
    return sorted(found, key=lambda row: (row.run_id, row.pk))


def check_rows_reached(public_ids: Iterable[str], *, reach: QuarantineReach) -> None:
    """Raise `NotFound` if one of the rows is not reached."""
    waiting_rows(public_ids, reach=reach)


def waiting_of_import(import_id: int, *, reach: QuarantineReach) -> list[QuarantinedRow]:
    """The rows of an import that somebody reaches and that may still be mended, in the order of the file."""
    rows = _reached(reach).filter(run_id=import_id, state=QuarantineState.WAITING).order_by("pk")
    return list(rows[:ROWS_KEPT])


def public_id_of(row: QuarantinedRow) -> str:
    return ids.encode(_KIND_OF_ID, row.pk)


def row_ids(public_ids: Iterable[str]) -> list[int]:
    """The rows that ids out of a file name; what is no such id is passed over."""
    found = []
    for text in public_ids:
        try:
            found.append(ids.decode(_KIND_OF_ID, text.strip()))
        except NotFound:
            continue
    return found


def _reached(reach: QuarantineReach) -> QuerySet[QuarantinedRow]:
    condition = Q(pk__in=())
    if reach.account_id is not None and reach.own_kinds:
        condition |= Q(run__owner_account_id=reach.account_id, kind__in=reach.own_kinds)
    for (kind, topic), paths in reach.paths.items():
        if paths:
            condition |= Q(kind=kind, topic=topic) & path_q("org_path", paths)
    for kind, topic in reach.everywhere:
        condition |= Q(kind=kind, topic=topic)
    return QuarantinedRow.objects.filter(condition).exclude(state=QuarantineState.PENDING)


def _found(query: QuarantineQuery, reach: QuarantineReach) -> QuerySet[QuarantinedRow]:
    rows = _reached(reach).order_by("id")
    if query.state is not None:
        rows = rows.filter(state=query.state)
    if query.kind:
        rows = rows.filter(kind=query.kind)
    if query.org_path:
        rows = rows.filter(path_q("org_path", [query.org_path]))
    if query.reason:
        rows = rows.filter(reason=query.reason)
    if query.import_id is not None:
        rows = rows.filter(run_id=query.import_id)
    return rows


def _told(row: QuarantinedRow) -> QuarantinedRowData:
    return QuarantinedRowData(
        id=row.pk,
        public_id=public_id_of(row),
        import_id=row.run_id,
        kind=row.kind,
        topic=row.topic,
        org_id=row.org_id,
        org_path=row.org_path,
        place=RowPlace(row.file, row.sheet, row.row),
        reason=row.reason,
        fault_count=row.fault_count,
        state=QuarantineState(row.state),
        quarantined_at=row.quarantined_at,
        corrected_at=row.corrected_at,
        kept_until=row.kept_until,
        sent_import_id=row.sent_run_id,
        end_reason=row.end_reason,
    )
