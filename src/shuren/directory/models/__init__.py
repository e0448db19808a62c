"""Who is where, and who may see it.

Orgs form one tree of typed levels, each row knowing its path. People have one number for life. Affiliations tie a
person to an org in a role (teacher of a school), enrollments tie a person to a class. Grants give a role on a branch
to somebody whose affiliation does not already carry it. Former numbers, moves and merges are kept beside, never
overwritten.

`sourced_id` is the id an outside roster uses (OneRoster); it is unique within its kind and kept when the row ends.
`row_hash` is the fingerprint of the roster cells a row came from: the importer compares it to find what changed.

Columns that are looked up by equality or prefix are `BytewiseField` with a plain index, and uniqueness stands in
constraints: `unique=True` on a character column would make PostgreSQL keep a second index for LIKE.
"""

from shuren.directory.models.break_glass import BreakGlass
from shuren.directory.models.consents import Consent, ConsentText, Disclosure
from shuren.directory.models.grants import Grant
from shuren.directory.models.orgs import AcademicSession, ClassDetail, Course, Org, OrgCount, OrgHistory
from shuren.directory.models.people import (
    Affiliation,
    DuplicatePair,
    Enrollment,
    FormerNumber,
    GuardianLink,
    NumberSequence,
    Person,
)
from shuren.directory.models.rosters import AppliedRoster, PendingRoster, Roster, RosterQuerySet
from shuren.directory.models.subjects import SubjectRequest

__all__ = [
    "AcademicSession",
    "Affiliation",
    "AppliedRoster",
    "BreakGlass",
    "ClassDetail",
    "Consent",
    "ConsentText",
    "Course",
    "Disclosure",
    "DuplicatePair",
    "Enrollment",
    "FormerNumber",
    "Grant",
    "GuardianLink",
    "NumberSequence",
    "Org",
    "OrgCount",
    "OrgHistory",
    "PendingRoster",
    "Person",
    "Roster",
    "RosterQuerySet",
    "SubjectRequest",
]
