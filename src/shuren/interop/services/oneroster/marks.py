"""Gradebooks written: every system keeps its own, about classes and people within its reach."""

import uuid
from collections.abc import Mapping
from dataclasses import replace

from django.db import transaction

from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType
from shuren.interop.models import Mark
from shuren.interop.rules.oneroster.faults import Fault
from shuren.interop.rules.oneroster.marks import KINDS, Kind, check_id, read_mark
from shuren.interop.rules.oneroster.released import check_is_own
from shuren.interop.selectors.marks import marks_of
from shuren.interop.services.oneroster.read_marks import access_mark
from shuren.interop.services.oneroster.readers import Reader
from shuren.kernel import audit, ids
from shuren.kernel.clock import day_of
from shuren.kernel.errors import NotFound

_POSTED = 1_000


@transaction.atomic
def put_mark(reader: Reader, name: str, sourced_id: str, body: object) -> bool:
    """Write one object under the id that its system gave it; True where it is new."""
    kind = KINDS[name]
    sent = body.get(kind.singular) if isinstance(body, Mapping) else None
    if not isinstance(sent, Mapping):
        raise Fault(422, f"The body is an object with {kind.singular}.")
    if sent.get("sourcedId") not in (None, "", sourced_id):
        raise Fault(422, "The sourcedId of the object is that of the address.")
    check_is_own(name, sourced_id)
    return _write(reader, kind, check_id(sourced_id), sent)


@transaction.atomic
def delete_mark(reader: Reader, name: str, sourced_id: str) -> None:
    """Gone for good; 404 where there is none of one's own."""
    check_is_own(name, sourced_id)
    access_mark(reader, name, sourced_id).delete()
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
    check_is_own(name, sourced_id)
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
