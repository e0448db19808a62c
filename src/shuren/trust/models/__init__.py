"""Tables of proof, one noun a file."""

from shuren.trust.models.authority import Authority, Certificate, TrustedRoot
from shuren.trust.models.key import Key
from shuren.trust.models.log import Cosignature, HeadDelivery, Log, LogEntry, TreeHead, WitnessedHead
from shuren.trust.models.trail import AuditBatch, AuditGap, AuditRange

__all__ = [
    "AuditBatch",
    "AuditGap",
    "AuditRange",
    "Authority",
    "Certificate",
    "Cosignature",
    "HeadDelivery",
    "Key",
    "Log",
    "LogEntry",
    "TreeHead",
    "TrustedRoot",
    "WitnessedHead",
]
