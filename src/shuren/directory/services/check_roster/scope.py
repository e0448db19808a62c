"""Whether the importer may write every row: a roster reaches no further than the person who brings it."""

from collections.abc import Sequence
from datetime import datetime

from shuren.directory.data import Permission, Role
from shuren.directory.rules.permissions import BRANCH_ROLES
from shuren.directory.rules.roster.checks import Check, quoted
from shuren.directory.rules.roster.kinds import ORG
from shuren.directory.selectors.grants import giving_rights
from shuren.directory.selectors.roster import people_tied_elsewhere, people_tied_inside
from shuren.directory.selectors.scope import scope_of
from shuren.directory.services.check_roster.difference import paths_condition
from shuren.directory.services.check_roster.staging import Stage
from shuren.kernel.data import Actor

_CHUNK = 5_000


def reach_of(actor: Actor, now: datetime) -> tuple[str, ...]:
    """The branches in which the importer may write; the system's is the beginning of every path."""
    return ("",) if actor.is_system else tuple(scope_of(actor=actor, permission=Permission.IMPORT_ROSTER, now=now).paths)


def check_scope(stage: Stage, actor: Actor, *, now: datetime) -> int:
    """Run the scope checks; returns the number of errors. The system itself may write everything."""
    if actor.is_system:
        return 0
    paths = reach_of(actor, now)
    _place_staged_orgs(stage, paths)
    places = (("org", "sid"), ("course", "org"), ("affiliation", "org"), ("enrollment", "org"))
    errors = stage.run(_outside(table, cell) for table, cell in places)
    # Ids are no secret: what is held elsewhere is not taken along, nor ended, by naming another place.
    errors += stage.run(_held_outside(table) for table in ("course", "affiliation", "enrollment"))
    return errors + _check_roles(stage, actor, now)


def _place_staged_orgs(stage: Stage, paths: Sequence[str]) -> None:
    """`reach`: every org, staged or held, that lies in the importer's branches; a moved org in its old and new place."""
    held = f"SELECT sid FROM have_org h WHERE {paths_condition('h.b', paths)}"
    stage.duck.execute(f"CREATE OR REPLACE TABLE reach AS {held}")
    while stage.insert(
        "INSERT INTO reach SELECT DISTINCT t.sid FROM org t JOIN reach r ON r.sid = t.parent "
        "WHERE t.sid NOT IN (SELECT sid FROM reach) AND t.sid NOT IN (SELECT sid FROM have_org)"
    ):
        pass
    # The top of the importer's own branch keeps its parent; any other org must stay below the branch.
    stage.duck.execute(
        "DELETE FROM reach WHERE sid IN (SELECT t.sid FROM org t JOIN have_org h ON h.sid = t.sid LEFT JOIN have_org p "
        "ON p.sid = t.parent "
        f"WHERE NOT ({paths_condition('p.b', paths)}) AND regexp_replace(h.b, '[0-9]+/$', '') <> coalesce(p.b, ''))"
    )


def _outside(table: str, cell: str) -> Check:
    sql = f"SELECT t.src, t.row, t.{cell}, '' FROM {table} t WHERE t.{cell} <> '' AND t.{cell} NOT IN (SELECT sid FROM reach)"
    if table == "org":
        # The chain above the branch may be listed as long as it is left as it stands.
        sql += (
            " AND NOT EXISTS (SELECT 1 FROM have_org h WHERE h.sid = t.sid AND h.hash = md5(concat_ws(chr(31), "
            + ", ".join(f"t.{c}" for c in ORG.cells)
            + ")))"
        )
    return Check("outside_scope", table, cell, sql)


def _held_outside(table: str) -> Check:
    held = f"{table} t JOIN have_{table} h ON h.sid = t.sid"
    sql = f"SELECT t.src, t.row, t.sid, '' FROM {held} WHERE h.b NOT IN (SELECT sid FROM reach)"
    return Check("outside_scope", table, "sid", sql)


def check_people(stage: Stage, actor: Actor, *, now: datetime, day: str) -> int:
    """Held people that the file changes must not belong wholly to somebody else; asked once the difference is known.

    Whoever is only listed as they stand, as an export lists a guardian who works elsewhere, is not changed.
    """
    if actor.is_system:
        return 0
    paths = reach_of(actor, now)
    people = "SELECT sid FROM diff_person WHERE action <> 'same'"
    links = "SELECT sid FROM diff_link WHERE action <> 'same'"
    linked = f"SELECT guardian, ward FROM link WHERE guardian || '>' || ward IN ({links})"
    named = f"{people} UNION SELECT guardian FROM ({linked}) UNION SELECT ward FROM ({linked})"
    ids = [row[0] for row in stage.rows(f"SELECT h.id FROM have_person h WHERE h.sid IN ({named})")]
    foreign: list[int] = []
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        foreign += set(people_tied_elsewhere(chunk, paths, day)) - set(people_tied_inside(chunk, paths, day))
    stage.duck.execute(
        "CREATE OR REPLACE TABLE foreign_person AS SELECT sid FROM have_person WHERE id IN (SELECT unnest(?::BIGINT[]))",
        [foreign],
    )
    foreigners = "SELECT sid FROM foreign_person"
    sql = f"SELECT t.src, t.row, t.sid, '' FROM person t WHERE t.sid IN ({foreigners}) AND t.sid IN ({people})"
    checks = [Check("outside_scope", "person", "sid", sql)]
    for cell in ("guardian", "ward"):
        sql = (
            f"SELECT t.src, t.row, t.{cell}, '' FROM link t WHERE t.{cell} IN ({foreigners}) "
            f"AND t.guardian || '>' || t.ward IN ({links})"
        )
        checks.append(Check("outside_scope", "link", cell, sql))
    return stage.run(checks)


def _check_roles(stage: Stage, actor: Actor, now: datetime) -> int:
    """Roles that reach a whole branch are entered only by those who may give them."""
    rights = giving_rights(actor=actor, now=now)
    wanted = [role.value for role in sorted(BRANCH_ROLES - {Role.STAFF})]
    # A new org counts as the held one it will stand under.
    pairs = stage.rows(
        "WITH RECURSIVE up AS (SELECT DISTINCT a.role, a.org, a.org AS at FROM affiliation a "
        f"WHERE a.role IN ({quoted(wanted)}) AND a.status <> 'tobedeleted' "
        "UNION SELECT u.role, u.org, t.parent FROM up u JOIN org t ON t.sid = u.at WHERE u.at NOT IN (SELECT sid FROM "
        "have_org)) "
        "SELECT u.role, u.org, h.b FROM up u JOIN have_org h ON h.sid = u.at"
    )
    refused = [(role, org) for role, org, path in pairs if not any(right.reaches(Role(role), path) for right in rights)]
    stage.duck.execute("CREATE OR REPLACE TABLE refused_role (role VARCHAR, org VARCHAR)")
    if refused:
        stage.duck.executemany("INSERT INTO refused_role VALUES (?, ?)", refused)
    sql = (
        "SELECT t.src, t.row, t.role, '' FROM affiliation t WHERE (t.role, t.org) IN (SELECT role, org FROM refused_role) "
        "AND t.sid NOT IN (SELECT h.sid FROM have_affiliation h WHERE h.holds AND h.c = t.role AND h.b = t.org AND h.a "
        "= t.person)"
    )
    return stage.run([Check("role_not_yours", "affiliation", "role", sql)])
