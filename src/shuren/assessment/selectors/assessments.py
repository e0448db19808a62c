"""Which tests there are and who may see them.

A test is visible to whoever may view assessments in its org's branch or above it, and to whoever may in a branch
below from which pupils took part.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from shuren.assessment.data import (
    AssessmentData,
    AssessmentStatus,
    ContextColumn,
    ItemData,
    ItemResult,
    ReportScale,
    UnitCount,
)
from shuren.assessment.models import Assessment, Item, Participation
from shuren.directory.api import scope_of
from shuren.directory.data import Permission
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import path_q

LEVELS = ("county", "school", "class")


def assessment_state(assessment_id: int) -> AssessmentData:
    """A test by id, whoever asks: for apps that have checked access already."""
    found = assessments_by_ids([assessment_id])
    if assessment_id not in found:
        raise NotFound(_("没有找到这次测验。"))
    return found[assessment_id]


def assessments_by_ids(assessment_ids: Iterable[int]) -> dict[int, AssessmentData]:
    rows = _counted(Assessment.objects.filter(pk__in=list(assessment_ids)))
    return {row.pk: assessment_data(row) for row in rows}


def assessment_id_of_code(code: str) -> int | None:
    return Assessment.objects.filter(code=code).values_list("pk", flat=True).first()


def access_assessment(*, actor: Actor, id: int, now: datetime) -> AssessmentData:  # the house's name for it
    """The test, if the actor may see it; otherwise `NotFound`."""
    row = _counted(visible_assessments(actor=actor, now=now)).filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这次测验。"))
    return assessment_data(row)


def visible_assessments(*, actor: Actor, now: datetime) -> QuerySet[Assessment]:
    """Every test the actor may see, unordered."""
    held = Assessment.objects.filter(status=AssessmentStatus.READY)
    if actor.is_system:
        return held
    scope = scope_of(actor=actor, permission=Permission.VIEW_ASSESSMENTS, now=now)
    took_part = Participation.objects.filter(path_q("org_path", scope.paths), assessment=OuterRef("pk"))
    return held.filter(path_q("org_path", scope.paths) | Q(Exists(took_part)))


def listed_assessments(
    *, actor: Actor, now: datetime, search: str = "", subject: str = "", order: str = "-held_date"
) -> QuerySet[Assessment]:
    """Visible tests for a list, newest first unless asked otherwise."""
    rows = visible_assessments(actor=actor, now=now)
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(code__icontains=search))
    if subject:
        rows = rows.filter(pk__in=Item.objects.filter(subject=subject).values("assessment"))
    return _counted(rows).order_by(order, "-pk")


def items_of(assessment_id: int) -> tuple[ItemData, ...]:
    """The items in order of position: item k is column k of the response matrix."""
    return tuple(item_data(row) for row in Item.objects.filter(assessment=assessment_id).order_by("position"))


def item_results(assessment_id: int) -> tuple[ItemResult, ...]:
    """How every item went in the whole population, as counted when the responses came in."""
    return tuple(
        ItemResult(
            item=item_data(row),
            given=row.given,
            answered=row.answered,
            omitted=row.omitted,
            not_reached=row.not_reached,
            mean_share=row.mean_share,
            discrimination=row.discrimination,
        )
        for row in Item.objects.filter(assessment=assessment_id).order_by("position")
    )


def participation_of(assessment_id: int, *, level: str = "") -> tuple[UnitCount, ...]:
    """How many pupils of each unit took part, in order of the tree; `level` is an org type or empty for all."""
    rows = Participation.objects.filter(assessment=assessment_id)
    if level:
        rows = rows.filter(level=level)
    return tuple(UnitCount(row.org_id, row.org_path, row.level, row.pupils) for row in rows.order_by("org_path"))


def participation_within(
    *, actor: Actor, assessment: AssessmentData, level: str, number: int, size: int, now: datetime
) -> Page[UnitCount]:
    """Units of one level (by default the outermost there is) that took part and lie in the actor's scope."""
    rows = Participation.objects.filter(assessment=assessment.id).order_by("org_path")
    if not actor.is_system:
        scope = scope_of(actor=actor, permission=Permission.VIEW_ASSESSMENTS, now=now)
        rows = rows.filter(path_q("org_path", scope.paths))
    there = set(rows.order_by().values_list("level", flat=True).distinct())
    rows = rows.filter(level=level or next((one for one in LEVELS if one in there), ""))
    return page_of(rows, lambda row: UnitCount(row.org_id, row.org_path, row.level, row.pupils), number=number, size=size)


def subjects_seen(*, actor: Actor, now: datetime) -> list[str]:
    """The subjects of the tests the actor may see."""
    found = visible_assessments(actor=actor, now=now).values_list("subjects", flat=True)
    return sorted({subject for subjects in found for subject in subjects})


def assessment_data(row: Assessment) -> AssessmentData:
    scale = row.report_scale
    return AssessmentData(
        id=row.pk,
        public_id=ids.encode("assessment", row.pk),
        code=row.code,
        name=row.name,
        subjects=tuple(row.subjects),
        grade=row.grade,
        held_date=row.held_date,
        session=row.session,
        org_id=row.org_id,
        org_path=row.org_path,
        is_simulated=row.is_simulated,
        source_note=row.source_note,
        population_note=row.population_note,
        scale=ReportScale(
            mean=scale.get("mean", 500.0),
            sd=scale.get("sd", 100.0),
            cuts=tuple(scale.get("cuts", ())),
            levels=tuple(scale.get("levels", ())),
        ),
        status=AssessmentStatus(row.status),
        pupils=row.pupils,
        item_count=getattr(row, "item_count", 0),
        booklets=tuple(row.booklets),
        context=tuple(ContextColumn(**column) for column in row.context),
        references=tuple(row.references),
        snapshot_id=row.snapshot_id,
        imported_at=row.imported_at,
    )


def item_data(row: Item) -> ItemData:
    return ItemData(
        id=row.pk,
        code=row.code,
        position=row.position,
        label=row.label,
        subject=row.subject,
        content_domain=row.content_domain,
        cognitive_domain=row.cognitive_domain,
        knowledge_units=tuple(row.knowledge_units),
        max_score=row.max_score,
        key=row.key,
    )


def _counted(rows: QuerySet[Assessment]) -> QuerySet[Assessment]:
    return rows.annotate(item_count=Count("items"))
