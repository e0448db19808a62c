"""Rule files: what ships can be run, and what must not become part of a query is refused."""

from pathlib import Path
from typing import Any

import pytest

from shuren.datahub.data import QualityDimension
from shuren.datahub.rules.quality.conditions import check_condition, check_measure, columns_in
from shuren.datahub.rules.quality.faults import RuleFault
from shuren.datahub.rules.quality.files import rules_in
from shuren.datahub.selectors.quality_rules import faults_in, quality_rule, quality_rules
from shuren.kernel.errors import NotFound

pytestmark = pytest.mark.django_db
RULE = {"code": "a.b", "title": {"zh": "甲", "en": "A"}, "dimension": "complete", "column": "name"}


def read(**said: Any) -> Any:
    file = {"dataset": "probe.pupil", "rules": [RULE | said]}
    return next(rules_in(file, place="probe.yaml", codes_of=lambda name: ["1", "2"] if name == "sex" else []))


def test_what_ships_can_be_read() -> None:
    assert {rule.dataset for rule in quality_rules()} >= {"directory.member", "directory.org"}
    assert {rule.dimension for rule in quality_rules()} >= set(QualityDimension) - {QualityDimension.TIMELY}
    assert len(quality_rules("directory.org")) >= 10
    assert quality_rule("member.sex_code").holds == "sex IN ('0', '1', '2', '9')"
    with pytest.raises(NotFound):
        quality_rule("no.such")


@pytest.mark.parametrize(
    "text",
    [
        "name IN (SELECT name FROM directory_member)",
        "EXISTS (SELECT 1 FROM directory_member)",
        "other.name = name",
        "getenv('HOME') = 'x'",
        "read_text('/etc/passwd') = 'x'",
        "name = 'x'; DROP TABLE x",
        "name = 'x') OR (true",
        "current_setting('threads') = '1'",
        "row_number() OVER () = 1",
        "count(*) > 1",
        "",
    ],
)
def test_a_condition_is_about_one_row_and_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match=r"stand|condition|table|no count"):
        check_condition(text)


def test_a_measure_is_one_sum() -> None:
    check_measure("sum(CASE WHEN role = 'pupil' THEN 1 ELSE 0 END)")
    for text in ("role", "sum(x) + 1", "sum((SELECT 1))"):
        with pytest.raises(ValueError, match=r"stand|condition|table|no count"):
            check_measure(text)
    assert columns_in("birth_date < today AND role = 'pupil'") == {"birth_date", "role"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"dimension": "pretty"}, "pretty"),
        ({"dimension": "unique"}, "columns"),
        ({"dimension": "valid"}, "one of"),
        ({"dimension": "valid", "code_set": "no_such"}, "no_such"),
        ({"dimension": "valid", "code_set": "sex", "pattern": "x"}, "one of"),
        ({"dimension": "plausible"}, "measured"),
        ({"dimension": "plausible", "measured": "count(*)"}, "measured"),
        ({"when": "name = (SELECT 1)"}, "may not stand"),
        ({"hold": "x"}, "unknown keys: hold"),
    ],
)
def test_a_rule_that_cannot_be_run_is_refused_with_the_reason(said: dict[str, Any], reason: str) -> None:
    with pytest.raises(RuleFault, match=reason) as refused:
        read(**said)
    assert refused.value.place == "probe.yaml#a.b"


def test_quotes_in_patterns_and_codes_stay_inside_the_text() -> None:
    assert read(dimension="valid", pattern="o'clock").holds == "regexp_full_match(name, 'o''clock')"
    assert read(dimension="valid", code_set="sex").holds == "name IN ('1', '2')"


def test_a_region_mends_a_rule_in_its_own_folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    folder = tmp_path / "quality"
    folder.mkdir()
    said = "dataset: directory.org\nrules:\n- {code: org.name, title: {zh: 改, en: Changed}, dimension: complete, column: name}\n"
    (folder / "own.yaml").write_text(said, encoding="utf-8")
    assert quality_rule("org.name").title_zh == "改"
    (folder / "bad.yaml").write_text("dataset: [", encoding="utf-8")
    assert quality_rule("org.name").title_zh == "改", "a file with a fault counts for nothing"
    assert [fault.place for fault in faults_in(folder)] == ["bad.yaml"]
