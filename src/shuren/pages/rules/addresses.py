"""What the address of a list says, and the address that says something else."""

from collections.abc import Mapping
from urllib.parse import urlencode

from shuren.pages.data import Column, ListQuery, ListSpec, Row

SEARCH, SORT, PAGE, SIZE, COLUMNS, EXPORT, CURSOR = "q", "sort", "page", "size", "columns", "export", "after"
PAGE_LIMIT = 1_000_000
SEARCH_LIMIT = 200


def parsed_query(spec: ListSpec[Row], fields: Mapping[str, str]) -> ListQuery:
    """Read a list's address forgivingly: what is unknown or out of range falls back to the list's own default."""
    sortable = {column.sort for column in spec.columns if column.sort}
    sort = fields.get(SORT, "")
    if sort.removeprefix("-") not in sortable:
        sort = spec.default_sort
    chosen = {}
    for condition in spec.filters:
        value = fields.get(condition.key, "").strip()
        if condition.choices and value not in {choice.value for choice in condition.choices}:
            value = ""
        if value:
            chosen[condition.key] = value[:SEARCH_LIMIT]
    size = whole_number(fields.get(SIZE), spec.sizes[0])
    return ListQuery(
        search=fields.get(SEARCH, "").strip()[:SEARCH_LIMIT] if spec.search_label else "",
        filters=chosen,
        sort=sort,
        number=min(PAGE_LIMIT, max(1, whole_number(fields.get(PAGE), 1))),
        size=size if size in spec.sizes else spec.sizes[0],
        cursor=fields.get(CURSOR, "")[:SEARCH_LIMIT] if spec.is_endless else "",
    )


def whole_number(text: str | None, default: int) -> int:
    """The text as a number; digits of other scripts, signs and very long texts count as nothing."""
    if text and text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    return default


def shown_columns(spec: ListSpec[Row], fields: Mapping[str, str]) -> tuple[Column[Row], ...]:
    """The columns the reader chose, in the list's own order; the list's choice where none is named."""
    wanted = {key for key in fields.get(COLUMNS, "").split(",") if key}
    chosen = tuple(column for column in spec.columns if column.key in wanted)
    return chosen or tuple(column for column in spec.columns if column.is_shown)


def changed_address(fields: Mapping[str, str], changes: Mapping[str, object]) -> str:
    """The query string with some fields changed; None or "" takes a field out. Starts with "?"."""
    merged: dict[str, str] = dict(fields)
    for key, value in changes.items():
        if value is None or value == "":
            merged.pop(key, None)
        else:
            merged[key] = str(value)
    return f"?{urlencode(merged)}" if merged else "?"


def next_sort(column: Column[Row], current: str) -> str:
    """The sort a click on the column's head asks for: up, then down."""
    return f"-{column.sort}" if current == column.sort else column.sort


def page_numbers(number: int, last: int) -> tuple[int | None, ...]:
    """Page numbers to offer: the first, the last and the neighbours, None where some are left out."""
    wanted = sorted({1, 2, last - 1, last, number - 1, number, number + 1} & set(range(1, last + 1)))
    offered: list[int | None] = []
    for page in wanted:
        if offered and offered[-1] is not None and page - offered[-1] > 1:
            offered.append(None)
        offered.append(page)
    return tuple(offered)
