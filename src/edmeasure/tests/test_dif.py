import numpy as np
import pytest

import edmeasure
from edmeasure import Responses
from edmeasure.dif._cumulative_logit import cumulative_logit
from edmeasure.dif.observed import _generalized, _mantel

from .conftest import simulated, table


@pytest.fixture(scope="module")
def fims():
    """14 items of the First International Mathematics Study, and who is Australian."""
    columns = table("fims_aus_jpn.csv.gz")
    return Responses.from_array(columns[:, 1:15]), columns[:, 15] == 1


@pytest.fixture(scope="module")
def planted():
    """Groups half a standard deviation apart; items 0 (uniform) and 1 (slope) differ, 19 of 20 with one point."""
    rng = np.random.default_rng(1)
    focal = np.arange(4000) % 2 == 1
    theta = rng.normal(size=4000) - 0.5 * focal
    slopes = rng.uniform(0.9, 1.5, 20)
    intercepts = [np.array([d]) for d in rng.normal(0, 0.8, 19)] + [np.array([0.5, 0.2])]
    intercepts[1] = np.array([0.4])
    scores = simulated(rng, n=4000, slopes=slopes, intercepts=intercepts, theta=theta)
    changed = [value.copy() for value in intercepts]
    changed[0] = changed[0] - 0.9
    turned = slopes.copy()
    turned[1] *= 0.25
    other = simulated(rng, n=4000, slopes=turned, intercepts=changed, theta=theta)
    scores[:, :2] = np.where(focal[:, None], other[:, :2], scores[:, :2])
    return Responses.from_array(scores), focal


def test_mantel_haenszel_is_that_of_the_peer(fims):
    found = edmeasure.mantel_haenszel(fims[0], focal=fims[1], purify=False)
    expected = table("peerR_fims_MH.csv")[:, 1:]
    np.testing.assert_allclose(found.chi_square, expected[:, 0], rtol=1e-10)
    np.testing.assert_allclose(found.odds_ratio, expected[:, 1], rtol=1e-10)
    np.testing.assert_allclose(found.p_value, expected[:, 2], rtol=1e-8)
    np.testing.assert_allclose(found.delta, expected[:, 3], rtol=1e-10)


def test_items_that_matter_are_told_from_items_that_are_significant(fims):
    every = edmeasure.mantel_haenszel(fims[0], focal=fims[1], purify=False)
    assert (every.p_value < 0.05).all()
    assert [every.classes.count(letter) for letter in "ABC"] == [5, 5, 4]
    logistic = edmeasure.logistic_dif(fims[0], focal=fims[1], purify=False)
    assert (logistic.p_total < 0.05).all()
    assert logistic.matter == ()
    assert [logistic.classes[item] for item in (7, 12)] == ["B", "B"]
    assert edmeasure.logistic_dif(fims[0], focal=fims[1]).matter == ("I13",)


def test_gains_follow_those_of_the_peer_that_matches_on_theta(fims):
    expected = table("peerR_fims_lordif.csv")[:, 1:]
    responses, focal = fims
    theta = edmeasure.score_eap(edmeasure.calibrate(responses, standard_errors=False), responses).theta
    found = edmeasure.logistic_dif(responses, focal=focal, matching=theta)
    assert np.corrcoef(found.r2_total, expected[:, 10])[0, 1] > 0.85
    assert (np.abs(found.r2_total - expected[:, 10]) < 0.03).all()


def test_planted_differences_are_found_and_nothing_else(planted):
    found = edmeasure.mantel_haenszel(planted[0], focal=planted[1])
    assert found.matter == ("I1",)
    assert found.delta[0] == pytest.approx(2.35 * -0.9, abs=0.45)
    assert found.difference[0] < -0.1
    assert [i for i, kind in enumerate(found.classes) if kind != "A"] in ([0], [0, 1])
    logistic = edmeasure.logistic_dif(planted[0], focal=planted[1])
    assert logistic.classes[1] != "A"
    assert set(logistic.classes[2:]) == {"A"}
    assert logistic.delta[0] == pytest.approx(found.delta[0], abs=0.3)
    assert logistic.p_uniform[0] < 1e-10
    assert logistic.p_nonuniform[1] < 1e-10
    assert logistic.interaction[1] < -0.5
    assert "I1" in str(found)


def test_without_differences_five_percent_are_significant_and_none_matters():
    rng = np.random.default_rng(2)
    mantel, logistic, kinds = [], [], set()
    for _ in range(15):
        focal = np.arange(1000) % 2 == 1
        scores = simulated(
            rng,
            n=1000,
            slopes=np.ones(20),
            intercepts=[[d] for d in rng.normal(0, 1, 20)],
            theta=rng.normal(size=1000) - 0.5 * focal,
        )
        found = edmeasure.mantel_haenszel(Responses.from_array(scores), focal=focal, purify=False)
        mantel += found.p_value.tolist()
        kinds |= set(found.classes)
        logistic += edmeasure.logistic_dif(Responses.from_array(scores), focal=focal, purify=False).p_total.tolist()
    assert np.mean(np.array(mantel) < 0.05) < 0.08
    assert np.mean(np.array(logistic) < 0.05) < 0.09
    assert "C" not in kinds


def test_purification_frees_the_innocent():
    rng = np.random.default_rng(3)
    focal = np.arange(6000) % 2 == 1
    difficulty = rng.normal(0, 0.8, 12)
    moved = difficulty - 1.2 * (np.arange(12) < 4)
    theta = rng.normal(size=6000)
    scores = np.where(
        focal[:, None],
        simulated(rng, n=6000, slopes=np.full(12, 1.2), intercepts=moved[:, None], theta=theta),
        simulated(rng, n=6000, slopes=np.full(12, 1.2), intercepts=difficulty[:, None], theta=theta),
    )
    raw = edmeasure.mantel_haenszel(Responses.from_array(scores), focal=focal, purify=False)
    clean = edmeasure.mantel_haenszel(Responses.from_array(scores), focal=focal)
    assert set(clean.matter) == {"I1", "I2", "I3", "I4"}
    assert all(name in clean.matching_items for name in ("I5", "I8", "I12"))
    assert np.abs(clean.delta[4:]).mean() < 0.5 * np.abs(raw.delta[4:]).mean()


def test_swapping_groups_turns_the_signs(fims):
    one = edmeasure.mantel_haenszel(fims[0], focal=fims[1], purify=False)
    two = edmeasure.mantel_haenszel(fims[0], focal=~fims[1], purify=False)
    np.testing.assert_allclose(one.delta, -two.delta)
    np.testing.assert_allclose(one.delta_se, two.delta_se)
    assert edmeasure.logistic_dif(fims[0], focal=fims[1], purify=False).group_effect[0] == pytest.approx(
        -edmeasure.logistic_dif(fims[0], focal=~fims[1], purify=False).group_effect[0]
    )


def test_items_with_more_points_have_their_own_tests():
    rng = np.random.default_rng(4)
    focal = np.arange(3000) % 2 == 1
    theta = rng.normal(size=3000)
    slopes, steps = np.ones(8), [np.array([0.8, 0.6, -0.5])] * 8
    scores = simulated(rng, n=3000, slopes=slopes, intercepts=steps, theta=theta)
    harder = simulated(rng, n=3000, slopes=slopes, intercepts=[step - np.arange(1, 4) * 0.7 for step in steps], theta=theta)
    scores[:, 2] = np.where(focal, harder[:, 2], scores[:, 2])
    responses = Responses.from_array(scores)
    for nominal in (False, True):
        found = edmeasure.mantel_haenszel(responses, focal=focal, nominal=nominal)
        assert found.matter == ("I3",)
        assert found.df[2] == (3 if nominal else 1)
        assert np.isnan(found.delta).all()
    logistic = edmeasure.logistic_dif(responses, focal=focal)
    assert logistic.classes[2] != "A"
    assert logistic.group_effect[2] < -0.8


def test_the_tests_agree_where_they_are_the_same():
    cells = np.random.default_rng(5).integers(1, 30, (6, 2, 2)).astype(float)
    chi, df = _generalized(cells)
    assert df == 1
    assert chi == pytest.approx(_mantel(cells, continuity=False))


def test_cumulative_logits_are_at_their_maximum():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(5000, 2))
    latent = x @ [1.0, -0.5] + rng.logistic(size=5000)
    counts = np.eye(4)[np.digitize(latent, [-1.0, 0.5, 2.0])]
    fit = cumulative_logit(x, counts)
    np.testing.assert_allclose(fit.effects, [1.0, -0.5], atol=0.1)
    binary = np.stack([counts[:, 0], counts[:, 1:].sum(axis=1)], axis=1)
    logistic = cumulative_logit(x, binary)
    share = binary[:, 1].mean()
    assert logistic.loglik > 5000 * (share * np.log(share) + (1 - share) * np.log(1 - share))
    eta = x @ logistic.effects
    intercept = 0.0
    for _ in range(50):
        chance = 1 / (1 + np.exp(-eta - intercept))
        intercept += (binary[:, 1] - chance).sum() / (chance * (1 - chance)).sum()
    np.testing.assert_allclose(x.T @ (binary[:, 1] - chance), 0, atol=1e-2)


def test_perfectly_separated_groups_stay_finite():
    scores = np.tile([[0, 1, 0, 1], [1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]], (25, 1))
    focal = scores[:, 0] == 1
    found = edmeasure.logistic_dif(Responses.from_array(scores), focal=focal, purify=False)
    assert np.isfinite(found.chi_total).all()
    edmeasure.mantel_haenszel(Responses.from_array(scores), focal=focal, purify=False)


def test_constant_items_say_nothing(fims):
    scores = fims[0].scores.copy()
    scores[:, 3] = 1
    found = edmeasure.mantel_haenszel(Responses.from_array(scores), focal=fims[1], purify=False)
    assert found.classes[3] == "A"
    assert np.isnan(found.delta[3])
    assert found.untested == ("I4",)
    assert "not testable: I4" in str(found)
    assert edmeasure.logistic_dif(Responses.from_array(scores), focal=fims[1], purify=False).classes[3] == "A"


def test_impossible_input_is_refused(fims):
    responses, focal = fims
    with pytest.raises(edmeasure.BadOption, match="empty"):
        edmeasure.mantel_haenszel(responses, focal=np.zeros(focal.size, bool))
    with pytest.raises(edmeasure.BadOption, match="other than 0 and 1"):
        edmeasure.mantel_haenszel(responses, focal=focal + 1)
    with pytest.raises(edmeasure.BadShape, match="one truth value"):
        edmeasure.logistic_dif(responses, focal=focal[:3])
    holes = responses.scores.copy()
    holes[0, 0] = -1
    with pytest.raises(edmeasure.BadShape, match="matching"):
        edmeasure.logistic_dif(Responses.from_array(holes), focal=focal)
    theta = responses.scores.mean(axis=1)
    assert edmeasure.mantel_haenszel(Responses.from_array(holes), focal=focal, matching=theta).classes
    with pytest.raises(edmeasure.BadOption, match="n_strata"):
        edmeasure.mantel_haenszel(responses, focal=focal, n_strata=1)
