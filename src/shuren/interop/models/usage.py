"""How apps are used: windows of their quotas, calls by day, and who launched them."""

from django.db import models

from shuren.interop.models.app import App


class QuotaWindow(models.Model):
    """Calls that processes have reserved in one minute or one day; `began` counts minutes or days since 1970 (UTC)."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    span = models.CharField(max_length=6, choices=[("minute", "minute"), ("day", "day")])
    began = models.BigIntegerField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "span", "began"], name="quota_window_once")]
        indexes = [models.Index(fields=["span", "began"], name="quota_window_age")]

    def __str__(self) -> str:
        return f"{self.app_id} {self.span} {self.began}"


class CallCount(models.Model):
    """Calls of one app on one day that took a like time; `bucket` k holds 2^(k/2-1) to 2^(k/2) milliseconds."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    outcome = models.CharField(max_length=8, choices=[("done", "done"), ("error", "error"), ("refused", "refused")])
    bucket = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "day", "outcome", "bucket"], name="call_count_once")]

    def __str__(self) -> str:
        return f"{self.app_id} {self.day} {self.outcome} {self.bucket}"


class LaunchCount(models.Model):
    """How often one person opened an app on one day, and from which org."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    person = models.ForeignKey("directory.Person", on_delete=models.CASCADE, related_name="+")
    org_id = models.BigIntegerField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "day", "person"], name="launch_count_once")]

    def __str__(self) -> str:
        return f"{self.app_id} {self.day} {self.person_id}"
