"""Answers to notices are on record, and stay what was put there whoever is merged with whom."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from shuren.directory import api
from shuren.directory.data import ConsentDecision, Role
from shuren.directory.models import Consent, ConsentText, GuardianLink
from shuren.directory.tests.conftest import NOW, Region
from shuren.directory.tests.test_consents import BACK, decide, publish
from shuren.trust import api as trust
from shuren.trust.data import Business


@pytest.fixture
def answered(region: Region, tmp_path: Path, settings: Any) -> Region:
    """Answers of a mother for a pupil who is entered twice, and so is she; all under a head."""
    settings.SHUREN_EVIDENCE_DIR = tmp_path / "evidence"
    text = publish(region)
    region.add_person("double", "王小明", "school", Role.PUPIL, birth_date=date(2016, 5, 4))
    region.add_person("mother", "王大明", "school", Role.PARENT)
    GuardianLink.objects.create(guardian_id=region.person["mother"], ward_id=region.person["double"])
    decide(region, "parent", "pupil", text)
    decide(region, "parent", "pupil", text, BACK, NOW + timedelta(days=1))
    decide(region, "mother", "double", text)
    grow()
    return region


def grow() -> None:
    trust.anchor_trail(now=NOW)
    trust.grow_log(now=NOW)


def faults() -> list[str]:
    return [*trust.faults_of_log(), *trust.faults_of_trail(), *trust.faults_of_records()]


def test_a_log_with_answers_in_it_is_whole(answered: Region) -> None:
    assert Consent.objects.count() == 3
    assert faults() == []
    one = Consent.objects.earliest("pk")
    proof = trust.proof_of_subject(f"consent:{one.pk}", business=Business.AUDIT)
    assert proof is not None
    assert proof.digest.hex() == one.digest
    assert trust.verify_proof(proof, log_keys=trust.log_keys()).is_valid


def test_merging_raises_no_alarm_and_covers_nothing(answered: Region) -> None:
    officer, person = answered.actor("city_officer"), answered.person
    api.merge_people(actor=officer, keep_id=person["pupil"], drop_id=person["double"], now=NOW)
    assert faults() == []
    api.merge_people(actor=officer, keep_id=person["mother"], drop_id=person["parent"], now=NOW)
    answered.add_person("third", "王大明", "school", Role.PARENT)
    api.merge_people(actor=officer, keep_id=person["third"], drop_id=person["mother"], now=NOW)
    grow()
    assert faults() == []
    assert set(Consent.objects.values_list("person_id", "decided_by_id")) == {(person["pupil"], person["third"])}
    Consent.objects.filter(pk=Consent.objects.earliest("pk").pk).update(person_id=person["pupil2"])
    assert len(faults()) == 1


def change(name: str, value: object) -> None:
    Consent.objects.filter(pk=Consent.objects.earliest("pk").pk).update(**{name: value})


HARMS = ["decision", "at", "digest", "signed_on", "way", "decided_as", "text", "gone", "never", "entered_by_id", "decided_by_id"]


@pytest.mark.parametrize("harm", HARMS)
def test_a_touched_answer_is_noticed(answered: Region, harm: str) -> None:
    match harm:
        case "text":
            ConsentText.objects.update(body_zh="老师用它做别的。")
        case "gone":
            Consent.objects.latest("pk").delete()
        case "never":
            row = Consent.objects.latest("pk")
            row.pk, row.is_current = None, False
            row.save()
        case "decision":
            change("decision", ConsentDecision.REFUSED.value)
        case "at":
            change("at", NOW + timedelta(microseconds=1))
        case "digest":
            change("digest", "0" * 64)
        case "signed_on":
            change("signed_on", NOW.date())
        case "way":
            change("way", "paper")
        case "decided_as":
            change("decided_as", "self")
        case _:
            change(harm, answered.person["head"])
    assert faults() != []
