"""What is held under the ids that another system gave it, for whoever makes a roster file of that system's answers.

No access filter here: the file is checked by the rights of whoever brings it.
"""

from collections.abc import Collection, Iterator
from datetime import date

from django.db.models import Model

from shuren.directory.data import OrgType, RosterTable, RosterTie
from shuren.directory.models import AcademicSession, Affiliation, Course, Enrollment, Org, Person
from shuren.directory.rules.roster.kinds import ROSTER_OF_ORG_TYPE

_MODELS: dict[RosterTable, type[Model]] = {
    RosterTable.SESSIONS: AcademicSession,
    RosterTable.ORGS: Org,
    RosterTable.COURSES: Course,
    RosterTable.CLASSES: Org,
    RosterTable.PEOPLE: Person,
    RosterTable.ENROLLMENTS: Enrollment,
}
_CHUNK = 500


def held_sourced_ids(table: RosterTable, sourced_ids: Collection[str]) -> frozenset[str]:
    """Those of the ids that a row has, whether it still holds or has ended."""
    rows = _MODELS[table]._default_manager.all()
    return frozenset(
        found for part in _parts(sourced_ids) for found in rows.filter(sourced_id__in=part).values_list("sourced_id", flat=True)
    )


def roster_ties(person_sourced_ids: Collection[str], *, day: date) -> list[RosterTie]:
    """The roles of people, also those that ended; of several for one person, org and role the one that holds comes first."""
    found: list[tuple[int, RosterTie]] = []
    for part in _parts(person_sourced_ids):
        # By the ids of the people and in no order: a plan that walks all ties costs as much as the region is large.
        people = dict(Person.objects.filter(sourced_id__in=part).values_list("pk", "sourced_id"))
        rows = Affiliation.objects.visible().filter(person_id__in=list(people))
        columns = ("pk", "sourced_id", "person_id", "org__sourced_id", "org_path", "role", "end_date")
        for pk, sourced_id, person_id, org, path, role, end in rows.values_list(*columns):
            holds = end is None or end > day
            found.append((pk, RosterTie(sourced_id, people[person_id], org, path, role, holds=holds)))
    return [tie for _pk, tie in sorted(found, key=lambda pair: (not pair[1].holds, -pair[0]))]


def org_line(org_id: int) -> dict[str, str]:
    """An org as `orgs.csv` lists it, by heading; imported again it changes nothing."""
    columns = ("sourced_id", "name", "type", "code", "parent__sourced_id")
    sourced_id, name, kind, code, parent = Org.objects.values_list(*columns).get(pk=org_id)
    word = ROSTER_OF_ORG_TYPE[OrgType(kind)]
    return {"sourcedId": sourced_id, "name": name, "type": word, "identifier": code, "parentSourcedId": parent or ""}


def _parts(sourced_ids: Collection[str]) -> Iterator[list[str]]:
    wanted = sorted(set(sourced_ids))
    return (wanted[start : start + _CHUNK] for start in range(0, len(wanted), _CHUNK))
