"""Lines of a package that the last applied one said word for word: they need no second reading.

After a bulk package is applied, a keyed hash of each line of its long files is kept beside it (`remember_roster`). The
next package of the same importer is first read as lines only; a line is read in full when it is new, when the row
behind it was written by somebody else since, when its id is there twice, or when a line about the same person or org
changed or went, because the checks look at those together. What comes out is what reading every line would find.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from shuren.directory.models import AppliedRoster, Grant, OrgHistory
from shuren.directory.rules.roster.kinds import AFFILIATION, ENROLLMENT, LINK, PERSON, Kind
from shuren.directory.rules.roster.oneroster import CLASSES, DEMOGRAPHICS, ENROLLMENTS, ORGS, ROLES, USERS, FileSpec
from shuren.directory.selectors.roster import branch_condition, written_condition, written_since_sql
from shuren.directory.services.check_roster.held import pull_rows
from shuren.directory.services.check_roster.staging import Stage
from shuren.intake.api import import_dir
from shuren.trust.api import blind_index

FOLDER = "lines"
ABOUT = "about.json"
LONG_FILES = (USERS, DEMOGRAPHICS, ROLES, ENROLLMENTS)
# Orgs and classes are few and read in full, but a change of one touches the ties to it.
LINED_FILES = (*LONG_FILES, ORGS, CLASSES)
# Above this share of lines to be read in full, reading all of them is quicker.
_MOST = 0.4
_NEWEST = 20
_MOVING = ("moved", "merged", "absorbed")


@dataclass(frozen=True, slots=True)
class Lined:
    """One unpacked file of a package that the fast reader can read."""

    path: Path
    spec: FileSpec
    header: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remembered:
    """The lines of one applied package, the branches it spoke of, and that import with those applied after it."""

    folder: Path
    headers: Mapping[str, list[str]]
    paths: tuple[str, ...]
    imports: tuple[int, ...]

    @property
    def salt(self) -> str:
        return salt_of(self.imports[0])

    def table(self, spec: FileSpec) -> str:
        return f"read_parquet('{self.folder / spec.name}.parquet')"

    def unsaid(self, kind: Kind) -> tuple[str, list[Any]]:
        """The condition that the package did not leave a held row as it stands: written since, or in no branch of its own.

        Links need none: they come with the lines of their wards.
        """
        if kind is LINK:
            return "false", []
        written, imports = written_condition(self.imports)
        inside, parameters = branch_condition(kind, self.paths)
        return f"({written} OR NOT ({inside}))", [*imports, *parameters]


def salt_of(import_id: int) -> str:
    """The key of an import's line hashes: who has the files alone cannot try out what a line said."""
    return blind_index(str(import_id), purpose="directory.roster_lines")


def find_remembered(reach: Sequence[str]) -> Remembered | None:
    """The newest applied package brought with the same reach whose lines are kept, unless branches were moved since."""
    newest = list(AppliedRoster.objects.filter(undone_at__isnull=True).order_by("-applied_at", "-import_id")[:_NEWEST])
    for place, applied in enumerate(newest):
        folder = import_dir(applied.import_id) / FOLDER
        try:
            about = json.loads((folder / ABOUT).read_text())
        except FileNotFoundError:
            continue
        if about["reach"] != list(reach) or about["version"] != version("shuren"):
            continue
        if OrgHistory.objects.filter(at__gt=applied.applied_at, change__in=_MOVING).exists():
            return None
        later = tuple(other.import_id for other in newest[:place])
        return Remembered(folder, about["headers"], tuple(about["paths"]), (applied.import_id, *later))
    return None


def read_lines(stage: Stage, file: Lined, salt: str) -> None:
    """`line_<file>`: sourced id and hash of every line, the person and org it speaks of, its pupil number and how many agents.

    In no order, so that both halves of the file are read at once. Raises `duckdb.Error` when the fast reader cannot
    read the file.
    """
    letters = {heading: f"trim(coalesce(c{place}, ''))" for place, heading in enumerate(file.header)}
    cells = {cell: letters[heading] for heading, cell in file.spec.cells.items()}
    sid = letters["sourcedId"]
    person = sid if file.spec in (USERS, DEMOGRAPHICS) else cells.get("person", "''")
    org = sid if file.spec in (ORGS, CLASSES) else cells.get("org", "''")
    number = next(
        (letters[heading] for heading, cell in file.spec.extensions.items() if cell == "pupil_number" and heading in letters),
        "''",
    )
    named = cells.get("agents", "''")
    agents = f"len(list_distinct(list_filter(string_split({named}, ','), lambda a: trim(a) <> '')))"
    whole = ", ".join(f"coalesce(c{place}, '')" for place in range(len(file.header)))
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(file.header)))
    stage.duck.execute("SET preserve_insertion_order = false")
    stage.duck.execute(
        f"CREATE OR REPLACE TABLE line_{file.spec.name} AS SELECT {sid} AS sid, "
        f"md5_number(concat_ws(chr(31), '{salt}', {whole})) AS line, {person} AS person, {org} AS org, "
        f"{number} AS number, {agents} AS agents "
        f"FROM read_csv(?, columns = {{{columns}}}, header = true, auto_detect = false, delim = ',', quote = '\"', "
        "escape = '\"', strict_mode = true, nullstr = '', max_line_size = 2097152)",
        [str(file.path)],
    )
    stage.duck.execute("SET preserve_insertion_order = true")


def ids_to_read(stage: Stage, known: Remembered, files: Sequence[Lined]) -> dict[str, str]:
    """For each long file the query of the ids whose lines are to be read in full; nothing when all of them are.

    Leaves in the stage how many rows were passed over (`passed`) and the ids of rows that are listed no more (`gone`).
    """
    lined = {file.spec.name: file for file in files}
    if {name: list(file.header) for name, file in lined.items()} != known.headers:
        return {}
    try:
        for file in files:
            read_lines(stage, file, known.salt)
    except duckdb.Error:
        return {}
    specs = [file.spec for file in files]
    _find_written(stage, known)
    for spec in specs:
        _compare_lines(stage, known, spec)
    _find_touched(stage, specs)
    wanted = {spec.name: _make_wanted(stage, spec) for spec in specs if spec in LONG_FILES}
    counts = {
        name: (
            int(stage.value(f"SELECT count(*) FROM line_{name}")),
            int(stage.value(f"SELECT count(*) FROM line_{name} WHERE sid IN ({query})")),
        )
        for name, query in wanted.items()
    }
    if sum(read for _, read in counts.values()) > _MOST * sum(all_lines for all_lines, _ in counts.values()):
        return {}
    _keep_passed(stage, counts, specs)
    return wanted


def _find_written(stage: Stage, known: Remembered) -> None:
    """`written`: ids of rows, and of people whose links, somebody else wrote since that package was applied."""
    stage.duck.execute("CREATE OR REPLACE TABLE written (id BIGINT, kind VARCHAR, sid VARCHAR)")
    for kind in (PERSON, AFFILIATION, ENROLLMENT, LINK):
        pull_rows(stage, "written", *written_since_sql(kind, known.imports))
    # A role that waits, or waited in vain, for a second pair of eyes is no row yet: its line is looked at again.
    asked = Grant.objects.filter(office__isnull=False).values_list("office__sourced_id", flat=True)
    stage.duck.execute(
        f"INSERT INTO written SELECT 0, '{AFFILIATION.name}', unnest(?::VARCHAR[])", [[sid for sid in asked if sid]]
    )


def _compare_lines(stage: Stage, known: Remembered, spec: FileSpec) -> None:
    """`changed_<file>` and `lost_<file>`: lines that are not as they were, and what the lines that went spoke of."""
    name, kept = spec.name, known.table(spec)
    stage.duck.execute(
        f"CREATE OR REPLACE TABLE changed_{name} AS SELECT sid, person, org FROM line_{name} "
        f"WHERE line NOT IN (SELECT line FROM {kept}) "
        f"OR sid IN (SELECT sid FROM written WHERE kind = '{spec.table}') "
        f"OR sid IN (SELECT sid FROM line_{name} GROUP BY sid HAVING count(*) > 1)"
    )
    stage.duck.execute(
        f"CREATE OR REPLACE TABLE lost_{name} AS SELECT sid, person, org FROM {kept} WHERE sid NOT IN "
        f"(SELECT sid FROM line_{name})"
    )


def _find_touched(stage: Stage, specs: Sequence[FileSpec]) -> None:
    """`touched_person` and `touched_org`: whom a changed or lost line speaks of, and who shares a pupil number with them."""
    people = [spec.name for spec in specs if spec in (USERS, DEMOGRAPHICS, ROLES)]
    orgs = [spec.name for spec in specs if spec in (ORGS, CLASSES)]
    for column, names in (("person", people), ("org", orgs)):
        every = " UNION ".join(f"SELECT {column} AS sid FROM {part}_{name}" for name in names for part in ("changed", "lost"))
        stage.duck.execute(f"CREATE OR REPLACE TABLE touched_{column} AS {every or 'SELECT NULL AS sid WHERE false'}")
    if USERS in specs:
        numbers = "SELECT number FROM line_users WHERE number <> '' AND sid IN (SELECT sid FROM touched_person)"
        stage.duck.execute(f"INSERT INTO touched_person SELECT sid FROM line_users WHERE number IN ({numbers})")


def _make_wanted(stage: Stage, spec: FileSpec) -> str:
    """The query of `wanted_<file>`: ids of lines that changed, and of those about people and orgs touched elsewhere."""
    name = spec.name
    wanted = f"SELECT sid FROM changed_{name}"
    if spec is not ENROLLMENTS:
        wanted += f" UNION SELECT sid FROM line_{name} WHERE person IN (SELECT sid FROM touched_person)"
    if spec in (ROLES, ENROLLMENTS):
        wanted += f" UNION SELECT sid FROM line_{name} WHERE org IN (SELECT sid FROM touched_org)"
    stage.duck.execute(f"CREATE OR REPLACE TABLE wanted_{name} AS {wanted}")
    return f"SELECT sid FROM wanted_{name}"


def _keep_passed(stage: Stage, counts: Mapping[str, tuple[int, int]], specs: Sequence[FileSpec]) -> None:
    ties = [spec for spec in specs if spec in (USERS, ROLES, ENROLLMENTS)]
    listed = " UNION ALL ".join(f"SELECT '{spec.table}' AS kind, sid FROM line_{spec.name}" for spec in ties)
    stage.duck.execute(f"CREATE OR REPLACE VIEW listed AS {listed}")
    unread = "SELECT sum(agents) FROM line_users WHERE sid NOT IN (SELECT sid FROM wanted_users)"
    stage.duck.execute("INSERT INTO passed VALUES (?, ?)", [LINK.name, stage.value(unread) if USERS in specs else 0])
    if DEMOGRAPHICS in specs:
        every, read = counts[DEMOGRAPHICS.name]
        stage.duck.execute("INSERT INTO passed VALUES (?, ?)", [DEMOGRAPHICS.table, every - read])
    for spec in ties:
        every, read = counts[spec.name]
        stage.duck.execute("INSERT INTO passed VALUES (?, ?)", [spec.table, every - read])
        stage.duck.execute(f"INSERT INTO gone SELECT '{spec.table}', sid FROM lost_{spec.name}")
