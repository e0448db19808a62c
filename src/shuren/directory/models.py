"""Who is where.

Orgs form one tree of typed levels, each row knowing its path. People have one number for life. Affiliations tie a
person to an org in a role (teacher of a school), enrollments tie a person to a class. Grants give a role on a branch
to somebody whose affiliation does not already carry it. Former numbers, moves and merges are kept beside, never
overwritten.

`sourced_id` is the id an outside roster uses (OneRoster); it is unique within its kind and kept when the row ends.
`row_hash` is the fingerprint of the roster cells a row came from: the importer compares it to find what changed.

Columns that are looked up by equality or prefix are `BytewiseField` with a plain index, and uniqueness stands in
constraints: `unique=True` on a character column would make PostgreSQL keep a second index for LIKE.
"""

from typing import Self, TypeVar

from django.db import models
from django.db.models.functions import Lower

from shuren.directory.data import ClassType, EnrollmentRole, OrgStatus, OrgType, Role, SessionType, Sex
from shuren.kernel.fields import BytewiseField, PathField

# Pupils and parents are nine rows in ten: an index of everybody else is small and finds the few at once.
CROWD_ROLES = (Role.PUPIL.value, Role.PARENT.value)


def choices(kind: type) -> list[tuple[str, str]]:
    return [(member.value, member.value) for member in kind]  # type: ignore[attr-defined]  # every caller passes a StrEnum


RowT = TypeVar("RowT", bound=models.Model)


class RosterQuerySet(models.QuerySet[RowT]):
    """Rows that a roster may write."""

    def visible(self) -> Self:
        """Without the rows of an import that is still being written; every read outside the importer starts here."""
        return self.exclude(import_id__in=PendingRoster.objects.values("import_id"))


class Roster(models.Model):
    """What every row that a roster may write has in common."""

    sourced_id = BytewiseField(max_length=64)
    row_hash = models.BinaryField(max_length=16, default=b"")
    import_id = models.BigIntegerField(null=True)

    objects = RosterQuerySet.as_manager()

    class Meta:
        abstract = True


class PendingRoster(models.Model):
    """A roster being written in batches; deleting this row is the switch that shows all its rows at once.

    `ranges` names the ids reserved per table, so that a killed import is undone by them.
    """

    import_id = models.BigIntegerField(primary_key=True)
    ranges = models.JSONField(default=dict)
    begun_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"import {self.import_id}"


class AppliedRoster(models.Model):
    """A roster that was applied: what it added (id ranges per table) and when, for the time it may be undone."""

    import_id = models.BigIntegerField(primary_key=True)
    ranges = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    applied_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"import {self.import_id} {self.applied_at:%Y-%m-%d}"


class Org(Roster):
    """A node of the tree; a class is an org too, with its details beside (`ClassDetail`)."""

    code = BytewiseField(max_length=18, blank=True)
    name = BytewiseField(max_length=120)
    short_name = models.CharField(max_length=60, blank=True)
    type = models.CharField(max_length=20, choices=choices(OrgType))
    status = models.CharField(max_length=10, choices=choices(OrgStatus), default=OrgStatus.ACTIVE.value)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    path = PathField()
    depth = models.PositiveSmallIntegerField()
    division_code = models.CharField(max_length=12, blank=True)
    credit_code = models.CharField(max_length=18, blank=True)
    is_rural = models.BooleanField(null=True)
    grade = models.CharField(max_length=20, blank=True)
    position = models.PositiveIntegerField(default=0)
    geometry = models.JSONField(null=True)
    begin_date = models.DateField(null=True)
    end_date = models.DateField(null=True)
    successor = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="predecessors")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sourced_id"], name="org_sourced_once"),
            models.UniqueConstraint(fields=["path"], name="org_path_once"),
        ]
        indexes = [
            models.Index(fields=["parent", "position", "id"], name="org_children"),
            models.Index(fields=["type", "path"], name="org_type_path"),
            models.Index(fields=["code"], name="org_code"),
            models.Index(fields=["name"], name="org_name"),
        ]

    def __str__(self) -> str:
        return self.name


class OrgHistory(models.Model):
    """A move, merge, renaming or closing: what stood before, from when, and why."""

    org = models.ForeignKey(Org, on_delete=models.PROTECT, related_name="history")
    at = models.DateTimeField()
    change = models.CharField(max_length=20)
    before = models.JSONField()
    after = models.JSONField()
    reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.org_id} {self.change} {self.at:%Y-%m-%d}"


class AcademicSession(Roster):
    """A school year, or a term within one."""

    title = models.CharField(max_length=60)
    type = models.CharField(max_length=20, choices=choices(SessionType))
    begin_date = models.DateField()
    end_date = models.DateField()
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="terms")
    school_year = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sourced_id"], name="session_sourced_once")]

    def __str__(self) -> str:
        return self.title


class Course(Roster):
    """What is taught, apart from who teaches it when."""

    title = models.CharField(max_length=120)
    code = models.CharField(max_length=40, blank=True)
    grades = models.CharField(max_length=80, blank=True)
    subject = models.CharField(max_length=40, blank=True)
    org = models.ForeignKey(Org, on_delete=models.PROTECT, related_name="courses")
    session = models.ForeignKey(AcademicSession, on_delete=models.PROTECT, null=True, related_name="courses")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sourced_id"], name="course_sourced_once")]

    def __str__(self) -> str:
        return self.title


class ClassDetail(models.Model):
    """What an org of type class has beyond an org."""

    org = models.OneToOneField(Org, on_delete=models.CASCADE, primary_key=True, related_name="class_detail")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, null=True, related_name="classes")
    class_type = models.CharField(max_length=10, choices=choices(ClassType))
    class_code = models.CharField(max_length=40, blank=True)
    terms = models.ManyToManyField(AcademicSession, related_name="classes")

    def __str__(self) -> str:
        return f"{self.org_id} {self.class_type}"


class Person(Roster):
    """A human being, once. `number` is given at the first sight of them and never again to anybody else."""

    number = BytewiseField(max_length=14)
    name = BytewiseField(max_length=80)
    family_name = models.CharField(max_length=40, blank=True)
    given_name = models.CharField(max_length=60, blank=True)
    sort_key = BytewiseField(max_length=60, blank=True)
    sex = models.CharField(max_length=1, choices=choices(Sex), default=Sex.UNKNOWN.value)
    birth_date = models.DateField(null=True)
    username = models.CharField(max_length=80, blank=True)
    pupil_number = BytewiseField(max_length=19, blank=True)
    staff_number = BytewiseField(max_length=40, blank=True)
    email = models.CharField(max_length=120, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    grade = models.CharField(max_length=20, blank=True)
    national_id_sealed = models.BinaryField(null=True)
    national_id_index = BytewiseField(max_length=64, blank=True)
    is_active = models.BooleanField(default=True)
    is_synthetic = models.BooleanField(default=False)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="merged")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sourced_id"], name="person_sourced_once"),
            models.UniqueConstraint(fields=["number"], name="person_number_once"),
        ]
        indexes = [
            models.Index(fields=["sort_key", "id"], name="person_sort"),
            models.Index(fields=["name"], name="person_name"),
            models.Index(fields=["pupil_number"], name="person_pupil_number"),
            models.Index(fields=["staff_number"], name="person_staff_number"),
            models.Index(fields=["national_id_index"], name="person_national_id"),
            # Most children have neither: only the addresses that somebody may sign in by are worth their place.
            models.Index(Lower("email"), name="person_email", condition=models.Q(email__gt="")),
            models.Index(fields=["phone"], name="person_phone", condition=models.Q(phone__gt="")),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class NumberSequence(models.Model):
    """The next free serial of a kind of number, taken in ranges under a row lock."""

    name = models.CharField(max_length=20, primary_key=True)
    next_value = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.name} {self.next_value}"


class FormerNumber(models.Model):
    """A number a person once had (学籍号, staff number, merged person number), still found by search."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="former_numbers")
    kind = models.CharField(max_length=20)
    value = BytewiseField(max_length=64)
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["value"], name="former_number_value")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class Affiliation(Roster):
    """A person's role in an org for a period. `org_path` repeats the org's path so that scope is one index range."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="affiliations")
    org = models.ForeignKey(Org, on_delete=models.PROTECT, related_name="affiliations")
    org_path = PathField()
    role = models.CharField(max_length=20, choices=choices(Role))
    is_primary = models.BooleanField(default=True)
    begin_date = models.DateField(null=True)
    end_date = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sourced_id"], name="affiliation_sourced_once")]
        indexes = [
            models.Index(fields=["org_path", "role", "person"], name="affiliation_scope"),
            models.Index(fields=["role", "org_path"], name="affiliation_staff", condition=~models.Q(role__in=CROWD_ROLES)),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role} {self.org_path}"


class Enrollment(Roster):
    """A person in a class, learning or teaching, for a period."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="enrollments")
    class_org = models.ForeignKey(Org, on_delete=models.PROTECT, related_name="enrollments")
    org_path = PathField()
    role = models.CharField(max_length=10, choices=choices(EnrollmentRole))
    is_primary = models.BooleanField(default=False)
    begin_date = models.DateField(null=True)
    end_date = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sourced_id"], name="enrollment_sourced_once")]
        indexes = [models.Index(fields=["org_path", "role", "person"], name="enrollment_scope")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role} {self.org_path}"


class GuardianLink(models.Model):
    """A guardian and their ward."""

    guardian = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="ward_links")
    ward = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="guardian_links")
    relation = models.CharField(max_length=20, blank=True)
    begin_date = models.DateField(null=True)
    end_date = models.DateField(null=True)
    import_id = models.BigIntegerField(null=True)

    objects = RosterQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["guardian", "ward"], name="guardian_once")]

    def __str__(self) -> str:
        return f"{self.guardian_id} → {self.ward_id}"


class Grant(models.Model):
    """A role on a branch, given by a person who holds it with the right to delegate (or by the installation).

    `source` is the grant it was delegated from; revoking that one revokes this one too.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=20, choices=choices(Role))
    org = models.ForeignKey(Org, on_delete=models.PROTECT, related_name="grants")
    org_path = PathField()
    purpose = models.CharField(max_length=60, blank=True)
    begin_at = models.DateTimeField()
    end_at = models.DateTimeField(null=True)
    granted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="given_grants")
    may_delegate = models.BooleanField(default=False)
    revoked_at = models.DateTimeField(null=True)
    source = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="delegated")

    class Meta:
        indexes = [
            models.Index(fields=["person", "role"], name="grant_person"),
            models.Index(fields=["org_path"], name="grant_path"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role} {self.org_path}"


class DuplicatePair(models.Model):
    """Two person rows that may be one human being, with the evidence; merged or dismissed by a person, never alone."""

    first = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    evidence = models.JSONField()
    score = models.FloatField()
    found_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=10, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="duplicate_pair_once")]

    def __str__(self) -> str:
        return f"{self.first_id} ~ {self.second_id}"


class OrgCount(models.Model):
    """Kept counters per org and kind, so that no page counts a million rows; rebuilt by a job after every change."""

    org = models.ForeignKey(Org, on_delete=models.CASCADE, related_name="counts")
    kind = models.CharField(max_length=20)
    value = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["org", "kind"], name="org_count_once")]

    def __str__(self) -> str:
        return f"{self.org_id} {self.kind} {self.value}"
