"""A roster for an app says of everybody what the app may be told, and is silent about whoever said no."""

import csv
import io
import zipfile
from pathlib import Path

import pytest

from shuren.directory import api
from shuren.directory.data import ConsentDecision, NewConsentText, RosterForm
from shuren.directory.models import Disclosure, Person
from shuren.directory.tests.conftest import NOW, Region
from shuren.kernel.errors import NotFound, Refused
from shuren.kernel.models import AuditEntry

APP = "app:7"


def notice(region: Region, *elements: str, org: str = "school", recipient: str = APP) -> int:
    text = NewConsentText(
        org_id=region.org_ids[org],
        purpose="teaching",
        recipient=recipient,
        recipient_name="作业盒",
        elements=elements or ("person.name", "person.birth_date"),
        title_zh="使用作业盒",
        body_zh="老师用它布置作业。",
    )
    return api.publish_consent_text(actor=region.actor("city_officer"), text=text, now=NOW)


def decide(region: Region, about: str, text: int, decision: ConsentDecision) -> None:
    api.decide_consent(actor=region.actor("parent"), person_id=region.person[about], text_id=text, decision=decision, now=NOW)


def exported(
    region: Region, folder: Path, text: int | None, *, by: str = "head", **more: bool
) -> dict[str, list[dict[str, str]]]:
    path = folder / "roster.zip"
    api.export_roster(
        actor=region.actor(by),
        org_id=region.org_ids["school"],
        form=RosterForm.ONEROSTER,
        path=path,
        now=NOW,
        notice_id=text,
        **more,
    )
    with zipfile.ZipFile(path) as package:
        return {
            name: list(csv.DictReader(io.TextIOWrapper(package.open(f"{name}.csv"), encoding="utf-8", newline="")))
            for name in ("users", "demographics", "roles", "enrollments")
        }


def by_id(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {row["sourcedId"]: row for row in rows}


@pytest.fixture
def twins(region: Region) -> Region:
    """The parent answers for both pupils."""
    api.link_guardian(
        actor=region.actor("city_officer"), guardian_id=region.person["parent"], ward_id=region.person["pupil2"], now=NOW
    )
    return region


def test_a_refusal_leaves_the_child_out_with_every_tie(twins: Region, tmp_path: Path) -> None:
    text = notice(twins)
    decide(twins, "pupil", text, ConsentDecision.GIVEN)
    decide(twins, "pupil2", text, ConsentDecision.REFUSED)
    file = exported(twins, tmp_path, text)
    users = by_id(file["users"])
    assert users["pupil"]["metadata.fullName"] == "王小明"
    assert by_id(file["demographics"])["pupil"]["birthDate"] == "2016-05-04"
    assert "13800000001" not in str(file)
    assert "pupil2" not in users
    assert "李小红" not in str(file)
    for ties in ("roles", "enrollments"):
        assert "pupil2" not in {row["userSourcedId"] for row in file[ties]}
    details = AuditEntry.objects.get(action="directory.roster_exported").details
    assert (details["recipient"], details["purpose"]) == (APP, "teaching")
    assert details["left_out"] >= 1
    kept = dict(Disclosure.objects.filter(recipient=APP).values_list("person_id", "elements"))
    assert "birth_date" in kept[twins.person["pupil"]]
    assert twins.person["pupil2"] not in kept


def test_without_an_answer_only_a_masked_name_leaves(twins: Region, tmp_path: Path) -> None:
    file = exported(twins, tmp_path, notice(twins))
    assert by_id(file["users"])["pupil"]["metadata.fullName"] == "王**"
    assert by_id(file["demographics"])["pupil"]["birthDate"] == ""
    assert by_id(file["users"])["head"]["metadata.fullName"] == "何校长"
    assert "王小明" not in str(file)


def test_a_withdrawal_holds_for_the_next_file(twins: Region, tmp_path: Path) -> None:
    text = notice(twins)
    decide(twins, "pupil", text, ConsentDecision.GIVEN)
    assert "pupil" in by_id(exported(twins, tmp_path, text)["users"])
    decide(twins, "pupil", text, ConsentDecision.WITHDRAWN)
    assert "pupil" not in by_id(exported(twins, tmp_path, text)["users"])


def test_the_notice_must_hold_here_and_name_somebody(twins: Region, tmp_path: Path) -> None:
    for text in (notice(twins, org="far"), notice(twins, recipient=""), 10**9):
        with pytest.raises(NotFound):
            exported(twins, tmp_path, text)
    with pytest.raises(Refused):
        exported(twins, tmp_path, notice(twins), has_national_ids=True)
    with pytest.raises(NotFound):
        exported(twins, tmp_path, notice(twins), by="class_teacher")


def test_the_house_itself_still_gets_everybody(twins: Region, tmp_path: Path) -> None:
    Person.objects.filter(pk=twins.person["pupil2"]).update(phone="13800000002")
    file = exported(twins, tmp_path, None)
    assert {"pupil", "pupil2"} <= set(by_id(file["users"]))
    assert not Disclosure.objects.exists()
