"""Strong roles by affiliation wait for a second pair of eyes, and offices are looked through as grants are."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import URLPattern

from shuren.directory import api
from shuren.directory.data import NewPerson, Permission, Role
from shuren.directory.models import Affiliation, Grant
from shuren.directory.selectors.offices import page_of_offices, stream_offices
from shuren.directory.services.ask_office import ask_office, enter_role
from shuren.directory.services.enter_person import enter_person
from shuren.directory.services.tend_grants import certify_offices
from shuren.directory.tests.conftest import NOW, Region, Visitor
from shuren.directory.urls import urlpatterns
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.doors import purpose_of
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.kernel.models import AuditEntry, Event

Visit = Callable[[str], Visitor]
LATE = NOW + settings.CERTIFY_MONTHS * timedelta(days=30)


@pytest.fixture(autouse=True)
def _frozen_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def offices(region: Region) -> Region:
    region.add_person("second_city", "二市管", "city", Role.CITY_OFFICER)
    region.add_person("clerk", "文书", "east", Role.STAFF)
    return region


def ask(region: Region, by: str, about: str, role: Role = Role.COUNTY_OFFICER, org: str = "east", **options: object) -> int:
    return ask_office(
        actor=region.actor(by),
        person_id=region.person[about],
        org_id=region.org_ids[org],
        role=role,
        now=NOW,
        **options,  # type: ignore[arg-type]
    )


def manages(region: Region, key: str) -> bool:
    return not api.scope_of(actor=region.actor(key), permission=Permission.MANAGE_PEOPLE, now=NOW).is_empty


def test_no_one_person_makes_an_officer(offices: Region) -> None:
    with pytest.raises(Refused):
        api.affiliate(
            actor=offices.actor("city_officer"),
            person_id=offices.person["clerk"],
            org_id=offices.org_ids["east"],
            role=Role.COUNTY_OFFICER,
            now=NOW,
        )
    waiting = ask(offices, "city_officer", "clerk", end_date=date(2027, 9, 1))
    assert not manages(offices, "clerk")
    with pytest.raises(Conflict):
        ask(offices, "second_city", "clerk")
    for nobody in ("city_officer", "clerk"):
        with pytest.raises((NotFound, Refused)):
            api.confirm_grant(actor=offices.actor(nobody), grant_id=waiting, now=NOW)
    api.confirm_grant(actor=offices.actor("second_city"), grant_id=waiting, now=NOW)
    assert manages(offices, "clerk")
    row = Affiliation.objects.get(person_id=offices.person["clerk"], role=Role.COUNTY_OFFICER)
    assert (row.begin_date, row.end_date) == (clock.day_of(NOW), date(2027, 9, 1))
    assert Grant.objects.get(pk=waiting).revoked_at == NOW, "the grant that waited is used up"
    assert Event.objects.filter(name="directory.person_affiliated").count() >= 1
    with pytest.raises(Conflict):
        ask(offices, "city_officer", "clerk")


def test_an_office_that_nobody_confirms_lapses_and_may_be_asked_for_again(offices: Region) -> None:
    ask(offices, "city_officer", "clerk")
    late = NOW + timedelta(days=7)
    assert api.tend_grants(now=late)["lapsed"] == 1
    assert ask(offices, "city_officer", "clerk")
    assert not manages(offices, "clerk")


def test_who_may_not_give_may_not_ask_and_the_try_is_written_down(offices: Region) -> None:
    county = offices.actor("county_officer")
    with pytest.raises(Refused):
        enter_role(
            actor=county,
            person_id=offices.person["clerk"],
            org_id=offices.org_ids["east"],
            role=Role.COUNTY_OFFICER,
            now=NOW,
        )
    assert AuditEntry.objects.filter(action="directory.grant_refused").count() == 1
    with pytest.raises(Refused):
        ask(offices, "city_officer", "city_officer")
    with pytest.raises(Refused):
        api.affiliate(
            actor=offices.actor("city_officer"),
            person_id=offices.person["city_officer"],
            org_id=offices.org_ids["school"],
            role=Role.HEAD,
            now=NOW,
        )
    with pytest.raises(Invalid):
        ask(offices, "city_officer", "clerk", Role.AUDIT_ADMIN)


def test_an_administrator_becomes_no_officer_even_by_two(offices: Region) -> None:
    offices.add_person("admin2", "管二")
    offices.grant("admin2", "city", Role.SECURITY_ADMIN)
    with pytest.raises(Conflict):
        ask(offices, "city_officer", "admin2")
    waiting = ask(offices, "city_officer", "clerk")
    with pytest.raises(Conflict):
        offices.grant("clerk", "city", Role.AUDIT_ADMIN)
    Grant.objects.create(
        person_id=offices.person["clerk"],
        role=Role.AUDIT_ADMIN,
        org_id=offices.org_ids["city"],
        org_path=offices.path("city"),
        begin_at=NOW,
    )
    with pytest.raises(Conflict):
        api.confirm_grant(actor=offices.actor("second_city"), grant_id=waiting, now=NOW)


def test_the_installation_enters_officers_at_once(offices: Region) -> None:
    assert not enter_role(
        actor=SYSTEM, person_id=offices.person["clerk"], org_id=offices.org_ids["east"], role=Role.COUNTY_OFFICER, now=NOW
    )
    assert manages(offices, "clerk")


def test_a_newcomer_is_staff_until_the_office_is_confirmed(offices: Region) -> None:
    actor, org_id = offices.actor("city_officer"), offices.org_ids["west"]
    written = enter_person(actor=actor, person=NewPerson(name="新官"), org_id=org_id, role=Role.COUNTY_OFFICER, now=NOW)
    assert [row.role for row in Affiliation.objects.filter(person_id=written.id)] == [Role.STAFF]
    api.confirm_grant(actor=offices.actor("second_city"), grant_id=Grant.objects.get(person_id=written.id).pk, now=NOW)
    assert {row.role for row in Affiliation.objects.filter(person_id=written.id)} == {Role.STAFF, Role.COUNTY_OFFICER}


def test_the_page_says_that_it_waits(offices: Region, visit: Visit) -> None:
    offices.affiliate("staff", "east", Role.STAFF)
    fields = {"pick": ids.encode("org", offices.org_ids["east"]), "role": "county_officer", "begin_date": "2026-10-12"}
    page = visit("city_officer").post(offices.url("clerk", "roles/new/") + "?q=东川区", fields)
    assert page.status_code == 302, page.content.decode()
    assert any("确认" in note for note in page.notes)  # type: ignore[attr-defined]
    assert Grant.objects.get(person_id=offices.person["clerk"]).office is not None
    assert not manages(offices, "clerk")


def test_the_security_administrator_looks_through_offices_and_what_the_installation_gave(offices: Region) -> None:
    for key in ("guard", "guard2"):
        offices.add_person(key, key)
        offices.grant(key, "city", Role.SECURITY_ADMIN)
    told = api.tend_grants(now=LATE)
    assert (told["asked"], told["offices"]) == (2, 2)
    notices = apps.get_model("messaging.Notice").objects.filter(person_id=offices.person["guard"])
    assert notices.count() == 2
    guard = offices.actor("guard")
    page = page_of_offices(actor=guard, now=LATE, number=1, size=10)
    assert {row.person.name for row in page.rows} == {"高建国", "林县长", "二市管"}
    assert list(stream_offices(actor=offices.actor("head"), now=LATE)) == []
    chosen = [row.affiliation_id for row in page.rows[:1]]
    assert certify_offices(actor=offices.actor("head"), affiliation_ids=chosen, now=LATE) == 0
    assert certify_offices(actor=guard, affiliation_ids=chosen, now=LATE) == 1
    assert page_of_offices(actor=guard, now=LATE, number=1, size=10).total == 2
    assert AuditEntry.objects.filter(action="directory.office_certified").count() == 1
    assert api.tend_grants(now=LATE + timedelta(days=30))["uncertified"] == 0, "silence ends no last administrator"
    assert api.certify_grants(actor=guard, grant_ids=Grant.objects.values_list("pk", flat=True), now=LATE) == 1


def test_the_page_of_certifying_shows_offices_to_who_reviews_access(offices: Region, visit: Visit) -> None:
    offices.add_person("guard", "守护")
    offices.grant("guard", "city", Role.SECURITY_ADMIN)
    Affiliation.objects.filter(role=Role.COUNTY_OFFICER).update(begin_date=date(2020, 1, 1))
    page = visit("guard").get("/grants/certify/", {"kind": "office"}).content.decode()
    assert "林县长" in page
    assert "高建国" not in page
    row = Affiliation.objects.get(role=Role.COUNTY_OFFICER)
    kept = visit("guard").post("/grants/certify/keep/", {"ids": f"office:{ids.encode('affiliation', row.pk)}"})
    assert kept.status_code == 302
    assert "林县长" not in visit("guard").get("/grants/certify/", {"kind": "office"}).content.decode()
    assert "林县长" not in visit("head").get("/grants/certify/", {"kind": "office"}).content.decode()


def test_two_entries_are_not_two_pairs_of_eyes_on_an_office(offices: Region) -> None:
    offices.add_person("top", "总管", "city", Role.STAFF)
    offices.grant("top", "city", Role.PROVINCE_OFFICER)
    waiting = ask(offices, "city_officer", "clerk")
    api.confirm_grant(actor=offices.actor("second_city"), grant_id=waiting, now=NOW)
    keep, drop = offices.person["clerk"], offices.person["second_city"]
    with pytest.raises(Conflict):
        api.merge_people(actor=offices.actor("top"), keep_id=keep, drop_id=drop, now=NOW)
    Affiliation.objects.filter(person_id=keep, role=Role.COUNTY_OFFICER).update(end_date=clock.day_of(NOW))
    api.merge_people(actor=offices.actor("top"), keep_id=keep, drop_id=drop, now=NOW)


@pytest.mark.parametrize(
    "name", ["add_grant", "confirm_grant", "revoke_grant", "add_role", "break_glass", "open_break_glass", "reveal_person"]
)
def test_what_gives_power_asks_who_is_there(name: str) -> None:
    found = {pattern.name: pattern.callback for pattern in urlpatterns if isinstance(pattern, URLPattern)}
    assert purpose_of(found[name]) in ("grant", "reveal")
