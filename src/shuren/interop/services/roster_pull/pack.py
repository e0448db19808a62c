"""The landed pages of a turn as one roster package."""

import csv
from pathlib import Path

import duckdb

from shuren.directory import api as directory
from shuren.interop.data import PullKind, Resource
from shuren.interop.models import RosterPull
from shuren.interop.rules.roster_pull.rows import NO_COURSE, NO_TERM
from shuren.interop.services.roster_pull.land import folder_of, headings_of
from shuren.interop.services.roster_pull.remote import Broken

_MEMORY = "350MB"


def find_top(pull: RosterPull) -> str:
    """The one org of a full turn that stands for ours; raises `Broken` where there is none or more than one."""
    folder = folder_of(pull.pk)
    tops = []
    if _pages(folder, "orgs"):
        with _opened(folder) as duck:
            tops = duck.execute(f"{_latest(folder, 'orgs')} WHERE parentSourcedId = '' ORDER BY place").fetchall()
    if len(tops) != 1:
        raise Broken("tops", f"{len(tops)}: {', '.join(str(row[1]) for row in tops[:5])}")
    return str(tops[0][1])


def pack_pull(pull: RosterPull) -> tuple[Path | None, int]:
    """Write the package of all landed rows, each object once; returns its path (None: there is nothing) and the rows."""
    folder = folder_of(pull.pk)
    is_full = pull.kind == PullKind.FULL
    package = folder / "package"
    package.mkdir(parents=True, exist_ok=True)
    states, rows = {}, 0
    with _opened(folder) as duck:
        for file in directory.roster_headings():
            if _pages(folder, file) or (is_full and _is_taken(pull, file)):
                rows += _merge(duck, pull, folder, file, package / f"{file}.csv")
                states[file] = "bulk" if is_full else "delta"
        if "classes" in states:
            for file in ("courses", "academicSessions"):
                _stand_in(duck, pull, folder, file, package / f"{file}.csv")
                states[file] = "bulk" if is_full else "delta"
    if not rows:
        return None, 0
    path = folder / "roster.zip"
    directory.pack_roster(folder=package, states=states, path=path)
    return path, rows


def _is_taken(pull: RosterPull, file: str) -> bool:
    """Whether a full turn speaks of a file: one without rows then says that nothing is left."""
    return file in ("orgs", "users", "roles") or file in pull.source.takes


def _opened(folder: Path) -> duckdb.DuckDBPyConnection:
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        "threads": "2",
        "temp_directory": str(folder / "spill"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    return duckdb.connect(":memory:", config=config)


def _pages(folder: Path, file: str) -> list[str]:
    return sorted(str(path) for path in folder.glob(f"{file}-*.csv"))


def _latest(folder: Path, file: str) -> str:
    """Every landed row of a file, and of two about one object the later."""
    pages = _pages(folder, file)
    if not pages:
        columns = ", ".join(f"'' AS {_quoted(heading)}" for heading in headings_of(file))
        return f"SELECT 0::BIGINT AS place, {columns} WHERE false"
    columns = ", ".join(
        f"'{heading}': '{'BIGINT' if heading == 'place' else 'VARCHAR'}'" for heading in ("place", *headings_of(file))
    )
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in pages)
    return (
        f"SELECT * FROM (SELECT * FROM read_csv([{listed}], columns = {{{columns}}}, header = true, auto_detect = false, "
        "delim = ',', quote = '\"', escape = '\"', nullstr = '\\0none', max_line_size = 2097152) "
        "QUALIFY row_number() OVER (PARTITION BY sourcedId ORDER BY place DESC) = 1)"
    )


def _merge(duck: duckdb.DuckDBPyConnection, pull: RosterPull, folder: Path, file: str, target: Path) -> int:
    columns = ", ".join(_value(pull, file, heading) for heading in headings_of(file))
    where = ""
    if file == "orgs" and pull.source.is_same_top:
        where = f" WHERE sourcedId <> '{_safe(pull.source.top_id)}'"
    answer = duck.execute(
        f"COPY (SELECT {columns} FROM ({_latest(folder, file)}){where} ORDER BY place) TO '{_safe(str(target))}' "
        "(FORMAT csv, HEADER true, NULLSTR '\\0none')"
    ).fetchone()
    rows = int(answer[0]) if answer else 0
    if file == "orgs" and pull.source.is_same_top and pull.kind == PullKind.FULL:
        rows += _list_own(pull, target)
    return rows


def _value(pull: RosterPull, file: str, heading: str) -> str:
    """Orgs without a parent hang below ours; the other side's name for ours is ours."""
    cell = _quoted(heading)
    if file == "orgs" and heading == "parentSourcedId":
        own = _safe(directory.org_line(pull.source.org_id)["sourcedId"])
        top = _safe(pull.source.top_id) if pull.source.is_same_top else ""
        return f"CASE WHEN {cell} IN ('', '{top}') THEN '{own}' ELSE {cell} END AS {cell}"
    return cell


def _list_own(pull: RosterPull, target: Path) -> int:
    """Our own org as it stands: the whole branch is what the other side speaks of in full."""
    with target.open("a", encoding="utf-8", newline="") as file:
        told = directory.org_line(pull.source.org_id)
        csv.writer(file, lineterminator="\n").writerow([told.get(heading, "") for heading in headings_of("orgs")])
    return 1


def _stand_in(duck: duckdb.DuckDBPyConnection, pull: RosterPull, folder: Path, file: str, target: Path) -> None:
    """The course and the term of classes that have none, told once."""
    sourced_id = NO_COURSE if file == "courses" else NO_TERM
    told = {"sourcedId": sourced_id, "metadata.isPlaceholder": "true", "title": "-"}
    if pull.kind == PullKind.DELTA:
        told |= {"status": "active", "dateLastModified": pull.begun_at.isoformat(timespec="milliseconds")}
    own = directory.org_line(pull.source.org_id)["sourcedId"]
    told |= {"orgSourcedId": own} if file == "courses" else {}
    if file == "academicSessions":
        told |= {"type": "term", "startDate": "2000-09-01", "endDate": "2001-08-31", "schoolYear": "2001"}
    columns = ", ".join(_quoted(heading) for heading in headings_of(file))
    values = ", ".join(f"'{_safe(told.get(heading, ''))}' AS {_quoted(heading)}" for heading in headings_of(file))
    is_there = Resource(file).value in pull.source.takes or _pages(folder, file)
    rest = f"SELECT {columns} FROM ({_latest(folder, file)}) WHERE sourcedId <> '{sourced_id}'" if is_there else ""
    query = f"SELECT {values}" + (f" UNION ALL ({rest})" if rest else "")
    duck.execute(f"COPY ({query}) TO '{_safe(str(target))}' (FORMAT csv, HEADER true, NULLSTR '\\0none')")


def _quoted(heading: str) -> str:
    return f'"{heading}"'


def _safe(text: str) -> str:
    return text.replace("'", "''")
