"""Tables of learning records: statements, documents, and what activities are called."""

from shuren.records.models.activity import ActivityDefinition
from shuren.records.models.caliper import CaliperEntity, CaliperEvent
from shuren.records.models.document import Document
from shuren.records.models.refused import RefusedRequest
from shuren.records.models.statement import Mention, Reference, Statement, StatementKey

__all__ = [
    "ActivityDefinition",
    "CaliperEntity",
    "CaliperEvent",
    "Document",
    "Mention",
    "Reference",
    "RefusedRequest",
    "Statement",
    "StatementKey",
]
