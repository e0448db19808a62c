"""Rows of a roster that are set aside, so that the others can be taken: round by round, until nothing leans on them.

Every round checks what is left from the beginning, as if the file had been sent without the rows set aside before. So what is
applied has passed the very checks of a whole file, and a row that refers to one set aside is found by the same rules.
"""

import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shuren.directory.models import Org
from shuren.directory.rules.roster.checks import Check
from shuren.directory.rules.roster.kinds import STAGED
from shuren.directory.services.check_roster.messages import Problem, finding_of, finding_of_file
from shuren.directory.services.check_roster.package import rows_of_package
from shuren.directory.services.check_roster.staging import Stage
from shuren.directory.services.check_roster.workbook import rows_of_workbook
from shuren.intake.api import ROWS_KEPT
from shuren.intake.data import BadRow, Finding, RowPlace
from shuren.kernel.scope import outermost

LEANS = "leans_on_quarantined"
_CHUNK = 5_000
_DEEPEST = 20
# What is wrong with one line alone; every other problem of a file is one of the whole file.
_OF_ONE_LINE = frozenset({"width"})
# Which org a staged row is about, the nearest first.
_UNITS = """
    SELECT src, row, arg_min(org, rank) FROM (
        SELECT src, row, org, 1 AS rank FROM affiliation UNION ALL
        SELECT src, row, org, 2 FROM enrollment UNION ALL
        SELECT src, row, sid, 1 FROM org UNION ALL
        SELECT src, row, org, 1 FROM course UNION ALL
        SELECT src, row, primary_org, 3 FROM person UNION ALL
        SELECT p.src, p.row, a.org, 4 FROM person p JOIN affiliation a ON a.person = p.sid UNION ALL
        SELECT l.src, l.row, a.org, 5 FROM link l JOIN affiliation a ON a.person = l.ward
    ) WHERE org <> '' AND (src, row) IN (SELECT src, row FROM finding WHERE is_error) GROUP BY src, row
"""


@dataclass(slots=True)
class LeftOut:
    """What was set aside so far: by its place what was found in it and the path of its unit, and by kind the ids it has."""

    reach: Sequence[str]
    found: defaultdict[RowPlace, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    units: dict[RowPlace, str] = field(default_factory=dict)
    ids: set[tuple[str, str]] = field(default_factory=set)

    @property
    def is_too_much(self) -> bool:
        return len(self.found) > ROWS_KEPT

    def take_out(self, stage: Stage) -> None:
        """Remove from a fresh stage the rows that earlier rounds set aside."""
        numbers = {(source.file, source.sheet): src for src, source in enumerate(stage.sources)}
        places = [(numbers[place.file, place.sheet], place.row) for place in self.found if (place.file, place.sheet) in numbers]
        stage.duck.execute("CREATE OR REPLACE TABLE left_out (src UTINYINT, row BIGINT)")
        stage.duck.execute("CREATE OR REPLACE TABLE left_out_person AS SELECT unnest(?::VARCHAR[]) AS sid", [self._people()])
        if places:
            stage.duck.executemany("INSERT INTO left_out VALUES (?, ?)", places)
            for table in STAGED:
                stage.duck.execute(f"DELETE FROM {table} WHERE (src, row) IN (SELECT src, row FROM left_out)")

    def _people(self) -> list[str]:
        return sorted(sid for kind, sid in self.ids if kind == "person")

    def without_told(self, problems: Iterable[Problem]) -> list[Problem]:
        """The problems of lines that were not set aside before."""
        return [one for one in problems if RowPlace(one.file, one.sheet, one.row) not in self.found]

    def take(self, stage: Stage, problems: Sequence[Problem]) -> bool:
        """Set aside what this round found wrong; whether there is anything, and nothing wrong with the file as a whole."""
        if any(one.is_error and one.rule not in _OF_ONE_LINE for one in problems):
            return False
        before = len(self.found)
        for one in problems:
            if one.is_error:
                self.found[RowPlace(one.file, one.sheet, one.row)].append(finding_of_file(one))
        for place, finding in self._found_in(stage):
            self.found[place].append(finding)
        self.units |= self._units_in(stage)
        for table in STAGED:
            rows = stage.rows(f"SELECT sid FROM {table} WHERE (src, row) IN (SELECT src, row FROM finding WHERE is_error)")
            self.ids |= {(table, row[0]) for row in rows if row[0]}
        return len(self.found) > before

    def _found_in(self, stage: Stage) -> Iterator[tuple[RowPlace, Finding]]:
        rows = stage.rows(
            "SELECT DISTINCT src, row, staged, cell, value, rule, detail FROM finding WHERE is_error ORDER BY src, row, cell"
        )
        for src, row, table, cell, value, rule, detail in rows:
            source = stage.sources[src]
            leans = rule.startswith("unknown_") and (rule.removeprefix("unknown_"), value) in self.ids
            finding = finding_of(
                source,
                row=row,
                table=table,
                cell=cell,
                value=value or "",
                rule=LEANS if leans else rule,
                detail=detail or "",
                is_error=True,
            )
            yield RowPlace(source.file, source.sheet, row), finding

    def _units_in(self, stage: Stage) -> dict[RowPlace, str]:
        """The paths of the units of this round's rows: the nearest org that stands already, inside the sender's reach."""
        told = [(stage.sources[src], row, sid) for src, row, sid in stage.rows(_UNITS)]
        parents = dict(stage.rows("SELECT sid, any_value(parent) FROM org WHERE sid <> '' GROUP BY sid"))
        paths = _paths_of({up for _source, _row, sid in told for up in _upwards(sid, parents)})
        found: dict[RowPlace, str] = {}
        for source, row, sid in told:
            path = next((paths[up] for up in _upwards(sid, parents) if up in paths), "")
            if path and any(path.startswith(branch) for branch in self.reach):
                found[RowPlace(source.file, source.sheet, row)] = path
        return found

    def findings(self) -> Iterator[Finding]:
        for place in sorted(self.found):
            yield from self.found[place]

    def rows(self, path: Path, shown: str, unpacked: Path) -> Iterator[BadRow]:
        """The rows set aside as they stand in the file, which is read once more."""
        home = self._home()
        for place, header, cells in _lines(path, shown, unpacked):
            if place in self.found:
                unit = self.units.get(place, home)
                org_id = int(unit.rstrip("/").rsplit("/", 1)[-1]) if unit else None
                yield BadRow(place, tuple(header), tuple(cells), tuple(self.found[place]), org_id, unit)

    def _home(self) -> str:
        """Where a row belongs that names no unit: to the sender's own; what the installation brings, to the whole region."""
        own = next(iter(outermost(path for path in self.reach if path)), "")
        return own or Org.objects.filter(parent__isnull=True).order_by("path").values_list("path", flat=True).first() or ""


def demographics_check() -> Check:
    """What is told of somebody goes with the row of that person."""
    sql = (
        "SELECT t.src, t.row, t.sid, '' FROM demographic t WHERE t.sid IN (SELECT sid FROM left_out_person) "
        "AND t.sid NOT IN (SELECT sid FROM person)"
    )
    return Check(LEANS, "demographic", "sid", sql)


def _lines(path: Path, shown: str, unpacked: Path) -> Iterator[tuple[RowPlace, list[str], list[str]]]:
    if zipfile.is_zipfile(path) and not _is_workbook(path):
        for file, number, header, cells in rows_of_package(path, unpacked):
            yield RowPlace(file, "", number), header, cells
        return
    for sheet, number, header, cells in rows_of_workbook(path):
        yield RowPlace(shown, sheet, number), header, cells


def _is_workbook(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return "[Content_Types].xml" in archive.namelist() or "content.xml" in archive.namelist()


def _upwards(sid: str, parents: Mapping[str, str]) -> Iterator[str]:
    """An org and what lies above it in the file, as far as a broken tree lets one climb."""
    for _step in range(_DEEPEST):
        if not sid:
            return
        yield sid
        sid = parents.get(sid, "")


def _paths_of(sids: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    wanted = sorted(sids)
    for first in range(0, len(wanted), _CHUNK):
        held = Org.objects.visible().filter(sourced_id__in=wanted[first : first + _CHUNK])
        found |= dict(held.values_list("sourced_id", "path"))
    return found
