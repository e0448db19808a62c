"""Coming in by way of another device or another service."""

from django.db import models

from shuren.identity.models.account import Account


class QrTicket(models.Model):
    """One QR code on one screen: two minutes, one use. The screen proves itself by `screen_hash`, the phone by `code_hash`."""

    code_hash = models.CharField(max_length=64, unique=True)
    screen_hash = models.CharField(max_length=64)
    number = models.PositiveSmallIntegerField()
    address = models.CharField(max_length=64, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    scanned_at = models.DateTimeField(null=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, related_name="qr_tickets")
    is_strong = models.BooleanField(default=False)
    approved_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["made_at"], name="qr_ticket_made")]

    def __str__(self) -> str:
        return f"{self.made_at:%Y-%m-%d %H:%M}"


class VendorBinding(models.Model):
    """The account of a person at WeCom, DingTalk or WeChat; `subject` is its userid or unionid there."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="vendor_bindings")
    vendor = models.CharField(max_length=20)
    subject = models.CharField(max_length=128)
    bound_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vendor", "subject"], name="vendor_binding_once"),
            models.UniqueConstraint(fields=["account", "vendor"], name="vendor_binding_account"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.vendor}"
