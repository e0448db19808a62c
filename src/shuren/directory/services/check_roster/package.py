"""Reading a OneRoster zip into the stage: package, manifest, encodings, headers, then every row with its number."""

import codecs
import csv
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from shuren.directory.rules.roster.kinds import ORG_TYPE_OF_ROSTER, ROLE_OF_ROSTER, SEX_OF_ROSTER
from shuren.directory.rules.roster.oneroster import BASE, BASE_CELLS, FILES, FILES_OF_MANIFEST, ROLES, USERS, FileSpec
from shuren.directory.services.check_roster import older
from shuren.directory.services.check_roster.messages import Problem
from shuren.directory.services.check_roster.recall import LINED_FILES, Lined, Remembered, ids_to_read
from shuren.directory.services.check_roster.staging import Source, Stage

MAX_UNPACKED = 20 * 2**30
MAX_RATIO = 200
CHUNK = 1 << 20
MAX_PROBLEMS = 1_000
_MANIFEST = "manifest.csv"
_VERSION = "oneroster.version"


@dataclass(frozen=True, slots=True)
class Csv:
    """One unpacked file: whether it can be read by the fast reader, and its first line."""

    path: Path
    spec: FileSpec
    header: list[str]
    is_plain: bool
    is_delta: bool


def load_package(
    stage: Stage, package: Path, unpacked: Path, shown: str = "", *, known: Remembered | None = None
) -> Iterator[Problem]:
    """Stage every known file of the package, without the lines that `known` said before.

    Yields what is wrong with files, manifest, headers and lines.
    """
    try:
        with zipfile.ZipFile(package) as archive:
            files = yield from unpack(archive, unpacked, shown)
            lined = lined_files(files) if known else None
            wanted = ids_to_read(stage, known, lined) if known and lined else {}
            for file in files:
                yield from _load(stage, file, ids=wanted.get(file.spec.name))
                file.path.unlink()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError) as fault:
        yield Problem(rule="not_a_zip", file=shown, value=type(fault).__name__)


def unpack(archive: zipfile.ZipFile, unpacked: Path, shown: str) -> Generator[Problem, None, list[Csv]]:
    """Copy every known file that the manifest announces into a folder; yields what is wrong with package and encodings."""
    members = yield from _members(archive, shown)
    states = yield from _manifest(archive, members)
    unpacked.mkdir(exist_ok=True)
    is_older = states.pop(_VERSION, "") == older.VERSION
    files: list[Csv] = []
    for name, info in members.items():
        spec = FILES.get(name.removesuffix(".csv"))
        if spec is not None and states.get(spec.name) in {"bulk", "delta"}:
            file = yield from _unpack(archive, info, unpacked / name, spec, is_delta=states[spec.name] == "delta")
            files += [file] if file else []
    if is_older:
        files = yield from _as_now(files, unpacked)
    return files


def _as_now(files: Sequence[Csv], unpacked: Path) -> Generator[Problem, None, list[Csv]]:
    """The files of a 1.1 package as 1.2 would have them."""
    kept = [file for file in files if file.spec not in (USERS, ROLES)]
    for file in files:
        if file.spec is not USERS:
            continue
        roles = unpacked / "roles.csv"
        problems = list(older.part_users(file.path, roles))
        yield from problems
        if not problems:
            kept += [_as_unpacked(file.path, USERS, file.is_delta), _as_unpacked(roles, ROLES, file.is_delta)]
    return kept


def _as_unpacked(path: Path, spec: FileSpec, is_delta: bool) -> Csv:
    with path.open("r", encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    return Csv(path, spec, header, _is_plain(path), is_delta)


def lined_files(files: Sequence[Csv]) -> list[Lined] | None:
    """The files whose lines are remembered, if the package is a full one that the fast reader can read."""
    if any(file.is_delta for file in files):
        return None
    kept = [file for file in files if file.spec in LINED_FILES]
    if not all(file.is_plain and file.header[: len(file.spec.header)] == list(file.spec.header) for file in kept):
        return None
    return [Lined(file.path, file.spec, tuple(file.header)) for file in kept]


def _members(archive: zipfile.ZipFile, shown: str) -> Generator[Problem, None, dict[str, zipfile.ZipInfo]]:
    members: dict[str, zipfile.ZipInfo] = {}
    total = sum(info.file_size for info in archive.infolist())
    packed = sum(info.compress_size for info in archive.infolist())
    if total > MAX_UNPACKED or total > max(packed, 1) * MAX_RATIO + CHUNK:
        yield Problem(rule="zip_bomb", file=shown, value=str(total))
        return members
    for info in archive.infolist():
        name = info.filename
        if info.is_dir() or name.startswith(("__MACOSX/", ".")):
            continue
        if "/" in name or "\\" in name:
            yield Problem(rule="not_at_root", file=name)
        elif not name.endswith(".csv") or name.removesuffix(".csv") not in (*FILES_OF_MANIFEST, "manifest"):
            yield Problem(rule="unknown_file", file=name, is_error=False)
        elif name in members:
            yield Problem(rule="file_twice", file=name)
        else:
            members[name] = info
    return members


def _manifest(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> Generator[Problem, None, dict[str, str]]:
    states: dict[str, str] = {}
    info = members.pop(_MANIFEST, None)
    if info is None:
        yield Problem(rule="no_manifest", file=_MANIFEST)
        return states
    text = archive.read(info)[:CHUNK].decode("utf-8-sig", errors="replace")
    rows = list(csv.reader(text.splitlines()))
    if not rows or rows[0] != ["propertyName", "value"]:
        yield Problem(rule="header", file=_MANIFEST, row=1, value=",".join(rows[0]) if rows else "", detail="propertyName,value")
    places = {row[0]: (number, row[1]) for number, row in enumerate(rows, 1) if len(row) == 2}
    for name, wanted in (("manifest.version", ("1.0",)), (_VERSION, ("1.2", older.VERSION))):
        place, value = places.get(name, (0, ""))
        if value not in wanted:
            detail = " / ".join(wanted)
            yield Problem(rule="manifest_value", file=_MANIFEST, row=place, column=name, value=value, detail=detail)
    states[_VERSION] = places.get(_VERSION, (0, ""))[1]
    for name in FILES_OF_MANIFEST:
        place, value = places.get(f"file.{name}", (0, "absent"))
        here = f"{name}.csv" in members
        if value not in {"absent", "bulk", "delta"}:
            yield Problem(
                rule="manifest_value",
                file=_MANIFEST,
                row=place,
                column=f"file.{name}",
                value=value,
                detail="absent / bulk / delta",
            )
        elif value != "absent" and not here:
            yield Problem(rule="file_missing", file=_MANIFEST, row=place, column=f"file.{name}", value=value)
        elif value == "absent" and here:
            yield Problem(rule="file_extra", file=f"{name}.csv", detail=f"file.{name}")
        elif value != "absent" and name not in FILES:
            yield Problem(rule="file_not_read", file=f"{name}.csv", is_error=False)
        states[name] = value
    if states.get("orgs") == "absent" and states.get("users") == "absent":
        yield Problem(rule="nothing_here", file=_MANIFEST)
    return states


def _unpack(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, spec: FileSpec, *, is_delta: bool
) -> Generator[Problem, None, Csv | None]:
    """Copy one member to disk, checking its encoding on the way; GB18030 is converted and told."""
    name = info.filename
    fault = _copy(archive, info, target, "utf-8")
    if fault is not None:
        yield Problem(rule="encoding", file=name, row=fault)
        if _copy(archive, info, target, "gb18030") is not None:
            target.unlink(missing_ok=True)
            return None
    with target.open("r", encoding="utf-8-sig", newline="") as file:
        try:
            header = next(csv.reader(file), [])
        except csv.Error:
            header = []
    return Csv(target, spec, header, _is_plain(target), is_delta)


def _copy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, encoding: str) -> int | None:
    """Write the member as UTF-8; returns the line on which its encoding breaks, or None."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    size = 0
    with archive.open(info) as source, target.open("wb") as copy:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > info.file_size + CHUNK:
                raise zipfile.BadZipFile("member is longer than it says")
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as fault:
                return lines + chunk[: fault.start].count(b"\n")
            copy.write(chunk if encoding == "utf-8" else text.encode())
            lines += chunk.count(b"\n")
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return lines
    return None


def _is_plain(path: Path) -> bool:
    """Whether the fast reader counts rows as we do: no blank lines, no NUL bytes."""
    tail = b"\n"
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            seen = tail + chunk
            if b"\r" in seen:
                seen = seen.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            if b"\n\n" in seen or b"\0" in seen:
                return False
            tail = seen[-1:]
    return True


def _load(stage: Stage, file: Csv, *, ids: str | None) -> Iterator[Problem]:
    spec = file.spec
    name = f"{spec.name}.csv"
    wanted = list(spec.header)
    standard = file.header[: len(wanted)]
    extra = file.header[len(wanted) :]
    if standard != wanted:
        place = next((i for i, heading in enumerate(wanted) if i >= len(standard) or standard[i] != heading), 0)
        seen = standard[place] if place < len(standard) else ""
        yield Problem(rule="header", file=name, row=1, column=wanted[place], value=seen, detail=",".join(wanted))
        return
    for heading in extra:
        if not heading.startswith("metadata.") or file.header.count(heading) > 1:
            yield Problem(rule="extra_heading", file=name, row=1, column=heading, value=heading)
            return
    src = stage.add_source(Source(name, "", spec, file.is_delta, tuple(file.header)))
    if file.is_plain:
        try:
            _insert(stage, file, src, ids=ids)
        except duckdb.Error:
            stage.duck.execute(f"DELETE FROM {spec.table} WHERE src = {src}")
        else:
            return
    yield from _load_line_by_line(stage, file, src, name)


def _load_line_by_line(stage: Stage, file: Csv, src: int, name: str) -> Iterator[Problem]:
    """The careful way: reads what the fast reader refuses, names every line that cannot be read, keeps the others."""
    mended = file.path.with_suffix(".mended")
    width = len(file.header)
    told = 0
    csv.field_size_limit(CHUNK)
    try:
        with (
            file.path.open("r", encoding="utf-8-sig", newline="") as source,
            mended.open("w", encoding="utf-8", newline="") as copy,
        ):
            reader = csv.reader((line.replace("\0", "\x01") for line in source), strict=True)
            writer = csv.writer(copy, lineterminator="\n", quoting=csv.QUOTE_ALL)
            number = 0
            while True:
                number += 1
                try:
                    cells = next(reader)
                except StopIteration:
                    break
                except csv.Error as fault:
                    yield Problem(rule="line_broken", file=name, row=number, detail=str(fault))
                    told += 1
                    if told >= MAX_PROBLEMS:
                        break
                    continue
                if number == 1:
                    continue
                if not any(cells):
                    yield Problem(rule="blank_line", file=name, row=number, is_error=False)
                elif len(cells) != width:
                    yield Problem(rule="width", file=name, row=number, value=str(len(cells)), detail=str(width))
                else:
                    writer.writerow([str(number), *cells])
                    continue
                told += 1
                if told >= MAX_PROBLEMS:
                    break
        _insert(stage, replace(file, path=mended), src, has_numbers=True)
    except duckdb.Error as fault:
        yield Problem(rule="line_broken", file=name, detail=str(fault).splitlines()[0][:200])
    finally:
        mended.unlink(missing_ok=True)


def _insert(stage: Stage, file: Csv, src: int, *, has_numbers: bool = False, ids: str | None = None) -> None:
    """Stage the lines of a file, or those whose ids the query `ids` gives."""
    spec, header = file.spec, file.header
    letters = {heading: f"trim(coalesce(c{place}, ''))" for place, heading in enumerate(header)}
    fills = {**BASE_CELLS, **spec.cells, **spec.extensions}
    cells = {cell: letters[heading] for heading, cell in fills.items() if heading in letters and cell not in BASE_CELLS.values()}
    cells |= {BASE_CELLS[heading]: letters[heading] for heading in BASE}
    cells |= _derived(spec, cells)
    columns = [f"'c{place}': 'VARCHAR'" for place in range(len(header))]
    if has_numbers:
        columns.insert(0, "'n': 'BIGINT'")
    lines = (
        f"SELECT *, {'n' if has_numbers else 'row_number() OVER () + 1'} AS line FROM read_csv(?, columns = "
        f"{{{', '.join(columns)}}}, header = {str(not has_numbers).lower()}, auto_detect = false, delim = ',', "
        "quote = '\"', escape = '\"', strict_mode = true, nullstr = '', max_line_size = 2097152)"
    )
    some = f" WHERE {letters['sourcedId']} IN ({ids})" if ids else ""
    stage.duck.execute(
        f"INSERT INTO {spec.table} (src, row, {', '.join(cells)}) SELECT {src}, line, {', '.join(cells.values())} "
        f"FROM ({lines}){some}",
        [str(file.path)],
    )


def _case(cell: str, words: dict[str, str], otherwise: str) -> str:
    arms = " ".join(f"WHEN '{word}' THEN '{meaning}'" for word, meaning in words.items())
    return f"CASE {cell} {arms} ELSE {otherwise} END"


def _derived(spec: FileSpec, cells: dict[str, str]) -> dict[str, str]:
    """Cells that follow from others: our finer words where the extension columns give them, the coarser ones otherwise."""
    if spec.name == "orgs":
        coarse = _case(
            cells["roster_type"], {word: kind.value for word, kind in ORG_TYPE_OF_ROSTER.items()}, cells["roster_type"]
        )
        finer = cells.get("type")
        return {"type": f"CASE WHEN {finer} <> '' THEN {finer} ELSE {coarse} END" if finer else coarse, "state": "'active'"}
    if spec.name == "classes":
        parent = cells.get("parent")
        school = cells["school"]
        terms = cells["terms"]
        split = f"list_filter(list_transform(string_split({terms}, ','), lambda x: trim(x)), lambda x: x <> '')"
        return {
            "type": "'class'",
            "is_class": "'true'",
            "state": "'active'",
            "parent": f"CASE WHEN {parent} <> '' THEN {parent} ELSE {school} END" if parent else school,
            "terms": f"CASE WHEN {terms} = '' THEN '' ELSE array_to_string(list_sort(list_distinct({split})), ',') END",
        }
    if spec.name == "users":
        family, given, full = cells["family_name"], cells["given_name"], cells.get("name", "''")
        latin = f"regexp_full_match({family} || {given}, '[ -~]*')"
        joined = f"CASE WHEN {latin} THEN trim({given} || ' ' || {family}) ELSE {family} || {given} END"
        synthetic = cells.get("synthetic", "''")
        return {
            "name": f"CASE WHEN {full} <> '' THEN {full} ELSE {joined} END",
            "synthetic": f"CASE WHEN {synthetic} = '' THEN 'false' ELSE {synthetic} END",
            "national_id": f"upper({cells['national_id']})" if "national_id" in cells else "''",
        }
    if spec.name == "demographics":
        return {"sex": _case(cells["sex"], {**SEX_OF_ROSTER, "": "0"}, cells["sex"])}
    if spec.name == "roles":
        coarse = _case(
            cells["roster_role"],
            {**{word: role.value for word, role in ROLE_OF_ROSTER.items()}, "systemAdministrator": "system_admin"},
            cells["roster_role"],
        )
        finer = cells.get("role")
        return {
            "role": f"CASE WHEN {finer} <> '' THEN {finer} ELSE {coarse} END" if finer else coarse,
            "is_primary": _case(cells["is_primary"], {"primary": "true", "secondary": "false"}, cells["is_primary"]),
        }
    if spec.name == "enrollments":
        primary = cells["is_primary"]
        role = cells["role"]
        return {
            "is_primary": f"CASE WHEN {primary} = '' THEN 'false' ELSE {primary} END",
            "role": _case(role, {"administrator": "teacher", "proctor": "teacher"}, role),
        }
    return {}


def rows_of_package(package: Path, unpacked: Path) -> Iterator[tuple[str, int, list[str], list[str]]]:
    """Every line of the files that are staged, as it stands: its file, its number, the headings and its cells."""
    with zipfile.ZipFile(package) as archive:
        for file in _come_to(unpack(archive, unpacked, package.name)):
            with file.path.open("r", encoding="utf-8-sig", newline="") as source:
                for number, cells in enumerate(csv.reader(source), 1):
                    if number > 1:
                        yield f"{file.spec.name}.csv", number, file.header, cells
            file.path.unlink()


def _come_to(steps: Generator[Problem, None, list[Csv]]) -> list[Csv]:
    """The files that unpacking comes to; what it finds wrong has been told."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return list(end.value)
