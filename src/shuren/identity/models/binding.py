"""Codes by which a school lets parents come to their child."""

from django.db import models


class BindingCode(models.Model):
    """A code for one guardian of one pupil, known by its keyed hash; good once, until it expires or is taken back."""

    ward = models.ForeignKey("directory.Person", on_delete=models.CASCADE, related_name="binding_codes")
    code_hash = models.CharField(max_length=64, unique=True)
    made_by_id = models.BigIntegerField(null=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    guardian = models.ForeignKey("directory.Person", on_delete=models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.ward_id} {self.made_at:%Y-%m-%d}"
