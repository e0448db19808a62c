"""Tables of learning records: statements, documents, what activities are called, and courses."""

from shuren.records.models.activity import ActivityDefinition
from shuren.records.models.caliper import CaliperEntity, CaliperEvent
from shuren.records.models.cmi5 import Course, CoursePart, CourseRegistration, CourseSession, PartProgress
from shuren.records.models.document import Document
from shuren.records.models.refused import RefusedRequest
from shuren.records.models.statement import Mention, Reference, Statement, StatementKey

__all__ = [
    "ActivityDefinition",
    "CaliperEntity",
    "CaliperEvent",
    "Course",
    "CoursePart",
    "CourseRegistration",
    "CourseSession",
    "Document",
    "Mention",
    "PartProgress",
    "Reference",
    "RefusedRequest",
    "Statement",
    "StatementKey",
]
