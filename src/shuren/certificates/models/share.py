"""Links by which owners show their certificates to others."""

from django.db import models

from shuren.kernel.fields import BytewiseField


class Share(models.Model):
    """A link to all valid certificates of one person; only the digest of its secret is kept."""

    holder = models.ForeignKey("directory.Person", on_delete=models.CASCADE, related_name="+")
    digest = BytewiseField(max_length=64)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    seen = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="share_digest_once")]
        indexes = [models.Index(fields=["holder", "-made_at"], name="share_holder")]

    def __str__(self) -> str:
        return f"{self.holder_id} {self.expires_at}"
