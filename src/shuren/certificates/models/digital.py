"""Digital certificates that people ask for: the asking and its outcome; the certificate itself is kept by `trust`."""

from django.db import models

from shuren.trust.data import CertificateKind


class AskedKind(models.TextChoices):
    PERSON = CertificateKind.PERSON.value
    UNIT = CertificateKind.UNIT.value
    DEVICE = CertificateKind.DEVICE.value


class AskedStatus(models.TextChoices):
    """ALLOWED waits for the asker to fetch a key that is made here."""

    ASKED = "asked"
    ALLOWED = "allowed"
    ISSUED = "issued"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class DigitalCertificate(models.Model):
    """One asking for a certificate, by a person for themself or by a unit for itself and its devices.

    With `request` (PKCS#10, PEM) the asker's own key is certified; without, a key is made when the asker fetches it.
    `left_at` is since when a review has found the holder gone from the org.
    """

    kind = models.CharField(max_length=10, choices=AskedKind.choices)
    status = models.CharField(max_length=10, choices=AskedStatus.choices, default=AskedStatus.ASKED)
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey("directory.Person", on_delete=models.PROTECT, null=True, related_name="+")
    device = models.CharField(max_length=100, blank=True)
    dns_name = models.CharField(max_length=200, blank=True)
    algorithm = models.CharField(max_length=10)
    request = models.TextField(blank=True)
    asked_by = models.BigIntegerField(null=True)
    asked_at = models.DateTimeField()
    authority = models.CharField(max_length=40, blank=True)
    days = models.PositiveIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=200, blank=True)
    certificate = models.OneToOneField("trust.Certificate", on_delete=models.PROTECT, null=True, related_name="+")
    renews = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="renewals")
    reminded_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["org", "-id"], name="digital_org"),
            models.Index(fields=["person", "-id"], name="digital_person"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class CertifiedRegion(models.Model):
    """A region below whose authority was certified by one of ours; `title` is what the security administrator calls it."""

    title = models.CharField(max_length=100)
    certificate = models.OneToOneField("trust.Certificate", on_delete=models.PROTECT, related_name="+")
    given_by = models.BigIntegerField(null=True)
    given_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.title
