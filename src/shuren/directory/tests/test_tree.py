"""Paths: arithmetic by property, and moves that keep every copy of a path true."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.directory import api
from shuren.directory.data import NewOrg, OrgStatus, OrgType, Permission, Role
from shuren.directory.models import Affiliation, Enrollment, Grant, Org, OrgCount, OrgHistory, Person
from shuren.directory.rules import tree
from shuren.directory.tests.conftest import NOW, Region
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.kernel.models import AuditEntry, Event
from shuren.kernel.scope import path_q

chains = st.lists(st.integers(1, 10**12), min_size=1, max_size=12)


def path_of(chain: list[int]) -> str:
    return "".join(f"{id}/" for id in chain)


@given(chains)
def test_a_path_gives_back_its_chain(chain: list[int]) -> None:
    path = path_of(chain)
    assert list(tree.ids_of(path)) == chain
    assert tree.depth_of(path) == len(chain)
    assert list(tree.prefixes_of(path)) == [path_of(chain[:size]) for size in range(1, len(chain) + 1)]


@given(chains, chains, chains)
def test_a_moved_path_keeps_what_lies_below_the_move(above: list[int], new: list[int], below: list[int]) -> None:
    old_path, new_path = path_of(above), path_of(new)
    moved = tree.moved_path(old_path + path_of(below), old=old_path, new=new_path)
    assert tree.ids_of(moved) == (*new, *below)
    with pytest.raises(ValueError, match="not inside"):
        tree.moved_path(path_of([0, *below]), old=old_path, new=new_path)


@given(chains, st.lists(chains, max_size=5))
def test_nearest_is_the_longest_branch_around_a_path(chain: list[int], others: list[list[int]]) -> None:
    branches = [path_of(chain[:size]) for size in range(1, len(chain) + 1)] + [path_of([0, *other]) for other in others]
    assert tree.nearest(path_of(chain), branches) == path_of(chain)
    assert tree.nearest("0/", [path_of(chain)]) is None


@given(st.sampled_from(OrgType), st.sampled_from(OrgType))
def test_no_two_levels_stand_under_each_other(one: OrgType, other: OrgType) -> None:
    if one is not other:
        assert not (tree.may_stand_under(one, other) and tree.may_stand_under(other, one))
    assert (one in tree.child_types(other)) is tree.may_stand_under(one, other)


def test_classes_stand_under_schools_and_never_alone() -> None:
    assert tree.may_stand_under(OrgType.CLASS, OrgType.GRADE)
    assert tree.may_stand_under(OrgType.CLASS, OrgType.TEACHING_POINT)
    assert not tree.may_stand_under(OrgType.CLASS, OrgType.COUNTY)
    assert not tree.may_stand_under(OrgType.CLASS, None)
    assert tree.may_stand_under(OrgType.SCHOOL, None)


def plant(parents: list[int]) -> list[Org]:
    """A tree of agencies (any may stand under any) with one affiliation, one enrollment and one grant at each node."""
    rows: list[Org] = []
    for place, choice in enumerate([0, *parents]):
        parent = rows[choice % len(rows)] if rows else None
        org = NewOrg(parent_id=parent.pk if parent else None, type=OrgType.AGENCY, name=f"处{place}")
        row = Org.objects.get(pk=api.add_org(actor=SYSTEM, org=org, now=NOW).id)
        person = Person.objects.create(sourced_id=f"p{place}", number=f"{place:014d}", name="甲")
        shared = {"person": person, "org_path": row.path}
        Affiliation.objects.create(sourced_id=f"a{place}", org=row, role=Role.STAFF, **shared)
        Enrollment.objects.create(sourced_id=f"e{place}", class_org=row, role="teacher", **shared)
        Grant.objects.create(org=row, role=Role.EXPERT, begin_at=NOW, **shared)
        rows.append(row)
    return rows


def ancestors_by_walking() -> dict[int, list[int]]:
    parents = dict(Org.objects.values_list("pk", "parent_id"))
    chains: dict[int, list[int]] = {}
    for org_id in parents:
        chain, at = [], org_id
        while at is not None:
            chain.append(at)
            at = parents[at]
        chains[org_id] = chain[::-1]
    return chains


@pytest.mark.django_db
@given(
    parents=st.lists(st.integers(0, 11), min_size=2, max_size=9),
    moves=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=6),
)
def test_any_moves_keep_every_path_equal_to_the_chain_of_ancestors(parents: list[int], moves: list[tuple[int, int]]) -> None:
    clear()
    rows = plant(parents)
    for child, target in moves:
        org, parent = rows[child % len(rows)], rows[target % len(rows)]
        lies_inside = org.pk in ancestors_by_walking()[parent.pk]
        try:
            api.move_org(actor=SYSTEM, org_id=org.pk, parent_id=parent.pk, now=NOW)
        except Invalid:
            assert lies_inside
        except Conflict:
            assert Org.objects.get(pk=org.pk).parent_id == parent.pk
        else:
            assert not lies_inside
    chains = ancestors_by_walking()
    for org in Org.objects.all():
        assert org.path == path_of(chains[org.pk])
        assert org.depth == len(chains[org.pk])
    for model, column in ((Affiliation, "org_id"), (Enrollment, "class_org_id"), (Grant, "org_id")):
        for row in model.objects.all():
            assert row.org_path == path_of(chains[getattr(row, column)])
    below = defaultdict(set)
    for org_id, chain in chains.items():
        for above in chain:
            below[above].add(org_id)
    for org in Org.objects.all():
        assert set(Org.objects.filter(path_q("path", [org.path])).values_list("pk", flat=True)) == below[org.pk]
    clear()


def clear() -> None:
    for model in (OrgCount, OrgHistory, Affiliation, Enrollment, Grant):
        model.objects.all().delete()
    while Org.objects.exists():
        Org.objects.filter(children__isnull=True).delete()
    Person.objects.all().delete()


def test_a_move_takes_members_grants_and_scopes_along(region: Region) -> None:
    before = region.path("school")
    api.move_org(
        actor=region.actor("city_officer"),
        org_id=region.org_ids["school"],
        parent_id=region.org_ids["west"],
        now=NOW,
        reason="区划调整",
    )
    after = region.path("school")
    assert after == f"{region.path('west')}{region.org_ids['school']}/"
    assert region.path("class1").startswith(after)
    assert not Affiliation.objects.filter(path_q("org_path", [before])).exists()
    assert not Enrollment.objects.filter(path_q("org_path", [before])).exists()
    county = api.scope_of(actor=region.actor("county_officer"), permission=Permission.VIEW_PEOPLE, now=NOW)
    assert not county.covers(after)
    with pytest.raises(NotFound):
        api.access_person(actor=region.actor("county_officer"), id=region.person["pupil"], now=NOW)
    history = OrgHistory.objects.get(org_id=region.org_ids["school"])
    assert history.before["path"] == before
    assert history.reason == "区划调整"
    assert Event.objects.get(name="directory.org_moved").payload["new_path"] == after
    assert AuditEntry.objects.filter(action="directory.org_moved").count() == 1


def test_a_move_needs_the_right_at_both_ends(region: Region) -> None:
    with pytest.raises(NotFound):
        api.move_org(
            actor=region.actor("county_officer"),
            org_id=region.org_ids["school"],
            parent_id=region.org_ids["west"],
            now=NOW,
        )


def test_levels_hold_in_moves_and_additions(region: Region) -> None:
    with pytest.raises(Invalid):
        api.move_org(actor=SYSTEM, org_id=region.org_ids["class1"], parent_id=region.org_ids["east"], now=NOW)
    with pytest.raises(Invalid):
        region.add_org("bad", "class1", OrgType.SCHOOL, "班里的学校")
    with pytest.raises(Conflict):
        region.add_org("twin", "east", OrgType.SCHOOL, "东川一小")
    with pytest.raises(Conflict):
        region.add_org("root2", None, OrgType.CITY, "另一个市")


def test_only_the_installation_plants_a_root(region: Region) -> None:
    new = NewOrg(parent_id=None, type=OrgType.CITY, name="新市")
    with pytest.raises(Refused):
        api.add_org(actor=region.actor("city_officer"), org=new, now=NOW)


def test_an_org_is_added_inside_ones_branch_only(region: Region) -> None:
    new = NewOrg(parent_id=region.org_ids["east"], type=OrgType.SCHOOL, name="东川三小")
    written = api.add_org(actor=region.actor("county_officer"), org=new, now=NOW)
    org = api.orgs_by_ids([written.id])[written.id]
    assert org.path == f"{region.path('east')}{org.id}/"
    assert org.depth == 3
    new = NewOrg(parent_id=region.org_ids["west"], type=OrgType.SCHOOL, name="西原三小")
    with pytest.raises(NotFound):
        api.add_org(actor=region.actor("county_officer"), org=new, now=NOW)
    with pytest.raises(NotFound):
        api.add_org(actor=region.actor("head"), org=new, now=NOW)


def test_renaming_keeps_the_old_name_as_history(region: Region) -> None:
    school = region.org_ids["school"]
    api.rename_org(actor=region.actor("admin"), org_id=school, name="东川第一小学", reason="更名", now=NOW)
    assert region.org("school").name == "东川第一小学"
    assert OrgHistory.objects.get(org_id=school).before == {"name": "东川一小"}
    api.rename_org(actor=region.actor("admin"), org_id=school, name="东川第一小学", now=NOW)
    assert OrgHistory.objects.filter(org_id=school).count() == 1
    with pytest.raises(Invalid):
        api.correct_org(actor=SYSTEM, org_id=school, changes={"path": "1/"}, now=NOW)


def test_closing_ends_the_branch_and_deletes_nothing(region: Region) -> None:
    people = Person.objects.count()
    region.grant("teacher", "class1", Role.EXPERT)
    ended = api.close_org(actor=region.actor("county_officer"), org_id=region.org_ids["school"], now=NOW)
    assert ended == {"orgs": 4, "affiliations": 8, "enrollments": 4, "grants": 1}
    assert Person.objects.count() == people
    assert region.org("class1").status is OrgStatus.CLOSED
    assert api.scope_of(actor=region.actor("head"), permission=Permission.VIEW_ORGS, now=NOW).is_empty
    with pytest.raises(Conflict):
        api.close_org(actor=region.actor("county_officer"), org_id=region.org_ids["school"], now=NOW)
    with pytest.raises(Refused):
        api.close_org(actor=region.actor("city_officer"), org_id=region.org_ids["city"], now=NOW)


def test_merging_carries_members_over_without_widening_anybody(region: Region) -> None:
    region.grant("teacher", "school", Role.EXPERT)
    actor = region.actor("county_officer")
    counts = api.merge_orgs(actor=actor, org_id=region.org_ids["school"], into_id=region.org_ids["other"], now=NOW)
    assert counts == {"children": 1, "members": 8}
    school = Org.objects.get(pk=region.org_ids["school"])
    assert (school.status, school.successor_id) == ("merged", region.org_ids["other"])
    assert region.path("class1").startswith(region.path("other"))
    head = api.scope_of(actor=region.actor("head"), permission=Permission.VIEW_PEOPLE, now=NOW)
    assert head.paths == ()
    roles = set(Affiliation.objects.filter(person_id=region.person["head"]).values_list("org_id", "role"))
    assert roles == {(region.org_ids["school"], "head"), (region.org_ids["other"], "staff")}
    assert not Grant.objects.filter(revoked_at__isnull=True).exists()
    class_scope = api.scope_of(actor=region.actor("class_teacher"), permission=Permission.VIEW_REPORTS, now=NOW)
    assert class_scope.paths == (region.path("class1"),)
    assert Event.objects.filter(name="directory.org_merged").count() == 1


def test_only_equals_merge(region: Region) -> None:
    for org, into in (("class1", "school"), ("school", "school"), ("east", "city")):
        with pytest.raises(Invalid):
            api.merge_orgs(actor=SYSTEM, org_id=region.org_ids[org], into_id=region.org_ids[into], now=NOW)


def test_the_way_up_and_down(region: Region) -> None:
    assert [org.name for org in api.ancestors_of(region.org_ids["class1"])] == [
        "云岭市教育局",
        "东川区教育局",
        "东川一小",
        "四年级",
    ]
    assert [org.id for org in api.children_of(region.org_ids["grade"])] == [
        region.org_ids["class1"],
        region.org_ids["class2"],
    ]
    root = api.root_org()
    assert root is not None
    assert root.id == region.org_ids["city"]
    schools = api.subtree(root.path, {OrgType.SCHOOL})
    assert {org.name for org in schools} == {"东川一小", "东川二小", "西原小学"}
    assert api.ancestors_of(99_999) == []
