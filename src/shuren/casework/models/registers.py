"""Entries of registers: what each is now, what it was, and the values that lists filter and sort by."""

from django.db import models
from django.db.models import Q

from shuren.casework.models.definitions import Definition
from shuren.kernel.fields import BytewiseField, PathField


class Entry(models.Model):
    """A thing. `identity` is the digest of its identity fields (with its org unless global), once while it is not removed.

    What an import puts down before its switch is of revision 0 and counts as removed, so nothing finds it: new entries, and
    what entries will be, named by `replaces_id`. After the switch `pending_import_id` marks what is still to be told.
    """

    register = models.ForeignKey(Definition, on_delete=models.PROTECT, related_name="entries")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    subject = models.ForeignKey("directory.Person", on_delete=models.PROTECT, null=True, related_name="+")
    label = models.CharField(max_length=200)
    identity = models.CharField(max_length=64)
    state = models.CharField(max_length=60, blank=True)
    data = models.JSONField(default=dict)
    longitude = models.FloatField(null=True)
    latitude = models.FloatField(null=True)
    revision = models.PositiveIntegerField(default=1)
    import_id = models.BigIntegerField(null=True)
    pending_import_id = models.BigIntegerField(null=True)
    replaces_id = models.BigIntegerField(null=True)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["register", "identity"], name="entry_once", condition=Q(removed_at__isnull=True))
        ]
        indexes = [
            models.Index(fields=["register", "org_path", "label"], name="entry_place"),
            models.Index(fields=["register", "state", "-changed_at"], name="entry_state"),
            models.Index(fields=["register", "-changed_at"], name="entry_changed"),
            models.Index(
                fields=["register", "-changed_at"], name="entry_removed", condition=Q(removed_at__isnull=False, revision__gt=0)
            ),
            models.Index(fields=["import_id"], name="entry_import", condition=Q(import_id__isnull=False)),
            models.Index(
                fields=["pending_import_id", "replaces_id"], name="entry_pending", condition=Q(pending_import_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.label


class EntryRevision(models.Model):
    """What an entry was from `at` on, and who changed it; `case` is the one that changed it by a flow.

    `act` says that it was `removed` or `restored`, and nothing where it was written or changed.

    `org` is where it lay; null in what was written before that was kept.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    person_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=100)
    case = models.ForeignKey("Case", on_delete=models.PROTECT, null=True, related_name="+")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    state = models.CharField(max_length=60, blank=True)
    data = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)
    act = models.CharField(max_length=10, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "number"], name="entry_revision_once")]

    def __str__(self) -> str:
        return f"{self.entry_id} r{self.number}"


class EntryValue(models.Model):
    """A value of an indexed field, as text and as a number (dates as days) where it has one."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="values")
    register = models.ForeignKey(Definition, on_delete=models.PROTECT, related_name="+")
    field = models.CharField(max_length=60)
    text = BytewiseField(max_length=120, blank=True)
    number = models.FloatField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["register", "field", "text", "entry"], name="entry_value_text"),
            models.Index(fields=["register", "field", "number", "entry"], name="entry_value_number"),
        ]

    def __str__(self) -> str:
        return f"{self.field} {self.text}"
