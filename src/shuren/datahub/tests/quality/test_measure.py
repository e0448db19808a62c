"""What the rules find in a roster with faults that were put there one by one."""

from datetime import date

import pyarrow as pa
import pytest

from shuren.datahub.data import DatasetSpec, QualityDimension, QualityRule
from shuren.datahub.rules.catalogue import declare
from shuren.datahub.rules.quality.scores import paths_up, tallies_up
from shuren.datahub.services.quality.measure import TALLY_SCHEMA, measure_dataset
from shuren.datahub.services.write import write_partition
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 30)
PUPILS = DatasetSpec("probe.pupil", ("state",), "for tests", "L2", "tests")
ROWS = [
    # id, unit, number, born, joined
    (1, "1/2/", "G1", date(2016, 1, 1), date(2022, 9, 1)),
    (2, "1/2/", "G1", date(2016, 1, 1), date(2022, 9, 1)),
    (3, "1/2/", "", date(2023, 1, 1), date(2022, 9, 1)),
    (4, "1/3/", "G4", None, date(2022, 9, 1)),
    (5, "1/3/", "  ", date(2016, 1, 1), None),
]


def rule(code: str, dimension: str, **said: object) -> QualityRule:
    return QualityRule(
        code=code,
        dataset="probe.pupil",
        title_zh=code,
        title_en=code,
        dimension=QualityDimension(dimension),
        **said,  # type: ignore[arg-type]
    )


RULES = [
    rule("filled", "complete", holds="coalesce(trim(CAST(number AS VARCHAR)), '') <> ''"),
    rule("once", "unique", columns=("number",)),
    rule("before", "consistent", when="born IS NOT NULL AND joined IS NOT NULL", holds="born < joined", weight=2.0),
    rule("steady", "plausible", measured="count(*)", share=0.3, least=2),
    rule("recent", "timely", when="joined IS NOT NULL", holds="joined >= today - 30"),
]


@pytest.fixture(autouse=True)
def _pupils() -> None:
    declare(PUPILS)
    columns = list(zip(*ROWS, strict=True))
    table = pa.table(
        {
            "id": pa.array(columns[0], pa.int64()),
            "org_path": pa.array(columns[1]),
            "number": pa.array(columns[2]),
            "born": pa.array(columns[3], pa.date32()),
            "joined": pa.array(columns[4], pa.date32()),
        }
    )
    write_partition("probe.pupil", {"state": "now"}, table, actor=SYSTEM, now=clock.now())


def found(before: dict[tuple[str, str], float]) -> dict[tuple[str, str], tuple[int, int]]:
    measured = measure_dataset("probe.pupil", RULES, before, today=TODAY)
    rows = pa.Table.from_batches(measured.batches(), TALLY_SCHEMA).to_pylist()
    assert [row["org_path"] for row in rows] == sorted(row["org_path"] for row in rows)
    return {(row["rule"], row["org_path"]): (row["checked"], row["failed"]) for row in rows}


def test_each_fault_is_found_where_it_is() -> None:
    tallies = found({})
    assert tallies["filled", "1/2/"] == (3, 1)
    assert tallies["filled", "1/3/"] == (2, 1)
    assert tallies["once", "1/2/"] == (2, 2)
    assert tallies["once", "1/3/"] == (2, 0)
    assert tallies["before", "1/2/"] == (3, 1)
    assert tallies["before", "1/3/"] == (0, 0)
    assert tallies["recent", "1/2/"] == (3, 3)
    assert tallies["steady", "1/2/"] == (0, 0), "nothing to compare with yet"


def test_a_jump_is_found_against_the_run_before() -> None:
    tallies = found({("steady", "1/2/"): 5.0, ("steady", "1/3/"): 2.0})
    assert tallies["steady", "1/2/"] == (1, 1)
    assert tallies["steady", "1/3/"] == (1, 0)


def test_scores_go_up_the_tree_by_rows_not_by_means() -> None:
    tallies = tallies_up([("1/2/", "complete", 1.0, 90, 9), ("1/3/", "complete", 1.0, 10, 10), ("1/3/", "unique", 3.0, 10, 0)])
    assert tallies["1/2/"].score == pytest.approx(90)
    assert tallies["1/3/"].score == pytest.approx(75)
    assert tallies["1/"].score == pytest.approx(100 * (1 - 19 / 130))
    assert tallies["1/"].by_dimension()["complete"] == pytest.approx(81)
    assert tallies["1/"].by_dimension()["timely"] is None
    assert paths_up("1/15/2034/") == ["1/", "1/15/", "1/15/2034/"]
