"""What a request asks of a list: which page, in which order, what passes, which fields."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from shuren.interop.rules.oneroster.faults import Fault
from shuren.interop.rules.oneroster.filters import Filter, read_filter

MAX_LIMIT = 10_000
_DEFAULT_LIMIT = 100
_MAX_OFFSET = 10**9


@dataclass(frozen=True, slots=True)
class Asked:
    """The query of one request, read. `fields` is empty where everything is wanted."""

    limit: int = _DEFAULT_LIMIT
    offset: int = 0
    filter: Filter = field(default_factory=Filter)
    filter_text: str = ""
    sort: str = ""
    is_descending: bool = False
    fields: tuple[str, ...] = ()


def read_asked(query: Mapping[str, str]) -> Asked:
    """Raises a fault for what is no number, no order, no filter or no list of fields."""
    order = query.get("orderBy", "asc").lower()
    if order not in ("asc", "desc"):
        raise Fault(400, "orderBy is asc or desc.")
    if any("\0" in value for value in query.values()):
        raise Fault(400, "The query holds a NUL character.")
    return Asked(
        limit=min(_number(query, "limit", _DEFAULT_LIMIT, 1), MAX_LIMIT),
        offset=_number(query, "offset", 0, 0),
        filter=read_filter(query.get("filter", "")),
        filter_text=query.get("filter", ""),
        sort=query.get("sort", ""),
        is_descending=order == "desc",
        fields=_fields(query.get("fields")),
    )


def _number(query: Mapping[str, str], name: str, otherwise: int, least: int) -> int:
    text = query.get(name)
    if text is None:
        return otherwise
    if not text.isascii() or not text.isdecimal() or not least <= int(text[:12]) <= _MAX_OFFSET:
        raise Fault(400, f"{name} is a whole number from {least} on.")
    return int(text)


def _fields(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise Fault(400, "fields names no field.", minor="invalid_selection_field")
    return names


def selected(told: Mapping[str, object], names: Collection[str]) -> dict[str, object]:
    """Only the fields that are asked for; everything where one of them is no field of the object."""
    known = {name for name in names if name.split(".")[0] in told}
    return {name: value for name, value in told.items() if name in names} if known else dict(told)


def pages_around(asked: Asked, total: int, query: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """The relation and the query of every page that this one names (RFC 8288)."""
    last = max(0, (total - 1) // asked.limit * asked.limit) if total else 0
    places = [("first", 0), ("last", last)]
    if asked.offset + asked.limit < total:
        places.append(("next", asked.offset + asked.limit))
    if asked.offset > 0:
        places.append(("prev", max(0, asked.offset - asked.limit)))
    return [(relation, {**query, "limit": str(asked.limit), "offset": str(offset)}) for relation, offset in places]
