"""People, their numbers, and what ties them to orgs, classes and one another."""

from django.db import models
from django.db.models.functions import Lower

from shuren.directory.data import EnrollmentRole, Role, Sex
from shuren.directory.models.orgs import Org
from shuren.directory.models.rosters import Roster, RosterQuerySet, Tie, choices
from shuren.kernel.fields import BytewiseField, PathField

# Pupils and parents are nine rows in ten: an index of everybody else is small and finds the few at once.
CROWD_ROLES = (Role.PUPIL.value, Role.PARENT.value)


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
            models.Index(fields=["modified_at", "id"], name="person_modified", condition=models.Q(modified_at__isnull=False)),
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


class Affiliation(Tie):
    """A person's role in an org for a period. `org_path` repeats the org's path so that scope is one index range.

    `certified_at` is when somebody last said that an office is still needed.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="affiliations")
    org = models.ForeignKey(Org, on_delete=models.PROTECT, related_name="affiliations")
    org_path = PathField()
    role = models.CharField(max_length=20, choices=choices(Role))
    is_primary = models.BooleanField(default=True)
    begin_date = models.DateField(null=True)
    end_date = models.DateField(null=True)
    certified_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sourced_id"], name="affiliation_sourced_once")]
        indexes = [
            models.Index(fields=["org_path", "role", "person"], name="affiliation_scope"),
            models.Index(fields=["role", "org_path"], name="affiliation_staff", condition=~models.Q(role__in=CROWD_ROLES)),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role} {self.org_path}"


class Enrollment(Tie):
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
        indexes = [
            models.Index(fields=["org_path", "role", "person"], name="enrollment_scope"),
            models.Index(fields=["modified_at", "id"], name="enrollment_modified", condition=models.Q(modified_at__isnull=False)),
            models.Index(fields=["end_date"], name="enrollment_end", condition=models.Q(end_date__isnull=False)),
        ]

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
