"""Gradebooks read: what a system keeps itself, and behind it what the house released of its own tests."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet

from shuren.directory.data import RosterTable
from shuren.interop.models import Mark
from shuren.interop.rules.oneroster.asked import Asked
from shuren.interop.rules.oneroster.faults import Fault, unknown_field, unknown_object
from shuren.interop.rules.oneroster.fields import Field, test_of
from shuren.interop.rules.oneroster.fields import Form as ValueForm
from shuren.interop.rules.oneroster.filters import Comparison, passes
from shuren.interop.rules.oneroster.marks import KINDS, NO_CATEGORY, REF_TYPES, Form, Kind
from shuren.interop.rules.oneroster.released import CATEGORY, place_of
from shuren.interop.rules.oneroster.spans import span_of
from shuren.interop.selectors.marks import marks_of
from shuren.interop.services.oneroster.read_roster import Page
from shuren.interop.services.oneroster.readers import Reader, Told, moment_text, named_ref, ref
from shuren.interop.services.oneroster.released import Sought, at_place, house_category, met, released_mark, released_marks
from shuren.kernel import ids
from shuren.kernel.errors import NotFound

_SCANNED = 20_000
_PLACES = {
    "category": "categories",
    "scoreScale": "scoreScales",
    "lineItem": "lineItems",
    "assessmentLineItem": "assessmentLineItems",
}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What an address says of the objects it lists; `uses` is the class whose line items name them as category."""

    class_id: int | None = None
    person_id: int | None = None
    line_item: str = ""
    branch: str = ""
    uses: int | None = None


def read_marks(reader: Reader, name: str, asked: Asked, narrowing: Narrowing | None = None) -> Page:
    """One page of a collection; what no index answers is answered for up to 20,000 objects."""
    kind = KINDS[name]
    found = _sought(reader, kind, asked, narrowing or Narrowing())
    house = released_marks(reader, name, found.of_house)
    kept = found.rows.count()
    total = kept + house.total
    if found.is_exact and asked.sort not in kind.fields:
        told = tell_marks(reader, kind, found.rows[asked.offset : asked.offset + asked.limit])
        return Page(name, told + house.told(max(0, asked.offset - kept), asked.limit - len(told)), total)
    if total > _SCANNED:
        raise Fault(400, "Too many objects for this filter; name a class or a line item.", minor="invalid_filter_field")
    told = tell_marks(reader, kind, found.rows) + house.told(0, house.total)
    wanted = replace(asked.filter, parts=tuple(_timed(part) for part in asked.filter.parts))
    told = [one for one in told if not wanted.parts or passes(wanted, one)]
    if asked.sort in kind.fields:
        told.sort(key=lambda one: str(one.get(asked.sort, "")), reverse=asked.is_descending)
    return Page(name, told[asked.offset : asked.offset + asked.limit], len(told))


def read_mark_of(reader: Reader, name: str, sourced_id: str) -> tuple[str, Told]:
    kind = KINDS[name]
    if name == "categories" and sourced_id == NO_CATEGORY:
        base: Told = {"sourcedId": NO_CATEGORY, "status": "active", "dateLastModified": "2000-01-01T00:00:00.000Z"}
        return kind.singular, base | {"title": "未分类"}
    if name == "categories" and sourced_id == CATEGORY:
        return kind.singular, house_category()
    if place_of(name, sourced_id) is not None:
        return kind.singular, released_mark(reader, name, sourced_id)
    return kind.singular, tell_marks(reader, kind, [access_mark(reader, name, sourced_id)])[0]


def access_mark(reader: Reader, name: str, sourced_id: str) -> Mark:
    """An object of the caller's own gradebook; otherwise 404."""
    row = marks_of(owner=reader.recipient, kind=name, paths=reader.paths).filter(sourced_id=sourced_id).first()
    if row is None or "\0" in sourced_id:
        raise unknown_object()
    return row


def access_line_item(reader: Reader, sourced_id: str) -> str:
    """The id of a line item of the caller's own or of the house; otherwise 404."""
    return str(read_mark_of(reader, "lineItems", sourced_id)[1]["sourcedId"])


def tell_marks(reader: Reader, kind: Kind, rows: Sequence[Mark] | QuerySet[Mark]) -> list[Told]:
    told = []
    for row in rows:
        base: Told = {
            "sourcedId": row.sourced_id,
            "status": "active",
            "dateLastModified": moment_text(row.modified_at),
        }
        said = {name: _value(reader, name, form, row) for name, form in kind.fields.items() if name in row.body}
        told.append(base | said)
    return told


def _value(reader: Reader, name: str, form: Form, row: Mark) -> object:
    if form is not Form.REF:
        return row.body[name]
    if name == "student" and row.person_id is not None:
        return ref(reader, "user", row.person_id)
    kind, sourced_id = REF_TYPES[name], str(row.body[name])
    if kind in _PLACES:
        return named_ref(reader, kind, sourced_id, place=_PLACES[kind], service="gradebook")
    return named_ref(reader, kind, sourced_id)


def _narrowed(rows: QuerySet[Mark], narrowing: Narrowing) -> QuerySet[Mark]:
    if narrowing.class_id is not None:
        rows = rows.filter(class_org_id=narrowing.class_id)
    if narrowing.person_id is not None:
        rows = rows.filter(person_id=narrowing.person_id)
    if narrowing.line_item:
        rows = rows.filter(line_item=narrowing.line_item)
    if narrowing.uses is not None:
        items = Mark.objects.filter(class_org_id=narrowing.uses, kind="lineItems")
        named = {str(body.get("category")) for body in items.values_list("body", flat=True)}
        rows = rows.filter(sourced_id__in=named)
    if narrowing.branch:
        rows = rows.filter(org_path__startswith=narrowing.branch)
    return rows


def _check_field(kind: Kind, part: Comparison) -> None:
    name, _dot, rest = part.field.partition(".")
    is_base = part.field in ("sourcedId", "status", "dateLastModified")
    is_own = name in kind.fields and (not rest or kind.fields[name] in (Form.REF, Form.LIST))
    if not is_base and not is_own and name != "metadata":
        raise unknown_field(part.field)


_MOMENTS = {"dateLastModified": Field("modified", ValueForm.MOMENT)}


@dataclass(frozen=True, slots=True)
class _Found:
    """What the indexes hold of a question: rows kept by systems, what is sought of the house, and whether that is all."""

    rows: QuerySet[Mark]
    of_house: Sought
    is_exact: bool = True


def _sought(reader: Reader, kind: Kind, asked: Asked, narrowing: Narrowing) -> _Found:
    rows = _narrowed(marks_of(owner=reader.recipient, kind=kind.name, paths=reader.paths), narrowing)
    found = _Found(rows, _of_house(reader, narrowing))
    parts = asked.filter.parts
    for part in parts:
        _check_field(kind, part)
        step = None if asked.filter.is_any and len(parts) > 1 else _step(kind, found, part)
        found = step or replace(found, is_exact=False)
    return found


def _of_house(reader: Reader, narrowing: Narrowing) -> Sought:
    sought = Sought(
        (narrowing.branch,) if narrowing.branch else reader.paths,
        class_id=narrowing.uses if narrowing.class_id is None else narrowing.class_id,
        person_id=narrowing.person_id,
    )
    return _at_item(sought, narrowing.line_item) if narrowing.line_item else sought


def _at_item(sought: Sought, line_item: str) -> Sought:
    place = place_of("lineItems", line_item)
    return replace(sought, is_none=True) if place is None else at_place(sought, "lineItems", place)


def _step(kind: Kind, found: _Found, part: Comparison) -> _Found | None:
    """Narrowed by what an index holds; None where everything is compared afterwards."""
    if part.field == "dateLastModified":
        return None if kind.name == "categories" else _since(found, part)
    if part.operator != "=" or "," in part.value:
        return None
    if part.field == "sourcedId":
        return _Found(found.rows.filter(sourced_id=part.value), _with_id(kind, found.of_house, part.value), found.is_exact)
    if part.field == "lineItem.sourcedId":
        return _Found(found.rows.filter(line_item=part.value), _at_item(found.of_house, part.value), found.is_exact)
    if part.field not in ("class.sourcedId", "student.sourcedId"):
        return None
    is_class = part.field == "class.sourcedId"
    try:
        row_id = ids.decode("org" if is_class else "person", part.value)
    except NotFound:
        return _Found(found.rows.none(), replace(found.of_house, is_none=True), found.is_exact)
    rows = found.rows.filter(class_org_id=row_id) if is_class else found.rows.filter(person_id=row_id)
    also = replace(found.of_house, class_id=row_id) if is_class else replace(found.of_house, person_id=row_id)
    return _Found(rows, met(found.of_house, also), found.is_exact)


def _with_id(kind: Kind, sought: Sought, sourced_id: str) -> Sought:
    if kind.name == "categories":
        return replace(sought, is_none=sought.is_none or sourced_id != CATEGORY)
    place = place_of(kind.name, sourced_id)
    return replace(sought, is_none=True) if place is None else at_place(sought, kind.name, place)


def _since(found: _Found, part: Comparison) -> _Found | None:
    moment = test_of(part, _MOMENTS, RosterTable.SESSIONS).value
    span = span_of(part.operator, moment) if isinstance(moment, datetime) else None
    if span is None:
        return None
    bounds = {"modified_at__gte": span.begin, "modified_at__lt": span.end}
    rows = found.rows.filter(**{name: bound for name, bound in bounds.items() if bound is not None})
    return _Found(rows, replace(found.of_house, span=found.of_house.span.within(span)), found.is_exact)


def _timed(part: Comparison) -> Comparison:
    """Moments are compared as they are told."""
    if part.field != "dateLastModified":
        return part
    value = test_of(part, _MOMENTS, RosterTable.SESSIONS).value
    return part if isinstance(value, str) else replace(part, value=moment_text(value))  # type: ignore[arg-type]
