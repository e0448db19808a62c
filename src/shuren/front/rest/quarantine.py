"""The quarantine for programs of signed-in people: the same rows, rights and checks as on its pages."""

from datetime import date, datetime

from django.http import HttpRequest
from ninja import Query, Router, Schema

from shuren.directory import api as directory
from shuren.front import selectors
from shuren.identity.api import actor_of
from shuren.intake import api as intake
from shuren.intake.data import ImportStatus, QuarantinedRowData, QuarantineQuery, QuarantineReach, QuarantineState
from shuren.kernel import clock, ids
from shuren.kernel.paging import SIZES

router = Router(tags=["quarantine"])


class QuarantinedRowOut(Schema):
    """A row that an import left out; `topic` is the key of its register. `sent_import` is the last import it was sent in with."""

    id: str
    import_id: str
    kind: str
    topic: str
    org: str
    file: str
    sheet: str
    row: int
    reason: str
    fault_count: int
    state: QuarantineState
    quarantined_at: datetime
    corrected_at: datetime | None
    kept_until: date
    sent_import: str
    end_reason: str


class QuarantinePage(Schema):
    """One page of rows, those that came first in front."""

    rows: list[QuarantinedRowOut]
    total: int
    is_exact: bool
    page: int


class QuarantineAsked(Schema):
    """Which rows: `org` is an id, `import_id` too; without a `state` those that wait."""

    kind: str = ""
    org: str = ""
    reason: str = ""
    import_id: str = ""
    state: QuarantineState = QuarantineState.WAITING
    page: int = 1
    size: int = 50


class RowFaultOut(Schema):
    """One thing found in a row."""

    column: str
    reason: str
    remedy: str


class RowContentOut(Schema):
    """A row as it stands in its file; `cells` is empty once it has ended."""

    row: QuarantinedRowOut
    header: list[str]
    cells: list[str]
    faults: list[RowFaultOut]


class CorrectionIn(Schema):
    """Cells by their place from 0, such as `{"3": "2016-05-06"}`."""

    cells: dict[int, str]


class RowsIn(Schema):
    """Ids of rows."""

    ids: list[str]


class DiscardIn(RowsIn):
    """Rows to be given up, and why."""

    reason: str


class SentOut(Schema):
    """The imports that rows were sent in with."""

    imports: list[str]


class CountOut(Schema):
    """How many rows were touched."""

    touched: int


class ImportOut(Schema):
    """Where an import stands."""

    id: str
    status: ImportStatus


@router.get("/quarantine/rows", response=QuarantinePage, operation_id="list_quarantined_rows", summary="Rows in quarantine")
def list_quarantined_rows(request: HttpRequest, asked: Query[QuarantineAsked]) -> QuarantinePage:
    unit = directory.orgs_by_ids([ids.decode("org", asked.org)]) if asked.org else {}
    query = QuarantineQuery(
        kind=asked.kind.replace("\x00", ""),
        org_path=next((org.path for org in unit.values()), ""),
        reason=asked.reason.replace("\x00", ""),
        import_id=ids.decode("import", asked.import_id) if asked.import_id else None,
        state=asked.state,
    )
    number, size = min(max(1, asked.page), 1_000_000), min(max(1, asked.size), SIZES[-1])
    found = intake.quarantined_rows(query, reach=_reach(request), number=number, size=size)
    return QuarantinePage(
        rows=[_row_out(row) for row in found.rows], total=found.total, is_exact=found.is_exact, page=found.number
    )


@router.get("/quarantine/rows/{row_id}", response=RowContentOut, operation_id="read_quarantined_row", summary="A row as sent")
def read_quarantined_row(request: HttpRequest, row_id: str) -> RowContentOut:
    """What stands in the row and what was found in it; the reading is audited."""
    row, content = intake.read_row(actor=actor_of(request), reach=_reach(request), id=row_id, now=clock.now())
    if content is None:
        return RowContentOut(row=_row_out(row), header=[], cells=[], faults=[])
    faults = [RowFaultOut(column=one.column, reason=one.reason, remedy=one.remedy) for one in content.findings]
    return RowContentOut(row=_row_out(row), header=list(content.header), cells=list(content.cells), faults=faults)


@router.post(
    "/quarantine/rows/{row_id}/correct", response=CountOut, operation_id="correct_quarantined_row", summary="Correct a row"
)
def correct_quarantined_row(request: HttpRequest, row_id: str, told: CorrectionIn) -> CountOut:
    """Write cells anew; they are checked when the row is sent in."""
    is_changed = intake.correct_row(actor=actor_of(request), reach=_reach(request), id=row_id, told=told.cells, now=clock.now())
    return CountOut(touched=int(is_changed))


@router.post("/quarantine/send", response=SentOut, operation_id="send_quarantined_rows", summary="Send rows in again")
def send_quarantined_rows(request: HttpRequest, told: RowsIn) -> SentOut:
    """Rows go through the checks of a new import, which is applied on its page or by its address."""
    sent = intake.send_rows_again(actor=actor_of(request), reach=_reach(request), ids=told.ids, now=clock.now())
    return SentOut(imports=[ids.encode("import", one) for one in sent])


@router.post("/quarantine/discard", response=CountOut, operation_id="discard_quarantined_rows", summary="Give rows up")
def discard_quarantined_rows(request: HttpRequest, told: DiscardIn) -> CountOut:
    """What stands in the rows is erased for good."""
    count = intake.discard_rows(actor=actor_of(request), reach=_reach(request), ids=told.ids, reason=told.reason, now=clock.now())
    return CountOut(touched=count)


@router.post("/imports/{import_id}/set-aside", response=ImportOut, operation_id="set_aside_rows", summary="Take the good rows")
def set_aside_rows(request: HttpRequest, import_id: str) -> ImportOut:
    """Check a rejected file once more, for its good rows alone; the others will wait in quarantine once it is applied."""
    actor, now = actor_of(request), clock.now()
    state, _kind = selectors.access_import(actor=actor, id=import_id, now=now)
    intake.request_check(actor=actor, import_id=state.id, now=now, quarantine=True)
    return ImportOut(id=import_id, status=intake.import_state(state.id).status)


def _reach(request: HttpRequest) -> QuarantineReach:
    return selectors.quarantine_reach(actor=actor_of(request), now=clock.now())


def _row_out(row: QuarantinedRowData) -> QuarantinedRowOut:
    return QuarantinedRowOut(
        id=row.public_id,
        import_id=ids.encode("import", row.import_id),
        kind=row.kind,
        topic=row.topic,
        org=ids.encode("org", row.org_id) if row.org_id is not None else "",
        file=row.place.file,
        sheet=row.place.sheet,
        row=row.place.row,
        reason=row.reason,
        fault_count=row.fault_count,
        state=row.state,
        quarantined_at=row.quarantined_at,
        corrected_at=row.corrected_at,
        kept_until=row.kept_until,
        sent_import=ids.encode("import", row.sent_import_id) if row.sent_import_id is not None else "",
        end_reason=row.end_reason,
    )
