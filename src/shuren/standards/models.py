"""What the region's words are, as rows that pages list and that people own.

The files of the registry are the source; loading them writes these rows, and never touches an owner once set.
"""

from django.db import models

from shuren.standards.data import Authority, ElementType, Grade, MaskStyle


class CodeSet(models.Model):
    """A list of codes with a meaning each, laid down by somebody."""

    code = models.CharField(max_length=60, primary_key=True)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    authority = models.CharField(max_length=10, choices=[(a.value, a.value) for a in Authority])
    reference = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.code} {self.name_zh}"


class Code(models.Model):
    """One code of a set, with the days it is valid on (half-open)."""

    code_set = models.ForeignKey(CodeSet, on_delete=models.CASCADE, related_name="codes")
    code = models.CharField(max_length=40)
    position = models.PositiveIntegerField()
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    begin_date = models.DateField(null=True)
    end_date = models.DateField(null=True)
    replaced_by = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code_set", "code"], name="code_once")]

    def __str__(self) -> str:
        return f"{self.code_set_id} {self.code} {self.name_zh}"


class Element(models.Model):
    """A data element. `owner_org_id` is the org that answers for it: a number, since orgs live on a higher floor."""

    code = models.CharField(max_length=80, primary_key=True)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    type = models.CharField(max_length=10, choices=[(t.value, t.value) for t in ElementType])
    length = models.PositiveIntegerField(null=True)
    unit = models.CharField(max_length=20, blank=True)
    code_set = models.ForeignKey(CodeSet, on_delete=models.PROTECT, null=True, related_name="elements")
    grade = models.CharField(max_length=2, choices=[(g.value, g.value) for g in Grade])
    mask = models.CharField(max_length=10, choices=[(m.value, m.value) for m in MaskStyle])
    reference = models.CharField(max_length=200, blank=True)
    owner_org_id = models.BigIntegerField(null=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.code} {self.name_zh} {self.grade}"
