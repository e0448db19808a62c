"""Cases: what was filed, the stages it went through, what is asked of whom, its timers, files and history.

A `Case` runs on one version of a flow and its form. Each visit of a stage is a `StageRun`, whose counters make a decision
of a thousand people a thousand short writes. A `WorkItem` is one question to one person, or to whoever holds a role.
"""

from django.db import models
from django.db.models import F, Q

from shuren.casework.data import Act, CaseResult, CaseState, WorkKind, WorkState
from shuren.casework.models.definitions import DefinitionVersion
from shuren.kernel.fields import BytewiseField, PathField

_OPEN = Q(state=WorkState.OPEN.value)
# Filed or moved since it was counted.
UNTALLIED = ~Q(tallied_state=F("state")) | ~Q(tallied_stage=F("stage"))


class Case(models.Model):
    """`number` is what people quote; `flow_version` is null for a form that nobody reviews.

    `data` holds the values by field key, `written` what deciders wrote down by stage. `revision` grows with every change of
    `data`, so that two who fill the same draft are told apart. `asked` and `saved` count fields asked and filled in.
    `stage_due_at` is when the stage it stands at is over; `tallied_…` is where it stood when it was counted (`CaseTally`).
    """

    number = BytewiseField(max_length=30, unique=True)
    title = models.CharField(max_length=200)
    flow_version = models.ForeignKey(DefinitionVersion, on_delete=models.PROTECT, null=True, related_name="+")
    form_version = models.ForeignKey(DefinitionVersion, on_delete=models.PROTECT, related_name="+")
    definition = models.ForeignKey("Definition", on_delete=models.PROTECT, related_name="cases")
    item = models.ForeignKey("Definition", on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in CaseState])
    stage = models.CharField(max_length=60, blank=True)
    result = models.CharField(max_length=10, blank=True, choices=[(result.value, result.value) for result in CaseResult])
    end = models.CharField(max_length=60, blank=True)
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    filer = models.ForeignKey("directory.Person", on_delete=models.PROTECT, null=True, related_name="+")
    subject = models.ForeignKey("directory.Person", on_delete=models.PROTECT, null=True, related_name="+")
    origin = BytewiseField(max_length=80, blank=True)
    data = models.JSONField(default=dict)
    written = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=1)
    asked = models.PositiveSmallIntegerField(default=0)
    saved = models.PositiveSmallIntegerField(default=0)
    filed_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    stage_due_at = models.DateTimeField(null=True)
    tallied_state = models.CharField(max_length=10, blank=True)
    tallied_stage = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["org_path", "state", "-filed_at"], name="case_place"),
            models.Index(fields=["definition", "org_path", "-filed_at"], name="case_definition"),
            models.Index(fields=["definition", "state", "stage"], name="case_stage"),
            models.Index(fields=["filer", "-filed_at"], name="case_filer"),
            models.Index(fields=["subject", "-filed_at"], name="case_subject"),
            models.Index(fields=["state", "due_at"], name="case_due"),
            models.Index(fields=["origin"], name="case_origin", condition=~Q(origin="")),
            models.Index(fields=["id"], name="case_untallied", condition=UNTALLIED),
            models.Index(fields=["definition", "-id", "org_path"], name="case_latest", condition=Q(submitted_at__isnull=False)),
            models.Index(
                fields=["definition", "stage_due_at", "org_path", "stage"],
                name="case_late",
                condition=Q(state=CaseState.RUNNING.value, stage_due_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.state}"


class StageRun(models.Model):
    """One visit of a stage: how many were asked, how many chose what so far, and where it led."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="stage_runs")
    stage = models.CharField(max_length=60)
    visit = models.PositiveSmallIntegerField()
    asked = models.PositiveIntegerField(default=0)
    agreed = models.PositiveIntegerField(default=0)
    differed = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=60, blank=True)
    entered_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "stage", "visit"], name="stage_visit_once")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.stage} {self.visit}"


class WorkItem(models.Model):
    """One question. Without an assignee whoever holds `role` at `org_id` may answer it.

    `for_person` is on whose behalf a delegate answers, `asker` who added a signer or handed it over.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="work_items")
    stage_run = models.ForeignKey(StageRun, on_delete=models.CASCADE, related_name="work_items")
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in WorkKind])
    state = models.CharField(max_length=8, choices=[(state.value, state.value) for state in WorkState])
    position = models.PositiveIntegerField(default=0)
    assignee = models.ForeignKey("directory.Person", on_delete=models.PROTECT, null=True, related_name="+")
    for_person = models.ForeignKey("directory.Person", on_delete=models.PROTECT, null=True, related_name="+")
    asker = models.ForeignKey("directory.Person", on_delete=models.PROTECT, null=True, related_name="+")
    role = models.CharField(max_length=20, blank=True)
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, null=True, related_name="+")
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    urged_at = models.DateTimeField(null=True)
    urges = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey("directory.Person", on_delete=models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=60, blank=True)
    comment = models.TextField(blank=True)
    written = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["assignee", "opened_at"], name="work_assignee", condition=_OPEN),
            models.Index(fields=["org", "role", "opened_at"], name="work_pool", condition=_OPEN & Q(assignee__isnull=True)),
            models.Index(fields=["due_at"], name="work_due", condition=_OPEN),
            models.Index(fields=["done_by", "-done_at"], name="work_done"),
            models.Index(fields=["case", "state"], name="work_case"),
            models.Index(fields=["stage_run", "state", "position"], name="work_run"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.kind} {self.state}"


class CaseEvent(models.Model):
    """What happened to a case, by whom and when; never changed. `details` may hold what changed in its data."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    act = models.CharField(max_length=14, choices=[(act.value, act.value) for act in Act])
    stage = models.CharField(max_length=60, blank=True)
    person_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=100)
    outcome = models.CharField(max_length=60, blank=True)
    comment = models.TextField(blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["case", "id"], name="case_event_order")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.act}"


class Timer(models.Model):
    """Something that happens by itself at `due_at`, once: a reminder, the due time, an outcome for silence."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="timers")
    stage_run = models.ForeignKey(StageRun, on_delete=models.CASCADE, null=True, related_name="timers")
    kind = models.CharField(max_length=20)
    number = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    fired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stage_run", "kind", "number"], name="timer_of_stage_once"),
            models.UniqueConstraint(
                fields=["case", "kind", "number"], name="timer_of_case_once", condition=Q(stage_run__isnull=True)
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="timer_due", condition=Q(fired_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.case_id} {self.kind} {self.due_at}"


class Attachment(models.Model):
    """A file in a field of a case or an entry; the bytes lie under `path`, named by their digest."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, null=True, related_name="attachments")
    entry = models.ForeignKey("Entry", on_delete=models.CASCADE, null=True, related_name="attachments")
    field = models.CharField(max_length=130)
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    added_at = models.DateTimeField()
    added_by_id = models.BigIntegerField(null=True)
    removed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Delegation(models.Model):
    """Who answers for somebody on leave, from `begin_at` until `end_at`; empty `flow` means every flow."""

    person = models.ForeignKey("directory.Person", on_delete=models.CASCADE, related_name="+")
    delegate = models.ForeignKey("directory.Person", on_delete=models.CASCADE, related_name="+")
    flow = models.CharField(max_length=100, blank=True)
    begin_at = models.DateTimeField()
    end_at = models.DateTimeField()
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["person", "end_at"], name="delegation_person"),
            models.Index(fields=["delegate", "end_at"], name="delegation_delegate"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} → {self.delegate_id}"
