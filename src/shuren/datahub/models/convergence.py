"""What several sources say of one fact, and which of it holds.

A `Candidate` is one value of an element that one source told of one subject; a `Golden` is the value chosen among them by
the element's `Precedence`, with the evidence of why. Subjects are numbers: a fact may be about people or about orgs.
"""

from django.db import models

from shuren.datahub.data import SubjectKind, TieRule, Verdict

_SUBJECTS = [(kind.value, kind.value) for kind in SubjectKind]


class Precedence(models.Model):
    """The sources of an element in the order in which they are believed, as `[source, days it holds or null]`."""

    element_code = models.CharField(max_length=80, primary_key=True)
    sources = models.JSONField(default=list)
    tie = models.CharField(max_length=10, choices=[(rule.value, rule.value) for rule in TieRule])
    revision = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.element_code} r{self.revision}"


class Candidate(models.Model):
    """One value of one source; what is graded L3 or L4 is sealed, and compared by its keyed digest."""

    element_code = models.CharField(max_length=80)
    subject_kind = models.CharField(max_length=10, choices=_SUBJECTS)
    subject_id = models.BigIntegerField()
    source = models.CharField(max_length=60)
    value = models.CharField(max_length=500, blank=True)
    value_sealed = models.BinaryField(null=True)
    digest = models.CharField(max_length=64)
    seen_at = models.DateTimeField()
    evidence = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["element_code", "subject_kind", "subject_id", "source", "digest"], name="candidate_once"
            )
        ]
        indexes = [models.Index(fields=["subject_kind", "subject_id"], name="candidate_of_subject")]

    def __str__(self) -> str:
        return f"{self.element_code} {self.subject_kind}:{self.subject_id} {self.source}"


class Golden(models.Model):
    """The chosen value. `evidence` is `[candidate, source, seen, verdict]` of every candidate; `values` how many differ."""

    element_code = models.CharField(max_length=80)
    subject_kind = models.CharField(max_length=10, choices=_SUBJECTS)
    subject_id = models.BigIntegerField()
    candidate = models.ForeignKey(Candidate, on_delete=models.SET_NULL, null=True, related_name="+")
    source = models.CharField(max_length=60, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    rule = models.CharField(max_length=12, blank=True)
    evidence = models.JSONField(default=list)
    values = models.PositiveSmallIntegerField(default=0)
    told = models.CharField(max_length=16, blank=True)
    verdict = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Verdict])
    reason = models.CharField(max_length=300, blank=True)
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["element_code", "subject_kind", "subject_id"], name="golden_once")]
        indexes = [
            models.Index(fields=["element_code", "verdict", "id"], name="golden_by_verdict"),
            models.Index(fields=["subject_kind", "subject_id"], name="golden_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.element_code} {self.subject_kind}:{self.subject_id} {self.rule}"
