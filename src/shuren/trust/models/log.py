"""The evidence log: one `Log`, its `LogEntry` rows, its signed `TreeHead`s with the `Cosignature`s of witnesses.

An entry is written in the transaction of what it proves and waits without a place. `leaf_index` gives it its place once
and for ever; tiles are made from places, and a head is a row only when its tiles are safe on disk.
"""

from django.db import models
from django.db.models import Q

from shuren.trust.data import Business, DigestAlgorithm
from shuren.trust.rules.log.entries import SUBJECT_LIMIT


class Log(models.Model):
    """The one log of this installation (row 1). `sequenced` places are given, of which `size` are under a head."""

    origin = models.CharField(max_length=200)
    hash_algorithm = models.CharField(max_length=10, choices=[(a.value, a.value) for a in DigestAlgorithm])
    sequenced = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.origin} {self.size}"


class LogEntry(models.Model):
    business = models.CharField(max_length=12, choices=[(b.value, b.value) for b in Business])
    subject = models.CharField(max_length=SUBJECT_LIMIT)
    digest = models.BinaryField(max_length=32)
    salt = models.BinaryField(max_length=16)
    at = models.DateTimeField()
    leaf_index = models.BigIntegerField(null=True, unique=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="log_entry_waiting", condition=Q(leaf_index__isnull=True)),
            models.Index(fields=["subject"], name="log_entry_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.business} {self.subject}"


class TreeHead(models.Model):
    """A signed head; `note` is the checkpoint with the log's own signatures. Heads are numbered from 1 without holes."""

    number = models.BigIntegerField(unique=True)
    size = models.BigIntegerField(unique=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.size} {bytes(self.root).hex()[:16]}"


class Cosignature(models.Model):
    """What a witness answered for a head: one line of a signed note.

    `entry` is the entry of the log that has it on record, with all that came since the one before; None while it waits.
    """

    head = models.ForeignKey(TreeHead, on_delete=models.CASCADE, related_name="cosignatures")
    witness = models.CharField(max_length=200)
    line = models.TextField()
    at = models.DateTimeField()
    entry = models.ForeignKey(LogEntry, on_delete=models.PROTECT, null=True, related_name="cosignatures")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["head", "witness"], name="log_cosignature_once")]
        indexes = [models.Index(fields=["id"], name="log_cosignature_waiting", condition=Q(entry__isnull=True))]

    def __str__(self) -> str:
        return f"{self.witness} on {self.head_id}"


class WitnessedHead(models.Model):
    """The newest head that this installation has cosigned for another one's log; `note` ends in its own line, of `at`."""

    origin = models.CharField(max_length=200, unique=True)
    size = models.BigIntegerField(default=0)
    root = models.BinaryField(max_length=32, default=bytes)
    note = models.TextField(blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.origin} {self.size}"


class HeadDelivery(models.Model):
    """A head on its way to a place elsewhere: the recorded outbox of witnesses and anchors."""

    head = models.ForeignKey(TreeHead, on_delete=models.CASCADE, related_name="deliveries")
    target = models.CharField(max_length=300)
    attempts = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["head", "target"], name="log_delivery_once")]
        indexes = [models.Index(fields=["target", "-head"], name="log_delivery_target")]

    def __str__(self) -> str:
        return f"{self.target} {self.head_id}"
