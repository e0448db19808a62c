"""Gradebooks read and written: every system keeps its own, about classes and people within its reach."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import QuerySet

from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType, RosterTable
from shuren.interop.models import Mark
from shuren.interop.rules.oneroster.asked import Asked
from shuren.interop.rules.oneroster.faults import Fault, unknown_field, unknown_object
from shuren.interop.rules.oneroster.fields import Field, test_of
from shuren.interop.rules.oneroster.fields import Form as ValueForm
from shuren.interop.rules.oneroster.filters import Comparison, passes
from shuren.interop.rules.oneroster.marks import KINDS, NO_CATEGORY, REF_TYPES, Form, Kind, check_id, read_mark
from shuren.interop.selectors.marks import marks_of
from shuren.interop.services.oneroster.read_roster import Page
from shuren.interop.services.oneroster.readers import Reader, Told, moment_text, named_ref, ref
from shuren.kernel import audit, ids
from shuren.kernel.clock import day_of
from shuren.kernel.errors import NotFound

_SCANNED = 20_000
_POSTED = 1_000
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
    """One page of a collection; a filter that no index holds is answered for up to 20,000 objects."""
    kind = KINDS[name]
    rows = _narrowed(marks_of(owner=reader.recipient, kind=name, paths=reader.paths), narrowing or Narrowing())
    for part in asked.filter.parts:
        _check_field(kind, part)
        if not asked.filter.is_any or len(asked.filter.parts) == 1:
            rows = _found(rows, part)
    if not asked.filter.parts and asked.sort not in kind.fields:
        total = rows.count()
        return Page(name, tell_marks(reader, kind, rows[asked.offset : asked.offset + asked.limit]), total)
    held = list(rows[: _SCANNED + 1])
    if len(held) > _SCANNED:
        raise Fault(400, "Too many objects for this filter; name a class or a line item.", minor="invalid_filter_field")
    wanted = replace(asked.filter, parts=tuple(_timed(part) for part in asked.filter.parts))
    told = [one for one in tell_marks(reader, kind, held) if not wanted.parts or passes(wanted, one)]
    if asked.sort in kind.fields:
        told.sort(key=lambda one: str(one.get(asked.sort, "")), reverse=asked.is_descending)
    return Page(name, told[asked.offset : asked.offset + asked.limit], len(told))


def read_mark_of(reader: Reader, name: str, sourced_id: str) -> tuple[str, Told]:
    kind = KINDS[name]
    if name == "categories" and sourced_id == NO_CATEGORY:
        base: Told = {"sourcedId": NO_CATEGORY, "status": "active", "dateLastModified": "2000-01-01T00:00:00.000Z"}
        return kind.singular, base | {"title": "未分类"}
    return kind.singular, tell_marks(reader, kind, [_row(reader, name, sourced_id)])[0]


@transaction.atomic
def put_mark(reader: Reader, name: str, sourced_id: str, body: object) -> bool:
    """Write one object under the id that its system gave it; True where it is new."""
    kind = KINDS[name]
    sent = body.get(kind.singular) if isinstance(body, Mapping) else None
    if not isinstance(sent, Mapping):
        raise Fault(422, f"The body is an object with {kind.singular}.")
    if sent.get("sourcedId") not in (None, "", sourced_id):
        raise Fault(422, "The sourcedId of the object is that of the address.")
    return _write(reader, kind, check_id(sourced_id), sent)


@transaction.atomic
def delete_mark(reader: Reader, name: str, sourced_id: str) -> None:
    """Gone for good; 404 where there is none of one's own."""
    _row(reader, name, sourced_id).delete()
    _note(reader, "interop.mark_removed", name, 1)


@transaction.atomic
def post_marks(reader: Reader, name: str, body: object, *, given: Mapping[str, str], branch: str = "") -> list[dict[str, str]]:
    """Add objects under ids of the house, all or none; `given` are the refs that the address says, `branch` where it lies."""
    if branch:
        reader = replace(reader, paths=(branch,))
    kind = KINDS[name]
    sent = body.get(name, body.get(kind.singular)) if isinstance(body, Mapping) else None
    found = sent if isinstance(sent, list) else [sent]
    members = [member for member in found if isinstance(member, Mapping)]
    if not found or len(found) > _POSTED or len(members) < len(found):
        raise Fault(422, f"The body holds 1 to {_POSTED} objects under {name}.")
    pairs = []
    for member in members:
        filled = {**member, **{key: {"sourcedId": value} for key, value in given.items()}}
        allocated = str(uuid.uuid4())
        _write(reader, kind, allocated, filled)
        supplied = member.get("sourcedId")
        pairs.append({"suppliedSourcedId": supplied if isinstance(supplied, str) else "", "allocatedSourcedId": allocated})
    return pairs


def access_mark(reader: Reader, name: str, sourced_id: str) -> Mark:
    """An object of the caller's own gradebook; otherwise 404."""
    return _row(reader, name, sourced_id)


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


def _row(reader: Reader, name: str, sourced_id: str) -> Mark:
    row = marks_of(owner=reader.recipient, kind=name, paths=reader.paths).filter(sourced_id=sourced_id).first()
    if row is None or "\0" in sourced_id:
        raise unknown_object()
    return row


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
_LOOKUPS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


def _found(rows: QuerySet[Mark], part: Comparison) -> QuerySet[Mark]:
    """What an index holds; everything else is compared afterwards."""
    if part.field == "dateLastModified" and part.operator in _LOOKUPS:
        moment = test_of(part, _MOMENTS, RosterTable.SESSIONS).value
        return rows.filter(**{f"modified_at__{_LOOKUPS[part.operator]}": moment})
    if part.operator != "=":
        return rows
    if part.field == "lineItem.sourcedId":
        return rows.filter(line_item=part.value)
    if part.field in ("class.sourcedId", "student.sourcedId"):
        try:
            row_id = ids.decode("org" if part.field[0] == "c" else "person", part.value)
        except NotFound:
            return rows.none()
        return rows.filter(class_org_id=row_id) if part.field[0] == "c" else rows.filter(person_id=row_id)
    return rows


def _timed(part: Comparison) -> Comparison:
    """Moments are compared as they are told."""
    if part.field != "dateLastModified":
        return part
    value = test_of(part, _MOMENTS, RosterTable.SESSIONS).value
    return part if isinstance(value, str) else replace(part, value=moment_text(value))  # type: ignore[arg-type]


def _write(reader: Reader, kind: Kind, sourced_id: str, sent: Mapping[str, object]) -> bool:
    kept = read_mark(kind, sent, today=day_of(reader.now))
    org = _class(reader, kept)
    line_item = str(kept.get("lineItem") or kept.get("assessmentLineItem") or "")
    path = org.path if org else reader.paths[0]
    if line_item:
        parent = _parent(reader, "lineItems" if "lineItem" in kept else "assessmentLineItems", line_item)
        if org is None and parent.class_org_id is not None:
            org = directory.orgs_by_ids([parent.class_org_id]).get(parent.class_org_id)
            path = parent.org_path
        if org is not None and kind.name == "results":
            kept["class"] = org.public_id
    if org is not None and kind.name == "lineItems":
        school_id = directory.school_ids_above([org.path])[org.path]
        kept["school"] = ids.encode("org", school_id)
    _row_of, is_new = Mark.objects.update_or_create(
        owner=reader.recipient,
        kind=kind.name,
        sourced_id=sourced_id,
        defaults={
            "body": kept,
            "org_path": path,
            "class_org_id": org.id if org else None,
            "person_id": _student(reader, kept),
            "line_item": line_item,
            "modified_at": reader.now,
        },
    )
    _note(reader, "interop.mark_kept", kind.name, 1)
    return is_new


def _parent(reader: Reader, name: str, sourced_id: str) -> Mark:
    row = marks_of(owner=reader.recipient, kind=name, paths=reader.paths).filter(sourced_id=sourced_id).first()
    if row is None:
        raise Fault(422, f"There is no {KINDS[name].singular} {sourced_id!r} of this client.")
    return row


def _class(reader: Reader, kept: Mapping[str, object]) -> OrgData | None:
    if "class" not in kept:
        return None
    try:
        org_id = ids.decode("org", str(kept["class"]))
    except NotFound:
        raise Fault(422, "There is no such class within reach.") from None
    org = directory.orgs_by_ids([org_id]).get(org_id)
    if org is None or org.type is not OrgType.CLASS or not reader.covers(org.path):
        raise Fault(422, "There is no such class within reach.")
    return org


def _student(reader: Reader, kept: Mapping[str, object]) -> int | None:
    if "student" not in kept:
        return None
    try:
        person_id = ids.decode("person", str(kept["student"]))
    except NotFound:
        raise Fault(422, "There is no such student within reach.") from None
    if person_id not in directory.people_within(actor=reader.actor, person_ids=[person_id], now=reader.now):
        raise Fault(422, "There is no such student within reach.")
    return person_id


def _note(reader: Reader, action: str, name: str, count: int) -> None:
    details = {"kind": name, "count": count}
    audit.record(actor=reader.actor, action=action, target=f"client:{reader.client_id}", details=details, now=reader.now)
