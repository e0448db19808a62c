"""People, orgs and entries that a form may name: found by a few letters, or known by id or by a name that only one has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shuren.casework.models import Entry
from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.selectors.entries import access_entry, access_register
from shuren.directory import api as directory
from shuren.directory.data import OrgType, Permission
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import Scope, path_q
from shuren.search import api as search

SHOWN = 10
_NO_PLACES = (OrgType.CLASS, OrgType.GRADE)


@dataclass(frozen=True, slots=True)
class Party:
    id: str
    name: str
    note: str = ""


def parties_like(*, actor: Actor, kind: FieldType, words: str, now: datetime, register: str = "") -> list[Party]:
    """At most ten whose name fits, within the actor's reach; every org of the region, since their names are public."""
    if not words.strip():
        return []
    if kind == FieldType.PERSON:
        return _people(actor, words, now)
    if kind == FieldType.ORG:
        return _orgs(words)
    return _entries(actor, register, words, now)


def _people(actor: Actor, words: str, now: datetime) -> list[Party]:
    scope = directory.scope_of(actor=actor, permission=Permission.VIEW_PEOPLE, now=now)
    hits = search.find(words, scope=scope, kinds=("person",), limit=SHOWN).rows
    homes = {hit.object_id: int(hit.path.rstrip("/").rpartition("/")[2]) for hit in hits if hit.path}
    orgs = directory.orgs_by_ids(homes.values())
    notes = {person_id: orgs[org_id].name for person_id, org_id in homes.items() if org_id in orgs}
    return [Party(ids.encode("person", hit.object_id), hit.title, notes.get(hit.object_id, "")) for hit in hits]


def _orgs(words: str) -> list[Party]:
    root = directory.root_org()
    if root is None:
        return []
    hits = search.find(words, scope=Scope((root.path,)), kinds=("org",), limit=3 * SHOWN).rows
    orgs = directory.orgs_by_ids([hit.object_id for hit in hits])
    found = [orgs[hit.object_id] for hit in hits if hit.object_id in orgs]
    places = [org for org in found if org.type not in _NO_PLACES][:SHOWN]
    above = directory.orgs_by_ids([org.parent_id for org in places if org.parent_id is not None])
    return [Party(org.public_id, org.name, above[org.parent_id].name if org.parent_id in above else "") for org in places]


def _entries(actor: Actor, register: str, words: str, now: datetime) -> list[Party]:
    try:
        found = access_register(actor=actor, key=register, now=now)
    except NotFound:
        return []
    rows = Entry.objects.filter(path_q("org_path", found.access.read_paths), register=found.definition, removed_at__isnull=True)
    rows = rows.filter(label__icontains=words.strip()).select_related("org").order_by("label")[:SHOWN]
    return [Party(ids.encode("entry", row.pk), row.label, row.org.name) for row in rows]


def known_party(field: FieldSpec, told: object, *, actor: Actor, now: datetime) -> dict[str, str] | None:
    """Who is meant by an id (as `{"id": …}` or `id|name`), or by a name that one alone has in the actor's reach."""
    assert field.type is not None
    if isinstance(told, str) and "|" not in told:
        found = parties_like(actor=actor, kind=field.type, words=told, now=now, register=field.register_key)
        same = [party for party in found if party.name == told.strip()]
        return {"id": same[0].id, "name": same[0].name} if len(same) == 1 else None
    id = told.partition("|")[0] if isinstance(told, str) else told.get("id") if isinstance(told, Mapping) else None
    try:
        return _by_id(field, str(id), actor, now)
    except NotFound:
        return None


def _by_id(field: FieldSpec, id: str, actor: Actor, now: datetime) -> dict[str, str] | None:
    assert field.type is not None
    pk = ids.decode(field.type.value, id)
    if field.type == FieldType.PERSON:
        return {"id": id, "name": directory.access_person(actor=actor, id=pk, permission=Permission.VIEW_PEOPLE, now=now).name}
    if field.type == FieldType.ORG:
        org = directory.orgs_by_ids([pk]).get(pk)
        return {"id": id, "name": org.name} if org else None
    entry = access_entry(actor=actor, id=pk, now=now)
    return {"id": id, "name": entry.label} if entry.register.key == field.register_key else None
