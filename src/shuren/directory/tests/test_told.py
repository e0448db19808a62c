"""Element × purpose × standing inside the house, element × purpose × consent outside it: the whole table, written out."""

from datetime import date

import pytest

from shuren.directory import api
from shuren.directory.data import ConsentDecision, HousePurpose, NewConsentText, Permission, Standing, Withheld
from shuren.directory.models import Person
from shuren.directory.rules.permissions import ROLE_PERMISSIONS
from shuren.directory.rules.reading import purpose_of_page, serves, standing_of
from shuren.directory.selectors.told import standing_towards, told_inside
from shuren.directory.services.seal_national_id import index_of, sealed
from shuren.directory.tests.conftest import NOW, Region

TEACHING, ADMIN, OWN, CHECK = HousePurpose
SELF, FAMILY, KEEPER, VIEWER = Standing
NATIONAL_ID, G_NUMBER = "110101201605040011", "G440103201605040022"
# element: (what is kept, what is left of it for teaching)
KEPT: dict[str, tuple[str | date, str]] = {
    "person.number": ("10000000000014", "10000000000014"),
    "person.staff_number": ("T-0042", "T-0042"),
    "person.grade": ("g4", "g4"),
    "person.name": ("张三丰", "张三丰"),
    "person.family_name": ("张", "张"),
    "person.given_name": ("三丰", "三丰"),
    "person.sex": ("1", "1"),
    "person.birth_date": (date(2016, 5, 4), "2016"),
    "person.pupil_number": ("L440100201605040", "L4401*******5040"),
    "person.phone": ("13800000001", "138****0001"),
    "person.email": ("xiaoming@example.cn", "x***@example.cn"),
}
SENSITIVE = {
    "person.national_id": (NATIONAL_ID, ""),
    "person.ethnic_group": ("02", ""),
    "person.pupil_number": (G_NUMBER, "G****"),
}
# Which purposes each standing reads for; every other one shows what teaching shows.
SERVED = {SELF: {TEACHING, OWN, CHECK}, FAMILY: {TEACHING, OWN, CHECK}, KEEPER: {TEACHING, ADMIN, CHECK}, VIEWER: {TEACHING}}


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("purpose", HousePurpose)
def test_the_table_inside(standing: Standing, purpose: HousePurpose) -> None:
    is_served = purpose in SERVED[standing]
    assert serves(purpose, standing) is is_served
    for element, (kept, left) in KEPT.items():
        told = told_inside(kept, element, purpose=purpose, standing=standing)
        is_whole = str(kept) == left or (is_served and purpose is not TEACHING)
        assert told.text == (str(kept) if is_whole else left), (element, standing, purpose)
        assert told.reason is (None if is_whole else Withheld.NOT_NEEDED)
    for element, (kept, left) in SENSITIVE.items():
        told = told_inside(kept, element, purpose=purpose, standing=standing)
        is_whole = is_served and purpose is CHECK
        assert told.text == (kept if is_whole else left), (element, standing, purpose)
        assert told.reason is (None if is_whole else Withheld.ON_REQUEST)


def test_a_page_is_opened_for_something_its_reader_may() -> None:
    assert all(serves(purpose_of_page(standing), standing) for standing in Standing)
    assert CHECK not in {purpose_of_page(standing) for standing in Standing}


def test_nothing_on_file_is_nothing_withheld() -> None:
    for empty in ("", None):
        told = told_inside(empty, "person.phone", purpose=TEACHING, standing=VIEWER)
        assert (told.text, told.reason) == ("", None)


def test_the_nearest_standing_counts() -> None:
    assert standing_of(is_self=True, is_family=True, is_keeper=True) is SELF
    assert standing_of(is_self=False, is_family=True, is_keeper=True) is FAMILY
    assert standing_of(is_self=False, is_family=False, is_keeper=True) is KEEPER
    assert standing_of(is_self=False, is_family=False, is_keeper=False) is VIEWER


def test_who_stands_how(region: Region) -> None:
    expected = {
        "pupil": SELF,
        "parent": FAMILY,
        "head": KEEPER,
        "admin": KEEPER,
        "county_officer": KEEPER,
        "city_officer": KEEPER,
    }
    for key in region.person:
        found = standing_towards(actor=region.actor(key), person_id=region.person["pupil"], now=NOW)
        assert found is expected.get(key, VIEWER), key


def test_whoever_takes_rosters_out_or_manages_people_may_see_what_stands_in_them() -> None:
    for held in ROLE_PERMISSIONS.values():
        if held & {Permission.EXPORT_ROSTER, Permission.MANAGE_PEOPLE, Permission.ANSWER_SUBJECTS}:
            assert Permission.VIEW_SENSITIVE in held


APP, PURPOSES = "app:7", ("sign_in", "learning", "wearables")
YES, NO, BACK = ConsentDecision.GIVEN, ConsentDecision.REFUSED, ConsentDecision.WITHDRAWN
ASKED = ("person.name", "person.phone", "person.national_id")
OUTSIDE = ("person.number", "person.grade", "person.name", "person.birth_date", "person.phone", "person.national_id")
# What an app is told whole, and of what the mask, by the answer to a notice that names `ASKED`.
TOLD: dict[ConsentDecision | None, tuple[set[str], set[str]]] = {
    None: ({"person.number", "person.grade"}, {"person.name", "person.birth_date", "person.phone"}),
    YES: ({"person.number", "person.grade", *ASKED}, {"person.birth_date"}),
    NO: ({"person.number", "person.grade"}, set()),
    BACK: ({"person.number", "person.grade"}, set()),
}
TOLD_OF_WEARABLES: dict[ConsentDecision | None, set[str]] = {None: set(), YES: set(ASKED), NO: set(), BACK: set()}


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("answer", list(TOLD))
def test_the_table_outside(region: Region, purpose: str, answer: ConsentDecision | None) -> None:
    pupil = region.person["pupil"]
    Person.objects.filter(pk=pupil).update(
        grade="g4", national_id_sealed=sealed(NATIONAL_ID), national_id_index=index_of(NATIONAL_ID)
    )
    text = NewConsentText(
        org_id=region.org_ids["school"],
        purpose=purpose,
        recipient=APP,
        recipient_name="作业盒",
        elements=ASKED,
        title_zh="使用作业盒",
        body_zh="老师用它布置作业。",
    )
    notice = api.publish_consent_text(actor=region.actor("head"), text=text, now=NOW)
    for said in (YES, BACK) if answer is BACK else (answer,):
        if said is not None:
            api.decide_consent(actor=region.actor("parent"), person_id=pupil, text_id=notice, decision=said, now=NOW)
    for asked_for in PURPOSES:
        found = api.disclosed_people(person_ids=[pupil], elements=OUTSIDE, purpose=asked_for, recipient=APP, now=NOW)[pupil]
        whole = set(found.values) - found.masked
        given = answer if asked_for == purpose else None
        if asked_for == "wearables":
            assert whole == TOLD_OF_WEARABLES[given], (purpose, asked_for)
            assert given is YES or not found.masked
        else:
            assert (whole, set(found.masked)) == TOLD[given], (purpose, asked_for)
        assert ("person.national_id" in found.values) is (given is YES)
