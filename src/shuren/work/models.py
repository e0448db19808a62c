"""One table: a job waits, is leased by a worker for a short time that the worker keeps extending, and ends.

A worker that dies stops extending; the lease runs out and the job goes back to the queue. Every claim has its own
token in `leased_by`, and every later write names it, so that a worker which lost its lease can no longer write.
"""

from django.db import models
from django.db.models import Q

from shuren.work.data import LIVE_STATUSES, JobStatus


class Job(models.Model):
    """`key` is unique among live jobs; with `is_once` it is never accepted a second time.

    `title` is a msgid and `title_words` what fills it, so that every reader sees it in their language.
    """

    name = models.CharField(max_length=200)
    args = models.JSONField(default=dict)
    title = models.CharField(max_length=200, blank=True)
    title_words = models.JSONField(default=dict)
    language = models.CharField(max_length=10, blank=True)
    key = models.CharField(max_length=250, null=True)  # null = no key: two rows without one must not collide
    is_once = models.BooleanField(default=False)
    owner_account_id = models.BigIntegerField(null=True)
    status = models.CharField(max_length=10, choices=[(s.value, s.value) for s in JobStatus], default=JobStatus.QUEUED.value)
    run_after = models.DateTimeField()
    leased_by = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=5)
    failures = models.PositiveSmallIntegerField(default=0)
    strandings = models.PositiveSmallIntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True)
    state = models.JSONField(default=dict)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    note = models.CharField(max_length=200, blank=True)
    done_before = models.BigIntegerField(default=0)
    result = models.JSONField(null=True)
    error = models.TextField(blank=True)
    error_detail = models.TextField(blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    attempt_started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["status", "run_after", "id"], name="job_due"),
            models.Index(fields=["status", "lease_until"], name="job_lease"),
            models.Index(fields=["status", "finished_at"], name="job_finished"),
            models.Index(fields=["owner_account_id", "-id"], name="job_owner"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=Q(status__in=[s.value for s in LIVE_STATUSES]), name="job_key_live"
            ),
            models.UniqueConstraint(fields=["key"], condition=Q(is_once=True), name="job_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name}#{self.pk} {self.status}"
