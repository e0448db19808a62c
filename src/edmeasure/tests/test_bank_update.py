"""A bank that is brought up to date wave by wave ends where one calibration of everything ends."""

import json

import numpy as np
import pytest

import edmeasure
from edmeasure.tests.conftest import simulated

SLOPES = np.linspace(0.8, 1.6, 12)
INTERCEPTS = np.linspace(-1.2, 1.2, 12)
NODES = {"n_nodes": 41}


def wave(rng, columns, *, n=2500, mean=0.0, sd=1.0, intercepts=INTERCEPTS):
    columns = np.asarray(columns)
    theta = mean + sd * rng.standard_normal(n)
    scores = simulated(rng, n=n, slopes=SLOPES[columns], intercepts=list(intercepts[columns]), theta=theta)
    return edmeasure.Responses.from_array(scores, item_ids=[f"Q{j}" for j in columns])


@pytest.fixture(scope="module")
def waves():
    rng = np.random.default_rng(1)
    return wave(rng, range(9)), wave(rng, range(3, 12), mean=0.4, sd=1.2), wave(rng, [0, 4, 8, 11], mean=-0.2, n=1500)


@pytest.fixture(scope="module")
def bank(waves):
    return edmeasure.calibrate(waves[0], **NODES)


@pytest.fixture(scope="module")
def together(waves):
    """All waves in one calibration, with a population each."""
    n = [one.n_persons for one in waves]
    scores = np.full((sum(n), 12), -1, dtype=np.int8)
    for first, one in zip(np.cumsum([0, *n[:-1]]), waves, strict=True):
        scores[first : first + one.n_persons, [int(name[1:]) for name in one.item_ids]] = one.scores
    responses = edmeasure.Responses.from_array(scores, item_ids=[f"Q{j}" for j in range(12)])
    return edmeasure.calibrate(responses, groups=np.repeat([0, 1, 2], n), **NODES)


def test_updating_wave_by_wave_is_calibrating_together(waves, bank, together):
    first = edmeasure.update_bank(bank, waves[1], **NODES)
    second = edmeasure.update_bank(first.fit, waves[2], **NODES)
    fit = second.fit
    assert first.new_items == ("Q9", "Q10", "Q11")
    assert first.drifted == second.drifted == ()
    assert fit.item_ids == together.item_ids
    assert (np.abs(fit.slopes - together.slopes) < 0.2 * together.slope_se).all()
    assert (np.abs(fit.intercepts - together.intercepts)[:, 1] < 0.2 * together.intercept_se[:, 1]).all()
    np.testing.assert_allclose(fit.slope_se, together.slope_se, rtol=0.06)
    np.testing.assert_allclose(fit.intercept_se[:, 1], together.intercept_se[:, 1], rtol=0.06)
    for group, update in ((1, first), (2, second)):
        assert update.fit.group_means[0] == pytest.approx(together.group_means[group], abs=0.02)
        assert update.fit.group_sds[0] == pytest.approx(together.group_sds[group], abs=0.03)
    # items without new answers gain through those they covary with
    assert (first.fit.intercept_se[:3, 1] <= bank.intercept_se[:3, 1] + 1e-9).all()
    assert fit.covariance.shape == (24, 24)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)[::2]), fit.slope_se)
    assert "covariance" not in fit.to_dict()
    assert json.loads(json.dumps(second.to_dict()["item_ids"])) == ["Q0", "Q4", "Q8", "Q11"]
    assert second.to_arrow().column_names[:2] == ["item", "shift"]


def test_nothing_known_is_nothing_added(waves, bank):
    vague = edmeasure.update_bank(_vague(bank, 1e3), waves[1], release_drifted=False, **NODES)
    free = edmeasure.calibrate(waves[1], **NODES)
    # without a scale from the bank only the scale differs: the likelihood is that of a free calibration
    assert vague.fit.loglik == pytest.approx(free.loglik, abs=0.1)
    sure = edmeasure.update_bank(_vague(bank, 1e-8), waves[1], release_drifted=False, **NODES)
    np.testing.assert_allclose(sure.fit.slopes[:9], bank.slopes, atol=1e-4)
    fixed = edmeasure.calibrate(waves[1], fixed=bank, **NODES)
    np.testing.assert_allclose(sure.fit.slopes[9:], fixed.slopes[6:], atol=2e-3)
    assert sure.fit.group_means[0] == pytest.approx(fixed.group_means[0], abs=1e-3)


def _vague(fit, factor):
    return edmeasure.IRTFit(**{**vars(fit), "covariance": fit.covariance * factor})


def test_an_item_that_drifted_is_told_and_released(bank):
    rng = np.random.default_rng(5)
    moved = INTERCEPTS.copy()
    moved[5] += 0.8
    responses = wave(rng, range(3, 12), mean=0.4, sd=1.2, intercepts=moved)
    update = edmeasure.update_bank(bank, responses, **NODES)
    assert update.drifted == ("Q5",)
    at = update.item_ids.index("Q5")
    assert update.shift[at] == pytest.approx(-0.8 / SLOPES[5], abs=0.25)
    assert update.distance[at] > 0.08
    assert update.p_value[at] < 1e-6
    assert "Q5: shift -" in str(update)
    assert abs(update.fit.intercepts[5, 1] - moved[5]) < 4 * update.fit.intercept_se[5, 1]
    assert update.fit.group_means[0] == pytest.approx(0.4, abs=0.12)
    told = edmeasure.update_bank(bank, responses, release_drifted=False, **NODES)
    assert told.drifted == ()
    assert told.p_value[at] == pytest.approx(update.p_value[at])
    with pytest.raises(edmeasure.BadOption, match="1 of 6 items have drifted: Q5"):
        edmeasure.update_bank(bank, responses, most_released=0.1, **NODES)


def test_other_models_and_unused_categories_are_kept_up():
    rng = np.random.default_rng(9)
    slopes, intercepts = [1.0, 1.3, 0.9, 1.2, 1.1], [0.3, [1.2, -0.8], [0.9, -0.7], -0.5, 0.6]
    models = {"A": "2PL", "B": "GRM", "C": "GPCM", "D": "3PL"}
    scores = [simulated(rng, n=1500, slopes=slopes, intercepts=intercepts) for _ in range(2)]
    bank = edmeasure.calibrate(edmeasure.Responses.from_array(scores[0][:, :4], item_ids=list("ABCD")), models=models, **NODES)
    later = scores[1].copy()
    later[later[:, 1] == 2, 1] = 1
    responses = edmeasure.Responses.from_array(later, item_ids=list("ABCDE"), max_scores=[1, 2, 2, 1, 1])
    update = edmeasure.update_bank(bank, responses, release_drifted=False, **NODES)
    assert update.fit.models == ("2PL", "GRM", "GPCM", "3PL", "2PL")
    assert np.isfinite(update.fit.intercepts[1]).all()
    assert update.p_value[1] < 1e-6
    assert update.fit.unused_categories == ()
    at_both = [0, 2, 3]
    assert (update.fit.slope_se[at_both] < bank.slope_se[at_both]).all()
    assert 0 < update.fit.lower[3] < 0.5


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        ({"item_ids": [f"X{j}" for j in range(9)]}, {}, edmeasure.BadShape, "Nobody answered an item of the bank"),
        ({"scores": 2}, {}, edmeasure.BadScore, "Item Q3 has scores above"),
        ({}, {"significance": 0.0}, edmeasure.BadOption, "drift"),
        ({}, {"models": {"Q99": "2PL"}}, edmeasure.BadOption, "Q99"),
        ({}, {"weights": [1.0]}, edmeasure.BadShape, "weights"),
        ({}, {"n_nodes": 2}, edmeasure.BadOption, "n_nodes"),
    ],
)
def test_refusals(bank, waves, change, options, error, words):
    scores = waves[1].scores.copy()
    scores[0, 0] = change.get("scores", scores[0, 0])
    responses = edmeasure.Responses.from_array(scores, item_ids=change.get("item_ids", waves[1].item_ids))
    with pytest.raises(error, match=words):
        edmeasure.update_bank(bank, responses, **options)


def test_banks_that_cannot_be_updated(waves):
    plain = edmeasure.calibrate(waves[0], standard_errors=False, **NODES)
    with pytest.raises(edmeasure.BadOption, match="no covariance"):
        edmeasure.update_bank(plain, waves[1])
    rasch = edmeasure.calibrate(waves[0], models="1PL", **NODES)
    with pytest.raises(edmeasure.BadOption, match="share a slope"):
        edmeasure.update_bank(rasch, waves[1])
    fixed = edmeasure.calibrate(waves[1], fixed=edmeasure.calibrate(waves[0], **NODES), **NODES)
    with pytest.raises(edmeasure.BadOption, match=r"'Q3'.*have no errors"):
        edmeasure.update_bank(fixed, waves[2])


def test_what_was_never_estimated_moves_nothing(waves):
    scores = waves[0].scores.copy()
    scores[:, 0] *= 2
    earlier = edmeasure.Responses.from_array(scores, item_ids=waves[0].item_ids)
    bank = edmeasure.calibrate(earlier, **NODES)
    assert bank.unused_categories == (("Q0", 1),)
    update = edmeasure.update_bank(bank, waves[1], **NODES)
    assert update.fit.unused_categories == (("Q0", 1),)
    assert np.isnan(update.fit.intercept_se[0, 1])
    assert np.isfinite(update.fit.slope_se).all()
    assert np.isfinite(update.fit.intercepts[:, 0]).all()
    assert update.fit.intercepts[0, 1] == -50.0
    assert update.fit.slope_se[0] <= bank.slope_se[0] + 1e-9
