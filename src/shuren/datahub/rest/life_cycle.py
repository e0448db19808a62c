"""The life of data for programs of signed-in officers: rules, destructions with their certificates, and grades of fields."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema

from shuren.datahub.data import AssetKind, DestructionState, LifeCycleEnd, LifeCycleStart
from shuren.datahub.models import Destruction
from shuren.datahub.rules.field_grades import GradeOrigin
from shuren.datahub.selectors.assets import access_catalogue
from shuren.datahub.selectors.destruction_certificates import certificate_file
from shuren.datahub.selectors.field_grades import FieldGrade, field_grades, fields_graded
from shuren.datahub.selectors.life_cycle import DatasetLife, access_destruction, dataset_lives, destructions_seen
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import SIZES, page_of, page_of_rows

router = Router(tags=["life cycle"])


class LifeCycleOut(Schema):
    """A dataset and its rule; days are empty for without end. What `is_declared` false says is done by nobody yet."""

    dataset: str
    title: str
    owner: str
    grade: str
    basis: str
    counted_from: LifeCycleStart
    in_use_days: int | None
    then: LifeCycleEnd
    archived_days: int | None
    is_declared: bool
    held_reason: str
    partitions_in_use: int
    partitions_archived: int


class LifeCyclePage(Schema):
    """One page of datasets by title."""

    rows: list[LifeCycleOut]
    total: int
    is_exact: bool
    page: int


class DestructionOut(Schema):
    """A destruction; `number` is that of its certificate, empty before there is one."""

    id: str
    dataset: str
    state: DestructionState
    partitions: int
    row_count: int
    planned_at: datetime
    done_at: datetime | None
    number: str


class DestructionPage(Schema):
    """One page of destructions, newest first."""

    rows: list[DestructionOut]
    total: int
    is_exact: bool
    page: int


class FieldGradeOut(Schema):
    """A field with its grade and what that drives; `origin` `none` is a gap. `access` and `trace` are words of the how-to."""

    asset: str
    kind: AssetKind
    field: str
    element: str
    subject: str
    grade: str
    origin: GradeOrigin
    mask: str
    access: str
    trace: str
    is_sealed: bool


class FieldGradePage(Schema):
    """One page of fields in the order of the catalogue."""

    rows: list[FieldGradeOut]
    total: int
    is_exact: bool
    page: int


class FieldGradeQuery(Schema):
    """What to look for: the beginning of a name, or words of a title; `origin` `none` shows gaps."""

    search: str = ""
    kind: AssetKind | None = None
    grade: str = ""
    origin: GradeOrigin | None = None
    page: int = 1
    size: int = 100


@router.get("/life-cycle/datasets", response=LifeCyclePage, operation_id="list_life_cycles", summary="Rules of datasets")
def list_life_cycles(request: HttpRequest, search: str = "", page: int = 1, size: int = 50) -> LifeCyclePage:
    found = dataset_lives(actor=actor_of(request), now=clock.now(), words=search)
    shown = page_of_rows(found, number=page, size=_size(size))
    rows = [_life_out(row) for row in shown.rows]
    return LifeCyclePage(rows=rows, total=shown.total, is_exact=shown.is_exact, page=shown.number)


@router.get("/life-cycle/destructions", response=DestructionPage, operation_id="list_destructions", summary="Destructions")
def list_destructions(
    request: HttpRequest, state: DestructionState | None = None, page: int = 1, size: int = 50
) -> DestructionPage:
    asked = destructions_seen(actor=actor_of(request), now=clock.now(), state=state.value if state else "")
    found = page_of(asked, _destruction_out, number=_number(page), size=_size(size))
    return DestructionPage(rows=found.rows, total=found.total, is_exact=found.is_exact, page=found.number)


@router.get(
    "/life-cycle/destructions/{destruction_id}/certificate",
    response=dict[str, Any],
    operation_id="read_destruction_certificate",
    summary="A certificate of destruction",
)
def read_destruction_certificate(request: HttpRequest, destruction_id: str) -> dict[str, Any]:
    """The certificate with its signature, the public key, and the proof from the evidence log once that has taken it up."""
    pk = ids.decode("destruction", destruction_id)
    row = access_destruction(actor=actor_of(request), id=pk, now=clock.now())
    if row.state != DestructionState.DONE:
        raise NotFound(_("销毁完成以后才有证明。"))
    return certificate_file(row)


@router.get("/grades/fields", response=FieldGradePage, operation_id="list_field_grades", summary="Grades of fields")
def list_field_grades(request: HttpRequest, asked: Query[FieldGradeQuery]) -> FieldGradePage:
    access_catalogue(actor=actor_of(request), now=clock.now())
    rows = fields_graded(
        kind=asked.kind.value if asked.kind else "",
        grade=asked.grade.replace("\x00", ""),
        origin=asked.origin.value if asked.origin else "",
        search=asked.search.replace("\x00", ""),
    )
    found = page_of(rows, lambda row: row, number=_number(asked.page), size=_size(asked.size))
    told = [_field_out(row) for row in field_grades(found.rows)]
    return FieldGradePage(rows=told, total=found.total, is_exact=found.is_exact, page=found.number)


def _life_out(row: DatasetLife) -> LifeCycleOut:
    rule = row.rule
    return LifeCycleOut(
        dataset=row.shared.spec.name,
        title=row.shared.title,
        owner=row.shared.owner.name,
        grade=row.shared.spec.grade,
        basis=rule.basis,
        counted_from=rule.counted_from,
        in_use_days=rule.in_use_days,
        then=rule.then,
        archived_days=rule.archived_days,
        is_declared=rule.is_declared,
        held_reason=row.held_reason,
        partitions_in_use=row.in_use,
        partitions_archived=row.archived,
    )


def _destruction_out(row: Destruction) -> DestructionOut:
    return DestructionOut(
        id=ids.encode("destruction", row.pk),
        dataset=row.dataset,
        state=DestructionState(row.state),
        partitions=len(row.partitions),
        row_count=row.rows,
        planned_at=row.planned_at,
        done_at=row.done_at,
        number=row.number or "",
    )


def _field_out(row: FieldGrade) -> FieldGradeOut:
    return FieldGradeOut(
        asset=row.column.asset.name,
        kind=AssetKind(row.column.asset.kind),
        field=row.column.name,
        element=row.column.element,
        subject=row.subject,
        grade=row.grade,
        origin=row.origin,
        mask=row.duties.mask,
        access=row.duties.access,
        trace=row.duties.trace,
        is_sealed=row.is_sealed,
    )


def _number(page: int) -> int:
    return min(max(1, page), 1_000_000)


def _size(size: int) -> int:
    return min(max(1, size), SIZES[-1])
