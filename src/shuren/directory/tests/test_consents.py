"""Notice and consent: who answers, what holds, what an app is told."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from shuren.directory import api
from shuren.directory.data import ConsentDecision, ConsentState, DecidedAs, NewConsentText, Role, Withheld
from shuren.directory.models import Consent, Disclosure, GuardianLink, Person
from shuren.directory.rules.consent import OFF_BY_DEFAULT, age_on, asks_again, deciders, is_masked, may_answer, state_of, withheld
from shuren.directory.services.seal_national_id import sealed
from shuren.directory.tests.conftest import NOW, Region
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.kernel.models import AuditEntry, Event
from shuren.standards.data import Grade, MaskStyle

APP, PURPOSE = "app:7", "homework"
ELEMENTS = ("person.number", "person.name", "person.birth_date", "person.phone", "person.national_id")
YES, NO, BACK = ConsentDecision.GIVEN, ConsentDecision.REFUSED, ConsentDecision.WITHDRAWN


def publish(region: Region, *elements: str, org: str = "school", purpose: str = PURPOSE, by: str = "head", **more: object) -> int:
    text = NewConsentText(
        org_id=region.org_ids[org],
        purpose=purpose,
        recipient=APP,
        recipient_name="作业盒",
        elements=elements or ("person.name", "person.birth_date"),
        title_zh="使用作业盒",
        body_zh=str(more.pop("body", "老师用它布置作业。")),
    )
    return api.publish_consent_text(actor=region.actor(by), text=text, now=NOW, **more)  # type: ignore[arg-type]


def decide(region: Region, by: str, about: str, text: int, decision: ConsentDecision = YES, now: object = NOW) -> ConsentState:
    return api.decide_consent(
        actor=region.actor(by),
        person_id=region.person[about],
        text_id=text,
        decision=decision,
        now=now,  # type: ignore[arg-type]
    )


def told(region: Region, *keys: str, elements: tuple[str, ...] = ELEMENTS, recipient: str = APP, **more: object) -> dict:  # type: ignore[type-arg]
    found = api.disclosed_people(
        person_ids=[region.person[key] for key in keys],
        elements=elements,
        purpose=str(more.pop("purpose", PURPOSE)),
        recipient=recipient,
        now=more.pop("now", NOW),  # type: ignore[arg-type]
    )
    return {key: found[region.person[key]] for key in keys}


days = st.dates(date(1990, 1, 1), date(2040, 1, 1))


@given(days, days)
def test_age_steps_once_a_year_on_the_birthday(birth: date, day: date) -> None:
    if day >= birth:
        assert age_on(birth, day) - age_on(birth, day - timedelta(days=1)) in (0, 1)
        assert age_on(birth, birth) == 0


def test_the_fourteenth_birthday_hands_the_answer_over() -> None:
    birth = date(2012, 10, 13)
    before, after = date(2026, 10, 12), date(2026, 10, 13)
    assert deciders(purpose=PURPOSE, birth_date=birth, is_pupil=True, day=before) == {DecidedAs.GUARDIAN}
    assert deciders(purpose=PURPOSE, birth_date=birth, is_pupil=True, day=after) == {DecidedAs.SELF}
    for purpose in OFF_BY_DEFAULT:
        assert deciders(purpose=purpose, birth_date=birth, is_pupil=True, day=after) == set(DecidedAs)
    assert deciders(purpose=PURPOSE, birth_date=None, is_pupil=True, day=after) == {DecidedAs.GUARDIAN}
    assert deciders(purpose=PURPOSE, birth_date=None, is_pupil=False, day=after) == {DecidedAs.SELF}


answers = st.dictionaries(st.sampled_from(DecidedAs), st.sampled_from(ConsentDecision))


@given(answers, st.frozensets(st.sampled_from(DecidedAs), min_size=1))
def test_nothing_is_given_unless_everybody_needed_gave_it(
    found: dict[DecidedAs, ConsentDecision], needed: frozenset[DecidedAs]
) -> None:
    is_given = state_of(found, needed) is ConsentState.GIVEN
    assert is_given is all(found.get(side) is YES for side in needed)


@given(
    st.sampled_from(Grade),
    st.sampled_from([PURPOSE, *OFF_BY_DEFAULT]),
    st.sampled_from(["", APP]),
    st.booleans(),
    st.sampled_from(ConsentState),
    st.booleans(),
    st.sampled_from(MaskStyle),
)
def test_what_is_told(
    grade: Grade, purpose: str, recipient: str, is_staff: bool, state: ConsentState, is_named: bool, mask: MaskStyle
) -> None:
    """Sensitive facts never leave without a consent that names them, and after a no not even a mask is left."""
    agreed = {"person.phone"} if is_named and state is ConsentState.GIVEN else set()
    reason = withheld(
        element="person.phone",
        grade=grade,
        purpose=purpose,
        recipient=recipient,
        is_staff=is_staff,
        state=state,
        agreed=agreed,
    )
    has_consent = state is ConsentState.GIVEN and is_named
    if grade is Grade.SENSITIVE or (grade is not Grade.PUBLIC and purpose in OFF_BY_DEFAULT):
        assert (reason is None) is has_consent
    if grade is Grade.PERSONAL and recipient:
        assert (reason is None) is has_consent
    if reason is not None and (state in (ConsentState.REFUSED, ConsentState.WITHDRAWN) or grade is Grade.SENSITIVE):
        assert not is_masked(reason, grade, mask)


def test_more_elements_or_other_words_ask_again() -> None:
    assert not asks_again(before=["a", "b"], after=["a"], is_reworded=False)
    assert asks_again(before=["a"], after=["a", "b"], is_reworded=False)
    assert asks_again(before=["a"], after=["a"], is_reworded=True)
    assert may_answer(actor_id=1, person_id=2, guardian_ids=[1], needed={DecidedAs.SELF}) is None


def test_without_an_answer_an_app_gets_masks(region: Region) -> None:
    publish(region)
    pupil = told(region, "pupil")["pupil"]
    assert pupil.values["person.name"] == "王**"
    assert pupil.values["person.birth_date"] == "2016"
    assert pupil.masked == {"person.name", "person.birth_date", "person.phone"}
    assert pupil.withheld["person.national_id"] is Withheld.NO_CONSENT
    assert "person.number" in pupil.values
    assert "person.number" not in pupil.withheld
    assert told(region, "head")["head"].values["person.name"] == "何校长"


def test_a_guardian_agrees_and_takes_it_back(region: Region) -> None:
    text = publish(region)
    assert decide(region, "parent", "pupil", text) is ConsentState.GIVEN
    pupil = told(region, "pupil")["pupil"]
    assert pupil.values["person.name"] == "王小明"
    assert pupil.values["person.birth_date"] == "2016-05-04"
    assert pupil.withheld["person.phone"] is Withheld.NOT_ASKED_FOR
    assert decide(region, "parent", "pupil", text, BACK) is ConsentState.WITHDRAWN
    pupil = told(region, "pupil")["pupil"]
    assert set(pupil.values) == {"person.number"}
    assert pupil.withheld["person.name"] is Withheld.WITHDRAWN
    payload = {"person_id": region.person["pupil"], "purpose": PURPOSE, "recipient": APP, "text_id": text}
    for name, state in (("given", "given"), ("withdrawn", "withdrawn")):
        event = Event.objects.get(name=f"directory.consent_{name}")
        assert event.payload.items() >= (payload | {"state": state}).items()
    rows = Consent.objects.filter(person_id=region.person["pupil"]).order_by("pk")
    assert [(row.decision, row.is_current) for row in rows] == [("given", False), ("withdrawn", True)]
    assert len({row.digest for row in rows}) == 2
    assert (
        AuditEntry.objects.filter(action__startswith="directory.consent_", target=f"person:{region.person['pupil']}").count() == 2
    )


def test_a_refusal_is_kept_and_is_not_a_withdrawal(region: Region) -> None:
    text = publish(region)
    assert decide(region, "parent", "pupil", text, NO) is ConsentState.REFUSED
    assert told(region, "pupil")["pupil"].withheld["person.name"] is Withheld.REFUSED
    with pytest.raises(Conflict):
        decide(region, "parent", "pupil", text, BACK)
    assert decide(region, "parent", "pupil", text, NO) is ConsentState.REFUSED
    assert Consent.objects.count() == 1


def test_only_who_must_answer_may(region: Region) -> None:
    text = publish(region)
    with pytest.raises(Refused):
        decide(region, "pupil", "pupil", text)
    for stranger in ("teacher", "head", "pupil2"):
        with pytest.raises(NotFound):
            decide(region, stranger, "pupil", text)
    GuardianLink.objects.update(end_date=NOW.date())
    with pytest.raises(NotFound):
        decide(region, "parent", "pupil", text)


def test_a_notice_of_another_school_is_not_asked(region: Region) -> None:
    text = publish(region, org="far", by="city_officer")
    with pytest.raises(NotFound):
        decide(region, "parent", "pupil", text)
    everywhere = publish(region, org="city", by="city_officer")
    assert decide(region, "parent", "pupil", everywhere) is ConsentState.GIVEN


def test_from_fourteen_on_the_pupil_answers(region: Region) -> None:
    text = publish(region)
    Person.objects.filter(pk=region.person["pupil"]).update(birth_date=date(2012, 10, 13))
    decide(region, "parent", "pupil", text)
    later = NOW + timedelta(days=1)
    assert told(region, "pupil", now=later)["pupil"].withheld["person.name"] is Withheld.OUTDATED
    with pytest.raises(Refused):
        decide(region, "parent", "pupil", text, now=later)
    assert decide(region, "pupil", "pupil", text, now=later) is ConsentState.GIVEN
    assert told(region, "pupil", now=later)["pupil"].values["person.name"] == "王小明"


def test_wearables_are_off_and_want_both_up_to_eighteen(region: Region) -> None:
    text = publish(region, "person.number", purpose="wearables")
    Person.objects.filter(pk=region.person["pupil"]).update(birth_date=date(2010, 1, 1))
    elements = ("person.number",)
    assert told(region, "pupil", elements=elements, purpose="wearables")["pupil"].withheld == {"person.number": Withheld.OFF}
    assert decide(region, "parent", "pupil", text) is ConsentState.WAITING
    assert not told(region, "pupil", elements=elements, purpose="wearables")["pupil"].values
    assert decide(region, "pupil", "pupil", text) is ConsentState.GIVEN
    assert told(region, "pupil", elements=elements, purpose="wearables")["pupil"].values


def test_a_version_that_asks_for_more_asks_again(region: Region) -> None:
    decide(region, "parent", "pupil", publish(region))
    publish(region, "person.name")
    assert told(region, "pupil")["pupil"].values["person.name"] == "王小明"
    assert told(region, "pupil")["pupil"].withheld["person.birth_date"] is Withheld.NOT_ASKED_FOR
    third = publish(region, "person.name", "person.phone")
    assert told(region, "pupil")["pupil"].withheld["person.name"] is Withheld.OUTDATED
    decide(region, "parent", "pupil", third)
    assert told(region, "pupil")["pupil"].values["person.phone"] == "13800000001"
    api.end_consent_text(actor=region.actor("head"), text_id=third, now=NOW)
    assert told(region, "pupil")["pupil"].withheld["person.name"] is Withheld.OUTDATED


def test_a_national_id_leaves_only_with_a_consent_that_names_it(region: Region) -> None:
    Person.objects.filter(pk=region.person["pupil"]).update(national_id_sealed=sealed("110101201605040011"))
    text = publish(region, "person.national_id")
    assert "person.national_id" not in told(region, "pupil")["pupil"].values
    assert "person.national_id" not in told(region, "pupil", recipient="")["pupil"].values
    decide(region, "parent", "pupil", text)
    assert told(region, "pupil")["pupil"].values["person.national_id"] == "110101201605040011"
    entry = AuditEntry.objects.get(action="directory.sensitive_disclosed")
    assert entry.target == f"recipient:{APP}"
    assert entry.details["person_ids"] == [region.person["pupil"]]
    assert "110101" not in str(entry.details)


def test_everybody_told_of_is_kept_once_a_day(region: Region) -> None:
    decide(region, "parent", "pupil", publish(region))
    for _again in range(3):
        told(region, "pupil", "pupil2")
    rows = Disclosure.objects.filter(person_id=region.person["pupil"])
    assert [(row.recipient, row.elements) for row in rows] == [(APP, "birth_date,name,number")]
    told(region, "pupil", recipient="")
    assert Disclosure.objects.count() == 2


def test_a_batch_costs_as_many_queries_as_one(region: Region) -> None:
    decide(region, "parent", "pupil", publish(region))
    counts = []
    for keys in (("pupil",), ("pupil", "pupil2", "far_pupil", "head", "parent", "teacher")):
        Disclosure.objects.all().delete()
        with CaptureQueriesContext(
            connection,
        ) as found:
            told(region, *keys)
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_who_may_publish_and_what(region: Region) -> None:
    with pytest.raises(NotFound):
        publish(region, by="teacher")
    with pytest.raises(NotFound):
        publish(region, org="other", by="head")
    with pytest.raises(Invalid):
        publish(region, "person.soul")
    with pytest.raises(Invalid):
        publish(region, purpose="Home Work")
    with pytest.raises(Invalid):
        told(region, "pupil", elements=("result.score",))


def test_consent_of_tells_waiting_from_unasked(region: Region) -> None:
    def state() -> ConsentState:
        return api.consent_of(person_id=region.person["pupil"], purpose=PURPOSE, recipient=APP, now=NOW).state

    assert state() is ConsentState.UNASKED
    text = publish(region)
    assert state() is ConsentState.WAITING
    decide(region, "parent", "pupil", text)
    assert state() is ConsentState.GIVEN
    region.add_person("newcomer", "新同学", "school", Role.PUPIL)
    assert [found.id for found in api.asked_texts([region.person["newcomer"]], now=NOW)[region.person["newcomer"]]] == [text]


def test_answers_follow_a_merge(region: Region) -> None:
    text = publish(region)
    region.add_person("double", "王小明", "school", Role.PUPIL, birth_date=date(2016, 5, 4))
    GuardianLink.objects.create(guardian_id=region.person["parent"], ward_id=region.person["double"])
    decide(region, "parent", "pupil", text, NO)
    decide(region, "parent", "double", text)
    told(region, "pupil", "double")
    api.merge_people(actor=region.actor("city_officer"), keep_id=region.person["pupil"], drop_id=region.person["double"], now=NOW)
    assert told(region, "pupil")["pupil"].withheld["person.name"] is Withheld.REFUSED
    assert Consent.objects.filter(person_id=region.person["pupil"]).count() == 2
    assert Disclosure.objects.filter(person_id=region.person["pupil"]).count() == 2
