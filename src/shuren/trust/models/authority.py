"""The region's public-key infrastructure: authorities, what they certified, and the roots of others that are believed."""

from django.db import models

from shuren.kernel.fields import BytewiseField
from shuren.trust.data import CertificateKind, RevocationReason


class Authority(models.Model):
    """A certificate authority. Its key is a `Key` by name and version; `above` holds certificates of others over it, as PEM.

    The present revocation list is kept beside, and made anew when something is revoked or it runs out.
    """

    code = BytewiseField(max_length=40)
    title = models.CharField(max_length=100)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    key_name = models.CharField(max_length=120)
    key_version = models.PositiveIntegerField()
    algorithm = models.CharField(max_length=10)
    certificate = models.BinaryField()
    above = models.TextField(blank=True)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    crl = models.BinaryField(null=True)
    crl_number = models.PositiveBigIntegerField(default=0)
    crl_next_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code"], name="authority_code")]

    def __str__(self) -> str:
        return self.code


class Certificate(models.Model):
    """One certificate that an authority issued; never removed, since revocation answers for it."""

    authority = models.ForeignKey(Authority, on_delete=models.PROTECT, related_name="certificates")
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in CertificateKind])
    serial = BytewiseField(max_length=40)
    subject = models.CharField(max_length=400)
    der = models.BinaryField()
    spki_digest = BytewiseField(max_length=64)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=25, blank=True, choices=[(kind.value, kind.value) for kind in RevocationReason])
    renewed_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="renewals")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["authority", "serial"], name="certificate_serial")]
        indexes = [
            models.Index(fields=["authority", "id"], name="certificate_revoked", condition=models.Q(revoked_at__isnull=False)),
            models.Index(fields=["ends_at"], name="certificate_ends"),
            models.Index(fields=["spki_digest"], name="certificate_key"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.serial}"


class TrustedRoot(models.Model):
    """The root certificate of another region (or of a bridge) whose certificates are believed here."""

    title = models.CharField(max_length=100)
    certificate = models.BinaryField()
    sha256 = BytewiseField(max_length=64)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sha256"], condition=models.Q(removed_at__isnull=True), name="trusted_root_once")
        ]

    def __str__(self) -> str:
        return self.title
