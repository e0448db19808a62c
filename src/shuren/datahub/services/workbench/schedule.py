"""Questions that are asked again by themselves: once for each due time, by what their owner may see at that moment."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import ScheduleEvery
from shuren.datahub.models import QuestionAnswer, QuestionSchedule
from shuren.datahub.rules.workbench.answers import difference, unpacked
from shuren.datahub.rules.workbench.due import check_schedule, next_due
from shuren.datahub.selectors.workbench import access_own_question, access_workbench
from shuren.datahub.services.workbench.ask import Asked, answered
from shuren.directory import api as directory
from shuren.kernel import audit, ids
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.messaging.api import notify
from shuren.work.api import enqueue

JOB = "shuren.datahub.jobs.run_question"


@dataclass(frozen=True, slots=True)
class Timing:
    """How often, on which day and at which hour, what for, and how many answers stay."""

    every: ScheduleEvery
    day: int
    hour: int
    purpose: str
    keeps: int


@transaction.atomic
def schedule_question(*, actor: Actor, question_id: int, timing: Timing, now: datetime) -> QuestionSchedule:
    """Have one's own question asked again and again, in one's name and through the hat that one wears now."""
    access_workbench(actor=actor, now=now)
    row = access_own_question(actor=actor, id=question_id)
    check_schedule(timing.every, day=timing.day, hour=timing.hour, keeps=timing.keeps)
    if not timing.purpose.strip():
        raise Invalid(_("请写明查询的用途。"))
    told = {
        "every": timing.every.value,
        "day": timing.day,
        "hour": timing.hour,
        "purpose": timing.purpose.strip()[:200],
        "role": actor.role or "",
        "keeps": timing.keeps,
        "next_at": _next(timing.every, timing.day, timing.hour, now),
        "ended_at": None,
        "end_reason": "",
    }
    schedule, _is_new = QuestionSchedule.objects.update_or_create(question=row, defaults=told)
    details = {name: told[name] for name in ("every", "day", "hour", "purpose", "keeps")}
    target = f"saved_question:{row.pk}"
    audit.record(actor=actor, action="datahub.question_scheduled", target=target, details=details, now=now)
    return schedule


@transaction.atomic
def unschedule_question(*, actor: Actor, question_id: int, now: datetime) -> None:
    """Stop asking; the answers that are there stay."""
    access_workbench(actor=actor, now=now)
    row = access_own_question(actor=actor, id=question_id)
    schedule = QuestionSchedule.objects.filter(question=row, ended_at__isnull=True).first()
    if schedule is None:
        raise Conflict(_("这个查询没有定时。"))
    _end(schedule, _("已停止定时。"), actor, now)


def queue_due(*, now: datetime) -> int:
    """Put a job into the queue for every schedule that is due, once for each due time; returns how many.

    What fell due several times while nothing ran is asked once.
    """
    queued = 0
    for pk in list(QuestionSchedule.objects.filter(ended_at__isnull=True, next_at__lte=now).values_list("pk", flat=True)):
        with transaction.atomic():
            row = QuestionSchedule.objects.select_for_update().select_related("question").get(pk=pk)
            if row.ended_at is not None or row.next_at > now:
                continue
            due = row.next_at.isoformat()
            enqueue(
                JOB,
                {"schedule_id": row.pk, "due_at": due},
                key=f"question:{row.pk}:{due}",
                is_once=True,
                title=gettext_lazy("定时查询：%(title)s"),
                title_words={"title": row.question.title},
            )
            row.next_at = _next(ScheduleEvery(row.every), row.day, row.hour, now)
            row.save(update_fields=["next_at"])
            queued += 1
    return queued


def run_question(*, schedule_id: int, due_at: datetime, now: datetime) -> int:
    """Ask for one due time and tell the owner; killed anywhere and run again it leaves one answer and one notice.

    Whoever may not ask any more is told so, and the schedule ends. Returns the rows of the answer.
    """
    row = QuestionSchedule.objects.select_related("question").filter(pk=schedule_id, ended_at__isnull=True).first()
    if row is None or row.answers.filter(due_at=due_at).exists():
        return 0
    actor = _owner(row)
    try:
        desk = access_workbench(actor=actor, now=now)
    except NotFound as error:
        _end_and_tell(row, str(error), now)
        return 0
    try:
        answer = answered(desk, actor, Asked.of_question(row.question), row.purpose, now)
    except (Refused, NotFound, Invalid) as error:
        # Data that is not there today may be there tomorrow; what is refused, or a grant that is gone, stays so.
        if isinstance(error, Refused) or (isinstance(error, NotFound) and row.question.grant_id is not None):
            _end_and_tell(row, str(error), now)
            return 0
        answer = _faulty(row, str(error), now)
    _keep(row, answer, due_at, now)
    return answer.rows


def _keep(row: QuestionSchedule, answer: QuestionAnswer, due_at: datetime, now: datetime) -> None:
    answer.schedule, answer.due_at = row, due_at
    before = QuestionAnswer.objects.filter(schedule=row, fault="").order_by("-pk").first()
    if before is not None and not answer.fault:
        differing = difference(unpacked(bytes(before.content)), unpacked(bytes(answer.content)))
        if differing is not None:
            answer.added, answer.removed = len(differing[0]), len(differing[1])
    with transaction.atomic():
        held = QuestionSchedule.objects.select_for_update().get(pk=row.pk)
        if held.ended_at is not None or held.answers.filter(due_at=due_at).exists():
            return
        answer.save()
        old = held.answers.order_by("-due_at").values_list("pk", flat=True)[held.keeps :]
        QuestionAnswer.objects.filter(pk__in=list(old)).delete()
        # No figure stands in the message: it may be read where the answer may not.
        title = _("定时查询没有成功") if answer.fault else _("定时查询有了新结果")
        notify(
            person_ids=[answer.person_id],
            title=title,
            body=row.question.title,
            url=reverse("datahub:question_answer", args=[ids.encode("question_answer", answer.pk)]),
            key=f"question-answered:{row.pk}:{due_at.isoformat()}",
            now=now,
        )


@transaction.atomic
def _end_and_tell(row: QuestionSchedule, reason: str, now: datetime) -> None:
    _end(row, _("已不能再查询：%(reason)s") % {"reason": reason}, SYSTEM, now)
    notify(
        person_ids=[row.question.owner_id],
        title=_("定时查询已停止"),
        body=_("%(title)s：现在的权限不能再查询这些数据。") % {"title": row.question.title},
        url=reverse("datahub:saved_question", args=[ids.encode("saved_question", row.question_id)]),
        key=f"question-ended:{row.pk}:{row.next_at.isoformat()}",
        now=now,
    )


def _end(row: QuestionSchedule, reason: str, actor: Actor, now: datetime) -> None:
    row.ended_at, row.end_reason = now, reason[:500]
    row.save(update_fields=["ended_at", "end_reason"])
    target, details = f"saved_question:{row.question_id}", {"reason": row.end_reason}
    audit.record(actor=actor, action="datahub.question_unscheduled", target=target, details=details, now=now)


def _owner(row: QuestionSchedule) -> Actor:
    """The owner as they would ask by themselves: by what they hold now, through the hat they wore then."""
    person = directory.people_by_ids([row.question.owner_id]).get(row.question.owner_id)
    return Actor(person_id=row.question.owner_id, account_id=None, name=person.name if person else "", role=row.role or None)


def _faulty(row: QuestionSchedule, fault: str, now: datetime) -> QuestionAnswer:
    one = row.question
    return QuestionAnswer(
        person_id=one.owner_id,
        question=one,
        title=one.title,
        dataset=one.dataset,
        grant_id=one.grant_id,
        sql=one.sql,
        purpose=row.purpose,
        fault=fault[:500],
        at=now,
    )


def _next(every: ScheduleEvery, day: int, hour: int, now: datetime) -> datetime:
    return next_due(every, day=day, hour=hour, after=now, zone=timezone.get_default_timezone()).astimezone(UTC)
