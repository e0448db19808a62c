"""Rows of a text table: its encoding and separator found out, its rows streamed, its faults told row by row."""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext as _

from shuren.intake.rules.limits import MAX_CELL_CHARS

_CHUNK = 1024 * 1024
_SEPARATORS = (",", "\t", ";")
_BROKEN = "�"


class RawRow(NamedTuple):
    """A row as it stands in a file; `fault` is what is wrong with the row as such, with its remedy."""

    number: int
    values: list[object]
    fault: tuple[str, str] | None = None


def encoding_of(path: Path) -> str:
    """UTF-8 with or without a mark, UTF-16 with one, else GB18030 (what Chinese Excel writes)."""
    with path.open("rb") as file:
        head = file.read(4)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        file.seek(0)
        broken_utf8_at = _first_fault(file, "utf-8")
        if broken_utf8_at is None:
            return "utf-8"
        file.seek(0)
        broken_gb_at = _first_fault(file, "gb18030")
        # A file that is broken either way is read as what it was for longer.
        return "gb18030" if broken_gb_at is None or broken_gb_at > broken_utf8_at else "utf-8"


def _first_fault(file: "codecs._ReadableStream", encoding: str) -> int | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    read = 0
    while True:
        chunk = file.read(_CHUNK)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return read + error.start
        if not chunk:
            return None
        read += len(chunk)


def text_rows(path: Path) -> Iterator[RawRow]:
    """Every row with its number as Excel counts it: blank rows count, line breaks inside quotes do not."""
    encoding = encoding_of(path)
    csv.field_size_limit(MAX_CELL_CHARS)
    with path.open(encoding=encoding, errors="replace", newline="") as lines:
        separator = _separator_of(lines.read(64 * 1024))
        lines.seek(0)
        marks: list[str] = []
        reader = csv.reader(_watched(lines, marks), delimiter=separator, strict=True)
        number = 0
        while True:
            begin = reader.line_num + 1
            number += 1
            try:
                values: list[object] = list(next(reader))
            except StopIteration:
                return
            except csv.Error:
                yield RawRow(number, [], _fault_of_quotes(begin, reader.line_num))
                marks.clear()
                continue
            yield RawRow(number, values, _fault_of_text() if marks else None)
            marks.clear()


def _watched(lines: Iterator[str], marks: list[str]) -> Iterator[str]:
    """The lines, with a note in `marks` when one holds characters that were broken or a NUL, which some readers stop at."""
    for line in lines:
        if "\x00" in line or _BROKEN in line:
            marks.append(line)
            yield line.replace("\x00", _BROKEN)
        else:
            yield line


def _separator_of(sample: str) -> str:
    first = next((line for line in sample.splitlines() if line.strip()), "")
    return max(_SEPARATORS, key=first.count)


def _fault_of_quotes(begin: int, end: int) -> tuple[str, str]:
    remedy = _("请检查此行的英文双引号：必须成对，且紧挨逗号；单元格不能超过 32767 个字。")
    if end > begin:
        return _("引号没有成对，文本第 %(begin)d 至 %(end)d 行连成了一格") % {"begin": begin, "end": end}, remedy
    return _("引号没有成对，此行无法读取"), remedy


def _fault_of_text() -> tuple[str, str]:
    return _("有乱码，文件编码不对或已损坏"), _("请在 Excel 中另存为“CSV UTF-8”后再上传。")
