"""The truth check on TIMSS 2011 Austria: what was published, found again from the answers of 4,668 real pupils."""

import csv
import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shuren.evaluation.data import TIMSS_2011_AUSTRIA, Cut, Declaration, Level, Scale
from shuren.evaluation.rules.bodies import unit_bodies
from shuren.evaluation.rules.measuring import Answers, ItemInfo, measure
from shuren.evaluation.rules.truth import reference_groups, truth_rows
from shuren.evaluation.rules.units import unit_tree

DATA = Path(__file__).resolve().parents[4] / "demo" / "data" / "timss2011-g4-aut"
MATHEMATICS = tuple(f"ASMMAT0{at}" for at in range(1, 6))
SCIENCE = tuple(f"ASSSCI0{at}" for at in range(1, 6))


@pytest.fixture(scope="module")
def timss() -> Answers:
    with gzip.open(DATA / "data.csv.gz", "rt") as file:
        header, *rows = csv.reader(file)
    place = {name: at for at, name in enumerate(header)}

    def column(name: str) -> np.ndarray:
        return np.array([float(row[place[name]]) if row[place[name]] not in ("", "NA") else np.nan for row in rows])

    codes = [name for name in header if name.startswith("M0")]
    scores = np.stack([np.nan_to_num(column(code), nan=-1).astype(np.int8) for code in codes], axis=1)
    questions = [name for name in header if name.startswith(("ASBG", "ASBM")) or name == "female"]
    zones = column("JKCZONE").astype(np.int64)
    content, cognitive = _domains(2), _domains(3)
    return Answers(
        person_ids=np.arange(1, len(rows) + 1),
        class_ids=column("IDCLASS").astype(np.int64),
        school_ids=column("IDSCHOOL").astype(np.int64),
        district_ids=zones // 10 + 1,
        scores=scores,
        items=tuple(ItemInfo(code, code, content[code], cognitive[code], (), 1) for code in codes),
        weights=column("TOTWGT"),
        zones=zones,
        reps=column("JKCREP").astype(np.int64),
        context={name: column(name) for name in questions},
        reference={name: column(name) for name in (*MATHEMATICS, *SCIENCE)},
    )


def _domains(number: int) -> dict[str, str]:
    with gzip.open(DATA / f"q.matrix{number}.csv.gz", "rt") as file:
        header, *rows = csv.reader(file)
    return {row[0]: header[row.index("1", 1)] for row in rows}


@pytest.fixture(scope="module")
def declaration(timss: Answers) -> Declaration:
    return Declaration(
        title="TIMSS",
        programme="TIMSS",
        assessment_ids=(1,),
        org_id=1,
        snapshots={},
        models={},
        scale=Scale(method="reference", cuts=tuple(Cut(score) for score in (400, 475, 550, 625))),
        conditioning=tuple(timss.context),
        contrasts=("female",),
        reference=MATHEMATICS,
        published=TIMSS_2011_AUSTRIA,
    )


@pytest.fixture(scope="module")
def measurement(timss: Answers, declaration: Declaration):
    return measure(timss, declaration)


def test_every_published_figure_is_found_again(timss: Answers, declaration: Declaration, measurement) -> None:
    rows = {row.key: row for row in truth_rows(timss, measurement, declaration.reference, declaration.published)}
    assert all(row.passed for row in rows.values()), rows
    assert rows["mean:ASMMAT"].found == "508.3 (2.6)"
    assert rows["mean:ASSSCI"].found == "531.5 (2.9)"
    assert rows["between_schools"].published == "0.190"
    assert [key for key in rows if key.startswith("eap:")] == [f"eap:{name}" for name in MATHEMATICS] + ["eap:mean"]


def test_scores_that_do_not_belong_to_the_pupils_fail_the_check(timss: Answers, declaration: Declaration, measurement) -> None:
    order = np.random.default_rng(1).permutation(timss.n)
    shuffled = replace(timss, reference={name: values[order] for name, values in timss.reference.items()})
    rows = {row.key: row for row in truth_rows(shuffled, measurement, declaration.reference, declaration.published)}
    assert not rows["eap:mean"].passed
    assert not rows["between_schools"].passed
    moved = replace(timss, reference={name: values + 5 for name, values in timss.reference.items()})
    rows = {row.key: row for row in truth_rows(moved, measurement, declaration.reference, declaration.published)}
    assert not rows["mean:ASMMAT"].passed


def test_the_city_report_says_508_and_class_items_stay_hidden(timss: Answers, declaration: Declaration, measurement) -> None:
    tree = unit_tree(timss, root_id=1, top=Level.CITY)
    bodies = list(unit_bodies(timss, measurement, tree, declaration))
    city = bodies[0].body
    assert city["mean"]["value"] == pytest.approx(508.31, abs=0.01)
    assert 2 < city["mean"]["se"] < 3.5
    assert len(city["items"]) == 174
    assert all(not unit.body["items"] for unit in bodies if unit.level is Level.CLASS and not unit.is_withheld)
    assert all(len(unit.body["domains"]) == 6 for unit in bodies if unit.level is Level.CLASS and not unit.is_withheld)
    assert any(unit.is_withheld for unit in bodies)


def test_reference_columns_group_by_their_stem() -> None:
    assert reference_groups((*SCIENCE, *MATHEMATICS)) == {"ASSSCI": SCIENCE, "ASMMAT": MATHEMATICS}
