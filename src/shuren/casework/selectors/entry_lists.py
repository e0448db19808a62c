"""Lists of entries, flat at a million of them: every filter and sort goes along an index or over few rows.

What a list costs is decided before it is read. Where a filter leaves few entries they are taken by their ids; where it
leaves many the list is walked in the order asked for, each entry looked up in the index of values, until the page is full.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from shuren.casework.models import Entry, EntryValue
from shuren.casework.rules.identity import LABEL_FIELD, folded
from shuren.casework.rules.labels import label_fields
from shuren.casework.rules.registers import (
    NUMERIC,
    RegisterAccess,
    form_without,
    indexed_fields,
    indexed_number,
    is_personal,
    is_sortable,
    public_fields,
    tells_name,
)
from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.selectors.definitions import spec_of
from shuren.casework.selectors.entries import Register, shown_data, within
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.kernel.paging import EXACT_COUNT_LIMIT, Page
from shuren.kernel.scope import Scope, next_path
from shuren.search import api as search_index

FEW = EXACT_COUNT_LIMIT
_STEP = 1_000
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """What is asked of a list of entries.

    `filters` are by field: a value, or with `_from` and `_to` a range of numbers or days. `sort` is `org` (and there by
    label), `label`, `changed` or a field, with `-` downward. `is_removed` asks for what was removed where the reader may
    write: by state, org and label, the last removed first.
    """

    search: str = ""
    state: str = ""
    org_path: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str = "org"
    is_removed: bool = False
    number: int = 1
    size: int = 25


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry of a list: `data` is what the reader may see of it."""

    entry: Entry
    org: OrgData | None
    data: Mapping[str, Any]

    @property
    def org_name(self) -> str:
        return self.org.name if self.org else ""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The entries that a query leaves: `rows` unordered, and how many, counted no further than `FEW` and one."""

    rows: QuerySet[Entry]
    count: int

    @property
    def is_few(self) -> bool:
        return self.count <= FEW


def entries_page(register: Register, query: EntryQuery) -> Page[EntryRow]:
    """One page. Its total is exact up to 10,000 and a lower bound beyond."""
    chosen = _chosen(register, query)
    number = max(1, query.number)
    if chosen.is_few:
        number = min(number, max(1, -(-chosen.count // query.size)))
    start = (number - 1) * query.size
    found = _sorted(register, query, chosen)[start : start + query.size]
    rows = _rows(register, [_entry(record) for record in found])
    total = max(chosen.count, start + len(rows)) if rows else chosen.count
    return Page(rows=rows, total=total, is_exact=chosen.is_few, number=number, size=query.size)


def entries_stream(register: Register, query: EntryQuery) -> Iterator[EntryRow]:
    """Every entry that the query leaves, a thousand turned at a time."""
    records = _sorted(register, query, _chosen(register, query)).iterator(chunk_size=_STEP)
    while batch := list(islice(records, _STEP)):
        yield from _rows(register, [_entry(record) for record in batch])


def entry_ids(register: Register, query: EntryQuery) -> Iterator[int]:
    """The ids of every entry that the query leaves, in the order of their ids."""
    yield from _chosen(register, query).rows.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=_STEP)


def count_entries(register: Register, query: EntryQuery) -> tuple[int, bool]:
    """How many the query leaves, and whether that is exact: beyond 10,000 nobody counts."""
    chosen = _chosen(register, query)
    return min(chosen.count, FEW), chosen.is_few


def placed_entries(register: Register, query: EntryQuery, *, limit: int) -> list[EntryRow]:
    """The entries with a place on the map."""
    rows = _chosen(register, query).rows.filter(longitude__isnull=False, latitude__isnull=False)
    return _rows(register, list(rows.select_related("register").order_by("org_path", "label", "pk")[:limit]))


def whole_register(register: Register) -> Register:
    """The register as its public page reads it: every branch, and of its fields only what is public."""
    root = directory.root_org()
    paths = (root.path,) if root is not None else ()
    public = {one.key for one in public_fields(register.spec)}
    spec = form_without(register.spec, lambda one: one.key not in public)
    return replace(register, spec=spec, access=RegisterAccess(read_paths=paths, is_public=True))


def askable_fields(register: Register) -> tuple[FieldSpec, ...]:
    """What the reader may filter, sort and search by: nothing that they see hidden, for a filter tells it too."""
    access = register.access
    sees_all = bool(access.read_paths) and all(access.sees_sensitive(path) for path in access.read_paths)
    return tuple(one for one in indexed_fields(register.spec) if sees_all or not is_personal(one))


def is_label_shown(register: Register) -> bool:
    """Whether the label tells nothing but what the register still holds as the reader sees it."""
    spec: RegisterSpec = spec_of(register.definition)
    hides = register.access.hides_names
    known = {one.key for one in register.spec.fields if not (hides and (is_personal(one) or tells_name(one)))}
    return all(one.key in known for one in label_fields(spec))


def field_choices(register: Register, one: FieldSpec) -> bool:
    """Whether a filter by this field offers its values instead of a text box."""
    return one.type in (FieldType.CODE, FieldType.CODES, FieldType.BOOLEAN) or bool(one.options)


def _chosen(register: Register, query: EntryQuery) -> _Chosen:
    rows = Entry.objects.filter(register=register.definition, removed_at__isnull=not query.is_removed)
    if query.is_removed:
        rows = rows.filter(revision__gt=0)
        register = replace(register, access=replace(register.access, read_paths=register.access.write_paths))
    rows = within(register, rows)
    if query.org_path:
        rows = rows.filter(org_path__gte=query.org_path, org_path__lt=next_path(query.org_path))
    if query.state:
        rows = rows.filter(state=query.state)
    if query.is_removed:
        rows = rows.filter(label__icontains=query.search) if query.search and is_label_shown(register) else rows
        return _Chosen(rows, rows.order_by()[: FEW + 1].count())
    is_bare = not query.org_path and not query.state
    sieves = [_values(register, condition) for condition in _conditions(register, query)]
    known: int | None = None
    for sieve in sieves:
        few = list(sieve.values_list("entry_id", flat=True)[: FEW + 1])
        if len(few) <= FEW:
            rows = rows.filter(pk__in=set(few))
        else:
            rows = rows.filter(Exists(sieve.filter(entry=OuterRef("pk"))))
            known = len(few)
    if query.search:
        rows = rows.filter(_matching(register, query.search))
    elif len(sieves) == 1 and known is not None and is_bare and _is_whole(register):
        return _Chosen(rows, known)
    return _Chosen(rows, rows.order_by()[: FEW + 1].count())


def _is_whole(register: Register) -> bool:
    root = directory.root_org()
    return root is not None and root.path in register.access.read_paths


def _conditions(register: Register, query: EntryQuery) -> Iterator[Q]:
    known = {one.key: one for one in askable_fields(register)}
    for key, value in query.filters.items():
        name, _under, end = key.rpartition("_")
        if key in known:
            yield _equals(register, known[key], value)
        elif end in ("from", "to") and name in known and known[name].type in NUMERIC:
            bound = indexed_number(known[name], value)
            if bound is not None:
                yield Q(field=name, **{"number__gte" if end == "from" else "number__lte": bound})


def _equals(register: Register, one: FieldSpec, value: str) -> Q:
    if one.type in NUMERIC:
        return Q(field=one.key, number=indexed_number(one, value))
    if field_choices(register, one) or one.type in (FieldType.ENTRY, FieldType.ORG, FieldType.PERSON):
        return Q(field=one.key, text=value)
    return Q(field=one.key, text__gte=value, text__lt=value + _LAST)


def _values(register: Register, condition: Q) -> QuerySet[EntryValue]:
    return EntryValue.objects.filter(condition, register=register.definition)


def _matching(register: Register, text: str) -> Q:
    """Entries whose label or an indexed text begins so, or whose words the index of search knows."""
    wanted = folded(text) or text
    by_label = is_label_shown(register)
    begins = Q(field=LABEL_FIELD, text__gte=wanted, text__lt=wanted + _LAST) if by_label else Q(pk__in=())
    for one in askable_fields(register):
        if one.type is FieldType.TEXT and not one.options:
            begins |= Q(field=one.key, text__gte=text, text__lt=text + _LAST)
    by_value = _values(register, begins).values_list("entry_id", flat=True)
    few = list(by_value[: FEW + 1])
    if len(few) > FEW:
        return Q(Exists(_values(register, begins).filter(entry=OuterRef("pk"))))
    scope = Scope(register.access.read_paths if by_label else ())
    hits = search_index.find(text, scope=scope, kinds=("entry",), limit=200).rows
    return Q(pk__in={*few, *(hit.object_id for hit in hits)})


def _sorted(register: Register, query: EntryQuery, chosen: _Chosen) -> Any:
    """The rows in order: entries, or where the list walks the index of values, values with their entry."""
    is_down, key = query.sort.startswith("-"), query.sort.removeprefix("-")
    turn: Callable[[str], Any] = (lambda name: F(name).desc()) if is_down else (lambda name: F(name).asc())
    rows = chosen.rows.select_related("register")
    if query.is_removed:
        return rows.order_by("-changed_at", "-pk")
    if key == "changed":
        return rows.order_by(turn("changed_at"), turn("pk"))
    by = _sort_field(register, key)
    if by is None:
        return rows.order_by(turn("org_path"), turn("label"), turn("pk"))
    name, column = by
    if chosen.is_few:
        values = EntryValue.objects.filter(register=register.definition, field=name, entry=OuterRef("pk"))
        return rows.annotate(sorted_by=Subquery(values.values(column)[:1])).order_by(turn("sorted_by"), turn("pk"))
    walked = EntryValue.objects.filter(register=register.definition, field=name)
    walked = walked.filter(Exists(chosen.rows.filter(pk=OuterRef("entry_id"))))
    return walked.select_related("entry", "entry__register").order_by(turn(column), turn("entry_id"))


def _sort_field(register: Register, key: str) -> tuple[str, str] | None:
    if key == "label":
        return (LABEL_FIELD, "text") if is_label_shown(register) else None
    one = next((one for one in askable_fields(register) if one.key == key and is_sortable(one)), None)
    return (one.key, "number" if one.type in NUMERIC else "text") if one is not None else None


def _entry(record: Entry | EntryValue) -> Entry:
    return record.entry if isinstance(record, EntryValue) else record


def _rows(register: Register, entries: Sequence[Entry]) -> list[EntryRow]:
    orgs = directory.orgs_by_ids({entry.org_id for entry in entries})
    return [EntryRow(entry, orgs.get(entry.org_id), shown_data(register, entry)) for entry in entries]
