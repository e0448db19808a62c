"""Values of fields: what was told in whatever form becomes one JSON value, or says what is wrong with it and how to mend it.

A value read once reads again to itself, so that drafts, cases, entries, files and the API all hold the same.
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import FieldFault
from shuren.casework.rules.answers import exact, rounded
from shuren.casework.rules.codes import found_code, meaning, offered
from shuren.casework.rules.patterns import is_quick_over
from shuren.casework.rules.specs.form import FieldSpec, FieldType

Read = tuple[Any, list[FieldFault]]

TEXT_LENGTH, PARAGRAPH_LENGTH = 200, 5_000
PLACES = 2
# Beyond it a browser cannot tell neighbours apart.
LARGEST = 2**53 - 1
LONGEST_NUMBER = 40
SOME_CODES = 12
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?|[+-]?\.[0-9]+")
_DATE = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:[ T]00:00(?::00)?)?|([0-9]{4})([0-9]{2})([0-9]{2})")
_YES = {"true", "on", "1", "yes", "y", "是", "有", "对", "√", "✓"}
_NO = {"false", "off", "0", "no", "n", "否", "无", "没有", "不是", "×"}
# A public id, and the name it was chosen by.
_PARTY = re.compile(r"([0-9a-hjkmnp-tv-z]{13})(?:\|(.{0,200}))?")
_BETWEEN = re.compile(r"[;；、,，\n]+")


class Wrong(Exception):
    """One value is wrong: why, and what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


def read_value(field: FieldSpec, told: object, *, path: str = "", on: date | None = None) -> Read:
    """The canonical value (`None` for nothing) and what is wrong; tables are read row by row, without what depends on others.

    `on` is the day on which codes must be valid.
    """
    place = path or field.key
    if field.type == FieldType.TABLE:
        return _read_table(field, told, place, on)
    try:
        return read_single(field, told, on=on), []
    except Wrong as wrong:
        return None, [fault_of(field, place, wrong)]


def fault_of(field: FieldSpec, path: str, wrong: Wrong) -> FieldFault:
    return FieldFault(path=path, title=str(field.title), reason=wrong.reason, remedy=wrong.remedy)


def read_single(field: FieldSpec, told: object, *, on: date | None = None) -> Any:
    """One value that is not a table; raises `Wrong`."""
    if told is None or told in ("", [], {}):
        return None
    assert field.type is not None
    if field.type in (FieldType.CODE, FieldType.CODES):
        return _codes(field, told, on)
    return _READERS[field.type](field, told)


def _text(field: FieldSpec, told: object) -> str | None:
    if isinstance(told, bool) or not isinstance(told, str | int | float | Decimal):
        raise Wrong(_("这里要填文字"), _("请填文字。"))
    text = unicodedata.normalize("NFC", str(told)).replace("\r\n", "\n").replace("\r", "\n").strip()
    if field.type == FieldType.TEXT:
        text = " ".join(text.split())
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Co") and letter not in "\n\t" for letter in text):
        raise Wrong(_("含有看不见的特殊字符"), _("请删除后重新输入。"))
    if not text:
        return None
    longest = longest_of(field)
    if len(text) > longest:
        told_length = {"length": len(text), "longest": longest}
        raise Wrong(
            _("有 %(length)d 个字，超过了 %(longest)d 个字") % told_length, _("请缩短到 %(longest)d 个字以内。") % told_length
        )
    # A form may be in force since before patterns were asked to be quick.
    if field.pattern and not is_quick_over(field.pattern, len(text)):
        raise Wrong(_("格式要求太复杂，没法检查"), _("请把内容缩短，或联系制表单位把格式要求改简单。"))
    if field.pattern and not re.fullmatch(field.pattern, text):
        raise Wrong(_("格式不对"), str(field.pattern_help) if field.pattern_help else _("请对照说明检查后重填。"))
    return text


def longest_of(field: FieldSpec) -> int:
    return field.length or (TEXT_LENGTH if field.type == FieldType.TEXT else PARAGRAPH_LENGTH)


def _number(field: FieldSpec, told: object) -> Fraction:
    if isinstance(told, int) and not isinstance(told, bool):
        number = Fraction(told)
    elif isinstance(told, float | Decimal) and math.isfinite(told):
        number = Fraction(str(told))
    else:
        text = unicodedata.normalize("NFKC", told).replace(",", "").replace(" ", "") if isinstance(told, str) else ""
        if len(text) > LONGEST_NUMBER or not _NUMBER.fullmatch(text):
            raise Wrong(_("不是数"), range_words(field))
        number = Fraction(Decimal(text))
    if abs(number) > LARGEST:
        raise Wrong(_("数太大"), range_words(field))
    return number


def _integer(field: FieldSpec, told: object) -> int:
    number = _number(field, told)
    if number.denominator != 1:
        raise Wrong(_("不是整数"), range_words(field))
    return int(_within(field, number))


def _fraction(field: FieldSpec, told: object) -> float:
    return float(exact(_within(field, Fraction(rounded(_number(field, told), places_of(field))))))


def places_of(field: FieldSpec) -> int:
    return PLACES if field.places is None else field.places


def _within(field: FieldSpec, number: Fraction) -> Fraction:
    if field.minimum is not None and number < Fraction(field.minimum):
        raise Wrong(_("小于 %(bound)s") % {"bound": _plain(field.minimum)}, range_words(field))
    if field.maximum is not None and number > Fraction(field.maximum):
        raise Wrong(_("大于 %(bound)s") % {"bound": _plain(field.maximum)}, range_words(field))
    return number


def range_words(field: FieldSpec) -> str:
    """应填 0 到 100 之间的整数。"""
    kind = _("整数") if field.type == FieldType.INTEGER else _("数")
    low, high = field.minimum, field.maximum
    if low is not None and high is not None:
        return _("应填 %(low)s 到 %(high)s 之间的%(kind)s。") % {"low": _plain(low), "high": _plain(high), "kind": kind}
    if low is not None:
        return _("应填不小于 %(low)s 的%(kind)s。") % {"low": _plain(low), "kind": kind}
    if high is not None:
        return _("应填不大于 %(high)s 的%(kind)s。") % {"high": _plain(high), "kind": kind}
    return _("应填%(kind)s，如 12。") % {"kind": kind} if field.type == FieldType.INTEGER else _("应填数，如 12.5。")


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _truth(field: FieldSpec, told: object) -> bool:
    if isinstance(told, bool):
        return told
    text = unicodedata.normalize("NFKC", str(told)).strip().casefold() if isinstance(told, str | int) else ""
    if text in _YES or text in _NO:
        return text in _YES
    raise Wrong(_("不是“是”或“否”"), _("请填“是”或“否”。"))


def _date(field: FieldSpec, told: object) -> str:
    if isinstance(told, datetime | date):
        return told.isoformat()[:10]
    text = unicodedata.normalize("NFKC", told).strip() if isinstance(told, str) else ""
    found = _DATE.fullmatch(text)
    if not found:
        raise Wrong(_("不是日期"), _("请写成 2026-09-01 的样子。"))
    year, month, day = (int(part) for part in found.groups() if part is not None)
    try:
        read = date(year, month, day)
    except ValueError as error:
        raise Wrong(_("没有这一天"), _("请检查年、月、日，写成 2026-09-01 的样子。")) from error
    if not 1850 <= read.year <= 2200:
        raise Wrong(_("年份不对"), _("请检查年份，写成 2026-09-01 的样子。"))
    return read.isoformat()


def _codes(field: FieldSpec, told: object, on: date | None) -> Any:
    if field.type == FieldType.CODE:
        return _code(field, told, on)
    parts = told if isinstance(told, list | tuple) else _BETWEEN.split(told) if isinstance(told, str) else [told]
    codes = [_code(field, part, on) for part in parts if part not in ("", None)]
    order = list(offered(field))
    return sorted(dict.fromkeys(codes), key=order.index) or None


def _code(field: FieldSpec, told: object, on: date | None) -> str:
    text = unicodedata.normalize("NFKC", str(told)).strip() if isinstance(told, str | int) and not isinstance(told, bool) else ""
    found = found_code(field, text, on=on) or (found_code(field, str(told).strip(), on=on) if isinstance(told, str) else None)
    if found is None:
        raise Wrong(_("不在可选的范围内"), choice_words(field, on=on))
    return found


def choice_words(field: FieldSpec, *, on: date | None = None) -> str:
    titles = [str(title) for title in offered(field, on=on).values()]
    some = "、".join(titles[:SOME_CODES])
    if len(titles) > SOME_CODES:
        return _("请从列表中选择，如 %(some)s 等 %(count)d 项。") % {"some": some, "count": len(titles)}
    return _("请从中选择：%(some)s。") % {"some": some}


def _files(field: FieldSpec, told: object) -> list[dict[str, Any]] | None:
    kept = [_file(one) for one in told] if isinstance(told, list | tuple) else [None]
    if None in kept:
        raise Wrong(_("文件没有传上来"), _("请重新选择文件上传。"))
    if len(kept) > field.maximum_files:
        limit = {"count": field.maximum_files}
        raise Wrong(_("文件超过 %(count)d 个") % limit, _("请删除多余的，最多留 %(count)d 个。") % limit)
    return [one for one in kept if one is not None] or None


def _file(told: object) -> dict[str, Any] | None:
    if not isinstance(told, Mapping) or not isinstance(told.get("id"), str) or not isinstance(told.get("name"), str):
        return None
    size, digest = told.get("size"), told.get("sha256")
    if isinstance(size, bool) or not isinstance(size, int) or not isinstance(digest, str):
        return None
    return {"id": told["id"][:40], "name": told["name"][:200], "size": size, "sha256": digest[:64]}


def _signature(field: FieldSpec, told: object) -> dict[str, str]:
    keys = ("person", "name", "at", "digest")
    if not isinstance(told, Mapping) or not all(isinstance(told.get(key), str) for key in keys):
        raise Wrong(_("还没有签名"), _("请核对填写的内容后点“签名确认”。"))
    return {key: told[key][:100] for key in keys}


def _place(field: FieldSpec, told: object) -> dict[str, float] | None:
    remedy = _("请填经度（73 到 136）和纬度（3 到 54），如 116.40 和 39.90。")
    parts: list[object]
    if isinstance(told, Mapping):
        parts = [told.get("lon"), told.get("lat")]
        if not any(part not in (None, "") for part in parts):
            return None
    else:
        parts = [part for part in re.split(r"[,，\s]+", told) if part] if isinstance(told, str) else []
    if len(parts) != 2 or any(part in (None, "") for part in parts):
        raise Wrong(_("位置不完整"), remedy)
    lon, lat = (float(rounded(_number(field, part), 6)) for part in parts)
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise Wrong(_("不是经度和纬度"), remedy)
    return {"lon": lon, "lat": lat}


def _party(field: FieldSpec, told: object) -> dict[str, str]:
    if isinstance(told, str):
        found = _PARTY.fullmatch(told.strip())
        told = {"id": found[1], "name": found[2] or ""} if found else None
    if not isinstance(told, Mapping) or not isinstance(told.get("id"), str) or not told["id"]:
        raise Wrong(_("没有找到"), _("请从搜索结果中选择。"))
    name = told.get("name")
    return {"id": told["id"][:40], "name": name[:200] if isinstance(name, str) else ""}


_READERS = {
    FieldType.TEXT: _text,
    FieldType.PARAGRAPH: _text,
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _fraction,
    FieldType.BOOLEAN: _truth,
    FieldType.DATE: _date,
    FieldType.FILE: _files,
    FieldType.SIGNATURE: _signature,
    FieldType.PLACE: _place,
    FieldType.PERSON: _party,
    FieldType.ORG: _party,
    FieldType.ENTRY: _party,
}


def table_rows(told: object) -> list[Mapping[str, Any]] | None:
    """The rows that hold anything; `None` where it is no table at all."""
    if told is None or told == "":
        return []
    if not isinstance(told, list | tuple) or not all(isinstance(row, Mapping) for row in told):
        return None
    return [row for row in told if any(value is not None and value not in ("", [], {}) for value in row.values())]


def table_fault(field: FieldSpec, count: int) -> Wrong | None:
    """Too many rows; too few are told where something is handed in."""
    if count <= field.maximum_rows:
        return None
    told = {"count": count, "most": field.maximum_rows}
    return Wrong(_("有 %(count)d 行，超过了 %(most)d 行") % told, _("请删到 %(most)d 行以内。") % told)


def not_a_table() -> Wrong:
    return Wrong(_("不是表格"), _("请逐行填写。"))


def _read_table(field: FieldSpec, told: object, path: str, on: date | None) -> Read:
    rows = table_rows(told)
    if rows is None:
        return None, [fault_of(field, path, not_a_table())]
    too_many = table_fault(field, len(rows))
    faults = [fault_of(field, path, too_many)] if too_many else []
    kept = []
    for number, row in enumerate(rows):
        value = {}
        for column in field.columns:
            read, wrong = read_value(column, row.get(column.key), path=f"{path}[{number}].{column.key}", on=on)
            faults += wrong
            if read is not None:
                value[column.key] = read
        kept.append(value)
    return kept or None, faults


def value_text(field: FieldSpec, value: Any, language: str) -> str:
    """A value as people read it; a table by the number of its rows, nothing as an empty text."""
    if value is None or value in ("", [], {}):
        return ""
    if field.type == FieldType.BOOLEAN:
        return (_("是") if value else _("否")) if isinstance(value, bool) else str(value)
    if field.type == FieldType.CODE:
        return meaning(field, str(value), language)
    if field.type == FieldType.CODES:
        return "、".join(meaning(field, str(code), language) for code in value)
    if field.type in (FieldType.INTEGER, FieldType.DECIMAL):
        return number_words(field, value)
    return _structured_text(field, value)


def number_words(field: FieldSpec, value: Any) -> str:
    """Years and numbers of things are told apart by the field: only what has a unit is grouped by thousands."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return str(value)
    if field.type == FieldType.INTEGER:
        return f"{int(value):,}" if field.unit else str(int(value))
    return f"{value:,.{places_of(field)}f}"


def _structured_text(field: FieldSpec, value: Any) -> str:
    if field.type == FieldType.TABLE:
        return _("%(count)d 行") % {"count": len(value)}
    if field.type == FieldType.FILE:
        return "、".join(str(one.get("name", "")) for one in value)
    if field.type == FieldType.SIGNATURE:
        return f"{value.get('name', '')} {str(value.get('at', ''))[:16].replace('T', ' ')}"
    if field.type == FieldType.PLACE:
        return f"{value.get('lon')}, {value.get('lat')}"
    if field.type in (FieldType.PERSON, FieldType.ORG, FieldType.ENTRY):
        return str(value.get("name") or value.get("id") or "") if isinstance(value, Mapping) else str(value)
    return str(value)
