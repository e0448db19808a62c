"""Whether a roster writes beside the one source of an element: told by row and column, with whose it is."""

from datetime import datetime

from shuren.directory.rules.roster.checks import Check
from shuren.directory.rules.roster.kinds import ORG, PERSON, Kind
from shuren.directory.selectors.one_source import competing
from shuren.directory.services.check_roster.messages import COMPETING
from shuren.directory.services.check_roster.staging import Stage
from shuren.directory.services.refuse_competing import note_competing, reason_of, remedy_of
from shuren.kernel.data import Actor
from shuren.standards.data import Door

_CELLS: dict[str, dict[str, str]] = {
    PERSON.name: {
        "person.name": "name",
        "person.sex": "sex",
        "person.birth_date": "birth_date",
        "person.username": "username",
        "person.pupil_number": "pupil_number",
        "person.staff_number": "staff_number",
        "person.email": "email",
        "person.phone": "phone",
        "person.grade": "grade",
        "person.national_id": "national_id_index",
    },
    ORG.name: {
        "org.name": "name",
        "org.short_name": "short_name",
        "org.code": "code",
        "org.division_code": "division_code",
        "org.credit_code": "credit_code",
    },
}


def check_one_source(stage: Stage, kind: Kind, actor: Actor, *, now: datetime) -> int:
    """Refuse the cells of `kind` that would change what another source alone writes; returns the number of errors.

    Asked once the difference is known: a file may list what stands there already. What is new may be given its name.
    """
    cells, errors = _CELLS[kind.name], 0
    for told in competing(actor=actor, elements=cells, door=Door.ROSTER, now=now).values():
        cell = cells[told.element]
        actions = "'change'" if cell == "name" else "'add', 'change'"
        is_sealed = cell == "national_id_index"
        shown = "''" if is_sealed else f"t.{cell}"
        # Cells are constants of this module, the detail is quoted.
        detail = f"{reason_of(told)}\n{remedy_of(told)}".replace("'", "''")
        found = stage.run(
            [
                Check(
                    COMPETING,
                    kind.name,
                    "national_id" if is_sealed else cell,
                    f"SELECT t.src, t.row, {shown}, '{detail}' FROM {kind.name} t JOIN diff_{kind.name} d "
                    f"ON d.src = t.src AND d.row = t.row LEFT JOIN was_{kind.name} w ON w.id = d.id "
                    f"WHERE d.action IN ({actions}) AND t.{cell} <> coalesce(w.{cell}, '')",
                )
            ]
        )
        if found:
            note_competing(actor=actor, element=told.element, door=Door.ROSTER, now=now)
        errors += found
    return errors
