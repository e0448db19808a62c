"""The query workbench: questions that were saved, their versions, when they are asked again, and answers that are kept."""

from django.db import models
from django.db.models import Q

from shuren.datahub.data import ScheduleEvery
from shuren.kernel.fields import PathField

_EVERY = [(one.value, one.value) for one in ScheduleEvery]


class SavedQuestion(models.Model):
    """A question of one officer; with `is_shared` those below `org_path` open it, each with the rows of their own.

    `composition` is what was ticked, empty where the text was written by hand. With `grant_id` it is asked through that grant.
    """

    owner_id = models.BigIntegerField()
    org_path = PathField()
    title = models.CharField(max_length=120)
    note = models.CharField(max_length=500, blank=True)
    is_shared = models.BooleanField(default=False)
    dataset = models.CharField(max_length=80, blank=True)
    grant_id = models.BigIntegerField(null=True)
    sql = models.TextField()
    composition = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["owner_id", "-id"], name="saved_question_mine"),
            models.Index(
                fields=["org_path", "-id"], name="saved_question_shared", condition=Q(is_shared=True, deleted_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.title


class QuestionVersion(models.Model):
    """The text of a saved question as it once stood; the newest is the question's own."""

    question = models.ForeignKey(SavedQuestion, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    sql = models.TextField()
    composition = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["question", "number"], name="question_version_once")]

    def __str__(self) -> str:
        return f"{self.question_id} v{self.number}"


class QuestionSchedule(models.Model):
    """When a question is asked again, in its owner's name and by their rights of that moment, through the hat `role`.

    `day` counts from 1: of the week (Monday) or of the month, whose last it is at most. The newest `keeps` answers are kept.
    """

    question = models.OneToOneField(SavedQuestion, on_delete=models.CASCADE, related_name="schedule")
    every = models.CharField(max_length=5, choices=_EVERY)
    day = models.PositiveSmallIntegerField(default=1)
    hour = models.PositiveSmallIntegerField()
    purpose = models.CharField(max_length=200)
    role = models.CharField(max_length=30, blank=True)
    keeps = models.PositiveSmallIntegerField(default=12)
    next_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="question_schedule_due", condition=Q(ended_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.question_id} {self.every}"


class QuestionAnswer(models.Model):
    """What a question was answered, for the one person who asked; `scope` are the branches whose rows it holds.

    `content` is an Arrow stream, masked as the reader saw it. At most one answer belongs to a due time of a schedule;
    `fault` says why there is none. `added` and `removed` are rows beside the answer before.
    """

    person_id = models.BigIntegerField()
    question = models.ForeignKey(SavedQuestion, on_delete=models.CASCADE, null=True, related_name="answers")
    schedule = models.ForeignKey(QuestionSchedule, on_delete=models.CASCADE, null=True, related_name="answers")
    due_at = models.DateTimeField(null=True)
    title = models.CharField(max_length=120, blank=True)
    dataset = models.CharField(max_length=80, blank=True)
    grant_id = models.BigIntegerField(null=True)
    sql = models.TextField()
    composition = models.JSONField(default=dict)
    purpose = models.CharField(max_length=200)
    scope = models.JSONField(default=list)
    content = models.BinaryField(default=bytes)
    rows = models.PositiveIntegerField(default=0)
    is_cut = models.BooleanField(default=False)
    seconds = models.FloatField(default=0.0)
    fault = models.CharField(max_length=500, blank=True)
    added = models.PositiveIntegerField(null=True)
    removed = models.PositiveIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "due_at"], name="question_answer_once")]
        indexes = [
            models.Index(fields=["person_id", "-id"], name="question_answer_mine"),
            models.Index(fields=["at"], name="question_answer_swept", condition=Q(schedule__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.title or self.dataset} {self.rows}"
