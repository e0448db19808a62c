"""Line items and scores as tools write them (LTI-AGS 2.0)."""

from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from shuren.interop.data import AppData, LineItemData, NewLineItem, Score
from shuren.interop.models import LtiLineItem, LtiResult
from shuren.interop.selectors.lti import line_item_data, line_items_of
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound

MAX_LINE_ITEMS = 500


def _write(row: LtiLineItem, item: NewLineItem) -> None:
    for name in ("label", "score_maximum", "resource_id", "tag", "link_id", "starts_at", "ends_at"):
        setattr(row, name, getattr(item, name))
    row.save()


@transaction.atomic
def add_line_item(*, actor: Actor, app: AppData, class_id: int, item: NewLineItem, now: datetime) -> LineItemData:
    """A further column of the app in the class; at most 500, so that a runaway tool cannot fill the book of marks."""
    if line_items_of(app, class_id=class_id).count() >= MAX_LINE_ITEMS:
        raise Conflict(_("这个应用在这个班的评分项太多了。"), remedy=_("请先删除不用的评分项。"))
    row = LtiLineItem(app_id=app.id, class_org_id=class_id, created_at=now)
    _write(row, item)
    details = {"class_id": class_id, "line_item_id": row.pk}
    audit.record(actor=actor, action="interop.line_item_added", target=f"app:{app.id}", details=details, now=now)
    return line_item_data(row)


@transaction.atomic
def change_line_item(*, actor: Actor, app: AppData, standing: LineItemData, item: NewLineItem, now: datetime) -> LineItemData:
    """Write a column anew; the link it hangs on stays (LTI-AGS 2.0, 3.2.7). Scores follow a new maximum."""
    row = _locked(app, standing)
    _write(row, replace(item, link_id=row.link_id))
    details = {"class_id": standing.class_id, "line_item_id": row.pk}
    audit.record(actor=actor, action="interop.line_item_changed", target=f"app:{app.id}", details=details, now=now)
    return line_item_data(row)


@transaction.atomic
def remove_line_item(*, actor: Actor, app: AppData, standing: LineItemData, now: datetime) -> None:
    """Take a column away with its scores."""
    row = _locked(app, standing)
    count = row.results.count()
    details = {"class_id": standing.class_id, "line_item_id": row.pk, "label": row.label, "scores": count}
    row.delete()
    audit.record(actor=actor, action="interop.line_item_removed", target=f"app:{app.id}", details=details, now=now)


def _locked(app: AppData, standing: LineItemData) -> LtiLineItem:
    row = line_items_of(app, class_id=standing.class_id).select_for_update().filter(pk=standing.id).first()
    if row is None:
        raise NotFound(_("没有找到这个评分项。"))
    return row


@transaction.atomic
def take_score(*, actor: Actor, app: AppData, item: LineItemData, person_id: int, score: Score, now: datetime) -> None:
    """Keep a score if it is newer than the one at hand; the same one again changes nothing, an older one is a `Conflict`."""
    facts = {
        "score_given": score.given,
        "score_maximum": score.maximum,
        "comment": score.comment,
        "activity_progress": score.activity.value,
        "grading_progress": score.grading.value,
        "scored_at": score.scored_at,
    }
    row = LtiResult.objects.select_for_update().filter(line_item_id=item.id, person_id=person_id).first()
    if row is not None and row.scored_at >= score.scored_at:
        if all(getattr(row, name) == value for name, value in facts.items()):
            return
        raise Conflict(_("已经有同一时间或更晚的分数。"), remedy=_("请用更晚的 timestamp 再发。"))
    try:
        with transaction.atomic():
            LtiResult.objects.update_or_create(line_item_id=item.id, person_id=person_id, defaults={**facts, "changed_at": now})
    except IntegrityError:
        raise NotFound(_("没有找到这个评分项。")) from None
    details = {"class_id": item.class_id, "line_item_id": item.id, "person_id": person_id, "grading": score.grading.value}
    audit.record(actor=actor, action="interop.score_taken", target=f"app:{app.id}", details=details, now=now)
