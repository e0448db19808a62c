"""Signing keys: a name has versions, one of them active; older ones verify what they signed."""

from django.db import models

from shuren.kernel.fields import BytewiseField
from shuren.trust.data import KeyAlgorithm, KeyStatus, KeyStore


class Key(models.Model):
    """One version of a key. `sealed` holds the private part (PKCS#8) only where `store` says so."""

    name = BytewiseField(max_length=120)
    version = models.PositiveIntegerField()
    algorithm = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in KeyAlgorithm])
    status = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in KeyStatus])
    store = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in KeyStore])
    sealed = models.BinaryField(null=True)
    reference = models.CharField(max_length=300, blank=True)
    public = models.BinaryField()
    key_id = models.CharField(max_length=43)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="key_version"),
            models.UniqueConstraint(fields=["name"], condition=models.Q(status="active"), name="key_active"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"
