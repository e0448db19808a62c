"""The rules of quality that packs bring: each finds the fault that was put there, and none in data without faults."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from shuren.datahub import api as datahub
from shuren.datahub.data import DatasetSpec, QualityDimension, QualityRule
from shuren.datahub.rules import dialect
from shuren.datahub.rules.quality.files import rules_in
from shuren.datahub.rules.quality.sql import columns_read, failing_rows, layout_of, row_pass, unique_pass
from shuren.datahub.selectors.assets import column_types_of_datasets
from shuren.datahub.selectors.catalogue import spec_named
from shuren.datahub.services.quality.measure import TALLY_SCHEMA, measure_dataset
from shuren.kernel.data import SYSTEM

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 30)
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
PACKS = Path(__file__).parents[2] / "packs"
HERE, THERE = "1/2/", "1/3/"
# One row without faults per dataset, and per rule what is changed in it so that it has one.
CLEAN: dict[str, dict[str, Any]] = {
    "assessment.responses": {"org_path": HERE, "person_id": 1, "school_id": 2, "weight": 1.5},
    "records.statement": {
        "org_path": HERE,
        "person_id": 1,
        "seq": 1,
        "client": "reader",
        "stored": NOW,
        "activity": "https://a.example/1",
        "activity_name": "阅读",
        "score": 0.5,
        "seconds": 60.0,
        "success": True,
        "completion": True,
    },
    "casework.collect_school_basics": {
        "_org_path": HERE,
        "pupils": 100,
        "classes": 4,
        "left_behind": 5,
        "with_aid": 5,
        "bus_pupils": 5,
        "rooms_media": 8,
        "rooms_used": 10,
    },
    "casework.collect_informatization_year": {
        "_org_path": HERE,
        "pupils": 100,
        "teachers": 9,
        "rooms_media": 8,
        "rooms_used": 10,
        "teachers_space": 9,
        "pupils_space": 90,
        "pupil_terminals": 40,
        "fund_spent": 10.0,
        "fund_budget": 12.0,
    },
    "casework.infra_termly_check": {"_org_path": HERE, "checked_on": TODAY, "speed": 200, "bandwidth": 200.0},
}
FAULTS: dict[str, dict[str, Any]] = {
    "responses.person": {"person_id": None},
    "responses.school": {"school_id": None},
    "responses.one_school": {"school_id": 3},
    "responses.weight": {"weight": 0.0},
    "responses.weighted": {"weight": None},
    "statement.client": {"client": ""},
    "statement.person": {"person_id": None},
    "statement.activity_name": {"activity_name": ""},
    "statement.score": {"score": 87.5},
    "statement.seconds": {"seconds": 90000.0},
    "statement.completed": {"completion": False},
    "school_basics.left_behind": {"left_behind": 101},
    "school_basics.with_aid": {"with_aid": 101},
    "school_basics.bus_pupils": {"bus_pupils": 101},
    "school_basics.rooms_media": {"rooms_media": 11},
    "informatization.rooms_media": {"rooms_media": 11},
    "informatization.teachers_space": {"teachers_space": 10},
    "informatization.pupils_space": {"pupils_space": 101},
    "informatization.terminals": {"pupil_terminals": 301},
    "informatization.spent": {"fund_spent": 25.0},
    "termly_check.checked_on": {"checked_on": date(2027, 3, 1)},
    "termly_check.speed": {"speed": 401},
}


def shipped() -> Iterator[QualityRule]:
    for path in sorted(PACKS.glob("*/quality/*.yaml")):
        yield from rules_in(yaml.safe_load(path.read_text("utf-8")), place=path.name, codes_of=lambda _name: ())


RULES = list(shipped())


@pytest.fixture(autouse=True)
def lake(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def written(dataset: str, rows: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[int, int]]:
    """Rows looked at and rows failed, by rule and unit."""
    if dataset.startswith("casework."):
        datahub.offer_dataset(DatasetSpec(dataset, ("collection",), "for tests", "L2", "org:1", scope_column="_org_path"))
    (key,) = spec_named(dataset).partition_keys
    datahub.write_partition(dataset, {key: "1"}, pa.Table.from_pylist(rows), actor=SYSTEM, now=NOW)
    columns = column_types_of_datasets([dataset])[dataset]
    layout = layout_of(spec_named(dataset), columns)
    assert layout is not None
    rules = [rule for rule in RULES if rule.dataset == dataset]
    assert all(columns_read(rule) <= columns.keys() for rule in rules)
    measured = measure_dataset(dataset, rules, {}, today=TODAY, layout=layout)
    found = pa.Table.from_batches(measured.batches(), TALLY_SCHEMA).to_pylist()
    return {(row["rule"], row["org_path"]): (row["checked"], row["failed"]) for row in found}


def moved(dataset: str, **changes: Any) -> dict[str, Any]:
    unit = "org_path" if "org_path" in CLEAN[dataset] else "_org_path"
    return CLEAN[dataset] | {unit: THERE} | changes


def test_every_rule_of_a_pack_has_its_fault_here() -> None:
    assert {rule.code for rule in RULES} == set(FAULTS)
    assert {rule.dataset for rule in RULES} == set(CLEAN)
    assert all(rule.title_zh and rule.title_en.isascii() for rule in RULES)


@pytest.mark.parametrize("dataset", CLEAN)
def test_each_rule_finds_its_fault_where_it_is_and_none_elsewhere(dataset: str) -> None:
    codes = [rule.code for rule in RULES if rule.dataset == dataset]
    clean = written(dataset, [CLEAN[dataset], moved(dataset, **({"person_id": 2} if "person_id" in CLEAN[dataset] else {}))])
    assert {code: clean[code, HERE] for code in codes} == dict.fromkeys(codes, (1, 0))
    for code in codes:
        # A pupil at two schools is found at both; every other fault where it was put.
        at_home = 1 if code == "responses.one_school" else 0
        found = written(dataset, [CLEAN[dataset], moved(dataset, **FAULTS[code])])
        assert (found[code, HERE][1], found[code, THERE][1]) == (at_home, 1), code


def test_old_learning_records_are_not_looked_at_again() -> None:
    old = CLEAN["records.statement"] | {"stored": datetime(2026, 9, 1, tzinfo=UTC), "score": 99.0}
    found = written("records.statement", [CLEAN["records.statement"], old])
    assert found["statement.score", HERE] == (1, 0)


def test_rows_of_nobody_are_nobodys_fault() -> None:
    found = written(
        "records.statement", [CLEAN["records.statement"], CLEAN["records.statement"] | {"org_path": None, "client": ""}]
    )
    assert {unit for _rule, unit in found} == {HERE}


@pytest.mark.parametrize("dataset", CLEAN)
def test_every_rule_of_a_pack_keeps_to_the_dialect(dataset: str) -> None:
    layout = layout_of(DatasetSpec(dataset, ("key",), "", "L2", ""), {*CLEAN[dataset], "org_path"})
    assert layout is not None
    rules = [rule for rule in RULES if rule.dataset == dataset]
    asked = [row_pass(dataset, rules, today=TODAY, layout=layout).sql]
    asked += [unique_pass(rule, today=TODAY, layout=layout) for rule in rules if rule.dimension is QualityDimension.UNIQUE]
    asked += [failing_rows(rule, [layout.unit], today=TODAY, layout=layout) for rule in rules]
    for text in asked:
        dialect.check(text)
        assert dialect.to_spark(dialect.parsed(text))
