"""Where people learn, in the words of a certificate."""

from collections.abc import Collection
from datetime import date

from shuren.directory import api as directory
from shuren.directory.data import OrgType


def places_of(person_ids: Collection[int], *, day: date) -> dict[int, dict[str, str]]:
    """`school` and `class` of each person on `day` by name, empty for those who are in none; two queries in all."""
    classes: dict[int, str] = {}
    for row in directory.enrollments_of_people(person_ids, day=day):
        if row.person_id not in classes or row.is_primary:
            classes[row.person_id] = row.class_path
    wanted = {int(part) for path in classes.values() for part in path.strip("/").split("/")}
    orgs = directory.orgs_by_ids(wanted)
    found = {}
    for person_id in person_ids:
        chain = [orgs[int(part)] for part in classes.get(person_id, "").strip("/").split("/") if part and int(part) in orgs]
        school = next((org.name for org in chain if org.type is OrgType.SCHOOL), "")
        found[person_id] = {"school": school, "class": chain[-1].name if chain else ""}
    return found
