"""What the pages of registers share: the register asked for, its list, its words and addresses."""

from collections.abc import Callable
from datetime import date

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shuren.casework.models import Entry
from shuren.casework.rules.codes import offered
from shuren.casework.rules.registers import NUMERIC, is_sensitive, is_sortable, public_fields, state_of
from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.rules.specs.register import RegisterSpec, ViewSpec
from shuren.casework.rules.values import places_of, value_text
from shuren.casework.selectors.entries import Register, access_register
from shuren.casework.selectors.entry_lists import (
    EntryQuery,
    EntryRow,
    askable_fields,
    entries_page,
    entries_stream,
    is_label_shown,
)
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.identity.api import actor_of
from shuren.kernel import audit, clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.pages.data import Cell, CellKind, Choice, Column, Filter, ListQuery, ListSpec, Status

FILTER = "f."
REMOVED = "removed"
_SHOWN_COLUMNS = 5
_ORGS_OFFERED = 120
_CODES_OFFERED = 120
# A column of these says nothing in one line.
_NO_COLUMN = frozenset({FieldType.TABLE, FieldType.FILE, FieldType.SIGNATURE, FieldType.PARAGRAPH})


def register_in(request: HttpRequest, key: str) -> Register:
    return access_register(actor=actor_of(request), key=key, now=clock.now())


def register_url(register: Register, page: str = "register") -> str:
    return reverse(f"casework:{page}", args=[register.key])


def entry_url(entry: Entry, page: str = "entry") -> str:
    return reverse(f"casework:{page}", args=[ids.encode("entry", entry.pk)])


def base_url(request: HttpRequest) -> str:
    """Our own address as it is printed on labels."""
    return str(settings.SHUREN_PUBLIC_URL) or request.build_absolute_uri("/").rstrip("/")


def trail(register: Register | None = None, *steps: tuple[str, str]) -> list[dict[str, str]]:
    crumbs = [(_("台账"), reverse("casework:registers"))]
    crumbs += [(register.title, register_url(register))] if register is not None else []
    return [{"label": label, "url": url} for label, url in (*crumbs, *steps)]


def state_word(spec: RegisterSpec, key: str) -> Status | None:
    state = state_of(spec, key)
    return Status(text=str(state.title) if state else key, tone=state.tone if state else "plain") if key else None


def entry_query(register: Register, query: ListQuery) -> EntryQuery:
    """What a list's address asks of a register."""
    sort = query.sort or "org"
    is_down, key = sort.startswith("-"), sort.removeprefix("-")
    return EntryQuery(
        search=query.search,
        state=query.filters.get("state", ""),
        org_path=_org_path(query.filters.get("org", "")),
        filters={name.removeprefix(FILTER): value for name, value in query.filters.items() if name.startswith(FILTER)},
        sort=("-" if is_down else "") + key.removeprefix(FILTER),
        is_removed=query.filters.get("removed", "") == REMOVED,
        number=query.number,
        size=query.size,
    )


def _org_path(public_id: str) -> str:
    if not public_id:
        return ""
    try:
        org_id = ids.decode("org", public_id)
    except NotFound:
        return ""
    org = directory.orgs_by_ids([org_id]).get(org_id)
    return org.path if org else ""


def list_spec(
    register: Register,
    *,
    name: str,
    actor: Actor,
    is_public: bool = False,
    url: Callable[[EntryRow], str] | None = None,
    more: dict[str, object] | None = None,
) -> ListSpec[EntryRow]:
    """The list of a register: its columns, filters and sorts from the definition."""
    spec = register.spec
    return ListSpec(
        name=name,
        title=register.title,
        columns=columns_of(register, is_public=is_public, url=url),
        rows=lambda query: entries_page(register, entry_query(register, query)),
        stream=lambda query: entries_stream(register, entry_query(register, query)),
        filters=filters_of(register, is_public=is_public),
        search_label=_("名称或编号"),
        default_sort="org",
        on_export=lambda query, form: note_export(actor, register, query, form),
        note=str(spec.note) if spec.note else "",
        **(more or {}),  # type: ignore[arg-type]  # further words of ListSpec
    )


def note_export(actor: Actor, found: Register, query: ListQuery, form: str) -> None:
    details = {"register": found.key, "form": form, "search": query.search, **query.filters}
    audit.record(actor=actor, action="casework.register_exported", target=f"definition:{found.definition.pk}", details=details)


def columns_of(
    register: Register, *, is_public: bool = False, url: Callable[[EntryRow], str] | None = None
) -> tuple[Column[EntryRow], ...]:
    """The name first, then the fields in the order of the form, then where, how and since when."""
    spec = register.spec
    sorts = {one.key for one in askable_fields(register) if is_sortable(one)}
    known = public_fields(spec) if is_public else spec.fields
    fields = [one for one in known if one.type not in _NO_COLUMN and one.key != spec.label]
    plain = [one.key for one in fields if not is_sensitive(one) and one.type is not FieldType.PLACE]
    shown = set(plain[:_SHOWN_COLUMNS])
    named: Column[EntryRow] = Column(key="label", title=_("名称"), value=lambda row: row.entry.label, url=url, sort="label")
    columns: list[Column[EntryRow]] = [
        *([named] if is_label_shown(register) else []),
        *(_field_column(one, is_shown=one.key in shown, sort=f"{FILTER}{one.key}" if one.key in sorts else "") for one in fields),
        Column(key="org", title=_("所属单位"), value=lambda row: row.org_name, sort="org"),
    ]
    if spec.states:
        columns.append(
            Column(key="state", title=_("状态"), value=lambda row: state_word(spec, row.entry.state), kind=CellKind.STATUS)
        )
    changed: Column[EntryRow] = Column(
        key="changed",
        title=_("最近修改"),
        value=lambda row: row.entry.changed_at,
        kind=CellKind.DATETIME,
        sort="changed",
        is_shown=not is_public,
    )
    return (*columns, changed)


def _field_column(one: FieldSpec, *, is_shown: bool, sort: str) -> Column[EntryRow]:
    kinds = {FieldType.INTEGER: CellKind.NUMBER, FieldType.DECIMAL: CellKind.NUMBER, FieldType.DATE: CellKind.DATE}
    title = f"{one.title} ({one.unit_text})" if one.unit else str(one.title)
    return Column(
        key=f"{FILTER}{one.key}",
        title=title,
        value=lambda row: shown_cell(one, row),
        kind=kinds.get(one.type, CellKind.TEXT) if one.type else CellKind.TEXT,
        sort=sort,
        decimals=places_of(one) if one.type is FieldType.DECIMAL else 0,
        is_shown=is_shown,
    )


def shown_cell(one: FieldSpec, row: EntryRow) -> Cell:
    """Numbers and days as such, so that Excel can count with them; the rest as people read it."""
    value = row.data.get(one.key)
    if value is None or (isinstance(value, str) and "*" in value):
        return value
    if one.type in (FieldType.INTEGER, FieldType.DECIMAL) and isinstance(value, int | float):
        return value
    if one.type is FieldType.DATE:
        return _day(value)
    return value_text(one, value, get_language() or "zh-hans")


def _day(value: object) -> Cell:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return str(value)


def filters_of(register: Register, *, is_public: bool = False) -> tuple[Filter, ...]:
    spec = register.spec
    found: list[Filter] = []
    if spec.states:
        states = tuple(Choice(value=state.key, label=str(state.title)) for state in spec.states)
        found.append(Filter(key="state", label=_("状态"), choices=states))
    orgs = _orgs_below(register)
    if orgs:
        choices = tuple(Choice(value=org.public_id, label=org.short_name or org.name) for org in orgs)
        found.append(Filter(key="org", label=_("所属单位"), choices=choices))
    known = {one.key for one in (public_fields(spec) if is_public else spec.fields)}
    for one in askable_fields(register):
        if one.key in known:
            found += _field_filters(one)
    if register.access.write_paths and not is_public:
        found.append(Filter(key="removed", label=_("记录"), choices=(Choice(value=REMOVED, label=_("已删除")),)))
    return tuple(found)


def _field_filters(one: FieldSpec) -> list[Filter]:
    key, title = f"{FILTER}{one.key}", str(one.title)
    if one.type is FieldType.BOOLEAN:
        return [Filter(key=key, label=title, choices=(Choice(value="true", label=_("是")), Choice(value="false", label=_("否"))))]
    if one.type in (FieldType.CODE, FieldType.CODES):
        codes = offered(one)
        choices = tuple(Choice(value=code, label=str(name)) for code, name in list(codes.items())[:_CODES_OFFERED])
        return [Filter(key=key, label=title, choices=choices)]
    if one.type in NUMERIC:
        is_date = one.type is FieldType.DATE
        words = {"title": title}
        return [
            Filter(key=f"{key}_from", label=_("%(title)s 从") % words, is_date=is_date),
            Filter(key=f"{key}_to", label=_("%(title)s 到") % words, is_date=is_date),
        ]
    return [Filter(key=key, label=title)] if one.type is FieldType.TEXT else []


def _orgs_below(register: Register) -> list[OrgData]:
    """The orgs right below the reader's branch, where it is one and they are few."""
    paths = register.access.read_paths
    if len(paths) != 1:
        return []
    found = [
        org
        for org in directory.children_of(int(paths[0].rstrip("/").rsplit("/", 1)[-1]))
        if org.type not in ("grade", "class", "department")
    ]
    return found if len(found) <= _ORGS_OFFERED else []


def view_query(view: ViewSpec) -> dict[str, str]:
    """The address of a view that the definition offers."""
    plain = {"state", "org"}
    asked = {key if key in plain else f"{FILTER}{key}": value for key, value in view.filters.items()}
    if not view.sort:
        return asked
    is_down, key = view.sort.startswith("-"), view.sort.removeprefix("-")
    name = key if key in ("org", "label", "changed") else f"{FILTER}{key}"
    return {**asked, "sort": ("-" if is_down else "") + name}
