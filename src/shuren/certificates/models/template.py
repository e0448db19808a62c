"""Templates and their versions; a version is never changed, since certificates say what it said."""

from django.db import models

from shuren.certificates.data import TemplateStatus
from shuren.kernel.fields import PathField


class Template(models.Model):
    """A kind of certificate of an org; orgs below it may give it where its levels say so."""

    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=60)
    status = models.CharField(max_length=10, default=TemplateStatus.ACTIVE.value)
    current = models.ForeignKey("certificates.TemplateVersion", on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["org_path", "status"], name="template_scope")]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(models.Model):
    """What a template said from one change to the next. `image` is a PNG; `levels` and `fields` are lists of text."""

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=120, blank=True)
    criteria = models.CharField(max_length=500)
    wording = models.TextField()
    layout = models.CharField(max_length=10)
    seal_text = models.CharField(max_length=30)
    valid_months = models.PositiveIntegerField(null=True)
    levels = models.JSONField(default=list)
    fields = models.JSONField(default=list)
    image = models.BinaryField(null=True)
    made_at = models.DateTimeField()
    made_by_name = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_version_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"
