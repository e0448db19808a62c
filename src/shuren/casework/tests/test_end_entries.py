"""What an end leaves in registers: several entries, one for every row, and an entry that lies elsewhere from then on."""

from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.data import CaseState
from shuren.casework.models import Case, Entry
from shuren.casework.selectors.definitions import register_of
from shuren.casework.selectors.entries import access_entry, entry_history
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.registers.check import EntryDuplicate
from shuren.casework.services.registers.write import add_entry
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.flows import ENDS, flow, open_item, submitted
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, NotFound
from shuren.kernel.models import Event

MEMBERS: dict[str, Any] = {
    "key": "office.members",
    "title": {"zh": "名册", "en": "Members"},
    "at": ["school"],
    "see": ["school_admin", "county_officer"],
    "identity": ["name"],
    "label": "name",
    "states": [{"key": "in", "title": "在册", "to": ["left"]}, {"key": "left", "title": "已转出"}],
    "sections": [
        {
            "key": "facts",
            "title": "情况",
            "fields": [
                {"key": "name", "title": "姓名", "type": "text", "required": True},
                {"key": "branch", "title": "支部", "type": "text"},
            ],
        }
    ],
}
TASKS: dict[str, Any] = {
    "key": "office.tasks",
    "title": {"zh": "任务", "en": "Tasks"},
    "at": ["school"],
    "identity": ["task"],
    "label": "task",
    "states": [{"key": "open", "title": "待办", "to": ["done"]}, {"key": "done", "title": "办结"}],
    "sections": [
        {
            "key": "facts",
            "title": "情况",
            "fields": [
                {"key": "task", "title": "任务", "type": "text", "required": True},
                {"key": "days", "title": "天数", "type": "integer"},
                {"key": "why", "title": "事由", "type": "text"},
            ],
        }
    ],
}
FORM: dict[str, Any] = {
    "key": "office.leave_form",
    "title": {"zh": "转接", "en": "Transfer"},
    "sections": [
        {
            "key": "main",
            "title": "转接",
            "fields": [
                {"key": "reason", "title": "事由", "type": "text", "required": True},
                {"key": "days", "title": "天数", "type": "integer", "required": True},
                {"key": "member", "title": "党员", "type": "entry", "register": "office.members"},
                {"key": "to", "title": "转入单位", "type": "org"},
                {"key": "target", "title": "转入支部", "type": "text"},
                {
                    "key": "tasks",
                    "title": "交接事项",
                    "type": "table",
                    "columns": [
                        {"key": "task", "title": "事项", "type": "text", "required": True},
                        {"key": "days", "title": "天数", "type": "integer"},
                        {"key": "at", "title": "交给", "type": "org"},
                    ],
                },
            ],
        }
    ],
}
MOVE = {"register": "office.members", "org": "to", "set": {"branch": "target"}, "state": "in"}
HAND_ON = {
    "register": "office.tasks",
    "each": "tasks",
    "when": "days > 0",
    "org": "at",
    "set": {"task": "task", "days": "days * 2", "why": "reason"},
}


def ends(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"ends": [{**ENDS[0], "entries": list(entries)}, ENDS[1]]}


@pytest.fixture
def transfer(define: Define, cast: Cast) -> Entry:
    """The flow in force, and the member of the school's list whom cases are about."""
    for register in (MEMBERS, TASKS):
        define("register", register)
    define("form", FORM)
    define("flow", flow(**ends(MOVE, HAND_ON)))
    return add_entry(
        actor=SYSTEM,
        register="office.members",
        org_id=cast.orgs["school"].id,
        data={"name": "钱一", "branch": "一支部"},
        now=cast.now,
    )


def org_value(cast: Cast, key: str) -> dict[str, str]:
    return {"id": cast.orgs[key].public_id, "name": cast.orgs[key].name}


def member_value(entry: Entry) -> dict[str, str]:
    return {"id": ids.encode("entry", entry.pk), "name": entry.label}


def agreed(cast: Cast, **data: Any) -> Case:
    return decide_work(
        actor=cast.actor("head"),
        work_id=open_item(submitted(cast, by="school_admin", data=data)).pk,
        outcome="agree",
        now=cast.now,
    )


def test_the_entry_lies_at_the_new_org_from_then_on(cast: Cast, transfer: Entry) -> None:
    case = agreed(cast, member=member_value(transfer), to=org_value(cast, "far_school"), target="远方支部")
    entry = Entry.objects.get(register__key="office.members")
    far = cast.orgs["far_school"]
    assert (entry.pk, entry.org_id, entry.org_path, entry.data) == (
        transfer.pk,
        far.id,
        far.path,
        {"name": "钱一", "branch": "远方支部"},
    )
    with pytest.raises(NotFound):
        access_entry(actor=cast.actor("school_admin"), id=entry.pk, now=cast.now)
    assert access_entry(actor=cast.actor("far_head"), id=entry.pk, now=cast.now).pk == entry.pk
    latest, first = entry_history(entry, register_of(entry.register.current_id or 0))
    assert (latest.org_before, latest.org, latest.case_id) == (cast.orgs["school"].name, far.name, case.pk)
    assert (first.org_before, first.org) == ("", "")
    page = cast.client("far_head").get(f"/entries/{ids.encode('entry', entry.pk)}/").content.decode()
    assert f"转到“{far.name}”" in page
    assert f"<del>{cast.orgs['school'].name}</del>" in page
    told = Event.objects.get(name="casework.entry_changed").payload
    assert (told["org_id"], told["org_before"], told["fields"]) == (far.id, cast.orgs["school"].id, ["branch"])


def test_who_only_moves_is_told_as_moved(cast: Cast, transfer: Entry) -> None:
    agreed(cast, member=member_value(transfer), to=org_value(cast, "far_school"), target="一支部")
    told = Event.objects.get(name="casework.entry_changed").payload
    assert (told["org_before"], told["fields"]) == (cast.orgs["school"].id, [])


def test_where_nothing_is_named_it_stays_and_what_is_new_lies_at_the_case(cast: Cast, transfer: Entry) -> None:
    agreed(cast, member=member_value(transfer), target="二支部")
    transfer.refresh_from_db()
    assert (transfer.org_id, transfer.data["branch"]) == (cast.orgs["school"].id, "二支部")


def test_every_row_makes_an_entry_of_its_own(cast: Cast, transfer: Entry) -> None:
    rows = [
        {"task": "图书", "days": 3, "at": org_value(cast, "other_school")},
        {"task": "钥匙", "days": 1},
        {"task": "不必交", "days": 0},
        {"task": "不知道"},
    ]
    case = agreed(cast, member=member_value(transfer), tasks=rows)
    found = {entry.label: entry for entry in Entry.objects.filter(register__key="office.tasks")}
    assert {label: (entry.org_id, entry.data) for label, entry in found.items()} == {
        "图书": (cast.orgs["other_school"].id, {"task": "图书", "days": 6, "why": "看病"}),
        "钥匙": (cast.orgs["school"].id, {"task": "钥匙", "days": 2, "why": "看病"}),
    }
    assert {revision.case_id for entry in found.values() for revision in entry.revisions.all()} == {case.pk}


def test_one_entry_that_cannot_be_written_leaves_all_as_it_was(cast: Cast, transfer: Entry) -> None:
    data = {"member": member_value(transfer), "to": org_value(cast, "far_school"), "tasks": [{"task": "图书", "days": 3}] * 2}
    case = submitted(cast, by="school_admin", data=data)
    with pytest.raises(EntryDuplicate):
        decide_work(actor=cast.actor("head"), work_id=open_item(case).pk, outcome="agree", now=cast.now)
    case.refresh_from_db()
    transfer.refresh_from_db()
    assert (case.state, transfer.org_id) == (CaseState.RUNNING, cast.orgs["school"].id)
    assert not Entry.objects.filter(register__key="office.tasks").exists()


def test_it_does_not_go_where_the_register_is_not_kept(cast: Cast, transfer: Entry) -> None:
    case = submitted(cast, by="school_admin", data={"member": member_value(transfer), "to": org_value(cast, "county")})
    with pytest.raises(Invalid, match="不是登记这个台账"):
        decide_work(actor=cast.actor("head"), work_id=open_item(case).pk, outcome="agree", now=cast.now)
    # A class belongs to a school that keeps it.
    agreed(cast, member=member_value(transfer), to=org_value(cast, "west_class"))
    transfer.refresh_from_db()
    assert transfer.org_id == cast.orgs["west_school"].id


def test_rows_change_the_entries_that_they_name(define: Define, cast: Cast, transfer: Entry) -> None:
    body = {**FORM, "sections": [{**FORM["sections"][0], "fields": [*FORM["sections"][0]["fields"], LEAVERS]}]}
    define("form", body)
    define("flow", flow(**ends({"register": "office.members", "each": "leavers", "when": "filled(who)", "state": "left"})))
    other = add_entry(actor=SYSTEM, register="office.members", org_id=cast.orgs["school"].id, data={"name": "孙二"}, now=cast.now)
    agreed(cast, leavers=[{"who": member_value(transfer)}, {"who": member_value(other)}, {"note": "名册外的人"}])
    assert sorted(Entry.objects.values_list("label", "state")) == sorted([("钱一", "left"), ("孙二", "left")])


LEAVERS = {
    "key": "leavers",
    "title": "转出的人",
    "type": "table",
    "columns": [
        {"key": "who", "title": "党员", "type": "entry", "register": "office.members"},
        {"key": "note", "title": "说明", "type": "text"},
    ],
}
