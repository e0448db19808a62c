"""Lists of people that stay fast at a million: index ranges, kept counters, late look-up of the rows shown.

A list is a chain of sources, each an index range with a known or cheap length: affiliations of a branch, enrollments
of a class, or all people in order of name where the scope covers everything. Nothing is made distinct: somebody with
two roles in the branch stands in it twice, once for each.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet

from shuren.directory.data import (
    CountKind,
    EnrollmentRole,
    HousePurpose,
    OrgData,
    OrgType,
    Permission,
    PersonRow,
    Role,
    Sex,
    Standing,
)
from shuren.directory.models import Affiliation, Enrollment, FormerNumber, Org, Person
from shuren.directory.rules.tree import ids_of
from shuren.directory.selectors.counts import count_of, counts_of
from shuren.directory.selectors.orgs import CHUNK, orgs_by_ids, root_org
from shuren.directory.selectors.people import covers_everything
from shuren.directory.selectors.scope import current_q, joint_scope
from shuren.directory.selectors.told import facts_inside
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.paging import EXACT_COUNT_LIMIT, Page
from shuren.kernel.scope import path_q

# Sorting a branch by name means sorting all of it: offered up to this many rows.
SORTABLE = 20_000
# A search that matches at most this many people is answered from the people outward, a vaguer one from the branch.
NARROW = 500
# From this row on the start of a page is looked for in the index alone.
DEEP = 5_000
_PLACE = ("org_path", "role", "person_id")
_NAME = ("sort_key", "pk")
_SORTS = {"name": ("person__sort_key", "pk"), "number": ("person__number", "pk")}
_LAST = chr(0x10FFFF)
_KINDS = {
    None: CountKind.MEMBERS,
    Role.PUPIL: CountKind.PUPILS,
    Role.TEACHER: CountKind.TEACHERS,
    Role.PARENT: CountKind.PARENTS,
}


@dataclass(frozen=True, slots=True)
class Source:
    """One ordered range of rows; `turn` fetches the rows of some ids, in any order.

    `raw` is the same range without the conditions that an index does not hold.
    """

    rows: QuerySet[Any]
    total: int | None
    turn: Callable[[Sequence[int]], dict[int, PersonRow]]
    order: tuple[str, ...]
    sorts: Mapping[str, tuple[str, ...]]
    raw: QuerySet[Any] | None = None


@dataclass(frozen=True, slots=True)
class PeopleList:
    """A list before it is cut into pages; `total` is None where counting would cost more than showing.

    `is_family` marks the list of somebody who sees single people and none of their orgs.
    """

    sources: tuple[Source, ...]
    is_family: bool = False

    @property
    def total(self) -> int | None:
        totals = [source.total for source in self.sources]
        return None if None in totals else sum(total for total in totals if total is not None)

    @property
    def is_sortable(self) -> bool:
        if len(self.sources) != 1:
            return False
        total = self.sources[0].total
        return self.sources[0].rows.model is Person or (total is not None and total <= SORTABLE)


def people_list(
    *,
    actor: Actor,
    now: datetime,
    org: OrgData | None = None,
    role: Role | None = None,
    search: str = "",
    permissions: Collection[Permission] = (Permission.VIEW_PEOPLE,),
) -> PeopleList:
    """Everybody for whom `actor` holds one of the permissions, in `org` if given (the caller has checked access to it).

    With a role, by name or number.
    """
    scope = joint_scope(actor=actor, permissions=permissions, now=now)
    day = day_of(now)
    paths = scope.paths
    if org is not None:
        paths = (org.path,) if scope.covers(org.path) else tuple(path for path in scope.paths if path.startswith(org.path))
    is_everything = org is None and covers_everything(scope)
    found = matching_ids(search) if search else None
    if is_everything and role is None:
        return PeopleList((_all_people(search, found),))
    alone = scope.person_ids if org is None and role is None else frozenset()
    sources = _branches(paths, role, day, search, found)
    if len(sources) > 1:
        sources = [_counted(source) for source in sources]
    if alone and not sources:
        return PeopleList((_single_people(alone, found),), is_family=True)
    return PeopleList(tuple(sources))


def matching_ids(search: str) -> list[int] | None:
    """Ids of people whose name or number begins with `search`, or who once had that number; None if they are many."""
    text = search.strip()
    living = Person.objects.visible().filter(merged_into__isnull=True).order_by()
    found: set[int] = set()
    for column in searched_columns(text):
        rows = living.filter(prefix_q(column, text)).values_list("pk", flat=True)[: NARROW + 1]
        found.update(rows)
        if len(found) > NARROW:
            return None
    if text.isascii():
        found.update(FormerNumber.objects.filter(value=text.upper()).values_list("person_id", flat=True))
    return sorted(found)


def page_of_people(people: PeopleList, *, number: int, size: int, sort: str = "") -> Page[PersonRow]:
    """Cut one page. Without a known total the page tells only whether there is another one after it."""
    total = people.total
    if total is not None:
        number = min(max(1, number), max(1, -(-total // size)))
        rows = _cut(people, (number - 1) * size, size, sort if people.is_sortable else "")
        return Page(rows=rows, total=max(total, (number - 1) * size + len(rows)), is_exact=True, number=number, size=size)
    number = max(1, number)
    start = (number - 1) * size
    rows = _cut(people, start, size + 1, "")
    return Page(rows=rows[:size], total=start + len(rows), is_exact=len(rows) <= size, number=number, size=size)


def stream_people(people: PeopleList, sort: str = "") -> Iterator[PersonRow]:
    """Every row, in order, some thousands at a time."""
    for source in people.sources:
        batch: list[int] = []
        rows = source.rows.order_by(*_columns(source, sort if people.is_sortable else "", is_down=sort.startswith("-")))
        for pk in rows.values_list("pk", flat=True).iterator(chunk_size=CHUNK):
            batch.append(pk)
            if len(batch) == CHUNK:
                yield from _in_order(source, batch)
                batch = []
        yield from _in_order(source, batch)


def _cut(people: PeopleList, start: int, size: int, sort: str) -> list[PersonRow]:
    cut: list[PersonRow] = []
    for source in people.sources:
        if size <= 0:
            break
        part = _window(source, start, size, sort)
        cut += _in_order(source, part)
        size -= len(part)
        start = max(0, start - (source.total or 0))
    return cut


def _window(source: Source, start: int, size: int, sort: str) -> list[int]:
    """The ids on a page; from the far end when that is nearer, for skipping rows costs as much as reading them.

    Deep in a list the start of the page is found in the index alone (`raw`, which a few merged or pending rows may
    shift), and only the page itself is read from the table.
    """
    order = source.sorts.get(sort.removeprefix("-"), source.order)
    total = source.total
    from_end = total is not None and start < total and start + size > total // 2
    if from_end and total is not None:
        size = min(size, total - start)
        start = total - start - size
    is_down = sort.startswith("-") != from_end
    columns = _columns(source, sort, is_down=is_down)
    rows = source.rows.order_by(*columns)
    if start > DEEP and source.raw is not None:
        anchor = list(source.raw.order_by(*columns).values_list(*order)[start : start + 1])
        rows, start = (rows.filter(_from_q(order, anchor[0], is_down)), 0) if anchor else (rows, start)
    found = list(rows.values_list("pk", flat=True)[start : start + size])
    return found[::-1] if from_end else found


def _columns(source: Source, sort: str, *, is_down: bool) -> list[str]:
    order = source.sorts.get(sort.removeprefix("-"), source.order)
    return [f"-{column}" if is_down else column for column in order]


def _from_q(order: Sequence[str], anchor: Sequence[object], is_down: bool) -> Q:
    """Rows at or after the anchor in this order, written so that the first column is one range of the index."""
    after, at = ("lt", "lte") if is_down else ("gt", "gte")
    condition, equal = Q(pk__in=()), Q()
    for place, (column, value) in enumerate(zip(order, anchor, strict=True)):
        is_last = place == len(order) - 1
        condition |= equal & Q(**{f"{column}__{at if is_last else after}": value})
        equal &= Q(**{column: value})
    return Q(**{f"{order[0]}__{at}": anchor[0]}) & condition


def _in_order(source: Source, pks: Sequence[int]) -> list[PersonRow]:
    found = source.turn(pks) if pks else {}
    return [found[pk] for pk in pks if pk in found]


def searched_columns(text: str) -> tuple[str, ...]:
    if text.isascii() and any(letter.isdigit() for letter in text):
        return ("number", "pupil_number", "staff_number")
    return ("name",)


def prefix_q(column: str, text: str, *, of: str = "") -> Q:
    """Names and numbers by their beginning; a pupil number only as a whole, or its citizen id could be guessed digit by digit.

    Schools write staff numbers as they like: these are found in small and in capital letters, and as typed.
    """
    if column == "pupil_number":
        return Q(**{f"{of}{column}": text.upper()})
    spelled = {"name": (text,), "staff_number": (text, text.upper(), text.lower())}.get(column, (text.upper(),))
    found = Q()
    for prefix in dict.fromkeys(spelled):
        found |= Q(**{f"{of}{column}__gte": prefix, f"{of}{column}__lt": prefix + _LAST})
    return found


def _counted(source: Source) -> Source:
    """A chain needs to know where each source ends."""
    return source if source.total is not None else replace(source, total=source.rows.count())


def _all_people(search: str, found: list[int] | None) -> Source:
    rows = Person.objects.visible().filter(merged_into__isnull=True)
    sorts = {"name": _NAME, "number": ("number",)}
    if found is not None:
        return Source(rows.filter(pk__in=found), len(found), _person_rows, _NAME, sorts)
    if search:
        column = searched_columns(search.strip())[0]
        return Source(rows.filter(prefix_q(column, search.strip())), None, _person_rows, (column, "pk"), {})
    return Source(rows, _people_total(rows), _person_rows, _NAME, sorts, Person.objects.all())


def _people_total(rows: QuerySet[Person]) -> int:
    """The kept count of everybody; a small installation counts them afresh."""
    root = root_org()
    kept = count_of(root.id, CountKind.PEOPLE) if root else 0
    return kept if kept > EXACT_COUNT_LIMIT else rows.count()


def _single_people(person_ids: frozenset[int], found: list[int] | None) -> Source:
    wanted = person_ids if found is None else person_ids & set(found)
    rows = Person.objects.visible().filter(pk__in=wanted)
    return Source(rows, len(wanted), _person_rows, _NAME, {"name": _NAME, "number": ("number",)})


def _branches(paths: Sequence[str], role: Role | None, day: date, search: str, found: list[int] | None) -> list[Source]:
    """Classes and grades list their enrollments; everything above lists affiliations."""
    tops = orgs_by_ids(ids_of(path)[-1] for path in paths)
    is_class = {top.path: top.type in (OrgType.CLASS, OrgType.GRADE) for top in tops.values()}
    classes = [path for path in paths if is_class.get(path)]
    schools = [path for path in paths if path in is_class and not is_class[path]]
    sources = []
    if schools:
        sources.append(_affiliated(schools, role, day, search, found))
    if classes and role in (None, Role.PUPIL, Role.TEACHER, Role.CLASS_TEACHER):
        sources.append(_enrolled(classes, role, day, search, found))
    return sources


def _affiliated(paths: list[str], role: Role | None, day: date, search: str, found: list[int] | None) -> Source:
    indexed = path_q("org_path", paths) & (Q(role=role.value) if role is not None else Q())
    rows = Affiliation.objects.visible().filter(indexed, current_q(day))
    if search:
        return _searched_rows(rows, search, found, _affiliation_rows)
    total: int | None = None
    if role in _KINDS:
        kept = counts_of([ids_of(path)[-1] for path in paths])
        total = sum(counts.get(_KINDS[role], 0) for counts in kept.values())
    if total is None or total <= EXACT_COUNT_LIMIT:
        total = rows.count()
    return Source(rows, total, _affiliation_rows, _PLACE, _SORTS, Affiliation.objects.filter(indexed))


def _enrolled(paths: list[str], role: Role | None, day: date, search: str, found: list[int] | None) -> Source:
    rows = Enrollment.objects.visible().filter(path_q("org_path", paths), current_q(day))
    if role is Role.PUPIL:
        rows = rows.filter(role=EnrollmentRole.STUDENT)
    elif role is not None:
        rows = rows.filter(role=EnrollmentRole.TEACHER)
    if role is Role.CLASS_TEACHER:
        rows = rows.filter(is_primary=True)
    if search:
        return _searched_rows(rows, search, found, _enrollment_rows)
    return Source(rows, rows.count(), _enrollment_rows, _PLACE, _SORTS)


def _searched_rows(
    rows: QuerySet[Any],
    search: str,
    found: list[int] | None,
    turn: Callable[[Sequence[int]], dict[int, PersonRow]],
) -> Source:
    if found is not None:
        rows = rows.filter(person_id__in=found)
        return Source(rows, rows.count(), turn, _PLACE, _SORTS)
    column = searched_columns(search.strip())[0]
    return Source(rows.filter(prefix_q(column, search.strip(), of="person__")), None, turn, _PLACE, {})


def _row(pk: int, number: str, name: str, sex: str, role: Role | None, org_id: int | None, org_name: str) -> PersonRow:
    """A list says of everybody what teaching takes, whoever reads it: more stands on a person's own page."""
    told = facts_inside({"name": name, "sex": sex}, purpose=HousePurpose.TEACHING, standing=Standing.VIEWER)
    return PersonRow(
        id=pk,
        public_id=ids.encode("person", pk),
        number=number,
        name=told["name"].text,
        sex=Sex(sex) if told["sex"].reason is None else Sex.UNKNOWN,
        role=role,
        org_id=org_id,
        org_public_id=ids.encode("org", org_id) if org_id is not None else "",
        org_name=org_name,
    )


def list_row(person: Person, role: Role, org: Org) -> PersonRow:
    """Somebody as one line of a list, with what a list tells of them."""
    return _row(person.pk, person.number, person.name, person.sex, role, org.pk, org.name)


_PERSON = ("person_id", "person__number", "person__name", "person__sex")


def _affiliation_rows(pks: Sequence[int]) -> dict[int, PersonRow]:
    rows = Affiliation.objects.filter(pk__in=pks).values_list("pk", *_PERSON, "role", "org_id", "org__name")
    return {key: _row(pk, no, name, sex, Role(role), org, place) for key, pk, no, name, sex, role, org, place in rows}


def _enrollment_rows(pks: Sequence[int]) -> dict[int, PersonRow]:
    rows = Enrollment.objects.filter(pk__in=pks)
    found = {}
    for key, pk, no, name, sex, kind, main, org, place in rows.values_list(
        "pk", *_PERSON, "role", "is_primary", "class_org_id", "class_org__name"
    ):
        teaches = Role.CLASS_TEACHER if main else Role.TEACHER
        found[key] = _row(pk, no, name, sex, Role.PUPIL if kind == EnrollmentRole.STUDENT else teaches, org, place)
    return found


def _person_rows(pks: Sequence[int]) -> dict[int, PersonRow]:
    """People with their main affiliation: primary before others, the latest before earlier ones."""
    places: dict[int, tuple[Role, int, str]] = {}
    rows = Affiliation.objects.visible().filter(person_id__in=pks, end_date__isnull=True).order_by("is_primary", "pk")
    for person_id, role, org_id, name in rows.values_list("person_id", "role", "org_id", "org__name"):
        places[person_id] = (Role(role), org_id, name)
    found = {}
    for pk, number, name, sex in Person.objects.filter(pk__in=pks).values_list("pk", "number", "name", "sex"):
        found[pk] = _row(pk, number, name, sex, *places.get(pk, (None, None, "")))
    return found
