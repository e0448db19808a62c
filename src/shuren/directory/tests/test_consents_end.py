"""An agreement ends with the place it was given at and with the words it was given to, and apps are told."""

import pytest

from shuren.directory import api
from shuren.directory.data import ConsentState, Role, Withheld
from shuren.directory.models import Affiliation, Enrollment
from shuren.directory.rules.consent import says_the_same
from shuren.directory.services.consents.lapse import lapse_consents
from shuren.directory.tests.conftest import NOW, Region
from shuren.directory.tests.test_consents import APP, PURPOSE, decide, publish, told
from shuren.kernel.errors import NotFound
from shuren.kernel.models import Event


def leave(region: Region, key: str) -> None:
    for model in (Affiliation, Enrollment):
        model._default_manager.filter(person_id=region.person[key]).update(end_date=NOW.date())


def withdrawals() -> list[dict[str, object]]:
    return [event.payload for event in Event.objects.filter(name="directory.consent_withdrawn").order_by("pk")]


def lapse(name: str) -> int:
    """Carry out what the job does with the latest event of a name."""
    event = Event.objects.filter(name=name).order_by("-pk")[0]
    return lapse_consents(event.payload, after=0, now=NOW, keep=lambda _person_id: None)


def test_who_leaves_the_school_has_agreed_to_nothing_there(region: Region) -> None:
    text = publish(region)
    decide(region, "parent", "pupil", text)
    assert told(region, "pupil")["pupil"].values["person.name"] == "王小明"
    leave(region, "pupil")
    gone = told(region, "pupil")["pupil"]
    assert gone.withheld["person.name"] is Withheld.NO_CONSENT
    assert gone.values["person.name"] == "王**"
    with pytest.raises(NotFound):
        decide(region, "parent", "pupil", text)
    region.affiliate("pupil", "other", role=Role.PUPIL)
    asked = publish(region, org="other", by="county_officer")
    state = api.consent_of(person_id=region.person["pupil"], purpose=PURPOSE, recipient=APP, now=NOW).state
    assert state is ConsentState.WAITING, "the new school asks for itself"
    assert decide(region, "parent", "pupil", asked) is ConsentState.GIVEN


def test_a_notice_of_the_region_goes_on_after_a_transfer_within_it(region: Region) -> None:
    decide(region, "parent", "pupil", publish(region, org="city", by="city_officer"))
    leave(region, "pupil")
    region.affiliate("pupil", "far", role=Role.PUPIL)
    assert told(region, "pupil")["pupil"].values["person.name"] == "王小明"


def test_other_words_ask_everybody_again_unless_they_only_correct(region: Region) -> None:
    decide(region, "parent", "pupil", publish(region))
    publish(region, body="老师用它布 置作业。")
    assert told(region, "pupil")["pupil"].values["person.name"] == "王小明", "spaces are no words"
    publish(region, body="老师用它布置做业。", is_correction=True)
    assert told(region, "pupil")["pupil"].values["person.name"] == "王小明"
    publish(region, body="家长的手机号卖给别人。")
    assert told(region, "pupil")["pupil"].withheld["person.name"] is Withheld.OUTDATED
    event = Event.objects.filter(name="directory.consent_text_published").order_by("-pk")[0]
    assert event.payload["asks_again"] is True
    publish(region, "person.name", "person.birth_date", "person.phone", body="家长的手机号卖给别人。", is_correction=True)
    event = Event.objects.filter(name="directory.consent_text_published").order_by("-pk")[0]
    assert event.payload["asks_again"] is True, "no box makes more elements the same"


def test_a_translation_added_later_says_nothing_new() -> None:
    assert says_the_same(["题", "文", "", ""], ["题", "文", "Title", "Body"])
    assert not says_the_same(["题", "文", "Title", "Body"], ["题", "文", "Title", "Other"])
    assert not says_the_same(["题", "文", "", ""], ["题", "别的", "", ""])


def test_apps_are_told_when_a_notice_ends(region: Region) -> None:
    text = publish(region)
    decide(region, "parent", "pupil", text)
    api.end_consent_text(actor=region.actor("head"), text_id=text, now=NOW)
    assert lapse("directory.consent_text_ended") == 1
    payload = {"person_id": region.person["pupil"], "purpose": PURPOSE, "recipient": APP, "text_id": text, "state": "outdated"}
    assert withdrawals() == [payload]


def test_apps_are_told_when_a_notice_asks_anew_but_not_of_who_has_agreed_since(region: Region) -> None:
    first = publish(region)
    assert lapse("directory.consent_text_published") == 0
    decide(region, "parent", "pupil", first)
    publish(region, body="别的话。", is_correction=True)
    assert lapse("directory.consent_text_published") == 0, "the answers go on to hold"
    second = publish(region, body="全是别的话。")
    assert lapse("directory.consent_text_published") == 1
    decide(region, "parent", "pupil", second)
    assert lapse("directory.consent_text_published") == 0


def test_what_another_notice_still_allows_is_not_withdrawn(region: Region) -> None:
    decide(region, "parent", "pupil", publish(region, org="city", by="city_officer"))
    text = publish(region)
    decide(region, "parent", "pupil", text)
    api.end_consent_text(actor=region.actor("head"), text_id=text, now=NOW)
    assert lapse("directory.consent_text_ended") == 0
    assert withdrawals() == []
