"""The checks of a staged roster, as SQL over the staged tables.

Each check finds rows (`src`, `row`, `value`, `detail`) that break one rule in one cell; `rule` names the sentence that
is shown for it. Checks that only warn say so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shuren.directory.data import OrgType, Role, SessionType
from shuren.directory.rules.roster.kinds import DATES, LENGTHS, ROLES, STAGED, SWITCHES
from shuren.directory.rules.tree import PARENT_TYPES, ROOT_TYPES

_REGIONS = (OrgType.PROVINCE.value, OrgType.CITY.value, OrgType.COUNTY.value)
_SITES = (OrgType.SCHOOL.value, OrgType.CAMPUS.value, OrgType.TEACHING_POINT.value, OrgType.GRADE.value)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Check:
    """One rule on one cell of one staged table."""

    rule: str
    table: str
    cell: str
    sql: str
    is_error: bool = True


def _where(table: str, cell: str, rule: str, condition: str, *, detail: str = "''", is_error: bool = True) -> Check:
    sql = f"SELECT t.src, t.row, t.{cell}, {detail} FROM {table} t WHERE {condition}"  # noqa: S608  # every part is a constant of this module
    return Check(rule, table, cell, sql, is_error)


def quoted(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def required(table: str, cell: str, src: int) -> Check:
    return _where(table, cell, "required", f"t.src = {src} AND t.{cell} = ''")


def cell_checks(tables: Sequence[str]) -> Iterator[Check]:
    """Rules that look at one cell alone."""
    for table in tables:
        for cell, limit in LENGTHS.get(table, {}).items():
            yield _where(table, cell, "too_long", f"length(t.{cell}) > {limit}", detail=f"'{limit}'")
        for cell in DATES.get(table, ()):
            if cell in STAGED[table]:
                yield _where(table, cell, "date", _bad_date(f"t.{cell}"))
        for cell in SWITCHES.get(table, ()):
            yield _where(table, cell, "switch", f"t.{cell} NOT IN ('true', 'false', '')")
    yield from _word_checks(tables)
    if "demographic" in tables:
        yield _where("demographic", "birth_date", "birth", _bad_birth("t.birth_date"))
        yield _word("demographic", "sex", ("0", "1", "2", "9"))
    yield _where("person", "birth_date", "birth", _bad_birth("t.birth_date"))
    yield _where(
        "session", "school_year", "year", "t.school_year <> '' AND NOT regexp_full_match(t.school_year, '(19|20)[0-9]{2}')"
    )


def character_checks(table: str) -> Iterator[Check]:
    """One check per cell, worth running only when some cell of the table holds a control character."""
    for cell in ("sid", *STAGED[table]):
        yield _where(table, cell, "control", f"regexp_matches(t.{cell}, '[\\x00-\\x1f\\x7f]')")


def _word(table: str, cell: str, words: Sequence[str]) -> Check:
    return _where(table, cell, "word", f"t.{cell} <> '' AND t.{cell} NOT IN ({quoted(words)})", detail=f"'{table}.{cell}'")


def _word_checks(tables: Sequence[str]) -> Iterator[Check]:
    if "org" in tables:
        yield _word("org", "type", [kind.value for kind in OrgType])
        yield _where("org", "type", "class_in_orgs", "t.is_class = '' AND t.type = 'class'")
        yield _where(
            "org",
            "class_type",
            "word",
            "t.is_class = 'true' AND t.class_type NOT IN ('homeroom', 'scheduled', '')",
            detail="'org.class_type'",
        )
    if "session" in tables:
        yield _word("session", "type", [kind.value for kind in SessionType])
    if "affiliation" in tables:
        yield _where(
            "affiliation", "role", "granted_only", "t.role IN ('system_admin', 'security_admin', 'audit_admin', 'vendor')"
        )
        words = quoted([*(role.value for role in ROLES), "system_admin", "security_admin", "audit_admin", "vendor"])
        yield _where("affiliation", "role", "word", f"t.role <> '' AND t.role NOT IN ({words})", detail="'affiliation.role'")
    if "enrollment" in tables:
        yield _word("enrollment", "role", ("student", "teacher"))
    if "person" in tables:
        yield _word("person", "sex", ("0", "1", "2", "9"))


def _bad_date(cell: str) -> str:
    is_shaped = f"regexp_full_match({cell}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
    return f"{cell} <> '' AND (NOT {is_shaped} OR TRY_CAST({cell} AS DATE) IS NULL)"


def _bad_birth(cell: str) -> str:
    return f"TRY_CAST({cell} AS DATE) NOT BETWEEN DATE '1900-01-01' AND current_date"


def period_checks() -> Iterator[Check]:
    for table in ("session", "org", "affiliation", "enrollment"):
        condition = "TRY_CAST(t.end_date AS DATE) < TRY_CAST(t.begin_date AS DATE)"
        yield _where(table, "end_date", "period", condition, detail="t.begin_date")


def status_checks(table: str, src: int, *, is_delta: bool) -> Iterator[Check]:
    """In a bulk file status and dateLastModified are empty, in a delta file both are filled."""
    if is_delta:
        yield _where(table, "status", "status_delta", f"t.src = {src} AND t.status NOT IN ('active', 'tobedeleted')")
        yield _where(table, "modified", "modified_delta", f"t.src = {src} AND TRY_CAST(t.modified AS TIMESTAMPTZ) IS NULL")
    else:
        yield _where(table, "status", "status_bulk", f"t.src = {src} AND t.status <> ''")
        yield _where(table, "modified", "status_bulk", f"t.src = {src} AND t.modified <> ''")


def duplicate_check(table: str) -> Check:
    """Every row after the first with the same sourced id; the finding names the first."""
    sql = (
        f"SELECT t.src, t.row, t.sid, d.place FROM {table} t JOIN (SELECT sid, min((src, row)) AS first, "  # noqa: S608  # constants
        f"min(row)::VARCHAR AS place FROM {table} WHERE sid <> '' GROUP BY sid HAVING count(*) > 1) d USING (sid) WHERE "
        "(t.src, t.row) <> d.first"
    )
    return Check("duplicate", table, "sid", sql)


def number_checks() -> Iterator[Check]:
    """Numbers that other registers issue: a fault in them is told, not refused, since registers hold faulty ones too."""
    weighted = " + ".join(f"(ascii(t.national_id[{place}]) - 48) * {weight}" for place, weight in enumerate(_ID_WEIGHTS, 1))
    bad_id = (
        "t.synthetic <> 'true' AND t.national_id <> '' AND CASE WHEN regexp_full_match(t.national_id, '[0-9]{17}[0-9X]') "
        f"THEN substr('10X98765432', ({weighted}) % 11 + 1, 1) <> t.national_id[18] ELSE true END"
    )
    yield _where("person", "national_id", "national_id", bad_id, is_error=False)
    yield _where(
        "person",
        "birth_date",
        "birth_differs",
        "regexp_full_match(t.national_id, '[0-9]{17}[0-9X]') AND t.birth_date <> '' AND t.national_id[7:14] <> "
        "replace(t.birth_date, '-', '')",
        detail="t.national_id[7:14]",
        is_error=False,
    )
    bad_number = "t.pupil_number <> '' AND NOT regexp_full_match(t.pupil_number, '[GJL][0-9]{17}[0-9X]')"
    yield _where("person", "pupil_number", "pupil_number", bad_number, is_error=False)
    numbers = "SELECT pupil_number, sid FROM person UNION ALL SELECT pupil_number, sid FROM held_number"
    twice = f"SELECT pupil_number FROM ({numbers}) WHERE pupil_number <> '' GROUP BY 1 HAVING count(DISTINCT sid) > 1"  # noqa: S608  # constants
    yield _where("person", "pupil_number", "pupil_number_twice", f"t.pupil_number IN ({twice})", is_error=False)


def _missing(table: str, cell: str, known: str, *, extra: str = "") -> Check:
    condition = f"t.{cell} <> '' {extra} AND t.{cell} NOT IN (SELECT sid FROM known_{known})"  # noqa: S608  # constants
    return _where(table, cell, "unknown_" + known, condition)


def reference_checks() -> Iterator[Check]:
    """Rules that join rows: against each other and against what the database holds (the `known_…` views)."""
    yield _missing("session", "parent", "session")
    yield _missing("org", "parent", "org")
    yield _missing("org", "school", "org")
    yield _missing("org", "course", "course")
    terms = (
        "SELECT t.src, t.row, u.term, '' FROM org t, unnest(string_split(t.terms, ',')) u(term) "
        "WHERE t.terms <> '' AND u.term NOT IN (SELECT sid FROM known_session)"
    )
    yield Check("unknown_session", "org", "terms", terms)
    yield _missing("course", "org", "org")
    yield _missing("course", "session", "session")
    yield _missing("affiliation", "person", "person")
    yield _missing("affiliation", "org", "org")
    yield _missing("enrollment", "person", "person")
    yield _missing("enrollment", "org", "org")
    yield _missing("enrollment", "school", "org")
    yield _missing("person", "primary_org", "org")
    yield _missing("link", "guardian", "person")
    yield _missing("link", "ward", "person", extra="AND t.guardian <> ''")
    yield _where("link", "guardian", "own_guardian", "t.guardian = t.ward AND t.guardian <> ''")
    yield from _tree_checks()
    yield from _role_checks()


def _tree_checks() -> Iterator[Check]:
    pairs = quoted([f"{child.value}<{parent.value}" for child, parents in PARENT_TYPES.items() for parent in sorted(parents)])
    types = quoted([kind.value for kind in OrgType])
    sql = (
        "SELECT t.src, t.row, t.parent, p.type || '<' || t.type FROM org t JOIN known_org p ON p.sid = t.parent "  # noqa: S608  # constants
        f"WHERE t.type IN ({types}) AND p.type IN ({types}) AND t.type || '<' || p.type NOT IN ({pairs})"
    )
    yield Check("type_under_type", "org", "parent", sql)
    roots = quoted([kind.value for kind in ROOT_TYPES])
    yield _where("org", "type", "root_type", f"t.is_class = '' AND t.parent = '' AND t.type NOT IN ({roots}, '')")
    yield _where(
        "org",
        "parent",
        "second_root",
        "t.is_class = '' AND t.parent = '' AND t.sid <> (SELECT sid FROM first_root)",
        detail="(SELECT sid FROM first_root)",
    )
    yield Check(
        "cycle", "org", "parent", "SELECT t.src, t.row, t.parent, '' FROM org t WHERE t.sid IN (SELECT sid FROM circling)"
    )
    sql = "SELECT t.src, t.row, t.org, '' FROM enrollment t JOIN known_org o ON o.sid = t.org WHERE o.type <> 'class'"
    yield Check("not_a_class", "enrollment", "org", sql)


def _role_checks() -> Iterator[Check]:
    head = "SELECT t.src, t.row, t.role, o.type FROM affiliation t JOIN known_org o ON o.sid = t.org WHERE "
    yield Check("pupil_outside_school", "affiliation", "role", head + f"t.role = 'pupil' AND o.type IN ({quoted(_REGIONS)})")
    officers = quoted((Role.COUNTY_OFFICER.value, Role.CITY_OFFICER.value, Role.PROVINCE_OFFICER.value))
    yield Check(
        "officer_in_school", "affiliation", "role", head + f"t.role IN ({officers}) AND o.type IN ({quoted((*_SITES, 'class'))})"
    )
    sql = (
        "SELECT t.src, t.row, t.is_primary, t.person FROM affiliation t JOIN (SELECT person, org, min((src, row)) AS "
        "first FROM affiliation "
        "WHERE is_primary = 'true' AND person <> '' AND status <> 'tobedeleted' GROUP BY 1, 2 HAVING count(*) > 1) d "
        "ON d.person = t.person AND d.org = t.org "
        "WHERE t.is_primary = 'true' AND t.status <> 'tobedeleted' AND (t.src, t.row) <> d.first"
    )
    yield Check("two_primaries", "affiliation", "is_primary", sql)
    sql = (
        "SELECT t.src, t.row, t.primary_org, '' FROM person t WHERE t.primary_org <> '' AND t.status <> 'tobedeleted' "
        "AND NOT EXISTS "
        "(SELECT 1 FROM affiliation a WHERE a.person = t.sid AND a.org = t.primary_org) AND NOT EXISTS "
        "(SELECT 1 FROM have_affiliation_of a WHERE a.person = t.sid AND a.org = t.primary_org)"
    )
    yield Check("primary_org", "person", "primary_org", sql)
