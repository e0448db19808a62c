"""Tools in classes (LTI 1.3): the places they open from, and what they say about pupils' work."""

from django.db import models

from shuren.interop.data import ActivityProgress, GradingProgress
from shuren.interop.models.app import App


class LtiLink(models.Model):
    """A resource link: a teacher put it into a class; `url` is the target, empty for the tool's own."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    class_org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    text = models.TextField(max_length=1000, blank=True)
    url = models.CharField(max_length=500, blank=True)
    custom = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("directory.Person", on_delete=models.SET_NULL, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["class_org", "id"], name="lti_link_class", condition=models.Q(removed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.title


class LtiLineItem(models.Model):
    """A column of scores of one class, kept by the tool that made it."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    class_org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    link = models.ForeignKey(LtiLink, on_delete=models.SET_NULL, null=True, related_name="line_items")
    label = models.CharField(max_length=200)
    score_maximum = models.FloatField()
    resource_id = models.CharField(max_length=200, blank=True)
    tag = models.CharField(max_length=200, blank=True)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["class_org", "app", "id"], name="lti_line_item_class")]

    def __str__(self) -> str:
        return self.label


class LtiResult(models.Model):
    """The newest score of one pupil in one column, as the tool sent it; `scored_at` is the tool's own clock."""

    line_item = models.ForeignKey(LtiLineItem, on_delete=models.CASCADE, related_name="results")
    person = models.ForeignKey("directory.Person", on_delete=models.PROTECT, related_name="+")
    score_given = models.FloatField(null=True)
    score_maximum = models.FloatField(null=True)
    comment = models.CharField(max_length=2000, blank=True)
    activity_progress = models.CharField(max_length=12, choices=[(v.value, v.value) for v in ActivityProgress])
    grading_progress = models.CharField(max_length=14, choices=[(v.value, v.value) for v in GradingProgress])
    scored_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["line_item", "person"], name="lti_result_once")]

    def __str__(self) -> str:
        return f"{self.line_item_id} {self.person_id}"
