"""Seeded damage to files: what clerks, editors, networks and strangers do to them.

`mutations(seed, count, base, kind)` is shared by the fuzz tests of every app that imports files.
"""

import csv
import io
import random
import warnings
import zipfile
from collections.abc import Callable, Iterator

Damage = Callable[[random.Random, bytes], bytes]

_NASTY_CELLS = [
    "",
    " ",
    "=1+1",
    "\x00",
    "'; DROP TABLE person; --",
    "2031-02-30",
    "-1",
    "1e309",
    "NaN",
    "9" * 400,
    "字" * 40_000,
    "\u202e",
    "😀",
    '"',
    "a\nb",
    "\ufeff",
    "../../etc/passwd",
    "<script>alert(1)</script>",
]


def mutations(seed: int, count: int, base: bytes, kind: str) -> Iterator[bytes]:
    """Yield `count` damaged copies of `base`, which is a `csv`, an `xlsx` or a `zip`; the same seed, the same copies."""
    damages = {"csv": _TEXT + _BYTES, "xlsx": _ZIPPED + _BYTES, "zip": _ZIPPED + _TEXT_INSIDE + _BYTES}[kind]
    for number in range(count):
        dice = random.Random(f"{seed}:{number}")
        data = base
        for _turn in range(dice.choice((1, 1, 2, 3))):
            data = dice.choice(damages)(dice, data)
        yield data


def _flip(dice: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _turn in range(dice.randint(1, 20) if changed else 0):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _truncate(dice: random.Random, data: bytes) -> bytes:
    return data[: dice.randint(0, len(data))]


def _cut_out(dice: random.Random, data: bytes) -> bytes:
    start = dice.randint(0, len(data))
    return data[:start] + data[start + dice.randint(0, 200) :]


def _repeat(dice: random.Random, data: bytes) -> bytes:
    start = dice.randint(0, len(data))
    return data[:start] + data[start : start + dice.randint(0, 500)] + data[start:]


def _insert(dice: random.Random, data: bytes) -> bytes:
    start = dice.randint(0, len(data))
    return data[:start] + dice.randbytes(dice.randint(1, 40)) + data[start:]


def _swap_ends(dice: random.Random, data: bytes) -> bytes:
    start = dice.randint(0, len(data))
    return data[start:] + data[:start]


def _rows(data: bytes) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig", "replace").replace("\x00", ""), newline="")))
    except csv.Error:
        return [[data[:1000].decode("utf-8", "replace")]]


def _text(rows: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("utf-8", "replace")


def _on_columns(change: Callable[[random.Random, list[list[str]], int, int], None]) -> Damage:
    def damage(dice: random.Random, data: bytes) -> bytes:
        rows = _rows(data)
        width = max(map(len, rows), default=0)
        if width:
            change(dice, rows, dice.randrange(width), dice.randrange(width))
        return _text(rows)

    return damage


def _swap_columns(_dice: random.Random, rows: list[list[str]], one: int, other: int) -> None:
    for row in rows:
        if max(one, other) < len(row):
            row[one], row[other] = row[other], row[one]


def _delete_column(_dice: random.Random, rows: list[list[str]], one: int, _other: int) -> None:
    for row in rows:
        del row[one : one + 1]


def _double_column(_dice: random.Random, rows: list[list[str]], one: int, other: int) -> None:
    for row in rows:
        row[other:other] = row[one : one + 1]


def _rename_column(dice: random.Random, rows: list[list[str]], one: int, _other: int) -> None:
    if one < len(rows[0]):
        rows[0][one] = dice.choice(["", "？", "x" * 5000, rows[0][one].upper(), rows[0][one] + " "])


def _nasty_cells(dice: random.Random, rows: list[list[str]], one: int, _other: int) -> None:
    for _turn in range(dice.randint(1, 8)):
        row = dice.choice(rows)
        if one < len(row):
            row[one] = dice.choice(_NASTY_CELLS)


def _ragged(dice: random.Random, rows: list[list[str]], one: int, _other: int) -> None:
    row = dice.choice(rows)
    row[one:] = [*row[one:], "", "多"] if dice.random() < 0.5 else []


def _shuffle_rows(dice: random.Random, rows: list[list[str]], _one: int, _other: int) -> None:
    dice.shuffle(rows)


def _repeat_row(dice: random.Random, rows: list[list[str]], _one: int, _other: int) -> None:
    rows.extend([list(dice.choice(rows))] * dice.randint(1, 3))


def _recode(dice: random.Random, data: bytes) -> bytes:
    encoding = dice.choice(["gb18030", "utf-8-sig", "utf-16", "utf-16-le", "big5", "latin-1", "utf-7"])
    return data.decode("utf-8", "replace").encode(encoding, "replace")


def _line_ends(dice: random.Random, data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", dice.choice([b"\r", b"\n\n", b"\r\r\n", b""]))


def _separators(dice: random.Random, data: bytes) -> bytes:
    return data.replace(b",", dice.choice([b"\t", b";", b"|", "，".encode()]))


def _lone_quote(dice: random.Random, data: bytes) -> bytes:
    start = dice.randint(0, len(data))
    return data[:start] + b'"' + data[start:]


def _members(data: bytes) -> list[tuple[zipfile.ZipInfo, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [(info, archive.read(info)) for info in archive.infolist()]
    except Exception:  # noqa: BLE001  # already damaged beyond reading: the byte damages go on from here
        return []


def _zipped(members: list[tuple[zipfile.ZipInfo, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for info, body in members:
            # A new entry bears no time of day: the same seed must give the same bytes.
            archive.writestr(zipfile.ZipInfo(info.filename), body, compress_type=zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _on_member(change: Damage) -> Damage:
    def damage(dice: random.Random, data: bytes) -> bytes:
        members = _members(data)
        if not members:
            return data
        place = dice.randrange(len(members))
        members[place] = (members[place][0], change(dice, members[place][1]))
        return _zipped(members)

    return damage


def _lose_member(dice: random.Random, data: bytes) -> bytes:
    members = _members(data)
    if members:
        members.pop(dice.randrange(len(members)))
    return _zipped(members)


def _rename_member(dice: random.Random, data: bytes) -> bytes:
    members = _members(data)
    if not members:
        return data
    info, body = members[dice.randrange(len(members))]
    names = ["../" + info.filename, "/abs/" + info.filename, "a/b/" + info.filename, info.filename.upper(), "学生.csv", "con"]
    strange = zipfile.ZipInfo(dice.choice(names))
    if dice.random() < 0.5:
        members = [member for member in members if member[0] is not info]
    return _zipped([*members, (strange, body)])


def _bomb_member(dice: random.Random, data: bytes) -> bytes:
    return _zipped([*_members(data), (zipfile.ZipInfo("bomb.csv"), b"0" * dice.choice((10, 20_000_000)))])


_BYTES: list[Damage] = [_flip, _truncate, _cut_out, _repeat, _insert, _swap_ends]
_TEXT: list[Damage] = [
    *(
        _on_columns(change)
        for change in (
            _swap_columns,
            _delete_column,
            _double_column,
            _rename_column,
            _nasty_cells,
            _ragged,
            _shuffle_rows,
            _repeat_row,
        )
    ),
    _recode,
    _line_ends,
    _separators,
    _lone_quote,
]
_TEXT_INSIDE: list[Damage] = [_on_member(damage) for damage in _TEXT]
_ZIPPED: list[Damage] = [_lose_member, _rename_member, _bomb_member, *(_on_member(damage) for damage in _BYTES)]
