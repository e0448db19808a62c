"""What is written where: the rows of a staged roster as columns of the database, in SQL of the stage."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from shuren.directory.rules.roster.kinds import LINK, ORG, PERSON, SESSION, Kind
from shuren.directory.services.check_roster.difference import sid_of
from shuren.directory.services.check_roster.staging import Stage
from shuren.kernel.moments import stored


@dataclass(frozen=True, slots=True)
class Write:
    """One database table: its columns with the stage's expression for each, and the rows they come from.

    An expression that starts with `date:`, `bool:` or `blob:` is turned into what the database takes. Rows are read in
    runs of `key`, which goes over the ids of `keys`, so that the joins behind them need the memory of one run, however
    large the roster; `order` is for the few tables whose rows refer to each other.
    """

    table: str
    columns: tuple[tuple[str, str], ...]
    source: str
    keys: str
    key: str = "n.id"
    order: str = ""

    def queries(self, stage: Stage, *, is_postgresql: bool) -> Iterator[str]:
        """One query per run of keys."""
        values = ", ".join(f"{expression_for(text, is_postgresql=is_postgresql)} AS {name}" for name, text in self.columns)
        first, last = stage.rows(f"SELECT min(id), max(id) FROM {self.keys}")[0]
        if first is None:
            return
        step = last - first + 1 if self.order else RUN
        for start in range(first, last + 1, step):
            run = f"{self.key} >= {start} AND {self.key} < {start + step}"
            order = f" ORDER BY {self.order}" if self.order else ""
            yield f"SELECT {values} FROM {self.source} WHERE {run}{order}"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)


RUN = 100_000


def expression_for(text: str, *, is_postgresql: bool) -> str:
    kind, _, cell = text.rpartition(":") if text.startswith(("date:", "bool:", "blob:")) else ("", "", text)
    if kind == "date":
        return f"nullif({cell}, '')"
    if kind == "bool":
        return f"nullif({cell}, '')" if is_postgresql else f"CASE {cell} WHEN 'true' THEN 1 WHEN 'false' THEN 0 END"
    if kind == "blob":
        return f"'\\x' || lower(hex({cell}))" if is_postgresql else cell
    return cell


def _roster(import_id: int) -> tuple[tuple[str, str], ...]:
    return (("row_hash", "blob:d.hash"), ("import_id", str(import_id)))


_SET: dict[str, tuple[tuple[str, str], ...]] = {
    "session": (
        ("title", "t.title"),
        ("type", "t.type"),
        ("begin_date", "date:t.begin_date"),
        ("end_date", "date:t.end_date"),
        ("parent_id", "p.id"),
        ("school_year", "t.school_year::INTEGER"),
    ),
    "org": (
        ("code", "t.code"),
        ("name", "t.name"),
        ("short_name", "t.short_name"),
        ("type", "t.type"),
        ("status", "t.state"),
        ("parent_id", "p.id"),
        ("division_code", "t.division_code"),
        ("credit_code", "t.credit_code"),
        ("is_rural", "bool:t.is_rural"),
        ("grade", "t.grade"),
        ("begin_date", "date:t.begin_date"),
        ("end_date", "date:t.end_date"),
    ),
    "course": (
        ("title", "t.title"),
        ("code", "t.code"),
        ("grades", "t.grades"),
        ("subject", "t.subject"),
        ("org_id", "o.id"),
        ("session_id", "s.id"),
    ),
    "person": (
        ("name", "t.name"),
        ("family_name", "t.family_name"),
        ("given_name", "t.given_name"),
        ("sort_key", "k.sort_key"),
        ("sex", "t.sex"),
        ("birth_date", "date:t.birth_date"),
        ("username", "t.username"),
        ("pupil_number", "t.pupil_number"),
        ("staff_number", "t.staff_number"),
        ("email", "t.email"),
        ("phone", "t.phone"),
        ("grade", "t.grade"),
        ("national_id_index", "t.national_id_index"),
        ("is_active", "bool:t.enabled"),
        ("is_synthetic", "bool:t.synthetic"),
    ),
    "affiliation": (
        ("person_id", "p.id"),
        ("org_id", "o.id"),
        ("org_path", "o.path"),
        ("role", "t.role"),
        ("is_primary", "bool:t.is_primary"),
        ("begin_date", "date:t.begin_date"),
        ("end_date", "date:t.end_date"),
    ),
    "enrollment": (
        ("person_id", "p.id"),
        ("class_org_id", "o.id"),
        ("org_path", "o.path"),
        ("role", "t.role"),
        ("is_primary", "bool:t.is_primary"),
        ("begin_date", "date:t.begin_date"),
        ("end_date", "date:t.end_date"),
    ),
    "link": (("guardian_id", "g.id"), ("ward_id", "w.id"), ("relation", "t.relation")),
}
_JOINS = {
    "session": "LEFT JOIN ids_session p ON p.sid = t.parent",
    "org": "LEFT JOIN place_org p ON p.sid = t.parent",
    "course": "JOIN place_org o ON o.sid = t.org LEFT JOIN ids_session s ON s.sid = t.session",
    "person": "JOIN sort_keys k ON k.name = t.name",
    "affiliation": "JOIN ids_person p ON p.sid = t.person JOIN place_org o ON o.sid = t.org",
    "enrollment": "JOIN ids_person p ON p.sid = t.person JOIN place_org o ON o.sid = t.org",
    "link": "JOIN ids_person g ON g.sid = t.guardian JOIN ids_person w ON w.sid = t.ward",
}
# What a new row has beyond the cells a roster may change.
_BORN: dict[str, tuple[tuple[str, str], ...]] = {
    "org": (("path", "x.path"), ("depth", "x.depth"), ("position", "t.row"), ("geometry", "NULL"), ("successor_id", "NULL")),
    "person": (("number", "m.number"), ("national_id_sealed", "blob:z.sealed"), ("merged_into_id", "NULL")),
    "link": (("begin_date", "NULL"), ("end_date", "NULL")),
}
_BIRTH_JOINS = {
    "org": "JOIN place_org x ON x.sid = t.sid",
    "person": "JOIN new_number m ON m.id = n.id LEFT JOIN sealed_id z ON z.sid = t.sid",
}


def inserts(kind: Kind, import_id: int) -> Write:
    """Rows that are new, parents before children."""
    name = kind.name
    link = kind is LINK
    columns = (("id", "n.id"), *(() if link else (("sourced_id", "t.sid"),)), *_SET[name], *_BORN.get(name, ()))
    columns += (("import_id", str(import_id)),) if link else _roster(import_id)
    source = (
        f"new_{name} n JOIN diff_{name} d ON d.sid = n.sid AND d.action = 'add' JOIN {name} t ON {sid_of(kind, 't')} = n.sid "
        f"{_JOINS[name]} {_BIRTH_JOINS.get(name, '')}"
    )
    order = {SESSION.name: "t.parent <> '', n.id", ORG.name: "n.id"}.get(name, "")
    return Write(kind.table, columns, source, f"new_{name}", order=order)


def updates(kind: Kind, import_id: int, at: datetime) -> Write:
    """Rows that change, at the moment `at`; the first column is the id."""
    name = kind.name
    link = kind is LINK
    columns = (("id", "d.id"), *_SET[name], *(((("import_id", str(import_id))),) if link else _roster(import_id)))
    columns += (("end_date", "NULL"),) if link else (("modified_at", f"'{stored(at)}'"),)
    source = f"diff_{name} d JOIN {name} t ON {sid_of(kind, 't')} = d.sid AND d.action = 'change' {_JOINS[name]}"
    return Write(kind.table, columns, source, f"(SELECT id FROM diff_{name} WHERE action = 'change')", "d.id")


_CHANGED_PEOPLE = "(SELECT id FROM diff_person WHERE action = 'change')"


def sealed_updates() -> Write:
    """National ids that came with changed people."""
    source = "diff_person d JOIN sealed_id z ON z.sid = d.sid AND d.action = 'change'"
    return Write(PERSON.table, (("id", "d.id"), ("national_id_sealed", "blob:z.sealed")), source, _CHANGED_PEOPLE, "d.id")


def cleared_ids() -> Write:
    """Changed people who have no national id any more."""
    source = "diff_person d JOIN person t ON t.sid = d.sid AND d.action = 'change' AND t.national_id_index = ''"
    return Write(PERSON.table, (("id", "d.id"), ("national_id_sealed", "NULL")), source, _CHANGED_PEOPLE, "d.id")


def class_details(action: str) -> Write:
    """What classes have beyond orgs, of new (`add`) or changed classes; keyed by the org."""
    columns = (
        ("org_id", "o.id"),
        ("course_id", "c.id"),
        ("class_type", "t.class_type"),
        ("class_code", "t.class_code"),
    )
    source = (
        f"diff_org d JOIN org t ON t.sid = d.sid AND d.action = '{action}' AND t.is_class = 'true' "
        "JOIN place_org o ON o.sid = t.sid LEFT JOIN ids_course c ON c.sid = t.course"
    )
    return Write("directory_classdetail", columns, source, "place_org", "o.id")


def class_terms(action: str) -> Write:
    """The terms of new (`add`) or changed classes, one row each; `new_term` holds their ids."""
    columns = (("id", "n.id"), ("classdetail_id", "n.org_id"), ("academicsession_id", "n.session_id"))
    return Write("directory_classdetail_terms", columns, f"(SELECT * FROM new_term WHERE action = '{action}') n", "new_term")
