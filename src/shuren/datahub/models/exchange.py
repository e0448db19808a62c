"""Other installations, what was agreed with them, every packet that went between us, and what waits to be told.

An `ExchangeNode` is another installation with the keys it is believed by. An `ExchangeAgreement` stands on both sides
under one `uid`: here as sender or as receiver. Its `ExchangePacket`s are numbered without gaps, each naming the one
before; `ExchangePart` is the state of a partition that the receiver has acknowledged.
"""

from django.db import models
from django.db.models import Q

from shuren.datahub.data import AgreementState, Carriage, NodeState, PacketState
from shuren.datahub.models.sharing import SharingGrant

_NODE_STATES = [(one.value, one.value) for one in NodeState]
_CARRIAGES = [(one.value, one.value) for one in Carriage]
_STATES = [(one.value, one.value) for one in AgreementState]
_PACKET_STATES = [(one.value, one.value) for one in PacketState]


class ExchangeNode(models.Model):
    """Another installation. `keys` are its public keys as JWKs with `use` and `until`; `org_id` is what it stands for here.

    `card_at` is when the newest card was signed: older ones are not taken any more.
    """

    uid = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    level = models.CharField(max_length=20, blank=True)
    address = models.CharField(max_length=300, blank=True)
    carriage = models.CharField(max_length=4, choices=_CARRIAGES, default=Carriage.CALL.value)
    org_id = models.BigIntegerField(null=True)
    keys = models.JSONField(default=list)
    fingerprint = models.CharField(max_length=40)
    state = models.CharField(max_length=9, choices=_NODE_STATES, default=NodeState.WAITING.value)
    reason = models.CharField(max_length=500, blank=True)
    introduced_at = models.DateTimeField()
    trusted_by = models.BigIntegerField(null=True)
    trusted_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    error_at = models.DateTimeField(null=True)
    letters_fetched = models.BigIntegerField(default=0)
    card_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} {self.state}"


class ExchangeInvitation(models.Model):
    """A code that introduces one node, once; only its digest is kept."""

    digest = models.CharField(max_length=64, unique=True)
    created_by = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d}"


class ReportDuty(models.Model):
    """A dataset that has to be reported to the level above by law, without anybody's application: columns with their masks."""

    dataset = models.CharField(max_length=80)
    ground = models.CharField(max_length=500)
    masks = models.JSONField(default=dict)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    set_by = models.BigIntegerField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset"], condition=Q(revoked_at__isnull=True), name="report_duty_once"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} {self.ends_at:%Y-%m-%d}"


class ExchangeAgreement(models.Model):
    """What one side sends and the other takes: `terms` both accepted, `number` and `chain` of the last packet settled."""

    uid = models.CharField(max_length=32)
    node = models.ForeignKey(ExchangeNode, on_delete=models.PROTECT, related_name="agreements")
    is_sender = models.BooleanField()
    dataset = models.CharField(max_length=80)
    landed_in = models.CharField(max_length=80, blank=True)
    terms = models.JSONField(default=dict)
    every_minutes = models.PositiveIntegerField()
    ends_on = models.DateField()
    grant = models.ForeignKey(SharingGrant, on_delete=models.PROTECT, null=True, related_name="exchange_agreements")
    duty = models.ForeignKey(ReportDuty, on_delete=models.PROTECT, null=True, related_name="exchange_agreements")
    state = models.CharField(max_length=8, choices=_STATES, default=AgreementState.OFFERED.value)
    reason = models.CharField(max_length=500, blank=True)
    offered_by = models.BigIntegerField(null=True)
    offered_at = models.DateTimeField()
    settled_by = models.BigIntegerField(null=True)
    settled_at = models.DateTimeField(null=True)
    number = models.PositiveIntegerField(default=0)
    chain = models.CharField(max_length=64, blank=True)
    prepared_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    error_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["uid", "is_sender"], name="exchange_agreement_once"),
            models.UniqueConstraint(
                fields=["node", "dataset", "is_sender"],
                condition=Q(state__in=[AgreementState.OFFERED.value, AgreementState.ACCEPTED.value]),
                name="exchange_dataset_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} {self.state}"


class ExchangePacket(models.Model):
    """One packet: its signed manifest, what came back signed, and what became of it. `digest` is that of the manifest."""

    agreement = models.ForeignKey(ExchangeAgreement, on_delete=models.PROTECT, related_name="packets")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    manifest = models.TextField()
    answer = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=_PACKET_STATES)
    parts = models.JSONField(default=list)
    faults = models.JSONField(default=list)
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()
    carried = models.BigIntegerField(default=0)
    entry_id = models.BigIntegerField(null=True)
    prepared_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agreement", "digest"], name="exchange_packet_once")]
        indexes = [models.Index(fields=["agreement", "-number", "-id"], name="exchange_packets_of")]

    def __str__(self) -> str:
        return f"{self.agreement_id}#{self.number} {self.state}"


class ExchangePart(models.Model):
    """The state of a partition as the receiver last acknowledged it."""

    agreement = models.ForeignKey(ExchangeAgreement, on_delete=models.CASCADE, related_name="parts")
    partition = models.CharField(max_length=200)
    state = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agreement", "partition"], name="exchange_part_once")]

    def __str__(self) -> str:
        return self.partition


class ExchangeLetter(models.Model):
    """A signed letter to a node, kept until it was taken there."""

    node = models.ForeignKey(ExchangeNode, on_delete=models.CASCADE, related_name="letters")
    kind = models.CharField(max_length=10)
    text = models.TextField()
    written_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["node", "id"], name="exchange_letters_due", condition=Q(sent_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.kind} {self.node_id}"
