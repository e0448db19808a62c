"""Who offers apps."""

from django.db import models

from shuren.interop.data import VendorStatus
from shuren.kernel.fields import PathField


class Vendor(models.Model):
    """An enterprise that asked one branch of the region to let it offer apps.

    Until it is approved there is no person and no account: the applicant holds an address with a token, of which only
    the digest is kept. `origin` is a keyed hash of the network it came from.
    """

    name = models.CharField(max_length=120)
    credit_code = models.CharField(max_length=18, unique=True)
    contact_name = models.CharField(max_length=80)
    email = models.EmailField()
    phone = models.CharField(max_length=30, blank=True)
    website = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=[(s.value, s.value) for s in VendorStatus], default=VendorStatus.PENDING)
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    token_digest = models.CharField(max_length=64, unique=True)
    code_digest = models.CharField(max_length=64, blank=True)
    code_sent_at = models.DateTimeField(null=True)
    code_tries = models.PositiveSmallIntegerField(default=0)
    email_checked_at = models.DateTimeField(null=True)
    origin = models.CharField(max_length=64, blank=True, default="")
    registered_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey("directory.Person", on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["org_path", "status"], name="vendor_branch")]

    def __str__(self) -> str:
        return self.name


class VendorMember(models.Model):
    """A person who acts for a vendor; a person acts for one vendor only."""

    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, related_name="members")
    person = models.OneToOneField("directory.Person", on_delete=models.CASCADE, related_name="+")
    joined_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.vendor_id} {self.person_id}"


class Sandbox(models.Model):
    """The synthetic school of one vendor, outside the region's tree."""

    vendor = models.OneToOneField(Vendor, on_delete=models.CASCADE, related_name="sandbox")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.vendor_id} {self.org_id}"
