"""Courses by cmi5: a course and its parts, registrations of people, how far each came in each part, and sessions of launches."""

from django.db import models

from shuren.records.rules.cmi5.words import LaunchMethod, LaunchMode, MoveOn, PartKind


class Course(models.Model):
    """A course as it was taken in, offered to the classes of the branch of `org`.

    `activity` is the IRI by which the system itself calls it; `folder` names where its files lie, empty without any.
    """

    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    publisher_id = models.TextField()
    activity = models.TextField()
    title = models.JSONField()
    description = models.JSONField()
    name = models.CharField(max_length=300)
    objectives = models.JSONField(default=list)
    unit_count = models.PositiveIntegerField()
    folder = models.CharField(max_length=32, blank=True)
    file_count = models.PositiveIntegerField(default=0)
    file_bytes = models.BigIntegerField(default=0)
    is_open = models.BooleanField(default=False)
    imported_by = models.ForeignKey("directory.Person", on_delete=models.SET_NULL, null=True, related_name="+")
    imported_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class CoursePart(models.Model):
    """A block or an assignable unit. `place` is its place in the course, in which a block stands before what lies in it."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="parts")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+")
    place = models.PositiveIntegerField()
    depth = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=5, choices=[(kind.value, kind.name) for kind in PartKind])
    publisher_id = models.TextField()
    activity = models.TextField()
    title = models.JSONField()
    description = models.JSONField()
    objectives = models.JSONField(default=list)
    url = models.TextField(blank=True)
    launch_method = models.CharField(max_length=10, choices=[(one.value, one.name) for one in LaunchMethod], blank=True)
    move_on = models.CharField(max_length=18, choices=[(one.value, one.name) for one in MoveOn], blank=True)
    mastery_score = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    launch_parameters = models.TextField(blank=True)
    entitlement_key = models.TextField(blank=True)
    activity_type = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "place"], name="records_course_place")]

    def __str__(self) -> str:
        return self.publisher_id


class CourseRegistration(models.Model):
    """Somebody takes a course, given to their class or chosen by themself; `key` is the registration that statements name.

    `is_current` goes where two entries of one person took the same course: what was done under the other one stays.
    """

    key = models.UUIDField(unique=True)
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="registrations")
    person = models.ForeignKey("directory.Person", on_delete=models.CASCADE, related_name="+")
    class_org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, null=True, related_name="+")
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    last_at = models.DateTimeField(null=True)
    units_done = models.PositiveIntegerField(default=0)
    satisfied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["course", "person"], condition=models.Q(is_current=True), name="records_registered_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.key)


class PartProgress(models.Model):
    """How far somebody came in one part; a block is only ever satisfied. Without a row nothing has happened there."""

    registration = models.ForeignKey(CourseRegistration, on_delete=models.CASCADE, related_name="progress")
    part = models.ForeignKey(CoursePart, on_delete=models.CASCADE, related_name="+")
    launched_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    passed_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    score = models.FloatField(null=True)
    waived_at = models.DateTimeField(null=True)
    waived_reason = models.CharField(max_length=30, blank=True)
    satisfied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registration", "part"], name="records_progress_once")]

    def __str__(self) -> str:
        return f"{self.registration_id} {self.part_id}"


class CourseSession(models.Model):
    """One launch of a unit. Of the secrets that its window gets only digests are kept.

    `begun_at` and `ended_at` are timestamps of the unit's own statements; `closed_at` when its last word came, or when it was
    given up (`is_abandoned`).
    """

    key = models.UUIDField(unique=True)
    registration = models.ForeignKey(CourseRegistration, on_delete=models.CASCADE, related_name="sessions")
    part = models.ForeignKey(CoursePart, on_delete=models.CASCADE, related_name="+")
    mode = models.CharField(max_length=6, choices=[(mode.value, mode.name) for mode in LaunchMode])
    mastery_score = models.FloatField(null=True)
    fetch_digest = models.CharField(max_length=64, unique=True)
    token_digest = models.CharField(max_length=64, blank=True)
    launched_at = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    is_abandoned = models.BooleanField(default=False)
    verbs = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["launched_at"], name="records_session_open", condition=models.Q(closed_at__isnull=True))]

    def __str__(self) -> str:
        return str(self.key)
