"""Entries of registers: who writes and reads them, what stands once, what was changed by whom, what belongs together."""

from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.models import Entry, EntryRevision
from shuren.casework.selectors.definitions import spec_of
from shuren.casework.selectors.entries import (
    access_entry,
    access_register,
    access_removed_entry,
    entry_history,
    entry_value,
    near_duplicates,
    register_of_entry,
    relations_of,
    shown_data,
)
from shuren.casework.selectors.entry_lists import EntryQuery, entries_page
from shuren.casework.services.form_refused import FormRefused
from shuren.casework.services.registers.check import EntryDuplicate
from shuren.casework.services.registers.write import add_entry, change_entry, move_entry, remove_entry, restore_entry
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.register_bodies import DEVICES, ROOMS, room
from shuren.kernel import ids
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.kernel.models import AuditEntry, Event
from shuren.kernel.scope import Scope
from shuren.search import api as search_index


@pytest.fixture(autouse=True)
def registers(cast: Cast, define: Define) -> None:
    define("register", ROOMS)
    define("register", DEVICES)


def add(cast: Cast, who: str = "school_admin", org: str = "school", register: str = "demo.rooms", **words: Any) -> Entry:
    state = words.pop("state", "")
    return add_entry(
        actor=cast.actor(who), register=register, org_id=cast.orgs[org].id, data=room(**words), state=state, now=cast.now
    )


def test_a_thing_is_written_with_its_label_state_place_and_first_revision(cast: Cast) -> None:
    entry = add(cast, spot="113.26, 23.13")
    assert (entry.label, entry.state, entry.longitude, entry.latitude) == ("一年级1班教室", "planned", 113.26, 23.13)
    assert [(row.number, row.name) for row in EntryRevision.objects.all()] == [(1, "赵文博")]
    told = Event.objects.get(name="casework.entry_added").payload
    assert (told["register"], told["org_path"]) == ("demo.rooms", cast.orgs["school"].path)
    assert "A101" not in str(told)
    assert AuditEntry.objects.filter(action="casework.entry_added", target=f"entry:{entry.pk}").exists()


def test_what_is_wrong_is_said_at_its_field(cast: Cast) -> None:
    with pytest.raises(FormRefused) as refused:
        add(cast, name="", seats=900)
    assert {fault.path for fault in refused.value.faults} == {"name", "seats"}


def test_the_same_thing_is_refused_and_the_existing_one_named(cast: Cast) -> None:
    entry = add(cast)
    with pytest.raises(EntryDuplicate) as refused:
        add(cast, name="另一间", number="Ａ１０１ ")
    assert refused.value.public_id == ids.encode("entry", entry.pk)
    add(cast, number="A102")
    add(cast, who="county_officer", org="other_school")
    assert Entry.objects.count() == 3


def test_a_thing_of_another_school_is_not_named_to_whoever_cannot_read_it(cast: Cast) -> None:
    data = {"name": "电脑", "serial": "SN-1"}
    there, here = cast.orgs["far_school"].id, cast.orgs["school"].id
    add_entry(actor=cast.actor("province_officer"), register="demo.devices", org_id=there, data=data, now=cast.now)
    with pytest.raises(EntryDuplicate) as refused:
        add_entry(actor=cast.actor("school_admin"), register="demo.devices", org_id=here, data=data, now=cast.now)
    assert refused.value.public_id == ""
    assert "SN-1" not in str(refused.value)


def test_a_removed_thing_may_come_again(cast: Cast) -> None:
    entry = add(cast)
    remove_entry(actor=cast.actor("school_admin"), entry_id=entry.pk, reason="拆除", now=cast.now)
    with pytest.raises(NotFound):
        access_entry(actor=cast.actor("school_admin"), id=entry.pk, now=cast.now)
    assert add(cast).pk != entry.pk


def test_a_removed_thing_comes_back_as_it_was(cast: Cast) -> None:
    entry, admin = add(cast, name="创客空间"), cast.actor("school_admin")
    remove_entry(actor=admin, entry_id=entry.pk, reason="拆除", now=cast.now)
    with pytest.raises(Conflict):
        restore_entry(actor=admin, entry_id=entry.pk, base_revision=1, reason="误删", now=cast.now)
    with pytest.raises(Invalid):
        restore_entry(actor=admin, entry_id=entry.pk, reason=" ", now=cast.now)
    restore_entry(actor=admin, entry_id=entry.pk, base_revision=2, reason="误删", now=cast.now)
    back = access_entry(actor=admin, id=entry.pk, now=cast.now)
    assert (back.label, back.state, back.revision) == ("创客空间", "planned", 3)
    told = [(one.number, one.act, one.reason) for one in entry_history(back, spec_of(back.register))]
    assert told == [(3, "restored", "误删"), (2, "removed", "拆除"), (1, "", "")]
    assert Event.objects.get(name="casework.entry_restored").payload["entry_id"] == entry.pk
    assert AuditEntry.objects.filter(action="casework.entry_restored", target=f"entry:{entry.pk}").exists()
    here = Scope((cast.orgs["school"].path,))
    assert [hit.object_id for hit in search_index.find("创客", scope=here, kinds=("entry",)).rows] == [entry.pk]
    register = access_register(actor=admin, key="demo.rooms", now=cast.now)
    assert [row.entry.pk for row in entries_page(register, EntryQuery(filters={"number": "A101"})).rows] == [entry.pk]


def test_nothing_comes_back_twice_nor_without_what_it_names(cast: Cast) -> None:
    entry, admin = add(cast), cast.actor("school_admin")
    remove_entry(actor=admin, entry_id=entry.pk, reason="拆除", now=cast.now)
    anew = add(cast)
    with pytest.raises(EntryDuplicate) as refused:
        restore_entry(actor=admin, entry_id=entry.pk, reason="误删", now=cast.now)
    assert refused.value.public_id == ids.encode("entry", anew.pk)
    school = cast.orgs["school"].id
    data = {"name": "投影仪", "room": {"id": ids.encode("entry", anew.pk), "name": ""}}
    device = add_entry(actor=admin, register="demo.devices", org_id=school, data=data, now=cast.now)
    for gone in (device, anew):
        remove_entry(actor=admin, entry_id=gone.pk, reason="拆除", now=cast.now)
    with pytest.raises(FormRefused):
        restore_entry(actor=admin, entry_id=device.pk, reason="误删", now=cast.now)


@pytest.mark.parametrize(("who", "fault"), [("far_head", NotFound), ("teacher", NotFound), ("staff", Refused)])
def test_only_who_may_write_brings_back_or_finds_what_was_removed(
    cast: Cast, define: Define, who: str, fault: type[Exception]
) -> None:
    define("register", ROOMS | {"see": ["staff", "school_admin"]})
    entry = add(cast)
    remove_entry(actor=cast.actor("school_admin"), entry_id=entry.pk, reason="拆除", now=cast.now)
    with pytest.raises(NotFound):
        access_removed_entry(actor=cast.actor(who), id=entry.pk, now=cast.now)
    with pytest.raises(fault):
        restore_entry(actor=cast.actor(who), entry_id=entry.pk, reason="误删", now=cast.now)
    if who == "staff":
        register = access_register(actor=cast.actor(who), key="demo.rooms", now=cast.now)
        assert entries_page(register, EntryQuery(is_removed=True)).rows == []


def test_names_written_another_way_are_near(cast: Cast) -> None:
    entry = add(cast, name="第一 物理实验室（东）")
    register = access_register(actor=cast.actor("head"), key="demo.rooms", now=cast.now)
    assert near_duplicates(register=register, label="第一物理实验室(东)") == [entry]
    assert near_duplicates(register=register, label="第一物理实验室(东)", except_id=entry.pk) == []
    far = access_register(actor=cast.actor("far_head"), key="demo.rooms", now=cast.now)
    assert near_duplicates(register=far, label="第一物理实验室(东)") == []


@pytest.mark.parametrize(("who", "org", "fault"), [("far_head", "school", NotFound), ("teacher", "school", NotFound)])
def test_who_does_not_reach_a_branch_learns_nothing_of_it(cast: Cast, who: str, org: str, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        add(cast, who=who, org=org)
    entry = add(cast)
    with pytest.raises(NotFound):
        access_entry(actor=cast.actor(who), id=entry.pk, now=cast.now)


def test_who_may_only_look_is_told_so(cast: Cast, define: Define) -> None:
    define("register", ROOMS | {"keep": ["school_admin"], "see": ["staff", "head"]})
    entry = add(cast)
    assert access_entry(actor=cast.actor("staff"), id=entry.pk, now=cast.now) == entry
    with pytest.raises(Refused):
        change_entry(actor=cast.actor("head"), entry_id=entry.pk, data={"seats": 1}, base_revision=1, now=cast.now)


def test_a_register_of_a_region_is_kept_nowhere_else(cast: Cast, define: Define) -> None:
    definition = define("register", ROOMS)
    definition.org_path = cast.orgs["city"].path
    definition.save()
    add(cast, who="province_officer")
    with pytest.raises(NotFound):
        add(cast, who="province_officer", org="far_school")
    with pytest.raises(NotFound):
        access_register(actor=cast.actor("far_head"), key="demo.rooms", now=cast.now)


def test_a_change_keeps_what_it_does_not_name_and_tells_what_it_was(cast: Cast) -> None:
    entry = add(cast)
    head = cast.actor("head")
    changed = change_entry(actor=head, entry_id=entry.pk, data={"seats": "50"}, base_revision=1, reason="加座", now=cast.now)
    assert (changed.revision, changed.data["seats"], changed.data["number"]) == (2, 50, "A101")
    newest, first = entry_history(changed, spec_of(changed.register))
    assert [(change.field.key, change.before, change.after) for change in newest.changes] == [("seats", 45, 50)]
    assert (newest.who, newest.reason, first.changes) == ("陈立新", "加座", ())
    again = change_entry(actor=head, entry_id=entry.pk, data={"seats": 50}, base_revision=2, now=cast.now)
    assert again.revision == 2


def test_two_who_change_at_once_are_told_apart(cast: Cast) -> None:
    entry = add(cast)
    change_entry(actor=cast.actor("head"), entry_id=entry.pk, data={"seats": 50}, base_revision=1, now=cast.now)
    with pytest.raises(Conflict):
        change_entry(actor=cast.actor("school_admin"), entry_id=entry.pk, data={"seats": 60}, base_revision=1, now=cast.now)


def test_a_life_goes_only_where_the_register_says(cast: Cast) -> None:
    entry, head = add(cast), cast.actor("head")
    with pytest.raises(Invalid) as refused:
        move_entry(actor=head, entry_id=entry.pk, state="closed", now=cast.now)
    assert "在用" in refused.value.remedy
    move_entry(actor=head, entry_id=entry.pk, state="in_use", now=cast.now)
    assert Event.objects.get(name="casework.entry_moved").payload["before"] == "planned"
    moved = change_entry(actor=head, entry_id=entry.pk, data={}, state="closed", base_revision=2, now=cast.now)
    with pytest.raises(Invalid) as refused:
        move_entry(actor=head, entry_id=entry.pk, state="in_use", now=cast.now)
    assert (moved.state, refused.value.remedy) == ("closed", "这已经是最后的状态。")


def test_where_a_flow_decides_nobody_writes_by_hand(cast: Cast, define: Define) -> None:
    define("register", DEVICES | {"change_by": "demo.change"})
    data, org_id = {"name": "电脑", "serial": "SN-1"}, cast.orgs["school"].id
    with pytest.raises(Refused) as refused:
        add_entry(actor=cast.actor("head"), register="demo.devices", org_id=org_id, data=data, now=cast.now)
    assert "申请" in refused.value.message


def test_things_that_belong_together_are_found_from_both_sides(cast: Cast) -> None:
    entry = add(cast)
    device = add_entry(
        actor=cast.actor("school_admin"),
        register="demo.devices",
        org_id=cast.orgs["school"].id,
        data={"name": "投影仪", "room": {"id": ids.encode("entry", entry.pk), "name": "随便写的"}},
        now=cast.now,
    )
    assert device.data["room"]["name"] == "一年级1班教室"
    head = cast.actor("head")
    (back,) = relations_of(actor=head, entry=entry, spec=spec_of(entry.register), now=cast.now)
    assert (back.entry, back.field, back.is_back) == (device, "所在教室", True)
    (ahead,) = relations_of(actor=head, entry=device, spec=spec_of(device.register), now=cast.now)
    assert (ahead.entry, ahead.is_back) == (entry, False)
    with pytest.raises(Conflict):
        remove_entry(actor=head, entry_id=entry.pk, reason="拆除", now=cast.now)


def test_a_thing_of_another_register_cannot_be_named(cast: Cast) -> None:
    other = add_entry(
        actor=cast.actor("head"), register="demo.devices", org_id=cast.orgs["school"].id, data={"name": "电脑"}, now=cast.now
    )
    data = {"name": "投影仪", "room": {"id": ids.encode("entry", other.pk), "name": ""}}
    with pytest.raises(FormRefused) as refused:
        add_entry(actor=cast.actor("head"), register="demo.devices", org_id=cast.orgs["school"].id, data=data, now=cast.now)
    assert refused.value.faults[0].path == "room"


def test_what_is_personal_is_hidden_from_whoever_may_not_see_it(cast: Cast, define: Define) -> None:
    define("register", ROOMS | {"see": ["head", "teacher"]})
    entry = add(cast, keeper_phone="13800000000", keeper_id="440103201501011234")
    head = register_of_entry(actor=cast.actor("head"), entry=entry, now=cast.now)
    assert shown_data(head, entry)["keeper_phone"] == "13800000000"
    assert shown_data(head, entry)["keeper_id"] == "***"
    assert shown_data(head, entry, may_reveal=True)["keeper_id"] == "440103201501011234"
    teacher = register_of_entry(actor=cast.actor("teacher"), entry=entry, now=cast.now)
    hidden = shown_data(teacher, entry, may_reveal=True)
    assert (hidden["keeper_phone"], hidden["keeper_id"], hidden["name"]) == ("***", "***", "一年级1班教室")


def test_forms_are_filled_from_what_was_written_last(cast: Cast) -> None:
    add(cast)
    add(cast, number="A102", seats=60)
    assert entry_value("demo.rooms", "seats", cast.orgs["school"].id) == 60
    assert entry_value("demo.rooms", "seats", cast.orgs["far_school"].id) is None


def test_search_finds_a_thing_where_it_lies_until_it_is_removed(cast: Cast) -> None:
    entry = add(cast, name="创客空间")
    here, there = Scope((cast.orgs["school"].path,)), Scope((cast.orgs["far_school"].path,))
    assert [hit.object_id for hit in search_index.find("创客", scope=here, kinds=("entry",)).rows] == [entry.pk]
    assert search_index.find("创客", scope=there, kinds=("entry",)).rows == []
    remove_entry(actor=cast.actor("head"), entry_id=entry.pk, reason="改用途", now=cast.now)
    assert search_index.find("创客", scope=here, kinds=("entry",)).rows == []


REQUIRED_NOW = {"key": "floor", "title": "楼层", "type": "integer", "required": True}
(BASICS,) = ROOMS["sections"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"sections": [BASICS | {"fields": [*BASICS["fields"], REQUIRED_NOW]}]}, "楼层"),
        ({"states": [{"key": "in_use", "title": "在用"}]}, "状态“planned”已经不在"),
        ({"at": ["county"]}, "机构已经不登记"),
    ],
)
def test_a_removed_thing_does_not_come_back_past_what_the_register_asks_today(
    cast: Cast, define: Define, changed: dict[str, Any], reason: str
) -> None:
    entry, admin = add(cast), cast.actor("school_admin")
    remove_entry(actor=admin, entry_id=entry.pk, reason="拆除", now=cast.now)
    define("register", ROOMS | changed)
    with pytest.raises(Invalid, match=reason) as refused:
        restore_entry(actor=admin, entry_id=entry.pk, reason="误删", now=cast.now)
    assert "重新登记一条" in refused.value.remedy
    assert Entry.objects.get(pk=entry.pk).removed_at is not None


def test_what_comes_back_is_held_against_the_identity_of_today(cast: Cast, define: Define) -> None:
    entry, admin = add(cast), cast.actor("school_admin")
    remove_entry(actor=admin, entry_id=entry.pk, reason="拆除", now=cast.now)
    define("register", ROOMS | {"identity": ["name"]})
    standing = add(cast, number="A102")
    with pytest.raises(EntryDuplicate) as refused:
        restore_entry(actor=admin, entry_id=entry.pk, reason="误删", now=cast.now)
    assert refused.value.public_id == ids.encode("entry", standing.pk)
