"""Certificates as they were given, and the batches they were given in."""

from django.db import models

from shuren.certificates.models.template import TemplateVersion
from shuren.kernel.fields import BytewiseField, PathField


class StatusList(models.Model):
    """One Bitstring Status List; `taken` of its bits belong to certificates."""

    taken = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.pk} {self.taken}"


class Batch(models.Model):
    """Many given at once: `BatchItem` rows say to whom, until the job has given them.

    While there is no `job_id`, the import `import_id` is still filling it. `missed` counts those of `total` who were gone
    from the directory when their turn came.
    """

    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    version = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, related_name="+")
    total = models.PositiveIntegerField()
    job_id = models.BigIntegerField(null=True)
    import_id = models.BigIntegerField(null=True)
    actor_account_id = models.BigIntegerField(null=True)
    actor_person_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=100)
    given_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    missed = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["org_path", "-given_at"], name="batch_scope"),
            models.Index(fields=["import_id"], name="batch_unstarted", condition=models.Q(job_id__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.total}"


class BatchItem(models.Model):
    """One recipient of a batch; gone once the certificate is written, in the same transaction."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    person = models.ForeignKey("directory.Person", on_delete=models.CASCADE, related_name="+")
    values = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "person"], name="batch_item_once")]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.person_id}"


class Certificate(models.Model):
    """A certificate. `credential` is its Open Badges JSON without proof, deflated; `signature` proves it with `proof`.

    `key` is who asked for it, once: two of the same key cannot be given.
    """

    number = BytewiseField(max_length=17)
    key = BytewiseField(max_length=60)
    version = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, related_name="certificates")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    issuer_name = models.CharField(max_length=120)
    holder = models.ForeignKey("directory.Person", on_delete=models.PROTECT, related_name="+")
    holder_name = BytewiseField(max_length=80)
    holder_key = models.UUIDField()
    narrative = models.TextField()
    given_at = models.DateTimeField()
    given_by_name = models.CharField(max_length=100)
    valid_until = models.DateField(null=True)
    credential = models.BinaryField()
    proof = models.JSONField()
    signature = models.BinaryField()
    digest = models.BinaryField()
    entry_id = models.BigIntegerField()
    status_list = models.ForeignKey(StatusList, on_delete=models.PROTECT, related_name="+")
    status_index = models.PositiveIntegerField()
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number"], name="award_number_once"),
            models.UniqueConstraint(fields=["key"], name="award_key_once"),
            models.UniqueConstraint(fields=["status_list", "status_index"], name="award_status_once"),
        ]
        indexes = [
            models.Index(fields=["org_path", "-given_at"], name="award_scope"),
            models.Index(fields=["holder", "-given_at"], name="award_holder"),
            models.Index(fields=["holder_name"], name="award_holder_name"),
            models.Index(fields=["status_list"], name="award_revoked", condition=models.Q(revoked_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.holder_name}"
