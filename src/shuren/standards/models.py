"""What the region's words are, as rows that pages list and that people own.

The files of the registry are the source; loading them writes these rows, and never touches an owner once set.
"""

from django.db import models

from shuren.standards.data import Authority, Door, ElementType, Grade, MaskStyle


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
    source = models.CharField(max_length=200, blank=True, default="")
    department = models.CharField(max_length=120, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.code} {self.name_zh} {self.grade}"


class Producer(models.Model):
    """Who alone may write an element; `org_ids` are numbers, since orgs live on a higher floor."""

    element = models.OneToOneField(Element, on_delete=models.CASCADE, primary_key=True, related_name="producer")
    doors = models.JSONField(default=list)
    org_ids = models.JSONField(default=list)
    note = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.element_id} {','.join(self.doors)}"


class RefusedWrite(models.Model):
    """Competing writes that were refused, counted by day; who the person was stands in the audit trail alone."""

    element_code = models.CharField(max_length=80)
    door = models.CharField(max_length=20, choices=[(d.value, d.value) for d in Door])
    org_id = models.BigIntegerField(default=0)
    role = models.CharField(max_length=40, blank=True)
    client_id = models.CharField(max_length=120, blank=True)
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["element_code", "door", "org_id", "role", "client_id", "day"], name="refused_write_once_a_day"
            )
        ]
        indexes = [
            models.Index(fields=["element_code", "-day"], name="refused_write_of_element"),
            models.Index(fields=["told_at"], name="refused_write_untold", condition=models.Q(told_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.element_code} {self.door} {self.day} {self.count}"


class Edition(models.Model):
    """A new edition of code sets that was taken. What it says lies in `body`, a file of the data folder that never changes.

    Which editions are in force is told by one file beside the bodies, since every process reads its words without the database.
    """

    number = models.PositiveIntegerField(primary_key=True)
    title = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    body = models.CharField(max_length=100)
    code_sets = models.JSONField(default=list)
    counts = models.JSONField(default=dict)
    breaks = models.JSONField(default=dict)
    taken_at = models.DateTimeField()
    taken_by = models.CharField(max_length=100)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=100, blank=True)
    import_id = models.BigIntegerField(null=True, unique=True)

    def __str__(self) -> str:
        return f"{self.number} {self.title}"
