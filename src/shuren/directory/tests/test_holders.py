"""Who holds a role where, and what an actor holds."""

from shuren.directory import api as directory
from shuren.directory.data import OrgType, Role
from shuren.directory.tests.conftest import Region
from shuren.kernel.data import SYSTEM

ROLES = (Role.COUNTY_OFFICER, Role.HEAD)


def test_holders_are_of_the_very_org_by_office_or_grant(region: Region) -> None:
    school, east = region.org_ids["school"], region.org_ids["east"]
    assert directory.holders_of(Role.HEAD, [school, east], now=region.now) == {school: [region.person["head"]], east: []}
    region.grant("teacher", "east", Role.EXPERT)
    assert directory.holders_of(Role.EXPERT, [east], now=region.now) == {east: [region.person["teacher"]]}


def test_an_office_reaches_its_branch_only_in_the_worn_hat(region: Region) -> None:
    def paths(actor) -> tuple[str, ...]:  # type: ignore[no-untyped-def]
        return directory.role_paths_of(actor=actor, roles=ROLES, now=region.now)

    assert paths(region.actor("county_officer")) == (region.path("east"),)
    assert paths(region.actor("head", Role.TEACHER)) == ()
    assert paths(region.actor("pupil")) == ()
    assert region.path("city") in paths(SYSTEM)


def test_offices_name_role_and_place(region: Region) -> None:
    assert (Role.HEAD, region.path("school")) in directory.offices_of(actor=region.actor("head"), now=region.now)
    assert directory.offices_of(actor=region.actor("head", Role.PARENT), now=region.now) == []


def test_orgs_of_a_type_in_a_branch_come_in_the_order_of_the_tree(region: Region) -> None:
    found = directory.org_ids_within(region.path("east"), types=(OrgType.SCHOOL,))
    assert found == [region.org_ids["school"], region.org_ids["other"]]
