"""The house's datasets as exchange formats: schemas made from elements and titles, and records held against them."""

import pytest
from tests.cast import Cast

from shuren.datahub.rules.catalogue import declared
from shuren.datahub.selectors.dataset_formats import dataset_formats, type_of
from shuren.datahub.services.quality.mirror import mirror_directory
from shuren.kernel import clock
from shuren.standards import api as standards
from shuren.standards.data import ElementType


def test_a_dataset_that_holds_rows_is_a_format_with_a_schema(cast: Cast) -> None:
    before = {told.code for told in dataset_formats()}
    assert "dataset.directory.member" not in before
    mirror_directory(now=cast.now)
    today = clock.day_of(cast.now)
    schema = standards.exchange_schema("dataset.directory.member", on=today, language="en")
    assert schema["title"] == "People on the roster"
    sex = schema["properties"]["sex"]
    assert (sex["x-element"], sex["type"]) == ("person.sex", "string")
    assert "1" in sex["enum"]
    assert schema["properties"]["org_id"] == {"type": "integer", "title": "Id of the organisation"}
    right = {"person_id": 12, "sex": "1", "org_id": 7}
    assert standards.check_record("dataset.directory.member", right, on=today) == []
    wrong = {"person_id": "twelve", "sex": "male", "nothing": 1}
    faults = standards.check_record("dataset.directory.member", wrong, on=today)
    assert {fault.field for fault in faults} == {"person_id", "sex", "nothing"}


def test_formats_tell_of_every_column_in_both_languages(cast: Cast) -> None:
    mirror_directory(now=cast.now)
    names = {f"dataset.{spec.name}" for spec in declared()}
    for told in dataset_formats():
        assert told.code in names
        for field in told.fields:
            assert field.element or not told.code.startswith("dataset.directory") or (field.title_zh and field.title_en), field


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("int64", ElementType.INTEGER),
        ("uint8", ElementType.INTEGER),
        ("double", ElementType.DECIMAL),
        ("bool", ElementType.BOOLEAN),
        ("date32[day]", ElementType.DATE),
        ("timestamp[us, tz=UTC]", ElementType.TEXT),
        ("string", ElementType.TEXT),
    ],
)
def test_types_of_the_lake_are_types_of_elements(kind: str, type_: ElementType) -> None:
    assert type_of(kind) is type_
