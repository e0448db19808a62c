"""Sending what waits: signed, in order per subject, tried again, given up at last."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from shuren.interop.data import AppStatus, DeliveryStatus
from shuren.interop.models import App, Delivery, DeliveryTurn, WebhookKey
from shuren.interop.rules.retries import UNANSWERED_FOR, is_delivered, pause_after, rest_of
from shuren.interop.rules.signatures import headers_of
from shuren.kernel import audit, clock, outward
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict
from shuren.trust.api import unseal
from shuren.work.api import enqueue

KEY_PURPOSE = "interop.webhook_key"
_CLAIM = timedelta(seconds=60)
_RUNNING = (AppStatus.ACTIVE, AppStatus.LEAVING)
_LATE = timedelta(seconds=20)
_SLOW_SECONDS = 0.5
_CALL_SECONDS = 5.0
_TURN_SECONDS = 5.0
_MAX_ANSWER = 64 * 1024
_KEPT = timedelta(days=90)


@dataclass(slots=True)
class _Course:
    """How a turn went, and the keys that sign meanwhile."""

    keys: list[bytes]
    sent: int = 0
    delivered: int = 0
    seconds: float = 0.0
    is_unanswered: bool = False

    @property
    def is_slow(self) -> bool:
        return self.seconds > _SLOW_SECONDS * self.sent


def deliver_app(*, app_id: int) -> int:
    """Send what is due to one app, for a few seconds at most; returns how many were delivered.

    Only one worker at a time sends to an app, and goes on to the others when its seconds are over or nobody answers:
    whatever a receiver does, it holds one worker for ten seconds at most. What is left is a job behind those that wait.
    A message is claimed for a minute before it is sent, so that a killed worker does not lose it; of one subject only
    the oldest waiting message is ever sent.
    """
    delivered = 0
    while _take_turn(app_id, now=clock.now()):
        course = _work_turn(app_id)
        delivered += course.delivered
        comes_back = _end_turn(app_id, course, now=clock.now())
        # Whoever came while the turn was taken went away again: only a look after its end sees what they brought.
        if comes_back or not _due(app_id, now=clock.now()).exists():
            break
    return delivered


def _take_turn(app_id: int, *, now: datetime) -> bool:
    free = Q(taken_until__isnull=True) | Q(taken_until__lt=now)
    rested = Q(rests_until__isnull=True) | Q(rests_until__lte=now)
    mine = DeliveryTurn.objects.filter(free, rested, app_id=app_id)
    if mine.update(taken_until=now + _CLAIM):
        return True
    if DeliveryTurn.objects.filter(app_id=app_id).exists() or not App.objects.filter(pk=app_id).exists():
        return False
    DeliveryTurn.objects.bulk_create([DeliveryTurn(app_id=app_id)], ignore_conflicts=True)
    return bool(mine.update(taken_until=now + _CLAIM))


def _work_turn(app_id: int) -> _Course:
    began = monotonic()
    course = _Course(keys=valid_keys(app_id, now=clock.now()))
    while course.seconds < _TURN_SECONDS and not course.is_unanswered:
        row = _claim(app_id, now=clock.now())
        if row is None:
            break
        _send(row, course)
        course.seconds = monotonic() - began
    return course


def _end_turn(app_id: int, course: _Course, *, now: datetime) -> bool:
    """Let the app go, for a rest if it was silent or slow; returns whether a job comes back for what is left."""
    comes_back = course.is_unanswered or course.seconds >= _TURN_SECONDS
    with transaction.atomic():
        turn = DeliveryTurn.objects.select_for_update().get(pk=app_id)
        if course.sent:
            turn.failing_since = (turn.failing_since or now) if course.is_unanswered else None
        turn.taken_until = turn.rests_until = None
        if course.is_unanswered:
            turn.rests_until = now + rest_of(silent_for=now - (turn.failing_since or now))
        elif comes_back and course.is_slow:
            # As long as it kept a worker: a slow one never has more than half of one.
            turn.rests_until = now + timedelta(seconds=course.seconds)
        turn.save()
        if comes_back:
            enqueue("shuren.interop.jobs.deliver", {"app_id": app_id}, run_after=turn.rests_until)
    return comes_back


def _due(app_id: int, *, now: datetime) -> QuerySet[Delivery]:
    earlier = Delivery.objects.filter(
        app_id=app_id, subject=OuterRef("subject"), status=DeliveryStatus.WAITING, pk__lt=OuterRef("pk")
    )
    due = Delivery.objects.filter(app_id=app_id, status=DeliveryStatus.WAITING, next_at__lte=now, app__status__in=_RUNNING)
    return due.exclude(Exists(earlier)).order_by("next_at", "pk")


def _claim(app_id: int, *, now: datetime) -> Delivery | None:
    for pk in list(_due(app_id, now=now).values_list("pk", flat=True)[:1]):
        mine = Delivery.objects.filter(pk=pk, status=DeliveryStatus.WAITING, next_at__lte=now)
        if mine.update(next_at=now + _CLAIM, attempts=F("attempts") + 1):
            return Delivery.objects.select_related("app__current").get(pk=pk)
    return None


def _send(row: Delivery, course: _Course) -> None:
    answer, error = None, ""
    course.sent += 1
    version = row.app.current
    if version is None or not version.webhook_url or not course.keys:
        error = _("没有消息通知网址或签名密钥。")
    else:
        body = json.dumps(row.payload, ensure_ascii=False, separators=(",", ":")).encode()
        headers = headers_of(course.keys, message_id=row.message_id, timestamp=int(clock.now().timestamp()), body=body)
        headers["Content-Type"] = "application/json"
        try:
            answer = outward.call(
                version.webhook_url, method="POST", body=body, headers=headers, max_bytes=_MAX_ANSWER, seconds=_CALL_SECONDS
            ).status
        except (outward.OutwardRefused, outward.OutwardFailed) as fault:
            error, course.is_unanswered = str(fault), True
    course.delivered += _settle(row, answer, error, now=clock.now())


def _settle(row: Delivery, answer: int | None, error: str, *, now: datetime) -> bool:
    is_done = answer is not None and is_delivered(answer)
    pause = None if is_done else pause_after(row.attempts)
    # 410 Gone: the receiver wants no more (Standard Webhooks).
    if answer == 410:
        pause = None
    status = DeliveryStatus.DELIVERED if is_done else DeliveryStatus.WAITING if pause else DeliveryStatus.DEAD
    with transaction.atomic():
        Delivery.objects.filter(pk=row.pk, status=DeliveryStatus.WAITING).update(
            status=status,
            answer=answer,
            error=error[:300],
            next_at=now + pause if pause else None,
            delivered_at=now if is_done else None,
        )
        if pause:
            key = f"webhook:{row.pk}:{row.attempts}"
            enqueue("shuren.interop.jobs.deliver", {"app_id": row.app_id}, key=key, is_once=True, run_after=now + pause)
        elif status is DeliveryStatus.DEAD:
            details = {"message_id": row.message_id, "answer": answer, "attempts": row.attempts}
            audit.record(actor=SYSTEM, action="interop.message_given_up", target=f"app:{row.app_id}", details=details, now=now)
    return is_done


def valid_keys(app_id: int, *, now: datetime) -> list[bytes]:
    """The keys that sign now, the newest first."""
    rows = WebhookKey.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now), app_id=app_id).order_by("-id")
    return [unseal(bytes(row.sealed), purpose=KEY_PURPOSE) for row in rows[:3]]


def replay_delivery(*, actor: Actor, delivery: Delivery, now: datetime) -> None:
    """Send a message again under the same id, so that a receiver that has it can tell; the caller has accessed it."""
    with transaction.atomic():
        row = Delivery.objects.select_for_update().get(pk=delivery.pk)
        if row.status == DeliveryStatus.WAITING:
            raise Conflict(_("这条消息正在等待发送。"), remedy=_("请稍后刷新页面。"))
        row.status, row.attempts, row.next_at, row.error = DeliveryStatus.WAITING, 0, now, ""
        row.save(update_fields=["status", "attempts", "next_at", "error"])
        end_rest(row.app_id)
        enqueue("shuren.interop.jobs.deliver", {"app_id": row.app_id})
        details = {"message_id": row.message_id}
        audit.record(actor=actor, action="interop.message_replayed", target=f"app:{row.app_id}", details=details, now=now)


def end_rest(app_id: int) -> None:
    """Send to the app again at once: somebody who mended it asks for it."""
    DeliveryTurn.objects.filter(app_id=app_id).update(rests_until=None)


def wake_due(*, now: datetime) -> int:
    """Put a job into the queue for every app with messages long due, as a killed worker leaves them; returns how many."""
    late = Delivery.objects.filter(app_id=OuterRef("pk"), status=DeliveryStatus.WAITING, next_at__lte=now - _LATE)
    resting = DeliveryTurn.objects.filter(app_id=OuterRef("pk"), rests_until__gt=now)
    apps = App.objects.filter(Exists(late), ~Exists(resting), status__in=_RUNNING)
    app_ids = list(apps.values_list("pk", flat=True))
    for app_id in app_ids:
        enqueue("shuren.interop.jobs.deliver", {"app_id": app_id}, key=f"webhooks:{app_id}")
    return len(app_ids)


def give_up_silent(*, now: datetime) -> int:
    """Give up what waits for apps that have not answered at all for two days; their vendors may send it again."""
    given_up = 0
    silent = DeliveryTurn.objects.filter(failing_since__lt=now - UNANSWERED_FOR)
    for app_id in list(silent.values_list("app_id", flat=True)):
        with transaction.atomic():
            late = Delivery.objects.filter(app_id=app_id, status=DeliveryStatus.WAITING, next_at__lte=now)
            rows = late.update(status=DeliveryStatus.DEAD, next_at=None)
            if rows:
                audit.record(
                    actor=SYSTEM, action="interop.messages_given_up", target=f"app:{app_id}", details={"messages": rows}, now=now
                )
        given_up += rows
    return given_up


def sweep_deliveries(*, now: datetime) -> int:
    """Forget messages older than 90 days that are no longer waiting."""
    old = Delivery.objects.filter(created_at__lt=now - _KEPT).exclude(status=DeliveryStatus.WAITING)
    return Delivery.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:10_000])).delete()[0]
