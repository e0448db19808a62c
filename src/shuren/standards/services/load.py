"""Writes of the words: loading the registry, naming owners."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.standards.data import ElementData, LoadCounts
from shuren.standards.models import Code, CodeSet, Element
from shuren.standards.rules.registry import Registry, with_code_sets
from shuren.standards.rules.tables import tables
from shuren.standards.selectors.words import forget_registry, registry


@transaction.atomic
def load_registry() -> LoadCounts:
    """Write what the files say into the tables, owners kept; running it again changes nothing."""
    forget_registry()
    told = _told()
    code_sets = [
        CodeSet(code=s.code, name_zh=s.name_zh, name_en=s.name_en, authority=s.authority, reference=s.reference)
        for s in told.code_sets.values()
    ]
    CodeSet.objects.bulk_create(
        code_sets,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name_zh", "name_en", "authority", "reference"],
    )
    codes = [
        Code(
            code_set_id=code_set.code,
            code=code.code,
            position=position,
            name_zh=code.name_zh,
            name_en=code.name_en,
            begin_date=code.begin,
            end_date=code.end,
            replaced_by=code.replaced_by,
        )
        for code_set in told.code_sets.values()
        for position, code in enumerate(code_set.codes.values())
    ]
    Code.objects.bulk_create(
        codes,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["code_set", "code"],
        update_fields=["position", "name_zh", "name_en", "begin_date", "end_date", "replaced_by"],
    )
    _drop_strays({(row.code_set_id, row.code) for row in codes})
    rows = [_row(element) for element in told.elements.values()]
    fields = ["name_zh", "name_en", "type", "length", "unit", "code_set", "grade", "mask", "reference", "source", "department"]
    Element.objects.bulk_create(rows, update_conflicts=True, unique_fields=["code"], update_fields=fields)
    return LoadCounts(elements=len(rows), code_sets=len(code_sets), codes=len(codes))


@transaction.atomic
def set_owner(*, actor: Actor, element_code: str, org_id: int | None, now: datetime) -> None:
    """Name the org that answers for an element; publishes `standards.owner_set`. The caller has checked the right to."""
    row = Element.objects.select_for_update().filter(pk=element_code).first()
    if row is None:
        raise NotFound(_("没有这个数据项。"))
    details = {"before": row.owner_org_id, "after": org_id}
    Element.objects.filter(pk=element_code).update(owner_org_id=org_id)
    audit.record(actor=actor, action="standards.owner_set", target=f"element:{element_code}", details=details, now=now)
    events.publish("standards.owner_set", {"element": element_code, **details}, now=now)


def _told() -> Registry:
    """The registry with those tables that an element takes its values from; other tables stay in their file."""
    told = registry()
    named = {element.code_set for element in told.elements.values()} - set(told.code_sets)
    return with_code_sets(told, (table for code, table in tables().items() if code in named)) if named - {""} else told


def _drop_strays(kept: set[tuple[str, str]]) -> None:
    """Codes that came with an edition which is out of force again."""
    strays = [pk for pk, code_set, code in Code.objects.values_list("pk", "code_set_id", "code") if (code_set, code) not in kept]
    Code.objects.filter(pk__in=strays).delete()


def _row(element: ElementData) -> Element:
    return Element(
        code=element.code,
        name_zh=element.name_zh,
        name_en=element.name_en,
        type=element.type,
        length=element.length,
        unit=element.unit,
        code_set_id=element.code_set or None,
        grade=element.grade,
        mask=element.mask,
        reference=element.reference,
        source=element.source,
        department=element.department,
    )
