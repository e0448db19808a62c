"""Pages of quality: the worst first, what is wrong and which rows, and nothing outside the reader's branch."""

import pytest
from django.test import Client
from tests.cast import Cast, build_cast

from shuren.datahub.api import measure_quality, read_partition
from shuren.datahub.services.quality.mirror import MEMBER, PARTITION
from shuren.directory import api as directory
from shuren.kernel.data import SYSTEM


@pytest.fixture
def cast(db: None) -> Cast:
    found = build_cast()
    for key, phone in (("pupil", "34"), ("far_pupil", "12")):
        changes = {"phone": phone}
        directory.correct_person(actor=SYSTEM, person_id=found.people[key].id, changes=changes, now=found.now)
    measure_quality(now=found.now)
    return found


def shown(client: Client, path: str, **query: str) -> str:
    response = client.get(path, query)
    assert response.status_code == 200, path
    return response.content.decode()


def at(cast: Cast, key: str, rule: str = "") -> str:
    return f"/data/quality/{cast.orgs[key].public_id}/" + (f"{rule}/" if rule else "")


def test_an_officer_sees_the_schools_of_their_branch(cast: Cast) -> None:
    found = shown(cast.client("county_officer"), "/data/quality/")
    assert at(cast, "school") in found
    assert at(cast, "far_school") not in found
    assert at(cast, "city") not in shown(cast.client("county_officer"), "/data/quality/", type="city")
    assert at(cast, "city") in shown(cast.client("province_officer"), "/data/quality/", type="city", dataset="directory.org")


def test_a_school_sees_its_rules_and_the_rows_that_fail(cast: Cast) -> None:
    found = shown(cast.client("head"), at(cast, "school"))
    assert "手机号格式正确" in found
    assert at(cast, "school", "member.phone_form") in found
    rows = shown(cast.client("head"), at(cast, "school", "member.phone_form"))
    assert cast.people["pupil"].name in rows
    assert shown(cast.client("head"), at(cast, "school"), dataset="directory.org")
    assert "东湖区实验小学" in shown(cast.client("head"), at(cast, "school", "org.code"))


def test_rows_of_another_branch_do_not_exist(cast: Cast) -> None:
    for key in ("head", "county_officer", "class_teacher", "pupil"):
        assert cast.client(key).get(at(cast, "far_school")).status_code == 404
        assert cast.client(key).get(at(cast, "far_school", "member.phone_form")).status_code == 404
    far = cast.people["far_pupil"]
    assert far.name not in shown(cast.client("city_officer"), at(cast, "city", "member.phone_form"))
    assert far.name in shown(cast.client("province_officer"), at(cast, "province", "member.phone_form"))


def test_a_rule_over_sums_has_no_rows_and_an_unknown_one_is_not_found(cast: Cast) -> None:
    for rule in ("member.pupils_steady", "no.such.rule"):
        assert cast.client("head").get(at(cast, "school", rule)).status_code == 404


def test_failing_rows_are_turned_over_and_exported_in_full(cast: Cast) -> None:
    everybody = cast.client("province_officer")
    path = at(cast, "province", "member.national_id")
    first = everybody.get(path, {"size": "25"})
    assert first.status_code == 200
    exported = everybody.get(path, {"export": "csv"})
    lines = b"".join(exported.streaming_content if exported.streaming else [exported.content]).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert len(lines.strip().splitlines()) - 1 == sum(
        row["role"] == "pupil" for row in read_partition(MEMBER, PARTITION).to_pylist()
    )
