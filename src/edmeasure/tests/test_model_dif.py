from dataclasses import replace

import numpy as np
import pytest

import edmeasure
from edmeasure import Responses
from edmeasure.dif import likelihood as model_dif

from .conftest import simulated, table


@pytest.fixture(scope="module")
def fims():
    """14 items of the First International Mathematics Study; Japan is the focal group."""
    columns = table("fims_aus_jpn.csv.gz")
    return Responses.from_array(columns[:, 1:15]), columns[:, 15] == 2


def test_likelihood_ratios_are_those_of_the_peer(fims):
    found = edmeasure.likelihood_dif(*fims[:1], focal=fims[1], purify=False, n_nodes=61, bound=6.0)
    expected = table("peerR_fims_drop.csv")[:, 8]  # "1,2" of the second column counts as two
    np.testing.assert_allclose(found.chi_square, expected, rtol=0.013)
    assert (found.df == 2).all()
    # the peer stops at a log-likelihood of -45437.7797, mean 1.2687 and variance 2.1520 of the focal group
    assert found.fit.loglik == pytest.approx(-45437.70, abs=0.02)
    assert found.fit.group_means[1] == pytest.approx(1.2687, abs=0.02)


def test_all_items_are_significant_and_some_matter(fims):
    found = edmeasure.likelihood_dif(fims[0], focal=fims[1], purify=False)
    assert (found.p_value < 0.01).all()
    assert [found.classes.count(letter) for letter in "ABC"] == [1, 6, 7]
    mantel = edmeasure.mantel_haenszel(fims[0], focal=fims[1], purify=False)
    assert np.corrcoef(found.difference, mantel.difference)[0, 1] > 0.85
    assert set(mantel.matter) <= {name for name, kind in zip(found.item_ids, found.classes, strict=True) if kind != "A"}


def drawn(seed, n, shift, turn):
    rng = np.random.default_rng(seed)
    focal = np.arange(n) % 2 == 1
    theta = rng.normal(size=n) + 0.5 * focal
    slopes, intercepts = rng.uniform(0.9, 1.5, 10), rng.normal(0, 0.8, (10, 1))
    moved, turned = intercepts.copy(), slopes.copy()
    moved[0] += shift
    turned[1] *= turn
    scores = np.where(
        focal[:, None],
        simulated(rng, n=n, slopes=turned, intercepts=moved, theta=theta),
        simulated(rng, n=n, slopes=slopes, intercepts=intercepts, theta=theta),
    )
    return Responses.from_array(scores), focal


def test_shifted_and_turned_items_are_found_and_freed():
    responses, focal = drawn(1, 4000, -1.0, 0.3)
    found = edmeasure.likelihood_dif(responses, focal=focal)
    assert set(found.matter) == {"I1", "I2"}
    assert found.anchors == tuple(f"I{j}" for j in range(3, 11))
    assert found.difference[0] < -0.15
    assert abs(found.difference[1]) < found.distance[1]
    assert found.fit.group_means[1] == pytest.approx(0.5, abs=0.1)
    assert "I1: C" in str(found)


def test_answers_missing_by_design_and_graded_items():
    responses, focal = drawn(2, 3000, -1.2, 1.0)
    scores = responses.scores.copy()
    scores[::3, 4:6] = -1
    scores[:, 2] = scores[:, 2] + scores[:, 3]
    responses = Responses.from_array(scores)
    found = edmeasure.likelihood_dif(responses, focal=focal, models={"I3": "GRM"})
    assert found.matter == ("I1",)
    assert found.df.tolist() == [2, 2, 3, *[2] * 7]


def test_no_difference_is_significant_at_its_level():
    p_values, kinds = [], []
    for seed in range(6):
        responses, focal = drawn(10 + seed, 1000, 0.0, 1.0)
        found = edmeasure.likelihood_dif(responses, focal=focal, purify=False)
        p_values += found.p_value.tolist()
        kinds += found.classes
    assert kinds.count("C") <= 1
    assert np.mean(np.array(p_values) < 0.05) <= 0.12


def test_an_item_all_of_one_group_solve_is_left_alone():
    responses, focal = drawn(3, 1000, 0.0, 1.0)
    scores = responses.scores.copy()
    scores[focal, 4] = 1
    found = edmeasure.likelihood_dif(Responses.from_array(scores), focal=focal, purify=False)
    assert np.isnan(found.chi_square[4])
    assert found.classes[4] == "A"
    assert found.untested == ("I5",)


def test_items_that_all_differ_are_refused():
    rng = np.random.default_rng(4)
    focal = np.arange(3000) % 2 == 1
    theta = rng.normal(size=3000)
    difficulty = rng.normal(0, 0.5, (6, 1))
    moved = difficulty + np.array([-2.0, -1.2, -0.6, 0.6, 1.2, 2.0])[:, None]
    own, other = (simulated(rng, n=3000, slopes=np.full(6, 1.5), intercepts=d, theta=theta) for d in (moved, difficulty))
    scores = np.where(focal[:, None], own, other)
    with pytest.raises(edmeasure.BadOption, match="6 items differ"):
        edmeasure.likelihood_dif(Responses.from_array(scores), focal=focal)
    assert edmeasure.likelihood_dif(Responses.from_array(scores), focal=focal, purify=False).classes.count("C") >= 4
    with pytest.raises(edmeasure.BadOption, match="empty"):
        edmeasure.likelihood_dif(Responses.from_array(scores), focal=np.zeros(3000, bool))


def test_a_calibration_that_breaks_down_is_refused(monkeypatch):
    responses, focal = drawn(5, 600, 0.0, 1.0)
    fit = edmeasure.calibrate(responses, standard_errors=False)
    monkeypatch.setattr(model_dif, "calibrate", lambda *_, **__: replace(fit, loglik=float("nan")))
    with pytest.raises(edmeasure.BadOption, match="together"):
        edmeasure.likelihood_dif(responses, focal=focal)
