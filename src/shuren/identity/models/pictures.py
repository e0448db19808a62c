"""Picture passwords of the youngest, and the card of their class."""

from django.db import models

from shuren.identity.models.account import Account


class PictureCard(models.Model):
    """The card on the classroom wall: its code leads to the name tiles of one class."""

    class_id = models.BigIntegerField(unique=True)
    code = models.CharField(max_length=16, unique=True)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.class_id}"


class PicturePassword(models.Model):
    """Three pictures in order, as a keyed hash of the account and the pictures."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="picture_password")
    class_id = models.BigIntegerField()
    pictures_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["class_id"], name="picture_password_class")]

    def __str__(self) -> str:
        return f"{self.account_id}"
