"""The shipped pack of the party: a member's entry goes where the member goes."""

import pytest
from tests.cast import Cast

from shuren.casework.models import Case, Entry
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.packs.install import install_pack
from shuren.casework.services.registers.write import add_entry
from shuren.casework.tests.flows import open_item
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM

pytestmark = pytest.mark.packs
MEMBER = {"name": "褚示例", "organisation": "实验小学支部", "category": "full", "joined_on": "2019-07-01"}


@pytest.fixture
def member(cast: Cast) -> Entry:
    for pack in ("core", "people", "party"):
        install_pack(actor=SYSTEM, key=pack, now=cast.now)
    data = {**MEMBER, "is_mobile": False, "file_kept": True, "phone": "13900000000"}
    return add_entry(actor=SYSTEM, register="party.member", org_id=cast.orgs["school"].id, data=data, now=cast.now)


def transferred(cast: Cast, member: Entry, **told: object) -> Case:
    """A transfer that everybody agrees to; the last who is asked receives the member."""
    data = {
        **MEMBER,
        "member": {"id": ids.encode("entry", member.pk), "name": member.label},
        "target": "育才小学支部",
        "reason": "job",
        "dues_until": "2026-11",
        "valid_days": 90,
        "goes_on": "2031-12-01",
    }
    case = file_case(
        actor=cast.actor("school_admin"), flow="party.transferring", org_id=cast.orgs["school"].id, data=data | told, now=cast.now
    )
    case = submit_case(actor=cast.actor("school_admin"), case_id=case.pk, now=cast.now)
    while case.state != "closed":
        item = open_item(case)
        outcome = "received" if item.stage_run.stage == "receive" else "agree"
        decide_work(actor=SYSTEM, work_id=item.pk, outcome=outcome, now=cast.now)
        case.refresh_from_db()
    assert case.end == "moved"
    return case


def test_inside_the_system_the_entry_lies_at_the_new_school(cast: Cast, member: Entry) -> None:
    west = cast.orgs["west_school"]
    transferred(cast, member, inside=True, to={"id": west.public_id, "name": west.name})
    entry = Entry.objects.get(register__key="party.member")
    assert (entry.pk, entry.org_id, entry.org_path, entry.state) == (member.pk, west.id, west.path, "in")
    assert (entry.data["organisation"], entry.data["phone"]) == ("育才小学支部", "13900000000")


def test_outside_the_system_it_stays_and_has_left(cast: Cast, member: Entry) -> None:
    transferred(cast, member, inside=False)
    entry = Entry.objects.get(register__key="party.member")
    assert (entry.org_id, entry.state, entry.data["organisation"]) == (cast.orgs["school"].id, "left", "实验小学支部")
