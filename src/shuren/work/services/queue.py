"""Jobs into the queue, and out of it again at a person's wish."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shuren.kernel import audit, clock, events
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, NotFound
from shuren.work.data import LIVE_STATUSES, JobStatus
from shuren.work.models import Job
from shuren.work.rules import is_allowed_name, kept_title
from shuren.work.selectors import is_owner


def enqueue(
    name: str,
    args: Mapping[str, Any] | None = None,
    *,
    key: str | None = None,
    is_once: bool = False,
    run_after: datetime | None = None,
    title: str | Promise = "",
    title_words: Mapping[str, object] | None = None,
    actor: Actor = SYSTEM,
    max_attempts: int = 5,
) -> int:
    """Put a job into the queue inside the caller's transaction; returns its id.

    `title` is shown to each reader in their language when it is a lazy translation, filled with `title_words` (of
    which some may be lazy translations themselves).
    """
    if not is_allowed_name(name):
        raise ValueError(f"job {name!r} is not a function of shuren")
    now = clock.now()
    kept, words = kept_title(title, title_words or {})
    job = Job(
        name=name,
        args=dict(args or {}),
        key=key,
        is_once=is_once and key is not None,
        run_after=run_after or now,
        title=kept,
        title_words=words,
        language=get_language() or "",
        owner_account_id=actor.account_id,
        max_attempts=max_attempts,
        created_at=now,
    )
    if key is None:
        job.save(force_insert=True)
        return job.pk
    standing = _standing(key)
    if standing is None:
        # A rival may insert the same key meanwhile: the constraint lets one of us through and neither fails.
        Job.objects.bulk_create([job], ignore_conflicts=True)
        standing = _standing(key) or Job.objects.filter(key=key).order_by("-id").values_list("pk", flat=True).first()
    if standing is None:
        raise Conflict(_("任务没有排上队。"), remedy=_("请再试一次。"))
    return standing


def _standing(key: str) -> int | None:
    rows = Job.objects.filter(key=key).order_by("-id").values_list("pk", "status", "is_once")
    return next((pk for pk, status, is_once in rows if is_once or status in LIVE_STATUSES), None)


@transaction.atomic
def cancel_job(*, actor: Actor, job_id: int, now: datetime, may_cancel_any: bool = False) -> None:
    """Stop a waiting job at once and ask a running one to stop; publishes `work.job_cancelled` for the former."""
    job = Job.objects.select_for_update().filter(pk=job_id).first()
    if job is None or not (may_cancel_any or actor.is_system or is_owner(actor, job.owner_account_id)):
        raise NotFound(_("没有找到这个任务。"))
    if job.status not in LIVE_STATUSES:
        raise Conflict(_("任务已经结束，不能取消。"))
    if job.status == JobStatus.QUEUED:
        Job.objects.filter(pk=job_id).update(status=JobStatus.CANCELLED, cancel_requested_at=now, finished_at=now)
        payload = {"job_id": job_id, "name": job.name, "args": job.args, "error": ""}
        events.publish("work.job_cancelled", payload, now=now)
    else:
        Job.objects.filter(pk=job_id).update(cancel_requested_at=now)
    audit.record(actor=actor, action="work.job_cancelled", target=f"job:{job_id}", details={"name": job.name}, now=now)
