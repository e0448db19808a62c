"""A collection from its issue to the end, as issuers and fillers live it."""

from datetime import timedelta
from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.data import CollectionState, TargetState
from shuren.casework.models import Case, Collection, CollectionTarget
from shuren.casework.rules.collections import Choice
from shuren.casework.selectors.collections.progress import progress_by_branch, progress_of, targets_in
from shuren.casework.selectors.collections.reach import access_collection, collections_in_reach, open_targets_of, own_targets
from shuren.casework.services.cases.turn_back import withdraw_case
from shuren.casework.services.collections import issue
from shuren.casework.services.collections.change import (
    ask_target_again,
    cancel_collection,
    exempt_target,
    extend_collection,
    extend_target,
)
from shuren.casework.services.collections.fill import begin_target
from shuren.casework.services.collections.issue import NobodyIsAsked, issue_collection, issue_targets
from shuren.casework.tests.collection_play import FLOW, FORM, Define, decided, filled, handed_in, issued, new, target_of
from shuren.directory.data import OrgType, Role
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.kernel.models import AuditEntry, Event
from shuren.messaging.api import notices_of
from shuren.work.api import run_pending


def orgs_of(row: Collection) -> set[int]:
    return set(row.targets.values_list("org_id", flat=True))


def test_every_school_of_the_branch_is_asked_and_told(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    assert row.state == CollectionState.OPEN
    assert orgs_of(row) == {cast.orgs["school"].id, cast.orgs["other_school"].id}
    notice = notices_of(cast.people["head"].id).rows[0]
    assert (notice.title, notice.url) == ("请填报：学校基本情况一张表", "/collections/mine/")
    assert not notices_of(cast.people["far_head"].id).rows
    event = Event.objects.get(name="casework.collection_issued")
    assert event.payload == {"collection_id": row.pk, "org_path": row.path, "orgs": 2}


def test_a_choice_narrows_and_exempts(cast: Cast, define: Define) -> None:
    both = frozenset({cast.orgs["school"].id, cast.orgs["other_school"].id})
    row = issued(cast, define, by="city_officer", org_id=cast.orgs["city"].id, choice=Choice(both, None, frozenset({max(both)})))
    states = dict(row.targets.values_list("org_id", "state"))
    assert states == {min(both): "missing", max(both): "exempt"}
    assert progress_of(access_collection(actor=cast.actor("city_officer"), id=row.pk, now=cast.now), now=cast.now).total == 1


def test_offices_are_asked_too(cast: Cast, define: Define) -> None:
    row = issued(
        cast,
        define,
        by="province_officer",
        org_id=cast.orgs["province"].id,
        types=(OrgType.COUNTY,),
        filled_by=(Role.COUNTY_OFFICER,),
    )
    assert len(orgs_of(row)) == 3
    assert [target.collection_id for target in own_targets(actor=cast.actor("county_officer"), now=cast.now)] == [row.pk]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"due_at": "past"}, Invalid),
        ({"types": (OrgType.CAMPUS,)}, NobodyIsAsked),
        ({"types": ()}, Invalid),
        ({"title": "  "}, Invalid),
        ({"form": "collect.unknown"}, NotFound),
        ({"flow": "collect.review", "filled_by": (Role.STAFF,)}, Invalid),
    ],
)
def test_what_cannot_be_issued_is_refused(cast: Cast, define: Define, changes: dict[str, Any], error: type[Exception]) -> None:
    define("form", FORM)
    define("flow", FLOW)
    if changes.get("due_at"):
        changes = {"due_at": cast.now}
    with pytest.raises(error):
        issue_collection(actor=cast.actor("county_officer"), new=new(cast, **changes), now=cast.now)
    assert not Collection.objects.exists()


@pytest.mark.parametrize("key", ["teacher", "head", "far_head", "parent"])
def test_nobody_issues_beyond_their_branch(cast: Cast, define: Define, key: str) -> None:
    define("form", FORM)
    with pytest.raises(NotFound):
        issue_collection(actor=cast.actor(key), new=new(cast), now=cast.now)


def test_a_kill_while_it_is_issued_costs_nothing(cast: Cast, define: Define, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the first batch: the collection waits, and the second run makes only what is missing, once."""
    define("form", FORM)
    told = new(cast, org_id=cast.orgs["province"].id)
    row = issue_collection(actor=cast.actor("province_officer"), new=told, now=cast.now)
    monkeypatch.setattr(issue, "_AT_ONCE", 1)

    class Killed(BaseException):
        pass

    def kill(done: int, total: int) -> None:
        assert (done, total) == (1, 4)
        raise Killed

    with pytest.raises(Killed):
        issue_targets(collection_id=row.pk, on_progress=kill, now=cast.now)
    row.refresh_from_db()
    assert (row.state, row.targets.count()) == (CollectionState.ISSUING, 1)

    first = row.targets.get()
    seen: list[int] = []
    assert issue_targets(collection_id=row.pk, on_progress=lambda done, total: seen.append(done), now=cast.now) == 4
    assert issue_targets(collection_id=row.pk, on_progress=lambda done, total: seen.append(done), now=cast.now) == 4
    row.refresh_from_db()
    assert (row.state, row.targets.count(), seen[0]) == (CollectionState.OPEN, 4, 2)
    assert row.targets.filter(pk=first.pk).exists()
    assert Event.objects.filter(name="casework.collection_issued").count() == 1


def test_without_a_flow_it_is_accepted_at_once(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    case = filled(cast, row, {"pupils": 320})
    assert target_of(cast, row).state == TargetState.DRAFT
    assert open_targets_of(actor=cast.actor("head"), now=cast.now) == 1

    case = handed_in(cast, row, {"pupils": 321})
    target = target_of(cast, row)
    assert (target.case_id, target.state, target.accepted_at) == (case.pk, TargetState.ACCEPTED, cast.now)
    assert open_targets_of(actor=cast.actor("head"), now=cast.now) == 0


def test_it_goes_up_the_tree_comes_back_and_is_corrected(cast: Cast, define: Define) -> None:
    row = issued(cast, define, is_reviewed=True)
    case = handed_in(cast, row, {"pupils": 320})
    assert target_of(cast, row).state == TargetState.SUBMITTED

    decided(cast, case, "back")
    assert target_of(cast, row).state == TargetState.RETURNED
    assert target_of(cast, row).submitted_at is None

    # A colleague goes on in the same case.
    again = handed_in(cast, row, {"pupils": 340}, by="head")
    assert again.pk == case.pk
    decided(cast, again, "pass")
    assert target_of(cast, row).state == TargetState.ACCEPTED
    assert Case.objects.get(pk=case.pk).data["pupils"] == 340


def test_what_was_called_back_is_begun_anew_with_its_answers(cast: Cast, define: Define) -> None:
    row = issued(cast, define, is_reviewed=True)
    case = handed_in(cast, row, {"pupils": 320})
    withdraw_case(actor=cast.actor("school_admin"), case_id=case.pk, reason="写错了", now=cast.now)
    assert target_of(cast, row).state in (TargetState.DRAFT, TargetState.RETURNED)
    next_case = begin_target(actor=cast.actor("school_admin"), target_id=target_of(cast, row).pk, now=cast.now)
    assert next_case.data["pupils"] == 320
    assert next_case.state == "draft"


def test_the_form_is_answered_as_it_was_issued(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    changed = {**FORM, "sections": [{**FORM["sections"][0], "fields": FORM["sections"][0]["fields"][:2]}]}
    define("form", changed)
    case = filled(cast, row, {"pupils": 1, "note": "旧版才有的一项"})
    case.refresh_from_db()
    assert case.form_version_id == row.form_version_id
    assert case.data["note"] == "旧版才有的一项"


def test_only_whoever_may_at_that_school_fills_in(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    target = target_of(cast, row)
    for key in ("teacher", "county_officer", "far_head", "parent"):
        with pytest.raises(NotFound):
            begin_target(actor=cast.actor(key), target_id=target.pk, now=cast.now)
    assert begin_target(actor=cast.actor("head"), target_id=target.pk, now=cast.now).filer_id == cast.people["head"].id


def test_two_who_begin_at_once_share_the_case(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    target = target_of(cast, row)
    first = begin_target(actor=cast.actor("head"), target_id=target.pk, now=cast.now)
    assert begin_target(actor=cast.actor("school_admin"), target_id=target.pk, now=cast.now).pk == first.pk
    assert Case.objects.count() == 1


def test_progress_is_counted_down_to_the_school_within_reach(cast: Cast, define: Define) -> None:
    row = issued(cast, define, by="province_officer", org_id=cast.orgs["province"].id)
    handed_in(cast, row, {"pupils": 3})
    CollectionTarget.objects.filter(org_id=cast.orgs["far_school"].id).update(due_at=cast.now - timedelta(days=1))
    whole = access_collection(actor=cast.actor("province_officer"), id=row.pk, now=cast.now)
    top = {line.org.name: line for line in progress_by_branch(whole, row.path, now=cast.now)}
    assert {name: (line.progress.total, line.progress.accepted, line.progress.late) for name, line in top.items()} == {
        "临江市": (3, 1, 0),
        "海州市": (1, 0, 1),
    }
    assert not top["临江市"].is_leaf
    schools = progress_by_branch(whole, cast.orgs["county"].path, now=cast.now)
    assert [(line.org.name, line.is_leaf, line.progress.missing) for line in schools] == [
        ("东湖区实验小学", True, 0),
        ("东湖区第二小学", True, 1),
    ]

    county = access_collection(actor=cast.actor("county_officer"), id=row.pk, now=cast.now)
    assert (county.may_manage, progress_of(county, now=cast.now).total) == (False, 2)
    assert [target.org_id for target in targets_in(county, state="missing", now=cast.now)] == [cast.orgs["other_school"].id]
    with pytest.raises(NotFound):
        county.narrowed(cast.orgs["city"].path)
    with pytest.raises(NotFound):
        access_collection(actor=cast.actor("teacher"), id=row.pk, now=cast.now)


def test_collections_are_listed_where_they_reach(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    seen = {
        key: [found.pk for found in collections_in_reach(actor=cast.actor(key), now=cast.now)]
        for key in ("county_officer", "province_officer", "school_admin", "far_head", "teacher")
    }
    mine = [row.pk]
    assert seen == {"county_officer": mine, "province_officer": mine, "school_admin": mine, "far_head": [], "teacher": []}


def test_one_org_gets_more_time_and_stays_apart(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    target, later = target_of(cast, row), cast.now + timedelta(days=30)
    extend_target(actor=cast.actor("county_officer"), target_id=target.pk, due_at=later, reason="停电", now=cast.now)
    assert (
        extend_collection(actor=cast.actor("county_officer"), collection_id=row.pk, due_at=later + timedelta(1), now=cast.now)
        == 1
    )
    assert target_of(cast, row).due_at == later
    assert any(notice.title.startswith("填报期限改到") for notice in notices_of(cast.people["head"].id).rows)
    with pytest.raises(NotFound):
        extend_target(actor=cast.actor("head"), target_id=target.pk, due_at=later, reason="", now=cast.now)


def test_exempt_and_asked_again(cast: Cast, define: Define) -> None:
    row, officer = issued(cast, define), cast.actor("county_officer")
    target = target_of(cast, row)
    with pytest.raises(Invalid):
        exempt_target(actor=officer, target_id=target.pk, reason=" ", now=cast.now)
    exempt_target(actor=officer, target_id=target.pk, reason="停办", now=cast.now)
    assert (target_of(cast, row).state, target_of(cast, row).reason) == (TargetState.EXEMPT, "停办")
    with pytest.raises(Conflict):
        begin_target(actor=cast.actor("head"), target_id=target.pk, now=cast.now)
    ask_target_again(actor=officer, target_id=target.pk, reason="已恢复办学", now=cast.now)
    assert target_of(cast, row).state == TargetState.MISSING


def test_what_was_accepted_is_corrected_in_a_new_case(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    first = handed_in(cast, row, {"pupils": 320, "note": "初次"})
    ask_target_again(actor=cast.actor("county_officer"), target_id=target_of(cast, row).pk, reason="人数不对", now=cast.now)
    assert target_of(cast, row).state == TargetState.RETURNED
    second = begin_target(actor=cast.actor("head"), target_id=target_of(cast, row).pk, now=cast.now)
    assert (second.pk != first.pk, second.data["note"]) == (True, "初次")
    first.refresh_from_db()
    assert first.state == "closed"


def test_called_off_nobody_fills_in_any_more(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    case = filled(cast, row, {"pupils": 1})
    cancel_collection(actor=cast.actor("county_officer"), collection_id=row.pk, reason="改用新表", now=cast.now)
    run_pending()
    case.refresh_from_db()
    assert case.state == "cancelled"
    assert open_targets_of(actor=cast.actor("head"), now=cast.now) == 0
    with pytest.raises(Conflict):
        begin_target(actor=cast.actor("head"), target_id=target_of(cast, row, "school").pk, now=cast.now)
    assert AuditEntry.objects.filter(action="casework.collection_cancelled").count() == 1
