"""Apps of vendors: the entry in its versions, its way through review, where it is listed and where it is chosen."""

from django.db import models

from shuren.interop.data import AppCategory, AppStatus, DataPurpose, Decision, LaunchKind, RunStatus, VersionStatus
from shuren.interop.models.vendor import Vendor
from shuren.kernel.fields import PathField


class App(models.Model):
    """One app for all its versions. `client_id` and `sandbox_client_id` name OAuth clients kept by identity."""

    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="apps")
    name = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=[(s.value, s.value) for s in AppStatus], default=AppStatus.ACTIVE)
    status_reason = models.CharField(max_length=300, blank=True)
    status_at = models.DateTimeField(null=True)
    leaves_on = models.DateField(null=True)
    current = models.ForeignKey("AppVersion", on_delete=models.PROTECT, null=True, related_name="+")
    client_id = models.CharField(max_length=80, null=True, unique=True)
    sandbox_client_id = models.CharField(max_length=80, null=True, unique=True)
    quota_per_minute = models.PositiveIntegerField(default=600)
    quota_per_day = models.PositiveIntegerField(default=200_000)
    is_example = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["vendor", "-id"], name="app_vendor")]

    def __str__(self) -> str:
        return self.name


class AppVersion(models.Model):
    """What an app's entry says at one time; frozen once submitted. `content_hash` covers everything that was tested."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=12, choices=[(s.value, s.value) for s in VersionStatus], default=VersionStatus.DRAFT)
    name = models.CharField(max_length=40)
    name_en = models.CharField(max_length=80)
    category = models.CharField(max_length=24, choices=[(c.value, c.value) for c in AppCategory])
    description = models.TextField(max_length=1000)
    description_en = models.TextField(max_length=2000)
    kind = models.CharField(max_length=8, choices=[(k.value, k.value) for k in LaunchKind])
    launch_url = models.CharField(max_length=500)
    redirect_uris = models.JSONField(default=list)
    logout_url = models.CharField(max_length=500, blank=True)
    webhook_url = models.CharField(max_length=500, blank=True)
    privacy_url = models.CharField(max_length=500, blank=True)
    privacy_text = models.TextField(max_length=20_000, blank=True)
    serves_minors = models.BooleanField(default=True)
    scopes = models.JSONField(default=list)
    events = models.JSONField(default=list)
    icon = models.BinaryField(default=b"")
    jwks_uri = models.CharField(max_length=500, blank=True)
    content_hash = models.CharField(max_length=64)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "number"], name="app_version_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class ElementWish(models.Model):
    """A data element of the registry that a version asks for."""

    version = models.ForeignKey(AppVersion, on_delete=models.CASCADE, related_name="wishes")
    element = models.CharField(max_length=60)
    purpose = models.CharField(max_length=12, choices=[(p.value, p.value) for p in DataPurpose])
    reason = models.CharField(max_length=200)
    grade = models.CharField(max_length=2)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "element", "purpose"], name="element_wish_once")]

    def __str__(self) -> str:
        return f"{self.element} {self.purpose}"


class Submission(models.Model):
    """A version laid before one branch, and what its officer decided; without decision it is open."""

    version = models.ForeignKey(AppVersion, on_delete=models.CASCADE, related_name="submissions")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    submitted_at = models.DateTimeField()
    decision = models.CharField(max_length=8, choices=[(d.value, d.value) for d in Decision], blank=True)
    reason = models.CharField(max_length=500, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey("directory.Person", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["org_path", "decision", "-submitted_at"], name="submission_branch"),
            models.Index(fields=["version", "-id"], name="submission_version"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["version", "org"], name="submission_open_once", condition=models.Q(decision=""))
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.org_path}"


class Listing(models.Model):
    """One approval serves every school of the branch; it ends when the app leaves or a newer version takes its place."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="listings")
    version = models.ForeignKey(AppVersion, on_delete=models.PROTECT, related_name="+")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    listed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["org_path"], name="listing_branch", condition=models.Q(ended_at__isnull=True)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["app", "org"], name="listing_once", condition=models.Q(ended_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.app_id} {self.org_path}"


class Installation(models.Model):
    """An org uses an app; `version` is the entry whose data and purposes it agreed to.

    `consent_texts` are the notices that ask its people, one per purpose with personal data.
    """

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="installations")
    version = models.ForeignKey(AppVersion, on_delete=models.PROTECT, related_name="+")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    chosen_at = models.DateTimeField()
    chosen_by = models.ForeignKey("directory.Person", on_delete=models.SET_NULL, null=True, related_name="+")
    consent_texts = models.JSONField(default=list)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["org_path"], name="installation_branch", condition=models.Q(ended_at__isnull=True)),
            models.Index(fields=["app", "org_path"], name="installation_app", condition=models.Q(ended_at__isnull=True)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["app", "org"], name="installation_once", condition=models.Q(ended_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.app_id} {self.org_path}"


class ConformityTest(models.Model):
    """One run of the conformity test; `steps` are `StepResult`s as JSON."""

    version = models.ForeignKey(AppVersion, on_delete=models.CASCADE, related_name="tests")
    status = models.CharField(max_length=8, choices=[(s.value, s.value) for s in RunStatus], default=RunStatus.WAITING)
    content_hash = models.CharField(max_length=64)
    steps = models.JSONField(default=list)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["version", "-id"], name="conformity_version")]

    def __str__(self) -> str:
        return f"{self.version_id} {self.status}"
