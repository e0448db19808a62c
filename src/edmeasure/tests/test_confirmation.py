import csv
import sys

import numpy as np
import pytest

import edmeasure

from .conftest import DATA

pytest.importorskip("semopy")

ITEMS = [f"x{at}" for at in range(1, 10)]
MODEL = {"visual": ITEMS[:3], "textual": ITEMS[3:6], "speed": ITEMS[6:]}


@pytest.fixture(scope="module")
def pupils():
    """Nine tests of 301 pupils of two schools (Holzinger & Swineford 1939)."""
    return np.genfromtxt(DATA / "HolzingerSwineford1939.csv", delimiter=",", skip_header=1, usecols=range(1, 10))


@pytest.fixture(scope="module")
def found(pupils):
    return edmeasure.confirm_factors(pupils, MODEL, item_ids=ITEMS)


def test_fit_is_the_published_one(found):
    assert found.chi_square == pytest.approx(85.306, abs=5e-4)
    assert found.degrees == 24
    assert found.cfi == pytest.approx(0.9306, abs=5e-5)
    assert found.rmsea == pytest.approx(0.0921, abs=5e-5)
    assert found.tli == pytest.approx(0.896, abs=5e-4)
    assert found.srmr == pytest.approx(0.065, abs=5e-4)
    assert found.rmsea_interval == pytest.approx((0.071, 0.114), abs=5e-4)
    assert found.converged


def test_estimates_and_errors_are_those_of_the_peer(found):
    with (DATA / "lavaanR_HS_cfa.csv").open() as text:
        rows = list(csv.DictReader(text))
    for row in rows:
        estimate = float(row["est"])
        if row["op"] == "=~":
            at = found.item_ids.index(row["rhs"]), found.factors.index(row["lhs"])
            assert found.loadings[at] == pytest.approx(estimate, abs=1e-5)
            if float(row["se"]) > 0:
                assert found.loading_se[at] == pytest.approx(float(row["se"]), abs=1e-5)
        elif row["lhs"] in ITEMS:
            assert found.error_variances[found.item_ids.index(row["lhs"])] == pytest.approx(estimate, abs=1e-5)
        else:
            a, b = (found.factors.index(row[side]) for side in ("lhs", "rhs"))
            scale = np.sqrt(found.factor_variances[a] * found.factor_variances[b])
            assert found.factor_correlations[a, b] * scale == pytest.approx(estimate, abs=1e-5)


def test_parts_add_up(found):
    explained = np.einsum("jm,mk,jk->j", found.standardized, found.factor_correlations, found.standardized)
    np.testing.assert_allclose(explained + found.uniqueness, 1.0)
    assert (found.standardized[:3, 1:] == 0).all()


def test_units_do_not_change_the_fit(pupils, found):
    moved = edmeasure.confirm_factors(5 + 10 * pupils, MODEL, item_ids=ITEMS)
    assert moved.chi_square == pytest.approx(found.chi_square, abs=1e-4)
    np.testing.assert_allclose(moved.standardized, found.standardized, atol=1e-4)


def test_correlations_are_enough(pupils, found):
    given = edmeasure.correlate(pupils, item_ids=ITEMS)
    again = edmeasure.confirm_factors(given, MODEL)
    assert again.chi_square == pytest.approx(found.chi_square, abs=1e-4)


def test_orthogonal_factors_fit_worse(pupils, found):
    apart = edmeasure.confirm_factors(pupils, MODEL, item_ids=ITEMS, is_orthogonal=True)
    assert apart.degrees == 27
    assert apart.chi_square == pytest.approx(153.527, abs=5e-3)  # published with the same data
    np.testing.assert_allclose(apart.factor_correlations, np.eye(3), atol=1e-12)


def test_an_item_may_load_twice(pupils, found):
    crossed = edmeasure.confirm_factors(pupils, {**MODEL, "visual": [*ITEMS[:3], "x9"]}, item_ids=ITEMS)
    assert crossed.degrees == 23
    assert crossed.chi_square < found.chi_square - 30
    assert np.count_nonzero(crossed.standardized[crossed.item_ids.index("x9")]) == 2


def test_persons_with_gaps_are_left_out_and_counted(pupils):
    gaps = pupils.copy()
    gaps[:20, 4] = np.nan
    found = edmeasure.confirm_factors(gaps, MODEL, item_ids=ITEMS)
    whole = edmeasure.confirm_factors(pupils[20:], MODEL, item_ids=ITEMS)
    assert (found.n_persons, found.n_dropped) == (281, 20)
    assert found.chi_square == pytest.approx(whole.chi_square)
    assert "20 left out" in str(found)


def test_a_wrong_model_is_seen(pupils):
    mixed = {"one": ["x1", "x4", "x7"], "two": ["x2", "x5", "x8"], "three": ["x3", "x6", "x9"]}
    found = edmeasure.confirm_factors(pupils, mixed, item_ids=ITEMS)
    assert found.rmsea > 0.15
    assert found.cfi < 0.8


def test_without_the_package_its_name_is_told(pupils, monkeypatch):
    monkeypatch.setitem(sys.modules, "semopy", None)
    with pytest.raises(edmeasure.MissingPackage, match=r"edmeasure\[sem\]"):
        edmeasure.confirm_factors(pupils, MODEL, item_ids=ITEMS)


@pytest.mark.parametrize(
    ("model", "error", "match"),
    [
        ({}, edmeasure.BadOption, "no factor"),
        ({"a": ["x1"]}, edmeasure.BadOption, "a has the items"),
        ({"a": "x1"}, edmeasure.BadOption, "a has the items"),
        ({"a": ["x1", "x1"]}, edmeasure.BadOption, "different"),
        ({"a": ["x1", "x2", "y"]}, edmeasure.BadOption, "no items y"),
        ({"a": ["x1", "x2"]}, edmeasure.BadOption, "degrees of freedom"),
    ],
)
def test_impossible_models_are_refused(pupils, model, error, match):
    with pytest.raises(error, match=match):
        edmeasure.confirm_factors(pupils, model, item_ids=ITEMS)
    with pytest.raises(edmeasure.BadShape, match="persons"):
        edmeasure.confirm_factors(pupils[:5], MODEL, item_ids=ITEMS)
