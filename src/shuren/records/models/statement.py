"""Statements and what they are found by: keys over all months, and tables that PostgreSQL cuts by the month of `stored`.

Identifiers of any length are kept as digests of 128 bits (`rules.facts`). Statements stand in the order of `stored` and
`seq`. A mention leads to a statement from whom and what it speaks of beside its actor, verb and object.
"""

from django.db import models


class StatementKey(models.Model):
    """One statement id, once over all months; `digest` is that of the statement as it was sent."""

    statement_id = models.UUIDField(primary_key=True)
    stored = models.DateTimeField()
    seq = models.BigIntegerField()
    digest = models.BinaryField()

    def __str__(self) -> str:
        return str(self.statement_id)


class Statement(models.Model):
    """One statement as it is handed out. `person` is its actor where that is somebody of this installation."""

    pk = models.CompositePrimaryKey("stored", "seq")
    stored = models.DateTimeField()
    seq = models.BigIntegerField()
    statement_id = models.UUIDField()
    timestamp = models.DateTimeField()
    actor = models.UUIDField()
    verb = models.UUIDField()
    activity = models.UUIDField(null=True)
    registration = models.UUIDField(null=True)
    authority = models.UUIDField()
    # Without a constraint: checking it would be a look-up for every statement, and the store asked for the person already.
    person = models.ForeignKey(
        "directory.Person", on_delete=models.CASCADE, null=True, related_name="+", db_constraint=False, db_index=False
    )
    is_voided = models.BooleanField(default=False)
    body = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["actor", "stored", "seq"], name="records_statement_actor"),
            models.Index(fields=["verb", "stored", "seq"], name="records_statement_verb"),
            models.Index(fields=["activity", "stored", "seq"], name="records_statement_activity"),
            models.Index(
                fields=["registration", "stored"],
                name="records_statement_attempt",
                condition=models.Q(registration__isnull=False),
            ),
            models.Index(fields=["person", "stored"], name="records_statement_person", condition=models.Q(person__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.statement_id)


class Mention(models.Model):
    """Whom or what a statement also speaks of."""

    pk = models.CompositePrimaryKey("key", "stored", "seq")
    key = models.UUIDField()
    stored = models.DateTimeField()
    seq = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.key)


class Reference(models.Model):
    """A statement about another statement, directly or over others in between; the other may come later, or never."""

    pk = models.CompositePrimaryKey("statement_id", "target_id")
    statement_id = models.UUIDField()
    target_id = models.UUIDField(db_index=True)
    stored = models.DateTimeField()
    seq = models.BigIntegerField()
    is_direct = models.BooleanField()
    is_voiding = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.statement_id} {self.target_id}"
