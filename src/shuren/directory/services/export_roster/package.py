"""Writing the OneRoster zip."""

import csv
import shutil
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from shuren.directory.rules.roster import oneroster
from shuren.directory.rules.roster.kinds import ROSTER_OF_ORG_TYPE, ROSTER_OF_ROLE, ROSTER_OF_SEX
from shuren.directory.rules.roster.oneroster import FILES, FILES_OF_MANIFEST, FileSpec
from shuren.directory.services.check_roster.staging import Stage

_EPOCH = (1980, 1, 1, 0, 0, 0)
PLACEHOLDER_COURSE = "shuren-no-course"
PLACEHOLDER_TERM = "shuren-no-term"
# One school year that nobody attends, for classes that have no term where the format wants one.
_PLACEHOLDER_DATES = ("2000-09-01", "2001-08-31", "2001")


def write_zip(path: Path, folder: Path, names: Sequence[str]) -> None:
    """Zip files with fixed times and rights, so that equal contents give equal bytes."""
    draft = path.with_name(f"{path.name}.draft")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1, allowZip64=True) as archive:
        for name in names:
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            info.create_system = 3
            with (folder / name).open("rb") as source, archive.open(info, "w", force_zip64=True) as member:
                shutil.copyfileobj(source, member, 1 << 20)
    draft.replace(path)


def write_manifest(folder: Path, states: Mapping[str, str]) -> None:
    """Say of every file of the standard whether it is `bulk`, `delta` or, where `states` does not name it, `absent`."""
    manifest = [("propertyName", "value"), ("manifest.version", "1.0"), ("oneroster.version", "1.2")]
    manifest += [(f"file.{name}", states.get(name, "absent")) for name in FILES_OF_MANIFEST]
    manifest += [("source.systemName", "Shuren"), ("source.systemCode", "shuren")]
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerows(manifest)


def pack_roster(*, folder: Path, states: Mapping[str, str], path: Path) -> None:
    """Make a OneRoster package of CSV files that stand in a folder: one `<name>.csv` for each of `states`."""
    write_manifest(folder, states)
    write_zip(path, folder, [f"{name}.csv" for name in sorted({*states, "manifest"})])


def roster_headings() -> dict[str, tuple[str, ...]]:
    """The columns of each file of a package that is read here, without extensions."""
    return {name: spec.header for name, spec in FILES.items()}


def write_package(
    stage: Stage, path: Path, *, hidden: Collection[str] = ("national_id",), is_delta: bool = False
) -> dict[str, int]:
    """Write the staged rows as a full OneRoster package or a delta, without the `hidden` cells; returns the rows per file."""
    folder = stage.folder / "package"
    folder.mkdir(exist_ok=True)
    try:
        counts = {name: _write_file(stage, spec, folder / f"{name}.csv", hidden=hidden) for name, spec in FILES.items()}
        pack_roster(folder=folder, states=dict.fromkeys(FILES, "delta" if is_delta else "bulk"), path=path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return counts


def _write_file(stage: Stage, spec: FileSpec, target: Path, *, hidden: Collection[str]) -> int:
    header = (*spec.header, *(heading for heading, cell in spec.extensions.items() if cell not in hidden))
    count = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(header)
        for rows in _rows(stage, spec, header):
            writer.writerows(rows)
            count += len(rows)
    return count


def _rows(stage: Stage, spec: FileSpec, header: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    values = {**_VALUES[spec.name]}
    columns = ", ".join(f'{values.get(heading, _plain(spec, heading))} AS "{heading}"' for heading in header)
    for batch in stage.batches(f"SELECT {columns} FROM {_SOURCES[spec.name]}"):
        yield _tuples(batch)
    if extra := _placeholders(stage, spec, header):
        yield extra


def _tuples(batch: pa.RecordBatch) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _plain(spec: FileSpec, heading: str) -> str:
    cell = {**oneroster.BASE_CELLS, **spec.cells, **spec.extensions}.get(heading)
    return f"t.{cell}" if cell else "''"


def _case(cell: str, words: dict[str, str], otherwise: str) -> str:
    arms = " ".join(f"WHEN '{word}' THEN '{meaning}'" for word, meaning in words.items())
    return f"CASE {cell} {arms} ELSE {otherwise} END"


_SCHOOL_OF = "coalesce(nullif(t.school, ''), t.parent)"
_VALUES: dict[str, dict[str, str]] = {
    "orgs": {"type": _case("t.type", {kind.value: word for kind, word in ROSTER_OF_ORG_TYPE.items()}, "'local'")},
    "academicSessions": {"metadata.isPlaceholder": "''"},
    "courses": {"metadata.isPlaceholder": "''"},
    "classes": {
        "courseSourcedId": f"coalesce(nullif(t.course, ''), '{PLACEHOLDER_COURSE}')",
        "termSourcedIds": f"coalesce(nullif(t.terms, ''), '{PLACEHOLDER_TERM}')",
        "schoolSourcedId": _SCHOOL_OF,
        "classType": "coalesce(nullif(t.class_type, ''), 'homeroom')",
    },
    "users": {
        "username": "coalesce(nullif(t.username, ''), t.sid)",
        "familyName": "CASE WHEN t.family_name <> '' THEN t.family_name ELSE t.name[1] END",
        "givenName": "CASE WHEN t.given_name <> '' THEN t.given_name ELSE coalesce(nullif(t.name[2:], ''), t.name) END",
        "metadata.fullName": "t.name",
        "metadata.username": "t.username",
        "metadata.sexCode": "t.sex",
        "agentSourcedIds": "coalesce(g.agents, '')",
        "metadata.agentRelations": "coalesce(g.relations, '')",
        "primaryOrgSourcedId": "''",
    },
    "demographics": {"sex": _case("t.sex", ROSTER_OF_SEX, "''")},
    "roles": {
        "roleType": "CASE t.is_primary WHEN 'true' THEN 'primary' ELSE 'secondary' END",
        "role": _case("t.role", {role.value: word for role, word in ROSTER_OF_ROLE.items()}, "'aide'"),
    },
    "enrollments": {"schoolSourcedId": "coalesce(nullif(t.school, ''), t.org)"},
}
_SOURCES = {
    "orgs": "org t WHERE t.is_class = '' ORDER BY t.row",
    "academicSessions": "session t ORDER BY t.row",
    "courses": "course t ORDER BY t.row",
    "classes": "org t WHERE t.is_class = 'true' ORDER BY t.row",
    "users": (
        "person t LEFT JOIN (SELECT ward, string_agg(guardian, ',' ORDER BY guardian) AS agents, "
        "string_agg(replace(relation, ',', ' '), ',' ORDER BY guardian) AS relations FROM link GROUP BY ward) g ON "
        "g.ward = t.sid ORDER BY t.row"
    ),
    "demographics": "person t ORDER BY t.row",
    "roles": "affiliation t ORDER BY t.row",
    "enrollments": "enrollment t ORDER BY t.row",
}


def _placeholders(stage: Stage, spec: FileSpec, header: Sequence[str]) -> list[tuple[str, ...]]:
    row: dict[str, str] = {}
    if spec.name == "courses" and stage.value("SELECT count(*) FROM org WHERE is_class = 'true' AND course = ''"):
        org = stage.value("SELECT arg_min(sid, row) FROM org WHERE is_class = ''") or stage.value(
            "SELECT arg_min(parent, row) FROM org"
        )
        row = {"sourcedId": PLACEHOLDER_COURSE, "title": "行政班", "orgSourcedId": org, "metadata.isPlaceholder": "true"}
    if spec.name == "academicSessions" and stage.value("SELECT count(*) FROM org WHERE is_class = 'true' AND terms = ''"):
        start, end, year = _PLACEHOLDER_DATES
        row = {"sourcedId": PLACEHOLDER_TERM, "title": "未定学期", "type": "schoolYear", "startDate": start, "endDate": end}
        row |= {"schoolYear": year, "metadata.isPlaceholder": "true"}
    if row and (at := stage.value("SELECT max(modified) FROM org")):
        row |= {"status": "active", "dateLastModified": at}
    return [tuple(row.get(heading, "") for heading in header)] if row else []
