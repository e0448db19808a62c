"""The code tables of JY/T 1001 to 1007, read when one of them is asked for: most processes never do."""

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from shuren.standards.data import Authority, CodeData, CodeSetData, Parents

SHIPPED = Path(__file__).resolve().parent.parent / "registry"
PREFIX = "jyt."


class TableCodes(Mapping[str, CodeData]):
    """The codes of one table; how many there are is known before they are read."""

    __slots__ = ("_rows", "_table")

    def __init__(self, table: str, rows: int) -> None:
        self._table, self._rows = table, rows

    def __getitem__(self, code: str) -> CodeData:
        return _codes_of(self._table)[code]

    def __iter__(self) -> Iterator[str]:
        return iter(_codes_of(self._table))

    def __len__(self) -> int:
        return self._rows


def tables() -> Mapping[str, CodeSetData]:
    """Every table that is a code set of its own, by `jyt.<name>`."""
    return _heads()[0]


def table_named(code: str) -> CodeSetData | None:
    """A table by its code; None for any other code, which costs no reading."""
    return tables().get(code) if code.startswith(PREFIX) else None


def same_as(code: str) -> str:
    """The code set that says what this table says; the code itself where there is none."""
    return _heads()[1].get(code, code) if code.startswith(PREFIX) else code


def tables_led_elsewhere() -> Mapping[str, str]:
    """Tables that lead to a code set with names in both languages."""
    return _heads()[1]


@cache
def _heads() -> tuple[Mapping[str, CodeSetData], Mapping[str, str]]:
    own: dict[str, CodeSetData] = {}
    led: dict[str, str] = {}
    with (SHIPPED / "jyt_tables.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            code = PREFIX + row["table"]
            if row["same_as"]:
                led[code] = row["same_as"]
                continue
            own[code] = CodeSetData(
                code=code,
                name_zh=row["name"],
                name_en=row["name_en"],
                authority=Authority(row["authority"]),
                reference=row["reference"],
                codes=TableCodes(row["table"], int(row["rows"])),
                parents=Parents(row["parents"]),
                note=row["note"],
            )
    return own, led


@cache
def _codes_of(table: str) -> Mapping[str, CodeData]:
    return {code: CodeData(code=code, name_zh=name, name_en="") for code, name in _lines()[table]}


@cache
def _lines() -> Mapping[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    with (SHIPPED / "jyt_codes.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for table, code, name in rows:
            if table:
                found[table] = current = []
            current.append((code, name))
    return found
