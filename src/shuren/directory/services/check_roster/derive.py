"""What follows from the staged rows themselves, before they are compared with what is held."""

import pyarrow as pa

from shuren.directory.rules.roster.checks import Check
from shuren.directory.services.check_roster.staging import BATCH, Stage
from shuren.directory.services.seal_national_id import index_of, sealed

_MAX_SOURCED_ID = 64


def excel_name_check() -> Check:
    """In the workbook a person may fill several rows; all of them must be the same person."""
    return Check(
        "name_differs",
        "person",
        "name",
        "SELECT t.src, t.row, t.name, d.place::VARCHAR FROM person t JOIN (SELECT sid, arg_min(name, (src, row)) AS name, "
        "arg_min(row, (src, row)) AS place FROM person GROUP BY sid) d USING (sid) WHERE t.sid <> '' AND t.name <> d.name",
    )


def keep_first_rows(stage: Stage) -> None:
    """Keep the first of several workbook rows of one person."""
    stage.duck.execute(
        "DELETE FROM person WHERE (src, row) NOT IN (SELECT first FROM (SELECT min((src, row)) AS first FROM person "
        "GROUP BY sid)) AND sid <> ''"
    )


def settle_people(stage: Stage) -> None:
    """Bring sex and birth date from demographics.csv to their person, and give every national id its blind index.

    The table is written anew once: updating a million rows in place takes several times as long.
    """
    stage.has_demographics = bool(stage.value("SELECT count(*) FROM demographic") or stage.passed("demographic"))
    _blind_national_ids(stage)
    stage.duck.execute(
        "CREATE TABLE settled AS SELECT p.* REPLACE (coalesce(nullif(p.sex, ''), nullif(d.sex, ''), '0') AS sex, "
        "coalesce(d.birth_date, p.birth_date) AS birth_date, coalesce(b.blind, '') AS national_id_index) FROM person p LEFT JOIN "
        "(SELECT sid, any_value(sex) AS sex, any_value(birth_date) AS birth_date FROM demographic "
        "WHERE status <> 'tobedeleted' GROUP BY sid) d ON d.sid = p.sid LEFT JOIN blind b ON b.national_id = p.national_id"
    )
    stage.duck.execute("CREATE OR REPLACE TABLE told_demographic AS SELECT sid FROM demographic WHERE status <> 'tobedeleted'")
    for table in ("person", "blind"):
        stage.duck.execute(f"DROP TABLE {table}")
    stage.duck.execute("ALTER TABLE settled RENAME TO person")
    stage.duck.execute("DELETE FROM demographic")


def _blind_national_ids(stage: Stage) -> None:
    """`blind`: the index by which an id is compared; the id itself never leaves the stage."""
    stage.duck.execute("CREATE TABLE blind (national_id VARCHAR, blind VARCHAR)")
    for batch in stage.batches("SELECT DISTINCT national_id FROM person WHERE national_id <> ''"):
        texts = batch.column(0).to_pylist()
        stage.add_table("blind", pa.table({"national_id": texts, "blind": [index_of(text) for text in texts]}))


def drop_placeholders(stage: Stage) -> None:
    """Forget the courses and terms that an export invented because a class had none."""
    stage.duck.execute("UPDATE org SET course = '' WHERE course IN (SELECT sid FROM course WHERE placeholder = 'true')")
    stage.duck.execute("UPDATE org SET terms = '' WHERE terms IN (SELECT sid FROM session WHERE placeholder = 'true')")
    stage.duck.execute("DELETE FROM course WHERE placeholder = 'true'")
    stage.duck.execute("DELETE FROM session WHERE placeholder = 'true'")


def root_lone_branch(stage: Stage) -> None:
    """A branch exported elsewhere becomes the whole tree of an installation that has none: its top loses its parent."""
    loose = "SELECT DISTINCT parent FROM org WHERE parent <> '' AND parent NOT IN (SELECT sid FROM org)"
    if not stage.value("SELECT count(*) FROM have_org") and stage.value(f"SELECT count(*) FROM ({loose})") == 1:
        stage.duck.execute(f"UPDATE org SET parent = '' WHERE parent IN ({loose})")


def link_guardians(stage: Stage) -> None:
    """Turn the agents of users into guardian links; relations run parallel in their own column."""
    stage.duck.execute(
        "INSERT INTO link (src, row, status, guardian, ward, relation) "
        "SELECT src, row, status, trim(agent), sid, coalesce(trim(string_split(relations, ',')[place]), '') FROM ("
        "SELECT src, row, status, sid, relations, unnest(string_split(agents, ',')) AS agent, "
        "unnest(range(1, len(string_split(agents, ',')) + 1)) AS place FROM person WHERE agents <> '') WHERE trim(agent) <> ''"
    )
    stage.duck.execute(
        "DELETE FROM link WHERE (src, row, guardian, ward) IN (SELECT t.src, t.row, t.guardian, t.ward FROM link t JOIN "
        "(SELECT guardian, ward, min((src, row)) AS first FROM link GROUP BY 1, 2 HAVING count(*) > 1) d "
        "ON d.guardian = t.guardian AND d.ward = t.ward WHERE (t.src, t.row) <> d.first)"
    )


def seal_national_ids(stage: Stage) -> None:
    """Keep the sealed ids of added and changed people, and blank every plain one."""
    stage.duck.execute("CREATE OR REPLACE TABLE sealed_id (sid VARCHAR, sealed BLOB)")
    wanted = (
        "SELECT p.sid, p.national_id FROM person p JOIN diff_person d USING (sid) "
        "WHERE d.action IN ('add', 'change') AND p.national_id <> ''"
    )
    stage.duck.execute(f"CREATE TABLE to_seal AS {wanted}")
    while rows := stage.rows(f"SELECT sid, national_id FROM to_seal WHERE rowid < (SELECT min(rowid) + {BATCH} FROM to_seal)"):
        columns = {
            "sid": pa.array([row[0] for row in rows], pa.string()),
            "sealed": pa.array([sealed(row[1]) for row in rows], pa.binary()),
        }
        stage.add_table("sealed_id", pa.table(columns))
        stage.duck.execute(f"DELETE FROM to_seal WHERE rowid < (SELECT min(rowid) + {BATCH} FROM to_seal)")
    stage.duck.execute("DROP TABLE to_seal")
    stage.duck.execute("UPDATE person SET national_id = '' WHERE national_id <> ''")


def name_ties(stage: Stage, table: str) -> None:
    """Give workbook rows of affiliations or enrollments, which carry no id, that of the held row they mean, or a new one.

    The n-th row of a person, org and role means the n-th held one.
    """
    if not stage.value(f"SELECT count(*) FROM {table} WHERE sid = ''"):
        return
    key = "person, org, role"
    made = f"concat_ws('.', t.person, '{table[0]}', t.role, t.org) || CASE WHEN t.place > 1 THEN '.' || t.place ELSE '' END"
    stage.duck.execute(
        "CREATE TABLE named AS SELECT t.src, t.row, t.person, t.org, t.role, t.place, coalesce(h.sid, CASE WHEN "
        f"length({made}) <= {_MAX_SOURCED_ID} THEN {made} "
        f"ELSE md5({made}) END) AS sid FROM (SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY src, row) AS "
        f"place FROM {table} WHERE sid = '') t "
        "LEFT JOIN (SELECT sid, a, b, c, row_number() OVER (PARTITION BY a, b, c ORDER BY holds DESC, id) AS place "
        f"FROM have_{table}) h "
        "ON h.a = t.person AND h.b = t.org AND h.c = t.role AND h.place = t.place"
    )
    stage.duck.execute(
        f"UPDATE {table} SET sid = n.sid FROM named n WHERE n.src = {table}.src AND n.row = {table}.row AND n.org = "
        f"{table}.org AND {table}.sid = ''"
    )
    stage.duck.execute("DROP TABLE named")
