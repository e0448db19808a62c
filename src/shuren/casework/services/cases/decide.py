"""Deciding: one answer to one item, and what the stage comes to by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from shuren.casework.data import Act, CaseState, WorkKind, WorkState
from shuren.casework.models import Case, StageRun, WorkItem
from shuren.casework.rules.forms import check_form
from shuren.casework.rules.specs.flow import Decide, FlowSpec, Move, OutcomeSpec, StageSpec
from shuren.casework.rules.specs.form import FieldSpec, FormSpec, SectionSpec
from shuren.casework.rules.specs.words import Words
from shuren.casework.rules.stages import (
    HEARD,
    Tally,
    Verdict,
    blind_verdict,
    may,
    merged_written,
    outcome_named,
    verdict_of,
)
from shuren.casework.selectors.attachments import files_of
from shuren.casework.selectors.definitions import flow_of, form_of
from shuren.casework.selectors.work import Hat, access_work, answerable, hat_for, hats_of
from shuren.casework.services.cases.end import leave_stage
from shuren.casework.services.cases.file import told_by
from shuren.casework.services.cases.go_on import ask, found_for, leave_by
from shuren.casework.services.cases.trail import locked_case, note, notify_asked, record
from shuren.casework.services.form_refused import FormRefused
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused, ShurenError


@dataclass(frozen=True, slots=True)
class Held:
    """An open item that the actor may answer, its case locked; `hat` is None only for the system."""

    case: Case
    item: WorkItem
    run: StageRun
    flow: FlowSpec
    stage: StageSpec
    hat: Hat | None

    @property
    def for_person_id(self) -> int | None:
        return self.hat.person_id if self.hat is not None and not self.hat.is_own else None


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of many at once: ids that were decided, and why the others were not."""

    done: tuple[int, ...]
    refused: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class _Edits:
    """Fields of the form that are changed, over the revision of the case that was seen."""

    values: Mapping[str, Any]
    base_revision: int | None


class Edited(Conflict):
    """Another decider has changed the form since this one looked at it."""


def held_item(actor: Actor, work_id: int, now: datetime) -> Held:
    """Lock the item's case and see that the item is still open and the actor's; `Conflict` where somebody was quicker."""
    seen, hats = WorkItem.objects.select_related("case__definition").filter(pk=work_id).first(), hats_of(actor, now)
    return _held(answerable(seen, actor=actor, hats=hats), hats, is_vouched=actor.is_system)


def _held(seen: WorkItem, hats: Sequence[Hat], *, is_vouched: bool) -> Held:
    """Everything but the rights is read again under the lock of the case, without which no item changes."""
    case = locked_case(seen.case_id)
    case.definition = seen.case.definition
    item = WorkItem.objects.select_related("stage_run").get(pk=seen.pk)
    if item.state != WorkState.OPEN.value or case.state != CaseState.RUNNING.value:
        raise Conflict(_("这件待办已经有人处理，或不再需要处理。"), remedy=_("请刷新待办列表。"))
    hat = None if is_vouched else hat_for(item, hats, case.definition.key)
    if hat is None and not is_vouched:
        raise NotFound(_("没有找到这件待办。"))
    run = item.stage_run
    flow = flow_of(case.flow_version_id or 0)
    stage = flow.stage(run.stage)
    assert stage is not None
    return Held(case, item, run, flow, stage, hat)


@transaction.atomic
def decide_work(
    *,
    actor: Actor,
    work_id: int,
    outcome: str,
    comment: str = "",
    written: Mapping[str, Any] | None = None,
    edits: Mapping[str, Any] | None = None,
    base_revision: int | None = None,
    now: datetime,
) -> Case:
    """Answer an item as its assignee, delegate, or holder of its office; of two at once the second gets `Conflict`.

    `written` are the stage's own fields, `edits` fields of the form that may be changed here, over the revision of the case
    that the actor saw: `Edited` where another decider has changed it since. Publishes `casework.case_decided` when the
    stage is done with it.
    """
    held = held_item(actor, work_id, now)
    return _decide(held, actor, outcome, comment, written, _Edits(edits or {}, base_revision), now)


@transaction.atomic
def decide_vouched(
    *,
    actor: Actor,
    work: WorkItem,
    outcome: str,
    comment: str = "",
    now: datetime,
) -> Case:
    """`decide_work` for an app that has itself checked that the actor may: an office above takes the matter over."""
    return _decide(_held(work, (), is_vouched=True), actor, outcome, comment, None, _Edits({}, None), now)


def _decide(
    held: Held,
    actor: Actor,
    outcome: str,
    comment: str,
    written: Mapping[str, Any] | None,
    edits: _Edits,
    now: datetime,
) -> Case:
    comment = comment.strip()[:5000]
    if held.item.kind == WorkKind.ADDED.value:
        return _hear(held, actor, comment, now)
    chosen = outcome_named(held.stage, outcome)
    if chosen is None:
        raise Invalid(_("这一步没有这种结果。"), remedy=_("请从页面上的按钮里选择。"))
    if chosen.needs_reason and not comment:
        raise Invalid(_("选择“%(title)s”要写明理由。") % {"title": chosen.title}, remedy=_("请填写意见。"))
    _check_hands(held, actor)
    _edit(held, edits, actor, now)
    _answer(held, actor, chosen.key, comment, _read_written(held, written or {}, chosen, actor, now), now)
    _judge(held, chosen, comment, actor, now)
    return held.case


def _check_hands(held: Held, actor: Actor) -> None:
    """Whoever asked for another opinion hears it first, and nobody judges twice in a blind stage."""
    waiting = WorkItem.objects.filter(stage_run=held.run, kind=WorkKind.ADDED.value, state=WorkState.OPEN.value)
    if held.stage.decide is not Decide.ONE:
        waiting = waiting.filter(asker_id=actor.person_id)
    if waiting.exists():
        raise Conflict(_("加签的人还没有给出意见。"), remedy=_("请等加签的意见，或催办。"))
    if held.stage.decide is Decide.BLIND and actor.person_id is not None:
        own = WorkItem.objects.filter(stage_run=held.run, done_by_id=actor.person_id)
        if own.exists():
            raise Refused(_("同一个人不能评两次。"))


def _hear(held: Held, actor: Actor, comment: str, now: datetime) -> Case:
    if not comment:
        raise Invalid(_("请写下您的意见。"))
    _answer(held, actor, HEARD, comment, {}, now)
    if held.item.asker_id is not None:
        asking = WorkItem(assignee_id=held.item.asker_id)
        notify_asked(held.case, [asking], _("加签意见已经给出"), key=f"casework.heard:{held.item.pk}", now=now)
    return held.case


def _answer(held: Held, actor: Actor, outcome: str, comment: str, written: Mapping[str, Any], now: datetime) -> None:
    item = held.item
    item.state, item.outcome, item.comment = WorkState.DONE.value, outcome, comment
    item.written, item.done_at = dict(written), now
    item.done_by_id, item.for_person_id = actor.person_id, held.for_person_id
    item.save(update_fields=["state", "outcome", "comment", "written", "done_at", "done_by", "for_person"])
    act = Act.ARBITRATED if item.kind == WorkKind.ARBITRATE.value else Act.DECIDED
    details = {"kind": item.kind} | ({"for_person_id": held.for_person_id} if held.for_person_id else {})
    note(held.case, actor, act, now=now, stage=held.stage.key, outcome=outcome, comment=comment, details=details)
    record(held.case, actor, "work_decided", now=now, work_id=item.pk, stage=held.stage.key, outcome=outcome, **details)


def _read_written(held: Held, told: Mapping[str, Any], chosen: OutcomeSpec, actor: Actor, now: datetime) -> dict[str, Any]:
    """What is written down at the stage; what is required is asked only of whoever agrees."""
    stage = held.stage
    if not stage.fields:
        return {}
    told = told_by(actor, form_at(stage), told, kept={}, files=files_of(case_id=held.case.pk), now=now)
    is_agreed = chosen.key == stage.outcomes[0].key or stage.decide is Decide.BLIND
    checked = check_form(form_at(stage), told, today=day_of(now), is_draft=False)
    faults = [fault for fault in checked.errors if is_agreed or told.get(fault.path) not in (None, "")]
    if faults:
        raise FormRefused(faults)
    return checked.data


def form_at(stage: StageSpec) -> FormSpec:
    """The fields of a stage as a form of their own."""
    fields: tuple[FieldSpec, ...] = stage.fields
    section = SectionSpec(key="written", title=stage.title, fields=fields)
    return FormSpec(key="stage.written", title=Words(zh=stage.title.zh, en=stage.title.en), sections=(section,))


def _edit(held: Held, edits: _Edits, actor: Actor, now: datetime) -> None:
    """Change the fields of the form that this stage may change; the whole form must still be sound."""
    if not edits.values:
        return
    if strange := sorted(set(edits.values) - set(held.stage.edits)):
        raise Refused(_("这一步不能修改：%(fields)s。") % {"fields": "、".join(strange)})
    case, before = held.case, dict(held.case.data)
    form, files = form_of(case.form_version_id), files_of(case_id=case.pk)
    told = told_by(actor, form, {**before, **edits.values}, kept=before, files=files, now=now)
    checked = check_form(form, told, today=day_of(now))
    keys = {key for key in {*before, *checked.data} if before.get(key) != checked.data.get(key)}
    if keys and edits.base_revision != case.revision:
        raise Edited(_("表单内容刚刚被别人改过。"), remedy=_("请看过最新的内容再决定。"))
    if not checked.is_sound:
        raise FormRefused(checked.errors)
    if not keys:
        return
    changed = {key: {"was": before.get(key), "is": checked.data.get(key)} for key in sorted(keys)}
    case.data, case.revision, case.changed_at = checked.data, case.revision + 1, now
    case.save(update_fields=["data", "revision", "changed_at"])
    note(case, actor, Act.CORRECTED, now=now, stage=held.stage.key, details={"changed": changed})
    record(case, actor, "case_corrected", now=now, fields=sorted(keys))


def _judge(held: Held, chosen: OutcomeSpec, comment: str, actor: Actor, now: datetime) -> None:
    """Count the vote; where the stage is done with it, go on."""
    run, stage = held.run, held.stage
    is_agreed = chosen.key == stage.outcomes[0].key
    run.agreed += is_agreed
    run.differed += not is_agreed
    verdict = _verdict(held, chosen.key)
    if verdict.is_waiting:
        run.save(update_fields=["agreed", "differed"])
        if stage.decide is Decide.SEQUENCE:
            _open_next(held, now)
        return
    if verdict.needs_arbiter:
        _ask_arbiter(held, now)
        return
    outcome = verdict.outcome or _prevailing(held)
    finish_stage(held.case, held.flow, stage, run, outcome, actor=actor, reason=comment, now=now)


def _verdict(held: Held, chosen: str) -> Verdict:
    run, stage = held.run, held.stage
    if held.item.kind == WorkKind.ARBITRATE.value:
        return Verdict(outcome=chosen)
    if stage.decide is Decide.BLIND:
        votes = WorkItem.objects.filter(stage_run=run, kind=WorkKind.DECIDE.value, state=WorkState.DONE.value)
        return blind_verdict(stage, [(vote.outcome, vote.written.get(stage.score)) for vote in votes.order_by("id")])
    return verdict_of(stage, Tally(run.asked, run.agreed, run.differed), chosen)


def _open_next(held: Held, now: datetime) -> None:
    following = WorkItem.objects.filter(stage_run=held.run, state=WorkState.WAITING.value).order_by("position").first()
    if following is not None:
        following.state, following.opened_at = WorkState.OPEN.value, now
        following.save(update_fields=["state", "opened_at"])
        title = _("待办：%(stage)s") % {"stage": held.stage.title}
        notify_asked(held.case, [following], title, key=f"casework.work:{following.pk}", now=now)


def _ask_arbiter(held: Held, now: datetime) -> None:
    run, stage = held.run, held.stage
    assert stage.arbiter is not None
    found = found_for(held.case, stage, stage.arbiter, now)[:1]
    items = ask(held.case, run, stage, found, now=now, kind=WorkKind.ARBITRATE)
    run.asked += len(items)
    run.save(update_fields=["asked", "agreed", "differed"])
    title = _("请仲裁：%(stage)s") % {"stage": stage.title}
    notify_asked(held.case, items, title, key=f"casework.arbiter:{run.pk}", now=now)


def _prevailing(held: Held) -> str:
    """What most of those chose who did not agree."""
    rows = WorkItem.objects.filter(stage_run=held.run, kind=WorkKind.DECIDE.value, state=WorkState.DONE.value)
    differed = rows.exclude(outcome=held.stage.outcomes[0].key).values("outcome").annotate(times=Count("id"))
    return str(differed.order_by("-times", "outcome")[0]["outcome"])


def finish_stage(
    case: Case, flow: FlowSpec, stage: StageSpec, run: StageRun, outcome: str, *, actor: Actor, reason: str, now: datetime
) -> None:
    """Leave a stage by an outcome, what its deciders wrote down taken into the case."""
    if stage.fields:
        rows = list(WorkItem.objects.filter(stage_run=run, state=WorkState.DONE.value).exclude(kind=WorkKind.ADDED.value))
        ruling = [row.written for row in rows if row.kind == WorkKind.ARBITRATE.value]
        told = [row.written for row in sorted(rows, key=lambda row: (row.done_at, row.pk)) if row.written]
        if told:
            case.written = {**case.written, stage.key: {**merged_written(told), **(ruling[-1] if ruling else {})}}
    leave_stage(run, outcome, now)
    leave_by(case, flow, stage, outcome, actor=actor, now=now, reason=reason)


def decide_batch(*, actor: Actor, work_ids: Sequence[int], outcome: str, comment: str = "", now: datetime) -> Batch:
    """Answer many items alike, each in a transaction of its own: what one refuses does not hold up the others."""
    done, refused = [], []
    for work_id in dict.fromkeys(work_ids):
        try:
            _decide_one(actor, work_id, outcome, comment, now)
            done.append(work_id)
        except ShurenError as error:
            refused.append((work_id, str(error)))
    return Batch(tuple(done), tuple(refused))


@transaction.atomic
def _decide_one(actor: Actor, work_id: int, outcome: str, comment: str, now: datetime) -> None:
    item = access_work(actor=actor, id=work_id, now=now)
    stage = flow_of(item.case.flow_version_id or 0).stage(item.stage_run.stage)
    if not may(stage, Move.BATCH):
        raise Refused(_("这一步要逐件办理，不能批量。"))
    # The outcome that agrees is called differently by different flows; an empty one means just that.
    key = outcome or (stage.outcomes[0].key if stage else "")
    decide_work(actor=actor, work_id=work_id, outcome=key, comment=comment, now=now)
