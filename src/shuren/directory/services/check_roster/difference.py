"""How the staged rows differ from the held ones: added, changed, ended, unchanged, per kind and with samples."""

from collections.abc import Sequence
from typing import Any

from shuren.directory.rules.roster.kinds import AFFILIATION, KINDS, LINK, ORG, PERSON, Kind, fingerprint_sql
from shuren.directory.rules.roster.workbook import Sheet
from shuren.directory.selectors.roster import people_tied_elsewhere
from shuren.directory.services.check_roster.held import pull_cells
from shuren.directory.services.check_roster.staging import Stage
from shuren.kernel.scope import outermost

GUARD_SHARE = 0.05
GUARD_ROWS = 10
SAMPLES = 20
_NAMED = {"session": "title", "org": "name", "course": "title", "person": "name"}
_CHUNK = 5_000


def sid_of(kind: Kind, alias: str) -> str:
    return f"({alias}.guardian || '>' || {alias}.ward)" if kind is LINK else f"{alias}.sid"


def compare(stage: Stage, kind: Kind) -> None:
    """Fill `diff_<kind>` with one action per staged row; held rows that only look different are told the same."""
    name = kind.name
    digest = f"md5(concat_ws(chr(31), {', '.join(f't.{cell}' for cell in kind.cells)}))"
    stage.duck.execute(
        f"CREATE OR REPLACE TABLE diff_{name} AS SELECT s.sid, s.src, s.row, unhex(s.digest) AS hash, h.id, "
        "CASE WHEN s.status = 'tobedeleted' THEN CASE WHEN h.holds THEN 'end' ELSE 'same' END WHEN h.id IS NULL THEN 'add' "
        "WHEN h.hash = s.digest THEN 'same' ELSE 'maybe' END AS action "
        f"FROM (SELECT {sid_of(kind, 't')} AS sid, t.src, t.row, t.status, {digest} AS digest FROM {name} t) s "
        f"LEFT JOIN have_{name} h ON h.sid = s.sid"
    )
    pull_cells(stage, kind, f"SELECT id FROM diff_{name} WHERE action = 'maybe'")
    _fill_absent(stage, kind)
    stage.duck.execute(
        f"UPDATE diff_{name} SET action = 'same' FROM was_{name} w WHERE w.id = diff_{name}.id AND action = 'maybe' AND "
        f"hash = {fingerprint_sql(kind, 'w')}"
    )
    stage.duck.execute(f"UPDATE diff_{name} SET action = 'change' WHERE action = 'maybe'")


def _fill_absent(stage: Stage, kind: Kind) -> None:
    """Give staged rows the held value of every cell that their file has no column for."""
    name = kind.name
    absent = {
        src: [cell for cell in source.absent_cells(name) if cell in kind.cells]
        for src, source in enumerate(stage.sources)
        if source.spec.table == name
    }
    if kind is PERSON and not stage.has_demographics:
        absent = {
            src: [*cells, *({"sex", "birth_date"} - set(cells))]
            for src, cells in absent.items()
            if not isinstance(stage.sources[src].spec, Sheet)
        } or absent
    if kind is PERSON and stage.has_demographics:
        # Demographics tell the sex of whoever they speak of; of the others it stays (`_keep_untold`).
        absent = {
            src: cells if isinstance(stage.sources[src].spec, Sheet) else [cell for cell in cells if cell != "sex"]
            for src, cells in absent.items()
        }
    for src, cells in absent.items():
        if cells:
            stage.duck.execute(
                f"UPDATE {name} SET {', '.join(f'{cell} = w.{cell}' for cell in cells)} FROM was_{name} w WHERE w.sid = "
                f"{name}.sid AND {name}.src = {src}"
            )
    untold = _keep_untold(stage) if kind is PERSON and stage.has_demographics else 0
    if untold or any(absent.values()):
        stage.duck.execute(
            f"UPDATE diff_{name} SET hash = {fingerprint_sql(kind, 't')} FROM {name} t WHERE t.sid = diff_{name}.sid "
            "AND action = 'maybe'"
        )


def _keep_untold(stage: Stage) -> int:
    """Whoever demographics do not speak of keeps the sex that is held, and in a delta the birth date too."""
    is_delta = any(source.is_delta and source.spec.table == "demographic" for source in stage.sources)
    kept = 0
    for src, source in enumerate(stage.sources):
        if source.spec.table != PERSON.name or isinstance(source.spec, Sheet):
            continue
        cells = sorted({"sex"} & set(source.absent_cells(PERSON.name)))
        cells += ["birth_date"] if is_delta and source.is_delta else []
        if cells:
            kept += stage.insert(
                f"UPDATE person SET {', '.join(f'{cell} = w.{cell}' for cell in cells)} FROM was_person w "
                f"WHERE w.sid = person.sid AND person.src = {src} AND person.sid NOT IN (SELECT sid FROM told_demographic)"
            )
    return kept


def find_missing(stage: Stage, kind: Kind, condition: str, *, paths: Sequence[str], day: str) -> None:
    """Fill `end_<kind>` with the held rows that end: told so by a delta file, or missing from a full one (`condition`)."""
    name = kind.name
    stage.duck.execute(
        f"CREATE OR REPLACE TABLE end_{name} AS SELECT id, sid FROM diff_{name} WHERE action = 'end' UNION ALL "
        f"SELECT h.id, h.sid FROM have_{name} h WHERE h.holds AND ({condition}) AND h.sid NOT IN (SELECT sid FROM diff_{name}) "
        f"AND h.sid NOT IN (SELECT sid FROM listed WHERE kind = '{name}')"
    )
    if kind is PERSON and paths:
        ids = [
            row[0]
            for row in stage.rows("SELECT id FROM end_person WHERE id NOT IN (SELECT id FROM diff_person WHERE action = 'end')")
        ]
        for start in range(0, len(ids), _CHUNK):
            if elsewhere := people_tied_elsewhere(ids[start : start + _CHUNK], outermost(paths), day):
                stage.duck.execute("DELETE FROM end_person WHERE id IN (SELECT unnest(?))", [elsewhere])


def branches_of(stage: Stage) -> list[str]:
    """The outermost branches of the held tree that the file speaks of."""
    return list(outermost(row[0] for row in stage.rows("SELECT h.b FROM org t JOIN have_org h ON h.sid = t.sid WHERE h.holds")))


def paths_condition(column: str, paths: Sequence[str]) -> str:
    """SQL for the stage: the path lies in one of the branches (paths hold digits and slashes only)."""
    return " OR ".join(f"starts_with({column}, '{path}')" for path in paths) or "false"


def summary(stage: Stage) -> tuple[dict[str, Any], dict[str, Any]]:
    """Counts of rows per kind, and the difference as it is shown and kept."""
    counts: dict[str, int] = {}
    difference: dict[str, Any] = {}
    guards: list[dict[str, Any]] = []
    for kind in KINDS:
        name = kind.name
        by_action = dict(stage.rows(f"SELECT action, count(*) FROM diff_{name} GROUP BY action"))
        ended = int(stage.value(f"SELECT count(*) FROM end_{name}"))
        passed = stage.passed(name)
        held = passed + int(stage.value(f"SELECT count(*) FROM have_{name} WHERE holds"))
        # Roles that wait for a second pair of eyes are no rows yet, but they are what the file would bring.
        waiting = int(stage.value("SELECT count(*) FROM office")) if kind is AFFILIATION else 0
        counts[name] = passed + waiting + sum(by_action.values())
        difference[name] = {
            "added": by_action.get("add", 0) + waiting,
            "changed": by_action.get("change", 0),
            "ended": ended,
            "unchanged": passed + by_action.get("same", 0),
            "samples": _samples(stage, kind),
        }
        if ended > GUARD_ROWS and ended > held * GUARD_SHARE:
            guards.append({"kind": name, "ended": ended, "held": held})
    difference["guards"] = guards
    difference["needs_confirmation"] = bool(guards)
    return counts, difference


def _samples(stage: Stage, kind: Kind) -> dict[str, Any]:
    name = kind.name
    named = f"t.{_NAMED[name]}" if name in _NAMED else "''"
    added = stage.rows(
        f"SELECT d.sid, any_value({named}) FROM diff_{name} d JOIN {name} t ON {sid_of(kind, 't')} = d.sid WHERE "
        f"d.action = 'add' GROUP BY d.sid ORDER BY d.sid LIMIT {SAMPLES}"
    )
    ended = stage.rows(f"SELECT sid FROM end_{name} ORDER BY sid LIMIT {SAMPLES}")
    cells = [cell for cell in kind.cells if cell != "national_id_index"]
    columns = ", ".join(f"w.{cell}, t.{cell}" for cell in cells)
    changed = stage.rows(
        f"SELECT d.sid, {named}, {columns} FROM diff_{name} d JOIN {name} t ON {sid_of(kind, 't')} = d.sid JOIN "
        f"was_{name} w ON w.id = d.id "
        f"WHERE d.action = 'change' ORDER BY d.sid LIMIT {SAMPLES}"
    )
    return {
        "added": [{"sid": sid, "name": text} for sid, text in added],
        "ended": [{"sid": sid} for (sid,) in ended],
        "changed": [
            {
                "sid": sid,
                "name": text,
                "cells": [
                    {"cell": cell, "before": values[2 * at], "after": values[2 * at + 1]}
                    for at, cell in enumerate(cells)
                    if values[2 * at] != values[2 * at + 1]
                ],
            }
            for sid, text, *values in changed
        ],
    }


def is_kept(kind: Kind) -> bool:
    """Sessions and courses have no end of their own: a file that leaves them out leaves them be."""
    return kind.name in {"session", "course"}


def missing_condition(kind: Kind, *, bulk: frozenset[str], paths: Sequence[str]) -> str:
    """When a held row that the file does not list has ended, given which files are full ones."""
    if is_kept(kind) or not paths:
        return "false"
    if kind is ORG:
        types = [
            text for text, is_there in (("h.a <> 'class'", "orgs" in bulk), ("h.a = 'class'", "classes" in bulk)) if is_there
        ]
        return f"({paths_condition('h.b', paths)}) AND ({' OR '.join(types) or 'false'})"
    if kind is LINK:
        return "h.b IN (SELECT sid FROM person)" if "users" in bulk else "false"
    if kind is PERSON:
        tied = "h.sid IN (SELECT a FROM have_affiliation UNION SELECT a FROM have_enrollment)"
        return tied if "users" in bulk else "false"
    file = "roles" if kind.name == "affiliation" else "enrollments"
    inside = f"h.b IN (SELECT o.sid FROM have_org o WHERE {paths_condition('o.b', paths)})"
    return inside if file in bulk else "false"


def named_branches(stage: Stage) -> list[str]:
    """Where the orgs stand that the file ties people to, listed in it or not."""
    tied = "SELECT org FROM affiliation UNION SELECT org FROM enrollment"
    return list(outermost(row[0] for row in stage.rows(f"SELECT b FROM have_org WHERE sid IN ({tied})")))
