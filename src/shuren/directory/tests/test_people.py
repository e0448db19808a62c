"""People: numbers for life, periods, classes, guardians, duplicates and what a merge carries over."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.directory import api
from shuren.directory.data import CountKind, EnrollmentRole, NewPerson, OrgType, Permission, Role, Sex
from shuren.directory.models import (
    Affiliation,
    DuplicatePair,
    Enrollment,
    FormerNumber,
    Grant,
    GuardianLink,
    OrgCount,
    Person,
)
from shuren.directory.rules import duplicates, names, numbers
from shuren.directory.services.issue_numbers import issue_numbers
from shuren.directory.services.propose_duplicates import propose_duplicates
from shuren.directory.services.seal_national_id import index_of, opened
from shuren.directory.tests.conftest import BEGUN, NOW, Region
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.kernel.models import AuditEntry, Event

serials = st.integers(0, 10**13 - 1)


@given(serials)
def test_a_number_is_fourteen_digits_that_check(serial: int) -> None:
    number = numbers.number_of(serial)
    assert len(number) == 14
    assert numbers.is_number(number)


@given(serials, st.integers(0, 13), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(serial: int, place: int, shift: int) -> None:
    number = numbers.number_of(serial)
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    assert not numbers.is_number(wrong)


@given(serials, serials)
def test_two_serials_never_share_a_number(one: int, other: int) -> None:
    assert (numbers.number_of(one) == numbers.number_of(other)) is (one == other)


@given(st.integers(0, 10**12), st.integers(0, 300))
def test_numbers_in_bulk_are_the_same_numbers(first: int, count: int) -> None:
    assert numbers.numbers_of(first, count) == [numbers.number_of(first + step) for step in range(count)]


def test_bulk_numbers_go_on_across_a_block() -> None:
    many = numbers.numbers_of(7, 70_000)
    assert len(set(many)) == 70_000
    assert many[65_536:65_540] == [numbers.number_of(7 + step) for step in range(65_536, 65_540)]


def test_what_is_no_number() -> None:
    for text in ("", "1", "1234567890123a", "０１２３４５６７８９０１２３", numbers.number_of(1) + "0"):
        assert not numbers.is_number(text)


@pytest.mark.django_db
def test_issued_numbers_never_come_again() -> None:
    first, second = issue_numbers(5), issue_numbers(3)
    assert len({*first, *second}) == 8


def test_names_sort_by_pinyin_with_homonyms_together() -> None:
    people = ["赵一", "李四", "王二", "李思", "Anna", "白起"]
    assert sorted(people, key=names.sort_key_of) == ["Anna", "白起", "李思", "李四", "王二", "赵一"]
    assert len(names.sort_key_of("长" * 80)) <= names.MAX_LENGTH


def test_a_national_id_is_sealed_and_found_by_its_index(region: Region) -> None:
    person_id = region.add_person("carded", "有证", national_id=" 11010120160504000x ")
    person = Person.objects.get(pk=person_id)
    assert b"11010120160504000" not in bytes(person.national_id_sealed or b"")
    assert opened(person.national_id_sealed or b"") == "11010120160504000X"
    assert person.national_id_index == index_of("11010120160504000X")
    assert "11010120160504000X" not in str(list(AuditEntry.objects.values_list("details", flat=True)))


def test_warnings_never_reject(region: Region) -> None:
    new = NewPerson(name="警告", national_id="110101201605040000", pupil_number="X1")
    written = api.add_person(actor=SYSTEM, person=new, now=NOW)
    assert len(written.warnings) == 2
    assert api.people_by_ids([written.id])[written.id].name == "警告"


def test_only_who_manages_people_adds_them(region: Region) -> None:
    new = NewPerson(name="新人")
    assert api.add_person(actor=region.actor("admin"), person=new, now=NOW).id
    for key in ("head", "class_teacher", "pupil"):
        with pytest.raises(Refused):
            api.add_person(actor=region.actor(key), person=new, now=NOW)
    with pytest.raises(Invalid):
        api.add_person(actor=SYSTEM, person=NewPerson(name="  "), now=NOW)


def test_a_correction_keeps_former_numbers_and_no_values_in_the_audit(region: Region) -> None:
    pupil = region.person["pupil"]
    for number in ("L44010020160504", "G44010020160505"):
        api.correct_person(actor=region.actor("admin"), person_id=pupil, changes={"pupil_number": number}, now=NOW)
    assert FormerNumber.objects.get(person_id=pupil).value == "L44010020160504"
    found = api.person_ids_by_number(["L44010020160504", "G44010020160505", "nothing"])
    assert found == {"L44010020160504": pupil, "G44010020160505": pupil}
    assert "G44010020160505" not in str(list(AuditEntry.objects.values_list("details", flat=True)))
    before = AuditEntry.objects.count()
    api.correct_person(actor=region.actor("admin"), person_id=pupil, changes={"name": "王小明"}, now=NOW)
    assert AuditEntry.objects.count() == before
    with pytest.raises(Invalid):
        api.correct_person(actor=SYSTEM, person_id=pupil, changes={"number": "1"}, now=NOW)
    with pytest.raises(NotFound):
        api.correct_person(actor=region.actor("head"), person_id=pupil, changes={"name": "王"}, now=NOW)


def test_the_same_role_is_not_entered_twice_at_a_time(region: Region) -> None:
    with pytest.raises(Conflict):
        region.affiliate("pupil", "school", Role.PUPIL)
    affiliation = Affiliation.objects.get(person_id=region.person["pupil"])
    api.end_affiliation(actor=region.actor("admin"), affiliation_id=affiliation.pk, now=NOW)
    assert region.affiliate("far_pupil", "school", Role.PUPIL)
    with pytest.raises(Conflict):
        api.end_affiliation(actor=region.actor("admin"), affiliation_id=affiliation.pk, now=NOW)
    with pytest.raises(Invalid):
        api.affiliate(
            actor=SYSTEM,
            person_id=region.person["pupil"],
            org_id=region.org_ids["other"],
            role=Role.PUPIL,
            begin_date=BEGUN,
            end_date=BEGUN,
            now=NOW,
        )


def test_a_pupil_has_one_home_class_and_changes_it_by_transfer(region: Region) -> None:
    with pytest.raises(Conflict):
        region.enrol("pupil", "class2")
    with pytest.raises(Invalid):
        region.enrol("pupil", "grade")
    old = Enrollment.objects.get(person_id=region.person["pupil"])
    new_id = api.transfer(actor=region.actor("admin"), enrollment_id=old.pk, class_id=region.org_ids["class2"], now=NOW)
    old.refresh_from_db()
    new = Enrollment.objects.get(pk=new_id)
    assert old.end_date == new.begin_date == date(2026, 10, 12)
    assert new.is_primary
    class_teacher = api.people_within(actor=region.actor("class_teacher"), person_ids=[region.person["pupil"]], now=NOW)
    assert not class_teacher
    later = [line.class_id for line in api.enrollments_of_people([region.person["pupil"]], day=date(2026, 10, 12))]
    assert later == [region.org_ids["class2"]]


def test_classes_know_their_pupils_and_teachers(region: Region) -> None:
    path = region.path("grade")
    lines = list(api.enrollments_of_paths([path], role=EnrollmentRole.STUDENT, day=date(2026, 10, 12)))
    assert [line.person_id for line in lines] == [region.person["pupil"], region.person["pupil2"]]
    teachers = api.class_teachers_of([region.org_ids["class1"], region.org_ids["class2"]], day=date(2026, 10, 12))
    assert teachers == {region.org_ids["class1"]: [region.person["class_teacher"]], region.org_ids["class2"]: []}
    pupils = api.people_of_org(region.path("school"), roles=[Role.PUPIL], day=date(2026, 10, 12))
    assert [person.name for person in pupils] == ["王小明", "李小红"]


def test_guardians_are_linked_once_and_again_after_an_end(region: Region) -> None:
    family = {"guardian_id": region.person["parent"], "ward_id": region.person["pupil"]}
    with pytest.raises(Conflict):
        api.link_guardian(actor=SYSTEM, **family, now=NOW)
    api.unlink_guardian(actor=region.actor("admin"), **family, now=NOW)
    assert api.guardians_of([region.person["pupil"]], day=date(2026, 10, 13)) == []
    with pytest.raises(NotFound):
        api.unlink_guardian(actor=region.actor("admin"), **family, now=NOW + timedelta(days=1))
    api.link_guardian(actor=region.actor("admin"), **family, now=NOW)
    assert [link.ward_id for link in api.wards_of([region.person["parent"]], day=date(2026, 10, 13))] == [region.person["pupil"]]
    with pytest.raises(Invalid):
        api.link_guardian(actor=SYSTEM, guardian_id=region.person["pupil"], ward_id=region.person["pupil"], now=NOW)


def traits(**facts: object) -> duplicates.Traits:
    return duplicates.Traits(**{"name": "王小明", "sex": "1", "birth_date": date(2016, 5, 4), **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other", "is_enough"),
    [
        ({}, {}, True),
        ({"national_id_index": "a"}, {"national_id_index": "b"}, False),
        ({"national_id_index": "a"}, {"national_id_index": "a", "name": "王晓明"}, True),
        ({"pupil_number": "G1"}, {"pupil_number": "G1", "birth_date": date(2016, 4, 5)}, True),
        ({}, {"name": "王小红"}, False),
        ({}, {"birth_date": None}, False),
        ({}, {"sex": "2"}, False),
        ({"phone": "1"}, {"phone": "1", "sex": "2", "name": "王小红"}, False),
    ],
)
def test_evidence_weighs(one: dict[str, object], other: dict[str, object], is_enough: bool) -> None:
    assert duplicates.judged(traits(**one), traits(**other)).is_enough is is_enough


facts = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["甲", "乙"]),
        "sex": st.sampled_from(["0", "1", "2"]),
        "birth_date": st.sampled_from([None, date(2016, 1, 1), date(2016, 1, 2)]),
        "national_id_index": st.sampled_from(["", "a", "b"]),
        "pupil_number": st.sampled_from(["", "G1", "G2"]),
        "phone": st.sampled_from(["", "1"]),
    }
)


@given(facts, facts)
def test_evidence_is_symmetric_and_a_share(one: dict[str, object], other: dict[str, object]) -> None:
    there = duplicates.judged(traits(**one), traits(**other))
    back = duplicates.judged(traits(**other), traits(**one))
    assert there == back
    assert 0 <= there.score <= 1


def doubled(region: Region) -> int:
    """The pupil once more, in another class, with a guardian, a grant and numbers of their own."""
    same = {"sex": Sex.MALE, "birth_date": date(2016, 5, 4), "pupil_number": "L440100201605041"}
    double = region.add_person("double", "王小明", "school", Role.PUPIL, **same)
    region.enrol("double", "class2")
    region.add_person("mother", "刘慧")
    for guardian in ("mother", "parent"):
        api.link_guardian(actor=SYSTEM, guardian_id=region.person[guardian], ward_id=double, now=NOW)
    region.grant("double", "class2", Role.EXPERT)
    return double


def test_duplicates_are_proposed_again_until_decided(region: Region) -> None:
    double = doubled(region)
    assert propose_duplicates(now=NOW) == 1
    assert propose_duplicates(now=NOW + timedelta(days=1)) == 1
    pair = DuplicatePair.objects.get()
    assert {pair.first_id, pair.second_id} == {region.person["pupil"], double}
    assert pair.evidence == [duplicates.SAME_NAME_BIRTH_SEX]
    assert Person.objects.filter(merged_into__isnull=False).count() == 0
    api.correct_person(actor=SYSTEM, person_id=double, changes={"name": "王晓鸣"}, now=NOW)
    assert propose_duplicates(now=NOW + timedelta(days=2)) == 0


def test_a_merge_moves_everything_and_keeps_the_number_findable(region: Region) -> None:
    double, keep = doubled(region), region.person["pupil"]
    propose_duplicates(now=NOW)
    number = Person.objects.get(pk=double).number
    api.merge_people(actor=region.actor("admin"), keep_id=keep, drop_id=double, now=NOW, reason="同一人")
    dropped = Person.objects.get(pk=double)
    assert (dropped.merged_into_id, dropped.is_active) == (keep, False)
    assert Person.objects.get(pk=keep).pupil_number == "L440100201605041"
    assert api.person_ids_by_number([number, "L440100201605041"]) == {number: keep, "L440100201605041": keep}
    assert api.person_ids_by_sourced([dropped.sourced_id]) == {dropped.sourced_id: keep}
    for model in (Affiliation, Enrollment):
        assert not model.objects.filter(person_id=double).exists()
    guardians = {link.guardian_id for link in api.guardians_of([keep], day=date(2026, 10, 12))}
    assert guardians == {region.person["parent"], region.person["mother"]}
    assert GuardianLink.objects.filter(ward_id=double).count() == 0
    homes = Enrollment.objects.filter(person_id=keep, is_primary=True, role="student")
    assert homes.count() == 1
    in_force = [line for line in Affiliation.objects.filter(person_id=keep) if line.begin_date != line.end_date]
    assert len(in_force) == 1
    assert DuplicatePair.objects.get().decision == "merged"
    assert Event.objects.get(name="directory.person_merged").payload == {"kept_id": keep, "dropped_id": double}
    with pytest.raises(NotFound):
        api.access_person(actor=SYSTEM, id=double, now=NOW)
    with pytest.raises(NotFound):
        api.merge_people(actor=SYSTEM, keep_id=keep, drop_id=double, now=NOW)


def test_a_merge_needs_the_right_over_both(region: Region) -> None:
    with pytest.raises(NotFound):
        api.merge_people(actor=region.actor("admin"), keep_id=region.person["pupil"], drop_id=region.person["far_pupil"], now=NOW)
    with pytest.raises(Invalid):
        api.merge_people(actor=SYSTEM, keep_id=region.person["pupil"], drop_id=region.person["pupil"], now=NOW)


def test_a_merge_never_joins_two_administrations(region: Region) -> None:
    for key, role in (("one", Role.SYSTEM_ADMIN), ("two", Role.AUDIT_ADMIN)):
        region.add_person(key, "管理员")
        region.grant(key, "city", role)
    with pytest.raises(Conflict):
        api.merge_people(actor=SYSTEM, keep_id=region.person["one"], drop_id=region.person["two"], now=NOW)


def test_nobody_merges_an_entry_of_their_own(region: Region) -> None:
    double = api.add_person(actor=SYSTEM, person=NewPerson(name="管理员", is_synthetic=True), now=NOW).id
    api.affiliate(
        actor=SYSTEM, person_id=double, org_id=region.org_ids["school"], role=Role.STAFF, now=NOW, begin_date=date(2026, 9, 1)
    )
    for keep, drop in ((region.person["admin"], double), (double, region.person["admin"])):
        with pytest.raises(Refused):
            api.merge_people(actor=region.actor("admin"), keep_id=keep, drop_id=drop, now=NOW)
    tried = AuditEntry.objects.filter(action="directory.merge_refused").order_by("id")
    assert [row.details["other_id"] for row in tried] == [double, region.person["admin"]]


@pytest.mark.parametrize("hand", ["granted_by_id", "confirmed_by_id"])
def test_a_merge_leaves_no_role_that_its_holder_gave_or_confirmed(region: Region, hand: str) -> None:
    region.add_person("double", "重复")
    region.grant("double", "city", Role.CITY_OFFICER)
    grants = Grant.objects.filter(person_id=region.person["double"])
    grants.update(**{hand: region.person["staff"]})
    pair = {"keep_id": region.person["staff"], "drop_id": region.person["double"]}
    with pytest.raises(Conflict, match="给自己授权"):
        api.merge_people(actor=SYSTEM, now=NOW, **pair)
    grants.update(revoked_at=NOW)
    api.merge_people(actor=SYSTEM, now=NOW, **pair)
    assert Person.objects.get(pk=region.person["double"]).merged_into_id == region.person["staff"]


def test_a_class_teacher_by_enrollment_is_no_administrator(region: Region) -> None:
    for key in ("first", "second"):
        region.add_person(key, "教师")
    region.enrol("first", "class1", EnrollmentRole.TEACHER, is_primary=True)
    with pytest.raises(Conflict):
        region.grant("first", "city", Role.AUDIT_ADMIN)
    region.grant("second", "city", Role.AUDIT_ADMIN)
    with pytest.raises(Conflict):
        region.enrol("second", "class1", EnrollmentRole.TEACHER, is_primary=True)
    region.enrol("second", "class1", EnrollmentRole.TEACHER, is_primary=False)


def kept_counts() -> dict[tuple[int, str], int]:
    rows = OrgCount.objects.exclude(value=0)
    return {(row.org_id, row.kind): row.value for row in rows}


def test_counters_kept_by_steps_equal_counters_counted_anew(region: Region) -> None:
    region.add_org("new_school", "west", OrgType.SCHOOL, "西原二小")
    region.add_org("new_class", "new_school", OrgType.CLASS, "一（1）班")
    region.add_person("new_pupil", "新生", "new_school", Role.PUPIL)
    region.enrol("new_pupil", "new_class")
    by_steps = kept_counts()
    api.rebuild_counts(day=date(2026, 10, 12))
    assert kept_counts() == by_steps
    assert api.count_of(region.org_ids["city"], CountKind.PUPILS) == 4
    assert api.count_of(region.org_ids["class1"], CountKind.PUPILS) == 1
    assert api.count_of(region.org_ids["east"], CountKind.SCHOOLS) == 2
    assert api.count_of(region.org_ids["city"], CountKind.PEOPLE) == len(region.person)
    assert api.counts_of([region.org_ids["far"]])[region.org_ids["far"]][CountKind.CLASSES] == 1


def test_counters_follow_every_later_step(region: Region) -> None:
    pupil = Affiliation.objects.get(person_id=region.person["pupil"])
    api.end_affiliation(actor=SYSTEM, affiliation_id=pupil.pk, now=NOW)
    enrollment = Enrollment.objects.get(person_id=region.person["pupil2"])
    api.transfer(actor=SYSTEM, enrollment_id=enrollment.pk, class_id=region.org_ids["class1"], now=NOW)
    region.add_org("class3", "grade", OrgType.CLASS, "四（3）班")
    region.add_person("late", "后来", "other", Role.TEACHER)
    by_steps = kept_counts()
    api.rebuild_counts(day=date(2026, 10, 12))
    assert kept_counts() == by_steps


def test_what_has_not_begun_is_not_counted_yet(region: Region) -> None:
    before = api.count_of(region.org_ids["school"], CountKind.PUPILS)
    region.add_person("soon", "将来")
    api.affiliate(
        actor=SYSTEM,
        person_id=region.person["soon"],
        org_id=region.org_ids["school"],
        role=Role.PUPIL,
        begin_date=date(2027, 2, 1),
        now=NOW,
    )
    assert api.count_of(region.org_ids["school"], CountKind.PUPILS) == before
    scope = api.scope_of(actor=region.actor("head"), permission=Permission.VIEW_PEOPLE, now=NOW)
    assert scope.covers(region.path("school"))
    assert api.people_within(actor=region.actor("head"), person_ids=[region.person["soon"]], now=NOW)
