"""The X.509 certificate under which printed certificates are signed."""

from django.db import models


class SigningCertificate(models.Model):
    """One per version of the key that signs PDF, DER."""

    key_id = models.CharField(max_length=64, primary_key=True)
    certificate = models.BinaryField()

    def __str__(self) -> str:
        return self.key_id
