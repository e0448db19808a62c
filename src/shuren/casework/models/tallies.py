"""How many cases stand where, so that pages of figures do not count all cases at each look."""

from django.db import models
from django.db.models import Q

from shuren.casework.models.definitions import Definition
from shuren.kernel.fields import PathField


class CaseTally(models.Model):
    """The cases of a definition in one state at one stage: of an org, or without `org` of the whole region.

    What belongs to a class or a grade counts for its school. It is always the sum of what the cases' own `tallied_state` and
    `tallied_stage` say, and so can be recounted while cases move.
    """

    definition = models.ForeignKey(Definition, on_delete=models.PROTECT, related_name="+")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, null=True, related_name="+")
    org_path = PathField(blank=True)
    state = models.CharField(max_length=10)
    stage = models.CharField(max_length=60, blank=True)
    cases = models.BigIntegerField(default=0)
    asked = models.BigIntegerField(default=0)
    saved = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["definition", "org", "state", "stage"], name="case_tally_of_org", condition=Q(org__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["definition", "state", "stage"], name="case_tally_of_region", condition=Q(org__isnull=True)
            ),
        ]
        indexes = [models.Index(fields=["definition", "org_path"], name="case_tally_place")]

    def __str__(self) -> str:
        return f"{self.definition_id} {self.org_path} {self.state} {self.cases}"
