"""Templates, packages and simulated tests."""

import io
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from openpyxl import load_workbook

from shuren.assessment import api
from shuren.assessment.rules.words import INFO_WORDS, TABLE_NAMES, TableKind
from shuren.assessment.tests.conftest import CLASSES, HELD, Cast, apply, findings_of, sheets_of, start, workbook_of


def simulated(path: Path, pupils: list[str], **options: object) -> api.TrueValues:
    test = api.SimulatedTest(code="sim-1", name="模拟测验", org="city", held_date=HELD, seed=7, grade="四年级")
    return api.simulate_results(path, test, pupils=pupils, **options)  # type: ignore[arg-type]


def test_the_template_has_every_sheet_with_notes_and_drop_downs() -> None:
    book = load_workbook(io.BytesIO(api.results_template()))
    assert set(book.sheetnames) == set(TABLE_NAMES.values()) - {TABLE_NAMES[TableKind.REFERENCES]}
    info = book[TABLE_NAMES[TableKind.INFO]]
    assert [row[0].value for row in info.iter_rows(min_row=2)] == [word.title for word in INFO_WORDS.values()]
    assert len(info.data_validations.dataValidation) == 3
    assert book[TABLE_NAMES[TableKind.ITEMS]]["A1"].comment is not None


@pytest.mark.django_db
def test_a_filled_template_comes_in(cast: Cast) -> None:
    book = load_workbook(io.BytesIO(api.results_template()))
    filled = load_workbook(io.BytesIO(workbook_of(sheets_of(cast))))
    for sheet in filled:
        if sheet.title in book.sheetnames and sheet.title != "测验信息":
            target = book[sheet.title]
            target.delete_rows(1, target.max_row)
            for row in sheet.iter_rows(values_only=True):
                target.append(row)
    known = {row[0]: row[1] for row in sheets_of(cast)["测验信息"]}
    for row in book["测验信息"].iter_rows(min_row=2):
        row[1].value = known.get(row[0].value, row[1].value)
    stream = io.BytesIO()
    book.save(stream)
    state = start(stream.getvalue(), name="template.xlsx")
    assert findings_of(state) == []
    assert state.status == "ready"


def test_two_simulated_tests_have_their_anchors_in_common_and_nothing_else(tmp_path: Path) -> None:
    true, codes = [], []
    for seed, prefix in ((1, "F"), (2, "M")):
        test = api.SimulatedTest(
            code="sim", name="模拟", org="city", held_date=HELD, seed=seed, items=12, anchors=8, anchor_seed=3, prefix=prefix
        )
        path = tmp_path / f"{seed}.zip"
        true.append(api.simulate_results(path, test, pupils=[f"p{number}" for number in range(50)]))
        items = zipfile.ZipFile(path).read("items.csv").decode("utf-8-sig").splitlines()
        codes.append({line.split(",")[0] for line in items[1:]})
    for values in ("discriminations", "difficulties"):
        first, second = (getattr(one, values) for one in true)
        np.testing.assert_array_equal(first[:8], second[:8])
        assert not (first[8:] == second[8:]).any()
    np.testing.assert_array_equal(true[0].max_scores, true[1].max_scores)
    assert codes[0] & codes[1] == {f"A{number:02d}" for number in range(1, 9)}
    assert [len(found) for found in codes] == [12, 12]


@pytest.mark.django_db
def test_a_simulated_test_comes_in_marked(cast: Cast, tmp_path: Path) -> None:
    simulated(tmp_path / "sim.zip", cast.pupils)
    state = apply(start((tmp_path / "sim.zip").read_bytes()))
    assert state.status == "applied", findings_of(state)
    found = api.assessment_state(api.assessment_id_of_code("sim-1") or 0)
    assert found.is_simulated
    assert "模拟作答" in found.source_note
    assert (found.pupils, found.item_count) == (48, 40)
    assert set(CLASSES) == {"c1", "c2", "c3", "c4"}


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    pupils = [f"p{number}" for number in range(200)]
    for name in ("a", "b"):
        simulated(tmp_path / name, pupils)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_simulated_scores_follow_their_abilities(tmp_path: Path) -> None:
    pupils = [f"p{number}" for number in range(4000)]
    schools = [number // 40 for number in range(4000)]
    true = simulated(tmp_path / "sim.zip", pupils, groups=schools)
    by_school = true.abilities.reshape(100, 40)
    between = by_school.mean(axis=1).var(ddof=1) - by_school.var(axis=1, ddof=1).mean() / 40
    assert between / true.abilities.var() == pytest.approx(0.19, abs=0.06)
    assert set(true.max_scores.tolist()) == {1, 2}
    given = simulated(tmp_path / "own.zip", pupils, abilities=np.linspace(-2, 2, 4000))
    np.testing.assert_array_equal(given.abilities, np.linspace(-2, 2, 4000))


@pytest.mark.django_db
def test_what_a_package_was_written_from_is_what_comes_in(cast: Cast, tmp_path: Path) -> None:
    """Export → import: any matrix of legal codes survives the trip."""
    rng = np.random.default_rng(5)
    cells = rng.choice([0, 1, 2, 3, -1, -2, -3], size=(48, 6)).astype(np.int8)
    words = {-1: "", -2: "9", -3: "8"}
    columns = {f"Q{place}": [words.get(int(cell), str(cell)) for cell in cells[:, place]] for place in range(6)}
    api.write_package(
        tmp_path / "p.zip",
        info={
            "code": "trip",
            "name": "往返",
            "held_date": date(2026, 6, 18).isoformat(),
            "org": "city",
            "not_administered": "空",
        },
        items=[{"code": code, "subject": "数学", "max_score": 3} for code in columns],
        responses=pa.table({"学生": pa.array(cast.pupils), **{name: pa.array(cell) for name, cell in columns.items()}}),
    )
    state = apply(start((tmp_path / "p.zip").read_bytes()))
    assert state.status == "applied", findings_of(state)
    data = api.responses_of(api.assessment_id_of_code("trip") or 0)
    place = {cast.people[key]: number for number, key in enumerate(cast.pupils)}
    np.testing.assert_array_equal(data.scores, cells[[place[int(person)] for person in data.person_ids]])
