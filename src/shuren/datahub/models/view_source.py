"""Views of front databases of other departments, and every turn of reading one."""

from django.db import models
from django.db.models import Q

from shuren.datahub.data import TlsMode, ViewRunKind, ViewRunState


class ViewSource(models.Model):
    """A view that is read into the dataset `front.<key>`; `columns` are those found there with what was chosen for each.

    `cursor` is the largest value of the growing column that has landed, moved together with what landed. `known_rows` is how
    many rows the view had then, `digest` what was read of a view without a growing column.
    """

    key = models.CharField(max_length=40, unique=True)
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120, blank=True)
    org_id = models.BigIntegerField()
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField()
    database = models.CharField(max_length=63)
    username = models.CharField(max_length=63)
    password_sealed = models.BinaryField()
    tls = models.CharField(max_length=7, choices=[(one.value, one.value) for one in TlsMode])
    schema = models.CharField(max_length=63)
    view = models.CharField(max_length=63)
    columns = models.JSONField(default=list)
    key_columns = models.JSONField(default=list)
    cursor_column = models.CharField(max_length=63, blank=True)
    org_column = models.CharField(max_length=63, blank=True)
    every_minutes = models.PositiveIntegerField(default=0)
    is_stopped = models.BooleanField(default=False)
    is_held = models.BooleanField(default=False)
    cursor = models.CharField(max_length=60, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    known_rows = models.BigIntegerField(null=True)
    failures = models.PositiveIntegerField(default=0)
    landed_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    registered_by = models.BigIntegerField(null=True)
    registered_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="view_source_due", condition=Q(is_stopped=False, is_held=False))]

    def __str__(self) -> str:
        return self.key


class ViewRun(models.Model):
    """One turn of reading a view. `changes`, `misfits` and `left_out` hold names and counts, `error` a code: never a value.

    `columns` is what the view had when the turn was held; confirming takes them over. `view_rows` counts the whole view.
    """

    source = models.ForeignKey(ViewSource, on_delete=models.PROTECT, related_name="runs")
    kind = models.CharField(max_length=5, choices=[(one.value, one.value) for one in ViewRunKind])
    state = models.CharField(max_length=9, choices=[(one.value, one.value) for one in ViewRunState])
    rows = models.BigIntegerField(default=0)
    view_rows = models.BigIntegerField(null=True)
    changes = models.JSONField(default=list)
    columns = models.JSONField(default=list)
    misfits = models.JSONField(default=dict)
    left_out = models.JSONField(default=dict)
    unknown_orgs = models.JSONField(default=list)
    error = models.CharField(max_length=20, blank=True)
    is_whole = models.BooleanField(default=True)
    asked_by = models.BigIntegerField(null=True)
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    confirmed_by = models.BigIntegerField(null=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source"], condition=Q(ended_at__isnull=True), name="view_run_open_once"),
        ]
        indexes = [models.Index(fields=["source", "-id"], name="view_runs_of")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.kind} {self.state}"
