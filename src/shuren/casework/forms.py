"""Reading what a page sent: the fields of a form by name, what the button asked for, a part saved while typing."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.kernel.errors import Invalid

_CELL = re.compile(r"([a-z][a-z0-9_]*)\[([0-9]{1,5})\]\.([a-z][a-z0-9_]*)(?:\.(?:lon|lat))?")
_ACT = re.compile(r"(save|submit|add_row|remove_row|sign|unsign|remove_file)(?::(.{1,200}))?")
_ROW = re.compile(r"([a-z][a-z0-9_]*)\[([0-9]{1,5})\]")
MOST_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Press:
    """The button that was pressed: `act` is save, submit, add_row, remove_row, sign, unsign or remove_file, `at` where."""

    act: str
    at: str = ""

    @property
    def row(self) -> tuple[str, int]:
        """The table and the row it is about."""
        found = _ROW.fullmatch(self.at)
        return (found[1], int(found[2])) if found else ("", -1)


@dataclass(frozen=True, slots=True)
class Patch:
    """What was saved while typing, over the revision it was typed on."""

    revision: int
    data: dict[str, Any]


def posted_data(form: FormSpec, post: QueryDict, *, locked: Collection[str] = ()) -> dict[str, Any]:
    """The fields of a form, as `key` and `table[0].column`; calculated, signed and `locked` ones are not taken from the page."""
    data: dict[str, Any] = {}
    for field in form.fields:
        if field.calculated or field.type == FieldType.SIGNATURE or field.key in locked:
            continue
        data[field.key] = _rows(field, post) if field.type == FieldType.TABLE else _told(field, field.key, post)
    return data


def _told(field: FieldSpec, name: str, post: QueryDict) -> Any:
    if field.type == FieldType.CODES:
        return [code for code in post.getlist(name) if code]
    if field.type == FieldType.FILE:
        return [{"id": id} for id in post.getlist(name) if id]
    if field.type == FieldType.PLACE:
        return {"lon": post.get(f"{name}.lon", ""), "lat": post.get(f"{name}.lat", "")}
    return post.get(name, "")


def _rows(field: FieldSpec, post: QueryDict) -> list[dict[str, Any]]:
    """Rows in the order of their numbers, empty ones too: a button names a row by its number."""
    numbers: set[int] = set()
    for name in post:
        found = _CELL.fullmatch(name)
        if found and found[1] == field.key:
            numbers.add(int(found[2]))
    asked = [column for column in field.columns if not column.calculated and column.type != FieldType.SIGNATURE]
    return [
        {column.key: _told(column, f"{field.key}[{number}].{column.key}", post) for column in asked}
        for number in range(min(max(numbers, default=-1) + 1, field.maximum_rows + 1))
    ]


def read_press(post: QueryDict) -> Press:
    found = _ACT.fullmatch(post.get("act", "submit"))
    return Press(found[1], found[2] or "") if found else Press("save")


def read_patch(body: bytes) -> Patch:
    """`{"revision": 3, "data": {…}}`."""
    try:
        told = json.loads(body) if len(body) <= MOST_BYTES else None
    except ValueError:
        told = None
    if isinstance(told, dict) and isinstance(told.get("revision"), int) and isinstance(told.get("data"), dict):
        return Patch(told["revision"], told["data"])
    raise Invalid(_("没有看懂浏览器发来的内容。"), remedy=_("请刷新页面后再试；填写的内容还在本机。"))
