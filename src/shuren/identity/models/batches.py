"""First passwords handed out to whole classes and schools, and the sealed files they lie in until somebody takes them."""

from django.db import models

from shuren.identity.models.account import Account


class CredentialBatch(models.Model):
    """One asking: for whom, in which branch, on what paper. `role` is the hat the asker wore; `site` goes on the paper."""

    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="credential_batches")
    role = models.CharField(max_length=20, blank=True)
    recipients = models.CharField(max_length=40)
    reach = models.CharField(max_length=10)
    form = models.CharField(max_length=10)
    site = models.CharField(max_length=200)
    orgs = models.PositiveIntegerField()
    skipped = models.PositiveIntegerField(default=0)
    job_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["asked_by", "-created_at"], name="credential_batch_asker")]

    def __str__(self) -> str:
        return f"{self.org_id} {self.created_at:%Y-%m-%d %H:%M}"


class CredentialFile(models.Model):
    """A sealed PDF of one org's first passwords, in the data folder until it is taken once or a day has passed."""

    batch = models.ForeignKey(CredentialBatch, on_delete=models.CASCADE, related_name="files")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    part = models.PositiveSmallIntegerField()
    people = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "org", "part"], name="credential_file_once")]
        indexes = [models.Index(fields=["made_at"], name="credential_file_kept", condition=models.Q(purged_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.org_id} {self.part}"


class LeftOut(models.Model):
    """Somebody a batch met and gave nothing to, and why: a value of `identity.data.LeftOutReason`."""

    batch = models.ForeignKey(CredentialBatch, on_delete=models.CASCADE, related_name="left_out")
    person = models.ForeignKey("directory.Person", on_delete=models.CASCADE, related_name="+")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "person"], name="left_out_once")]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.person_id} {self.reason}"
