"""Every dataset and every column of the lake is called something, in Chinese and in English."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from shuren.assessment.rules.gathering import Answers, gathered, lake_schema
from shuren.datahub.api import declared_datasets
from shuren.datahub.selectors.catalogue import column_titles
from shuren.datahub.services.quality.measure import TALLY_SCHEMA
from shuren.directory import api as directory
from shuren.records.rules.lake import SCHEMA
from tests.house.source import APPS

SPECS = {spec.name: spec for spec in declared_datasets() if spec.name.partition(".")[0] in APPS}
_SCORES = (
    *("person_id", "class_id", "school_id", "district_id", "weight"),
    *("raw", "eap", "eap_se", "wle", "wle_se"),
)


def responses() -> pa.Schema:
    found = gathered(Answers(), 2)
    for kept in (found.extra_weights, found.context, found.references):
        kept["told"] = np.zeros(0)  # type: ignore[assignment]  # an empty column of any type
    return lake_schema(found)


def written() -> dict[str, list[str]]:
    """The columns that each dataset is written with."""
    return {
        "assessment.responses": responses().names,
        "datahub.quality": TALLY_SCHEMA.names,
        "directory.member": next(directory.member_facts(date(2026, 11, 30))).schema.names,
        "directory.org": next(directory.org_facts(date(2026, 11, 30))).schema.names,
        "evaluation.items": ["item", "slope", "slope_se", "difficulty", "difficulty_se"],
        "evaluation.scores": [*_SCORES, "pv1", "domain1_eap", "domain1_se"],
        "records.statement": SCHEMA.names,
    }


@pytest.mark.parametrize("name", SPECS)
def test_a_dataset_has_a_title_in_both_languages(name: str) -> None:
    spec = SPECS[name]
    assert spec.title_zh
    assert spec.title_en.isascii()
    assert spec.title("zh-hans") != spec.title("en")


@pytest.mark.django_db
def test_every_column_that_is_written_or_declared_has_one() -> None:
    columns = written()
    assert set(columns) == set(SPECS)
    bare = []
    for name, spec in SPECS.items():
        for column in {*columns[name], *spec.partition_keys, *spec.columns}:
            zh, en = column_titles(spec, column)
            if not zh or not en or not en.isascii():
                bare.append(f"{name}.{column}: {zh!r}, {en!r}")
    assert bare == []


@pytest.mark.django_db
def test_no_title_stands_for_a_column_that_is_never_written() -> None:
    columns = written()
    unknown = [
        f"{name}.{column}"
        for name, spec in SPECS.items()
        for column in spec.columns
        if "*" not in column and column not in {*columns[name], *spec.partition_keys}
    ]
    assert unknown == []
