"""The rostering service: 41 addresses, each a table, what narrows it, and how its rows are told."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.core.cache import cache

from shuren.directory import api as directory
from shuren.directory.data import Role, RosterQuery, RosterRow, RosterTable, RosterTest, SessionType
from shuren.interop.rules.oneroster import fields as known
from shuren.interop.rules.oneroster.asked import MAX_LIMIT, Asked
from shuren.interop.rules.oneroster.description import CLASS_PLACES, NESTED_PLACES
from shuren.interop.rules.oneroster.faults import Fault, unknown_object
from shuren.interop.rules.oneroster.fields import Field, Form, test_of
from shuren.interop.rules.oneroster.filters import Comparison, Filter, passes
from shuren.interop.rules.oneroster.scopes import CORE, DEMOGRAPHICS, NESTED
from shuren.interop.services.oneroster import tell
from shuren.interop.services.oneroster.readers import Reader, Told
from shuren.kernel import ids
from shuren.kernel.errors import NotFound

# So many people are read through for a filter on facts that an app knows only as they are disclosed.
_SCANNED = 5_000
_KEPT_SECONDS = 60
Tests = tuple[RosterTest, ...]


@dataclass(frozen=True, slots=True)
class Set:
    """One kind of object: its table, its fields, its envelopes, and how its rows are told.

    `stand_in` is the object that stands for what rows lack, told behind all others while `lacks` finds a class without.
    """

    table: RosterTable
    fields: Mapping[str, Field]
    kind: str
    plural: str
    singular: str
    tell: Callable[[Reader, Sequence[RosterRow]], list[Told]]
    stand_in: Callable[[Reader], Told] | None = None
    lacks: str = ""


SESSIONS = Set(
    RosterTable.SESSIONS,
    known.SESSION,
    "session",
    "academicSessions",
    "academicSession",
    tell.tell_sessions,
    tell.no_term,
    "term",
)
ORGS = Set(RosterTable.ORGS, known.ORG, "org", "orgs", "org", tell.tell_orgs)
COURSES = Set(RosterTable.COURSES, known.COURSE, "course", "courses", "course", tell.tell_courses, tell.no_course, "course")
CLASSES = Set(RosterTable.CLASSES, known.CLASS, "org", "classes", "class", tell.tell_classes)
USERS = Set(RosterTable.PEOPLE, known.USER, "person", "users", "user", tell.tell_users)
DEMOGRAPHIC = Set(RosterTable.PEOPLE, known.DEMOGRAPHICS, "person", "demographics", "demographics", tell.tell_demographics)
ENROLLMENTS = Set(RosterTable.ENROLLMENTS, known.ENROLLMENT, "enrollment", "enrollments", "enrollment", tell.tell_enrollments)
_SCHOOLS = (RosterTest("type", "in", ("school", "campus", "teaching_point")),)
_TERMS = (RosterTest("type", "in", (SessionType.TERM.value, SessionType.SEMESTER.value)),)
_PERIODS = (RosterTest("type", "in", (SessionType.GRADING_PERIOD.value,)),)
_PUPIL = (Role.PUPIL.value,)
_TEACHER = (Role.TEACHER.value, Role.CLASS_TEACHER.value)
_STUDENTS = (RosterTest("role_once", "in", _PUPIL),)
_TEACHERS = (RosterTest("role_once", "in", _TEACHER),)
# Name of the collection: what it holds, and what narrows it.
COLLECTIONS: dict[str, tuple[Set, Tests]] = {
    "academicSessions": (SESSIONS, ()),
    "classes": (CLASSES, ()),
    "courses": (COURSES, ()),
    "demographics": (DEMOGRAPHIC, ()),
    "enrollments": (ENROLLMENTS, ()),
    "gradingPeriods": (replace(SESSIONS, stand_in=None), _PERIODS),
    "orgs": (ORGS, ()),
    "schools": (ORGS, _SCHOOLS),
    "students": (USERS, _STUDENTS),
    "teachers": (USERS, _TEACHERS),
    "terms": (SESSIONS, _TERMS),
    "users": (USERS, ()),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that an address names, once its owner was found within reach."""

    set: Set
    narrowed: Tests
    is_nested: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Objects of a list under the name of their envelope, and how many there are over all pages."""

    name: str
    objects: list[Told]
    total: int


def scopes_for_place(place: Sequence[str]) -> tuple[str, ...] | None:
    """The scopes of which an address needs one; None where there is no such address."""
    match tuple(place):
        case ("demographics",) | ("demographics", _):
            return DEMOGRAPHICS
        case (name,) | (name, _) if name in COLLECTIONS:
            return CORE
        case (owner, _, name) if (owner, name) in NESTED_PLACES:
            return NESTED
        case ("schools", _, "classes", _, name) if name in CLASS_PLACES:
            return NESTED
    return None


def read_list(reader: Reader, place: Sequence[str], asked: Asked) -> Page:
    """One page of what an address lists; 404 where its owner is out of reach."""
    listing = _listing(reader, place)
    query = _query(reader, listing)
    if reader.recipient and _is_personal(listing.set, asked):
        return _page_of_told(reader, listing, query, asked)
    query = _asking(reader, listing.set, query, asked)
    extra = _extra(reader, listing, asked)
    total = _total(reader, query) + len(extra)
    found = _rows(reader, query, asked)
    objects = listing.set.tell(reader, found)
    if extra and len(found) < asked.limit and asked.offset + len(found) == total - 1:
        objects += extra
    return Page(listing.set.plural, objects, total)


def read_one(reader: Reader, name: str, sourced_id: str) -> tuple[str, Told]:
    """The envelope's name and the object, if it is within reach."""
    held, narrowed = COLLECTIONS[name]
    if held.stand_in and name != "gradingPeriods" and sourced_id == held.stand_in(reader)["sourcedId"]:
        return held.singular, held.stand_in(reader)
    row = _row(reader, held, narrowed, sourced_id)
    return held.singular, held.tell(reader, [row])[0]


def access_row(reader: Reader, name: str, sourced_id: str) -> RosterRow:
    """A row of a collection within reach; otherwise 404."""
    held, narrowed = COLLECTIONS[name]
    return _row(reader, held, narrowed, sourced_id)


def _row(reader: Reader, held: Set, narrowed: Tests, sourced_id: str) -> RosterRow:
    try:
        row_id = ids.decode(held.kind, sourced_id)
    except NotFound:
        raise unknown_object() from None
    query = RosterQuery(held.table, reader.paths, narrowed=(*narrowed, RosterTest("id", "=", row_id)), size=1)
    rows = directory.roster_rows(query, now=reader.now)
    if not rows:
        raise unknown_object()
    return rows[0]


def _listing(reader: Reader, place: Sequence[str]) -> Listing:
    if len(place) == 1:
        return Listing(*COLLECTIONS[place[0]])
    owner = access_row(reader, place[0], place[1])
    if len(place) == 5:
        inner = access_row(reader, "classes", place[3])
        if not str(inner.cells["path"]).startswith(str(owner.cells["path"])):
            raise unknown_object()
        return _of_class(inner, place[4])
    return _NESTED[place[0]](reader, owner, place[2])


def _of_class(owner: RosterRow, name: str) -> Listing:
    if name == "enrollments":
        return Listing(ENROLLMENTS, (RosterTest("class", "=", owner.id),), is_nested=True)
    return _people_at(str(owner.cells["path"]), name)


def _people_at(path: str, name: str) -> Listing:
    roles = _PUPIL if name == "students" else _TEACHER
    return Listing(USERS, (RosterTest("role_at", "in", (path, *roles)),), is_nested=True)


def _of_school(owner: RosterRow, name: str) -> Listing:
    path = str(owner.cells["path"])
    if name in ("students", "teachers"):
        return _people_at(path, name)
    if name == "terms":
        taught = tuple(sorted(directory.session_ids_of([path])))
        return Listing(replace(SESSIONS, stand_in=None), (*_TERMS, RosterTest("id", "in", taught)), is_nested=True)
    held = {"classes": CLASSES, "courses": replace(COURSES, stand_in=None), "enrollments": ENROLLMENTS}[name]
    return Listing(held, (RosterTest("branch", "=", path),), is_nested=True)


def _of_person(role: str) -> Callable[[Reader, RosterRow, str], Listing]:
    def classes(reader: Reader, owner: RosterRow, name: str) -> Listing:
        return Listing(CLASSES, (RosterTest("person", "=", (owner.id, role)),), is_nested=True)

    return classes


def _of_term(reader: Reader, owner: RosterRow, name: str) -> Listing:
    if name == "classes":
        return Listing(CLASSES, (RosterTest("term", "=", owner.id),), is_nested=True)
    return Listing(replace(SESSIONS, stand_in=None), (*_PERIODS, RosterTest("parent", "=", owner.id)), is_nested=True)


_NESTED: dict[str, Callable[[Reader, RosterRow, str], Listing]] = {
    "classes": lambda reader, owner, name: _of_class(owner, name),
    "courses": lambda reader, owner, name: Listing(CLASSES, (RosterTest("course", "=", owner.id),), is_nested=True),
    "schools": lambda reader, owner, name: _of_school(owner, name),
    "students": _of_person("student"),
    "teachers": _of_person("teacher"),
    "users": _of_person(""),
    "terms": _of_term,
}


def _query(reader: Reader, listing: Listing) -> RosterQuery:
    return RosterQuery(listing.set.table, reader.paths, narrowed=listing.narrowed)


def _asking(reader: Reader, held: Set, query: RosterQuery, asked: Asked) -> RosterQuery:
    tests = tuple(_test(reader, held, part) for part in asked.filter.parts)
    order = held.fields.get(asked.sort)
    return replace(
        query,
        tests=tests,
        is_any=asked.filter.is_any,
        order=order.cell if order and order.is_sortable else "",
        is_descending=asked.is_descending,
    )


def _test(reader: Reader, held: Set, part: Comparison) -> RosterTest:
    test = test_of(part, held.fields, held.table)
    field = held.fields.get(part.field)
    if field is None or field.form is not Form.BRANCH or test.cell == "id":
        return test
    orgs = directory.orgs_by_ids([int(str(test.value))])
    path = next((org.path for org in orgs.values() if reader.covers(org.path)), None)
    return RosterTest("id", test.operator, 0) if path is None else RosterTest(test.cell, test.operator, path)


def _is_personal(held: Set, asked: Asked) -> bool:
    names = [part.field for part in asked.filter.parts] + [asked.sort]
    return any(name in held.fields and held.fields[name].is_personal for name in names)


def _page_of_told(reader: Reader, listing: Listing, query: RosterQuery, asked: Asked) -> Page:
    """For an app of others: nobody is found by a fact that the app would not be told of them.

    What the house's own facts rule out needs no telling, so exact values are looked up first; negations never are.
    """
    held = listing.set
    for part in asked.filter.parts:
        test = _test(reader, held, part)
        field = held.fields.get(part.field)
        is_safe = field is None or not field.is_personal or (part.operator == "=" and part.field in _FOUND_BY)
        if is_safe and not (asked.filter.is_any and len(asked.filter.parts) > 1):
            query = replace(query, narrowed=(*query.narrowed, test))
    rows = directory.roster_rows(replace(query, size=_SCANNED + 1), now=reader.now)
    if len(rows) > _SCANNED:
        why = "Personal facts are compared as they may be told, for up to 5000 people; narrow the list first."
        raise Fault(400, why, minor="invalid_filter_field")
    told = held.tell(reader, rows)
    personal = Filter(tuple(part for part in asked.filter.parts if _is_compared(held, asked, part)), is_any=asked.filter.is_any)
    objects = [one for one in told if passes(personal, one)] if personal.parts else told
    if asked.sort in held.fields:
        objects.sort(key=lambda one: str(one.get(asked.sort, "")), reverse=asked.is_descending)
    return Page(held.plural, objects[asked.offset : asked.offset + asked.limit], len(objects))


# Facts that are told whole or not at all: whoever has another value would not be told of as having this one.
_FOUND_BY = frozenset({"email", "phone", "sms"})


def _is_compared(held: Set, asked: Asked, part: Comparison) -> bool:
    field = held.fields.get(part.field)
    return (asked.filter.is_any and len(asked.filter.parts) > 1) or (field is not None and field.is_personal)


def _extra(reader: Reader, listing: Listing, asked: Asked) -> list[Told]:
    held = listing.set
    if held.stand_in is None or not held.lacks or listing.is_nested:
        return []
    extra = held.stand_in(reader)
    if asked.filter.parts and not passes(asked.filter, extra):
        return []
    lacking = RosterQuery(RosterTable.CLASSES, reader.paths, narrowed=(RosterTest("lacks", "=", held.lacks),), size=1)
    return [extra] if directory.roster_rows(lacking, now=reader.now) else []


def _total(reader: Reader, query: RosterQuery) -> int:
    """A long list is counted once a minute for the same question: clients ask page after page."""
    key = _key(reader, query, "total")
    total: int | None = cache.get(key)
    if total is None:
        total = directory.roster_total(query, now=reader.now)
        if total > MAX_LIMIT:
            cache.set(key, total, _KEPT_SECONDS)
    return total


def _rows(reader: Reader, query: RosterQuery, asked: Asked) -> list[RosterRow]:
    """In the order of ids a page begins behind the last row of the one before, however far on it is."""
    is_walk = query.order in ("", "id") and not (query.order and query.is_descending)
    if is_walk:
        query = replace(query, order="", is_descending=False)
    after = cache.get(_key(reader, query, str(asked.offset))) if is_walk and asked.offset else None
    rows = directory.roster_rows(
        replace(query, size=asked.limit, after=after or 0, skip=0 if after else asked.offset), now=reader.now
    )
    if is_walk and rows:
        cache.set(_key(reader, query, str(asked.offset + len(rows))), rows[-1].id, 15 * _KEPT_SECONDS)
    return rows


def _key(reader: Reader, query: RosterQuery, what: str) -> str:
    said = hashlib.sha256(f"{reader.client_id}|{query!r}".encode()).hexdigest()[:32]
    return f"oneroster:{said}:{what}"
