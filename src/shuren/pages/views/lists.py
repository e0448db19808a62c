"""How a request becomes a list on the page, a part of it, or a file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from shuren.kernel import clock
from shuren.kernel.audit import record
from shuren.kernel.data import ANONYMOUS, Actor
from shuren.kernel.paging import Page
from shuren.pages.data import Action, CellKind, Column, Filter, ListQuery, ListSpec, Row, Status, TooManyRows
from shuren.pages.rules import addresses
from shuren.pages.rules.numbers import cell_text, number_text
from shuren.pages.rules.saved_views import kept_query
from shuren.pages.services.exports import XLSX_ROW_LIMIT, Cells, Sheet, csv_response, workbook_response

EXPORT_PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class ShownCell:
    """One cell as the table draws it."""

    text: str
    kind: CellKind
    url: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One table row: its cells, its id when rows can be ticked, its own actions."""

    cells: tuple[ShownCell, ...]
    id: str = ""
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownHead(Generic[Row]):
    """One column head: where a click leads and which way the list runs now (`ascending`, `descending` or "")."""

    column: Column[Row]
    url: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A condition in force and the address without it."""

    label: str
    value: str
    url: str


@dataclass(frozen=True, slots=True)
class FilterField:
    """A filter with the value now in force."""

    filter: Filter
    value: str


@dataclass(frozen=True, slots=True)
class PageLink:
    """One number of the pager; no number where some are left out."""

    number: int | None
    url: str = ""
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Row]):
    """Everything `pages/_list.html` draws."""

    spec: ListSpec[Row]
    query: ListQuery
    page: Page[Row]
    heads: tuple[ShownHead[Row], ...]
    rows: tuple[ShownRow, ...]
    chips: tuple[Chip, ...]
    filters: tuple[FilterField, ...]
    columns: tuple[tuple[Column[Row], bool], ...]
    pager: tuple[PageLink, ...]
    sizes: tuple[tuple[int, str], ...]
    kept_fields: tuple[tuple[str, str], ...]
    previous_url: str
    next_url: str
    clear_url: str
    csv_url: str
    xlsx_url: str
    has_views: bool = False
    view_fields: str = ""

    @property
    def is_filtered(self) -> bool:
        return bool(self.chips)

    @property
    def has_ticks(self) -> bool:
        return self.spec.row_id is not None

    @property
    def has_row_actions(self) -> bool:
        return self.spec.row_actions is not None

    @property
    def first_row(self) -> str:
        return number_text(self.page.first_row, 0)

    @property
    def last_row(self) -> str:
        return number_text(max(0, self.page.first_row + len(self.page.rows) - 1), 0)

    @property
    def total_text(self) -> str:
        return number_text(self.page.total, 0)


def is_partial(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page only (a restored history entry needs the whole page)."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"


def list_fields(request: HttpRequest) -> dict[str, str]:
    """The address's fields; the ticked columns, which a form sends one by one, joined into one."""
    fields = {key: value for key, value in request.GET.items() if isinstance(value, str)}
    columns = ",".join(request.GET.getlist(addresses.COLUMNS))
    return fields | {addresses.COLUMNS: columns} if columns else fields


def list_query(request: HttpRequest, spec: ListSpec[Row]) -> ListQuery:
    """What the request's address asks of the list."""
    return addresses.parsed_query(spec, list_fields(request))


def list_page(request: HttpRequest, spec: ListSpec[Row]) -> ListPage[Row]:
    """One page of a list, ready for `{% include "pages/_list.html" with list=… %}`."""
    fields = list_fields(request)
    query = addresses.parsed_query(spec, fields)
    # Every other address of the page begins at the list's beginning again.
    fields.pop(addresses.CURSOR, None)
    page = spec.rows(query)
    columns = addresses.shown_columns(spec, fields)
    at = addresses.changed_address
    return ListPage(
        spec=spec,
        query=query,
        page=page,
        heads=tuple(_head(column, query, fields) for column in columns),
        rows=tuple(_row(spec, columns, row) for row in page.rows),
        chips=_chips(spec, query, fields),
        filters=tuple(FilterField(item, query.filters.get(item.key, "")) for item in spec.filters),
        columns=tuple((column, column in columns) for column in spec.columns),
        pager=tuple(
            PageLink(number, at(fields, {"page": number}), number == page.number) if number else PageLink(None)
            for number in addresses.page_numbers(page.number, page.last)
        ),
        sizes=tuple((size, at(fields, {"size": size, "page": None})) for size in spec.sizes),
        kept_fields=tuple((key, fields[key]) for key in ("sort", "size", "columns") if fields.get(key)),
        previous_url=_previous_url(query, page, fields),
        next_url=_next_url(page, fields),
        clear_url=at(fields, {"q": None, "page": None} | {item.key: None for item in spec.filters}),
        csv_url=at(fields, {"export": "csv", "page": None}),
        xlsx_url=at(fields, {"export": "xlsx", "page": None}) if page.total <= XLSX_ROW_LIMIT and not spec.is_endless else "",
        has_views=bool(getattr(request, "user", None) and request.user.is_authenticated),
        view_fields=urlencode({"list": spec.name, "title": spec.title, "path": request.path, "query": kept_query(fields)}),
    )


def _previous_url(query: ListQuery, page: Page[Row], fields: Mapping[str, str]) -> str:
    if query.cursor:
        return addresses.changed_address(fields, {})
    return addresses.changed_address(fields, {"page": page.number - 1}) if page.number > 1 else ""


def _next_url(page: Page[Row], fields: Mapping[str, str]) -> str:
    if page.next_cursor:
        return addresses.changed_address(fields, {addresses.CURSOR: page.next_cursor})
    return addresses.changed_address(fields, {"page": page.number + 1}) if page.has_next else ""


def _head(column: Column[Row], query: ListQuery, fields: Mapping[str, str]) -> ShownHead[Row]:
    if not column.sort:
        return ShownHead(column)
    order = {column.sort: "ascending", f"-{column.sort}": "descending"}.get(query.sort, "")
    wanted = addresses.next_sort(column, query.sort)
    return ShownHead(column, addresses.changed_address(fields, {"sort": wanted, "page": None}), order)


def _row(spec: ListSpec[Row], columns: tuple[Column[Row], ...], row: Row) -> ShownRow:
    return ShownRow(
        cells=tuple(_cell(column, row) for column in columns),
        id=spec.row_id(row) if spec.row_id else "",
        actions=spec.row_actions(row) if spec.row_actions else (),
    )


def _cell(column: Column[Row], row: Row) -> ShownCell:
    value = column.value(row)
    url = column.url(row) if column.url else ""
    if isinstance(value, Status):
        return ShownCell(value.text, CellKind.STATUS, url, value.tone)
    text = cell_text(clock.local(value) if isinstance(value, datetime) else value, column.decimals)
    if column.kind is CellKind.PERCENT and isinstance(value, int | float):
        text += "%"
    return ShownCell(text, column.kind, url)


def _chips(spec: ListSpec[Row], query: ListQuery, fields: Mapping[str, str]) -> tuple[Chip, ...]:
    chips = []
    if query.search:
        url = addresses.changed_address(fields, {"q": None, "page": None})
        chips.append(Chip(_("搜索"), query.search, url))
    for item in spec.filters:
        value = query.filters.get(item.key)
        if value:
            label = next((choice.label for choice in item.choices if choice.value == value), value)
            chips.append(Chip(item.label, label, addresses.changed_address(fields, {item.key: None, "page": None})))
    return tuple(chips)


def exported_rows(spec: ListSpec[Row], query: ListQuery) -> Iterable[Row]:
    """Every row the query matches, streamed where the list can, page by page where it cannot."""
    return spec.stream(query) if spec.stream else _all_pages(spec, query)


def _all_pages(spec: ListSpec[Row], query: ListQuery) -> Iterator[Row]:
    number = 1
    while True:
        page = spec.rows(replace(query, number=number, size=EXPORT_PAGE_SIZE))
        if page.number != number:
            return
        yield from page.rows
        if len(page.rows) < page.size:
            return
        number += 1


def _note_export(request: HttpRequest, spec: ListSpec[Row], query: ListQuery, form: str) -> None:
    actor: Actor = getattr(request, "actor", ANONYMOUS)  # set by the middleware of identity, a floor above
    details = {"form": form, "path": request.path, "search": query.search, **query.filters}
    record(actor=actor, action="pages.list_exported", target=f"list:{spec.name}", details=details)


def _export(request: HttpRequest, spec: ListSpec[Row], form: str) -> HttpResponseBase:
    fields = list_fields(request)
    query = addresses.parsed_query(spec, fields)
    columns = addresses.shown_columns(spec, fields)
    header = [column.title for column in columns]
    if spec.on_export:
        spec.on_export(query, form)
    else:
        _note_export(request, spec, query, form)
    cells: Iterator[Cells] = ([column.value(row) for column in columns] for row in exported_rows(spec, query))
    if form == "csv":
        return csv_response(spec.title, header, cells)
    try:
        return workbook_response(spec.title, [Sheet(spec.title, header, cells)])
    except TooManyRows as error:
        messages.warning(request, _("Excel 文件最多 %(limit)s 行，这张表更长，请改用 CSV 导出。") % {"limit": f"{error.limit:,}"})
        return HttpResponseRedirect(addresses.changed_address(fields, {"export": None}))


def render_list(
    request: HttpRequest,
    spec: ListSpec[Row],
    *,
    template: str = "front/list.html",
    context: Mapping[str, object] | None = None,
) -> HttpResponseBase:
    """Answer a list's address: the page, the list alone for htmx, or the export named by `export`."""
    form = request.GET.get(addresses.EXPORT, "")
    if form in ("csv", "xlsx"):
        return _export(request, spec, form)
    shown = list_page(request, spec)
    if is_partial(request) and request.headers.get("HX-Target") == f"list-{spec.name}":
        return render(request, "pages/_list.html", {"list": shown, "announce": True})
    return render(request, template, {"list": shown, **(context or {})})
