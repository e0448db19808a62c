"""Orgs of every level, what a class is beside, sessions, courses and kept counters."""

from django.db import models

from shuren.directory.data import ClassType, OrgStatus, OrgType, SessionType
from shuren.directory.models.rosters import Roster, choices
from shuren.kernel.fields import BytewiseField, PathField


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
            models.Index(fields=["modified_at", "id"], name="org_modified", condition=models.Q(modified_at__isnull=False)),
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


class OrgCount(models.Model):
    """Kept counters per org and kind, so that no page counts a million rows; rebuilt by a job after every change."""

    org = models.ForeignKey(Org, on_delete=models.CASCADE, related_name="counts")
    kind = models.CharField(max_length=20)
    value = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["org", "kind"], name="org_count_once")]

    def __str__(self) -> str:
        return f"{self.org_id} {self.kind} {self.value}"
