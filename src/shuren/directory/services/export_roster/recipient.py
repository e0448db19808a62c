"""A roster for somebody outside: of everybody it says what the recipient of a notice may be told, and no more."""

from datetime import datetime

import pyarrow as pa
from django.db.models import Q
from django.utils.translation import gettext as _

from shuren.directory.data import DisclosedPerson
from shuren.directory.models import ConsentText, Org
from shuren.directory.rules.tree import prefixes_of
from shuren.directory.selectors.consents import in_force_q
from shuren.directory.services.check_roster.staging import Stage
from shuren.directory.services.consents.disclose import disclose_people
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import path_q

# The staged cells of a person that state something of them, beside the name.
_CELLS = ("sex", "birth_date", "username", "pupil_number", "staff_number", "email", "phone", "grade")
_NAME = "person.name"
_PARTS = ("person.family_name", "person.given_name")
_WRITTEN = ("name", "family_name", "given_name", *_CELLS)
_SCHEMA = pa.schema([(column, pa.string()) for column in ("sid", *_WRITTEN)])
_CHUNK = 10_000


def notice_for(*, org: Org, notice_id: int, now: datetime) -> ConsentText:
    """The notice in force that names a recipient for people of the branch."""
    near = Q(org_path__in=prefixes_of(org.path)) | path_q("org_path", [org.path])
    row = ConsentText.objects.filter(near, in_force_q(now), pk=notice_id).exclude(recipient="").first()
    if row is None:
        raise NotFound(_("没有找到这份告知书。"), remedy=_("请选一份正在使用、写明给哪个应用的告知书。"))
    return row


def tell_only(stage: Stage, notice: ConsentText, *, actor: Actor, now: datetime) -> int:
    """Leave in the staged people what the recipient may be told; returns how many are left out altogether.

    A name may be masked, any other fact stands whole or not at all: half a date is no date. Who may not even be told of by
    a masked name is left out with every tie; guardians of somebody left out stay only where another child holds them.
    """
    people: dict[int, str] = {int(id): sid for id, sid in stage.rows("SELECT id, sid FROM out_person")}
    stage.duck.execute(f"CREATE TABLE told ({', '.join(f'{column} VARCHAR' for column in ('sid', *_WRITTEN))})")
    wanted, told_of = sorted(people), 0
    for start in range(0, len(wanted), _CHUNK):
        found = disclose_people(
            person_ids=wanted[start : start + _CHUNK],
            elements=[_NAME, *_PARTS, *(f"person.{cell}" for cell in _CELLS)],
            purpose=notice.purpose,
            recipient=notice.recipient,
            now=now,
            actor=actor,
        )
        rows = [(people[id], *_cells(person)) for id, person in found.items() if _NAME in person.values]
        told_of += len(rows)
        _note(stage, rows)
    _apply(stage)
    return len(wanted) - told_of


def _note(stage: Stage, rows: list[tuple[str, ...]]) -> None:
    columns = ("sid", *_WRITTEN)
    table = pa.table({column: [row[at] for row in rows] for at, column in enumerate(columns)}, schema=_SCHEMA)
    stage.add_table("told", table)


def _cells(person: DisclosedPerson) -> tuple[str, ...]:
    whole = {code: value for code, value in person.values.items() if code not in person.masked}
    parts = [whole.get(code, "") for code in _PARTS] if _NAME in whole else ["", ""]
    return (person.values[_NAME], *parts, *(whole.get(f"person.{cell}", "") for cell in _CELLS))


def _apply(stage: Stage) -> None:
    """Statements for all at once: DuckDB looks through a whole table for each."""
    changes = ", ".join(f"{column} = t.{column}" for column in _WRITTEN)
    stage.duck.execute(f"UPDATE person SET {changes} FROM told t WHERE t.sid = person.sid")
    for table, column in (("person", "sid"), ("affiliation", "person"), ("enrollment", "person"), ("link", "ward")):
        stage.duck.execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT sid FROM told)")
    stage.duck.execute("DELETE FROM link WHERE guardian NOT IN (SELECT sid FROM told)")
    # A guardian who is nothing else here came with the child.
    stage.duck.execute(
        "DELETE FROM person WHERE sid NOT IN (SELECT person FROM affiliation UNION SELECT person FROM enrollment "
        "UNION SELECT guardian FROM link UNION SELECT ward FROM link)"
    )
