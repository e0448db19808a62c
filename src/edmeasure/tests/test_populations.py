"""Several populations, fixed items and free densities: against R mirt, derivatives and known truth."""

import numba
import numpy as np
import pytest

import edmeasure
from edmeasure.calibration import _calibration, _em, _information

from .conftest import mirt, simulated, table

SLOPES = np.tile([0.8, 1.2, 1.6, 1.0], 5)
INTERCEPTS = np.linspace(-1.5, 1.5, 20)


@pytest.fixture(scope="module")
def fims():
    columns = table("fims_aus_jpn.csv.gz")
    return edmeasure.Responses.from_array(columns[:, 1:15]), np.where(columns[:, 15] == 1, "AUS", "JPN")


@pytest.fixture(scope="module")
def fims_fit(fims):
    responses, country = fims
    return edmeasure.calibrate(responses, groups=country)


@pytest.fixture(scope="module")
def two_years():
    """Two groups of 4,000, the second N(0.6, 1.3^2), on the same items."""
    rng = np.random.default_rng(21)
    theta = np.concatenate([rng.standard_normal(4000), 0.6 + 1.3 * rng.standard_normal(4000)])
    scores = simulated(rng, n=8000, slopes=SLOPES, intercepts=INTERCEPTS, theta=theta)
    return edmeasure.Responses.from_array(scores), np.repeat(["old", "new"], 4000), theta


def test_two_countries_agree_with_mirt_and_go_further(fims, fims_fit):
    responses, country = fims
    peer = mirt("fims_multigroup")
    assert fims_fit.group_labels == ("AUS", "JPN")
    np.testing.assert_allclose(fims_fit.slopes, peer[:, 0], atol=0.02)
    np.testing.assert_allclose(fims_fit.intercepts[:, 1], peer[:, 1], atol=0.01)
    # mirt takes plain moments of a density that its nodes cut off, and stops short of the maximum ...
    assert fims_fit.loglik > -45437.7797 + 0.05
    assert fims_fit.group_means[1] == pytest.approx(1.2687, abs=0.02)
    assert fims_fit.group_sds[1] ** 2 == pytest.approx(2.1520, abs=0.06)
    # ... of the same function: at mirt's numbers we find mirt's log-likelihood
    grouped = _calibration.grouping(country, responses.n_persons, reference=None, latent_density="normal", is_fixed=False)
    ones = np.ones(responses.n_persons)
    task = _calibration.task(responses, ones, grouped, ("2PL",) * 14, edmeasure.ItemPriors(), None, None, 61, 6.0)
    intercepts = np.column_stack([np.zeros(14), peer[:, 1]]).ravel()
    state = _em.State(peer[:, 0].copy(), intercepts, latent=np.array([1.2687, 0.5 * np.log(2.1520)]))
    _em.expectation(task.problem, state)
    assert state.loglik == pytest.approx(-45437.7797, abs=1e-3)


def test_the_certificate_shows_that_the_nodes_end_too_early(fims, fims_fit):
    responses, country = fims
    assert not fims_fit.certificate.is_sound
    wide = edmeasure.calibrate(responses, groups=country, n_nodes=121, bound=9.0, standard_errors=False)
    assert wide.certificate.is_sound
    assert wide.loglik > fims_fit.loglik


def test_the_reference_may_be_chosen(fims, fims_fit):
    responses, country = fims
    turned = edmeasure.calibrate(responses, groups=country, reference="JPN", n_nodes=121, bound=9.0, standard_errors=False)
    wide = edmeasure.calibrate(responses, groups=country, n_nodes=121, bound=9.0, standard_errors=False)
    assert turned.group_labels == ("JPN", "AUS")
    assert turned.loglik == pytest.approx(wide.loglik, abs=1e-3)
    mean, sd = wide.group_means[1], wide.group_sds[1]
    np.testing.assert_allclose(turned.slopes, wide.slopes * sd, rtol=1e-4)
    np.testing.assert_allclose([turned.group_means[1], turned.group_sds[1]], [-mean / sd, 1 / sd], rtol=1e-4)


def test_groups_recover_their_truth(two_years):
    responses, year, theta = two_years
    fit = edmeasure.calibrate(responses, groups=year, reference="old")
    assert abs(fit.group_means[1] - 0.6) < 3 * fit.group_mean_se[1]
    assert abs(fit.group_sds[1] - 1.3) < 3 * fit.group_sd_se[1]
    assert 0.01 < fit.group_mean_se[1] < 0.06
    assert np.isnan(fit.group_mean_se[0])
    assert (np.abs(fit.slopes - SLOPES) < 4 * fit.slope_se).all()
    assert "group new: mean 0." in str(fit)
    apart = edmeasure.calibrate(responses, standard_errors=False)
    assert fit.loglik > apart.loglik + 100
    prior_mean, prior_sd = fit.priors_of(year)
    np.testing.assert_array_equal(prior_mean, np.where(year == "new", fit.group_means[1], 0.0))
    np.testing.assert_array_equal(prior_sd, np.where(year == "new", fit.group_sds[1], 1.0))
    with pytest.raises(edmeasure.BadOption, match="ancient"):
        fit.priors_of(["ancient"])
    scored = edmeasure.score_eap(fit, responses, prior_mean=prior_mean, prior_sd=prior_sd)
    assert scored.theta[4000:].mean() == pytest.approx(theta[4000:].mean(), abs=0.06)


def test_information_of_groups_agrees_with_finite_differences():
    rng = np.random.default_rng(3)
    scores = simulated(rng, n=400, slopes=[1.0, 1.3, 0.8, 1.1], intercepts=[0.2, -0.4, 0.0, 0.5], missing=0.1)
    responses = edmeasure.Responses.from_array(scores)
    grouped = _calibration.grouping(np.arange(400) % 3, 400, reference=None, latent_density="normal", is_fixed=False)
    task = _calibration.task(responses, np.ones(400), grouped, ("2PL",) * 4, edmeasure.ItemPriors(), None, None, 41, 7.0)
    problem, first = task.problem, task.first
    state, _ = _em.maximize(problem, first, max_iterations=3000, tolerance=1e-9, loglik_tolerance=1e-9)
    _, information = _information.observed_information(problem, state, scores, np.ones(400))

    def gradient_at(step):
        intercepts = state.intercepts.copy()
        intercepts[1::2] += step[1:8:2]
        moved = _em.State(state.slopes + step[0:8:2], intercepts, latent=state.latent + step[8:])
        _em.expectation(problem, moved)
        return _information.complete_information(problem, moved)[0]

    for at in range(12):
        step = np.zeros(12)
        step[at] = 1e-5
        column = -(gradient_at(step) - gradient_at(-step)) / 2e-5
        np.testing.assert_allclose(information[:, at], column, atol=2e-3)


def test_fixed_items_carry_the_scale(two_years):
    responses, year, _ = two_years
    together = edmeasure.calibrate(responses, groups=year, reference="old", standard_errors=False)
    newcomers = responses.persons(year == "new")
    fit = edmeasure.calibrate(newcomers, fixed=together)
    np.testing.assert_array_equal(fit.slopes, together.slopes)
    assert fit.group_means[0] == pytest.approx(together.group_means[1], abs=1e-3)
    assert fit.group_sds[0] == pytest.approx(together.group_sds[1], abs=1e-3)
    assert np.isfinite(fit.group_mean_se[0])
    assert np.isnan(fit.slope_se).all()


def test_new_items_are_put_on_the_scale_of_fixed_ones(two_years):
    responses, year, _ = two_years
    old = edmeasure.calibrate(responses.persons(year == "old").items(np.arange(15)), standard_errors=False)
    fit = edmeasure.calibrate(responses.persons(year == "new"), fixed=old)
    np.testing.assert_array_equal(fit.slopes[:15], old.slopes)
    assert (np.abs(fit.slopes[15:] - SLOPES[15:]) < 5 * fit.slope_se[15:]).all()
    assert (np.abs(fit.intercepts[15:, 1] - INTERCEPTS[15:]) < 0.25).all()
    with pytest.raises(edmeasure.BadOption, match="histogram"):
        edmeasure.calibrate(responses, fixed=old, latent_density="histogram")


def test_free_items_are_the_unequal_ones(fims, fims_fit):
    responses, country = fims
    fit = edmeasure.calibrate(responses, groups=country, free_items=["I1", "I4"], standard_errors=False)
    assert fit.item_ids[-2:] == ("I1@JPN", "I4@JPN")
    # twice the gain is the likelihood ratio of four parameters
    assert 2 * (fit.loglik - fims_fit.loglik) > 20
    with pytest.raises(edmeasure.BadOption, match="X1"):
        edmeasure.calibrate(responses, groups=country, free_items=["X1"])


def test_a_skewed_population_is_found():
    rng = np.random.default_rng(9)
    theta = (rng.gamma(2.0, size=12_000) - 2.0) / np.sqrt(2.0)
    scores = simulated(rng, n=12_000, slopes=SLOPES, intercepts=INTERCEPTS, theta=theta)
    responses = edmeasure.Responses.from_array(scores)
    options = {"standard_errors": False, "tolerance": 1e-3}
    normal = edmeasure.calibrate(responses, **options)
    free = edmeasure.calibrate(responses, latent_density="histogram", **options)
    assert free.loglik > normal.loglik + 50
    moments = [float(free.group_weights[0] @ free.nodes**power) for power in (1, 2, 3)]
    np.testing.assert_allclose(moments[:2], [0.0, 1.0], atol=1e-9)
    assert moments[2] == pytest.approx(2 / np.sqrt(2.0), abs=0.35)
    assert np.abs(free.slopes - SLOPES).mean() < np.abs(normal.slopes - SLOPES).mean()


def test_impossible_groups_are_refused(fims):
    responses, country = fims
    with pytest.raises(edmeasure.BadOption, match="NZL"):
        edmeasure.calibrate(responses, groups=country, reference="NZL")
    with pytest.raises(edmeasure.BadOption, match="without groups"):
        edmeasure.calibrate(responses, reference="AUS")
    with pytest.raises(edmeasure.BadOption, match="without groups"):
        edmeasure.calibrate(responses, free_items=["I1"])
    with pytest.raises(edmeasure.BadShape, match="groups"):
        edmeasure.calibrate(responses, groups=country[:5])
    with pytest.raises(edmeasure.BadOption, match="latent_density"):
        edmeasure.calibrate(responses, latent_density="spline")


def test_groups_that_the_nodes_cannot_hold_are_named(two_years):
    responses, _, _ = two_years
    some = responses.persons(np.arange(600))
    alone = np.where(np.arange(600) == 7, "one", "many")
    fit = edmeasure.calibrate(some, groups=alone, standard_errors=False)
    assert np.isfinite([*fit.slopes, *fit.group_means, *fit.group_sds, fit.loglik]).all()
    assert fit.certificate.boundary_groups == ("one",)
    assert not fit.certificate.is_sound
    assert "cannot hold: one" in str(fit)
    silent = some.scores.copy()
    silent[7] = -1
    with pytest.raises(edmeasure.BadOption, match="'one'"):
        edmeasure.calibrate(edmeasure.Responses.from_array(silent), groups=alone)


def test_the_number_of_threads_changes_no_bit(two_years):
    responses, year, _ = two_years
    models = {"I1": "3PL", "I2": "1PL", "I3": "1PL"}
    found = []
    available = numba.get_num_threads()
    try:
        for threads in (1, available):
            numba.set_num_threads(threads)
            fit = edmeasure.calibrate(responses, models=models, groups=year, standard_errors=False)
            scored = [score(fit, responses).theta for score in (edmeasure.score_ml, edmeasure.score_map, edmeasure.score_eap)]
            found.append([fit.slopes, fit.intercepts, fit.lower, fit.group_means, fit.group_sds, *scored])
    finally:
        numba.set_num_threads(available)
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_proposals_that_the_nodes_cannot_hold_are_brought_back():
    rng = np.random.default_rng(3)
    scores = simulated(rng, n=90, slopes=[1.0, 1.3, 0.8, 1.1], intercepts=[0.2, -0.4, 0.0, 0.5])
    responses = edmeasure.Responses.from_array(scores)
    grouped = _calibration.grouping(np.arange(90) % 2, 90, reference=None, latent_density="normal", is_fixed=False)
    task = _calibration.task(responses, np.ones(90), grouped, ("2PL",) * 4, edmeasure.ItemPriors(), None, None, 21, 6.0)
    for latent in ([80.0, -900.0], [-80.0, 900.0], [0.1, -2.0]):
        vector = np.concatenate([task.first.slopes, task.first.intercepts, latent])
        with np.errstate(all="raise"):
            state = _em._as_state(vector, task.first, task.problem)
            _em.expectation(task.problem, state)
        assert np.isfinite(state.loglik)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("latent_density", ["normal", "histogram"])
def test_four_items_that_say_the_same_end_in_a_certificate_without_nan(latent_density):
    for seed in (2, 57):
        rng = np.random.default_rng(seed)
        same = np.sort(rng.integers(0, 2, (16, 4)), axis=1).astype(np.int8)
        groups = rng.integers(0, 3, 16)
        fit = edmeasure.calibrate(
            edmeasure.Responses.from_array(same), groups=groups, latent_density=latent_density, n_nodes=21, max_iterations=60
        )
        assert np.isfinite(fit.loglik)
        assert np.isfinite(fit.group_means).all()
        assert np.isfinite(fit.group_sds).all()
        assert not fit.certificate.is_sound or fit.converged or fit.certificate.extreme_items


def test_a_group_whose_weights_are_all_zero_is_named(two_years):
    responses, year, _ = two_years
    with pytest.raises(edmeasure.BadWeight, match="group 'old' are zero"):
        edmeasure.calibrate(responses, groups=year, weights=np.where(year == "old", 0.0, 1.0))
