"""Registers, cases and a collection of the demonstration: the packs' samples, dealt out over its orgs."""

from datetime import datetime
from pathlib import Path

from shuren.casework import api as casework
from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType, PersonData
from shuren.front.terminal.imports import run_import
from shuren.kernel.data import Actor

# What a visitor meets first of every pack; the rest is empty until somebody writes there.
REGISTERS = (
    *("infra.link", "infra.lab", "infra.data_centre", "sup.object", "sup.inspector", "sup.matter", "sup.institution"),
    *("people.expert", "party.organisation", "pilot.case", "sec.app", "eco.supplier"),
)
# Flow, and by whom its samples are filed.
CASES = (
    ("infra.repair", "class_teacher"),
    ("people.leave_approval", "class_teacher"),
    ("sup.matter_handling", "district_officer"),
)
CASES_EACH = 2
COLLECTION = "collect.digital_campus_year"
ANSWERED = 12


def fill_registers(folder: Path) -> int:
    """Import the sample rows of the registers above; returns how many registers were filled."""
    root = directory.root_org()
    orgs = directory.subtree(root.path) if root else []
    filled = 0
    for key in (key for key in casework.sampled_registers() if key in REGISTERS):
        content = casework.sample_file(key, orgs)
        if content is not None:
            file = folder / f"{key}.csv"
            file.write_bytes(content)
            run_import("register", file, options={"register": key}, ask=False)
            filled += 1
    return filled


def file_cases(cast: dict[str, tuple[PersonData, OrgData]], *, now: datetime) -> int:
    """File the samples above and issue the collection; returns how many cases there are."""
    filed = 0
    for flow, key in CASES:
        person, org = cast[key]
        school = next((above for above in directory.ancestors_of(org.id) if above.type is OrgType.SCHOOL), org)
        for number in range(CASES_EACH):
            filed += casework.file_sample(actor=_actor(person), flow=flow, org_id=school.id, number=number, now=now)
    officer, district = cast["district_officer"]
    answered = casework.issue_sample(actor=_actor(officer), collection=COLLECTION, org_id=district.id, answered=ANSWERED, now=now)
    return filed + answered


def _actor(person: PersonData) -> Actor:
    return Actor(person_id=person.id, account_id=None, name=person.name)
