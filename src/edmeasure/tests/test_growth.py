import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.special import ndtr

import edmeasure
from edmeasure.growth._quantile_regression import _one_quantile, quantile_coefficients


def test_quantile_regression_reaches_the_optimum_of_the_linear_program():
    rng = np.random.default_rng(1)
    X = np.column_stack([np.ones(120), rng.normal(size=(120, 2))])
    y = X @ [1.0, 2.0, -1.0] + rng.gumbel(size=120) * (1 + 0.3 * np.abs(X[:, 1]))
    taus = np.array([0.05, 0.5, 0.9])
    found = quantile_coefficients(X, 500 + 100 * y, taus)
    for tau, beta in zip(taus, found, strict=True):
        best = linprog(
            np.concatenate([np.zeros(3), np.full(120, tau), np.full(120, 1 - tau)]),
            A_eq=np.hstack([X, np.eye(120), -np.eye(120)]),
            b_eq=500 + 100 * y,
            bounds=[(None, None)] * 3 + [(0, None)] * 240,
        )
        away = 500 + 100 * y - X @ beta
        assert np.sum(np.where(away > 0, tau, tau - 1) * away) == pytest.approx(best.fun, rel=1e-7)


def test_many_persons_give_the_optimum_of_all():
    rng = np.random.default_rng(9)
    X = np.column_stack([np.ones(12_000), rng.normal(size=(12_000, 2))])
    y = X @ [1.0, 2.0, -1.0] + rng.standard_t(3, 12_000) * (1 + 0.5 * np.abs(X[:, 1]))
    taus = np.array([0.01, 0.02, 0.4, 0.97])
    for tau, beta in zip(taus, quantile_coefficients(X, y, taus), strict=True):
        at_once = _one_quantile(X, y, tau)
        losses = [np.sum(np.where(y > X @ b, tau, tau - 1) * (y - X @ b)) for b in (beta, at_once)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-7)


def test_ties_and_flat_outcomes_do_not_stop_it():
    X = np.column_stack([np.ones(50), np.repeat([0.0, 1.0], 25)])
    y = np.repeat([3.0, 5.0], 25)
    np.testing.assert_allclose(quantile_coefficients(X, y, np.array([0.3, 0.7])), [[3, 2], [3, 2]], atol=1e-5)


def test_coarse_scores_are_no_obstacle():
    rng = np.random.default_rng(10)
    prior = rng.integers(0, 6, 2_000)
    later = np.clip(prior + rng.integers(-2, 3, 2_000), 0, 6)
    model = edmeasure.growth_percentiles(later, prior)
    assert np.isfinite(model.coefficients).all()
    medians = model.quantiles(np.arange(6))[:, 50]
    np.testing.assert_allclose(medians, np.arange(6), atol=0.3)


@pytest.fixture(scope="module")
def two_years():
    """Later scores spread more for the able; growth percentile of everybody known."""
    rng = np.random.default_rng(2)
    prior = rng.normal(500, 100, 4000)
    z = rng.normal(size=4000)
    return prior, 40 + prior + (30 + 0.04 * (prior - 500)) * z, z


def test_percentiles_are_those_of_the_conditional_distribution(two_years):
    prior, later, z = two_years
    found = edmeasure.growth_percentiles(later, prior)
    true = 100 * ndtr(z)
    assert np.abs(found.percentiles - true).mean() < 2.0
    for low, high in ((0, 400), (450, 550), (600, 1000)):
        inside = (prior > low) & (prior < high)
        assert found.percentiles[inside].mean() == pytest.approx(50, abs=3.5)
        assert (found.percentiles[inside] > 75).mean() == pytest.approx(0.25, abs=0.05)


def test_percentiles_do_not_mind_the_scale(two_years):
    prior, later, _ = two_years
    plain = edmeasure.growth_percentiles(later[:1000], prior[:1000]).percentiles
    moved = edmeasure.growth_percentiles(7 + 0.01 * later[:1000], 3 - 5 * prior[:1000]).percentiles
    assert np.abs(plain - moved).max() <= 1


def test_growth_to_standard_is_the_inverse(two_years):
    prior, later, _ = two_years
    model = edmeasure.growth_percentiles(later, prior)
    needed = model.percentile_needed(later, prior)
    inside = (model.percentiles > 1) & (model.percentiles < 99) & (np.abs(prior - 500) < 250)
    assert np.abs(needed - model.percentiles)[inside].max() <= 2
    assert model.percentile_needed([5000.0, 0.0], [500.0, 500.0]).tolist() == [100, 1]
    assert model.percentile_needed([540.0], [500.0])[0] == pytest.approx(50, abs=4)


def test_two_earlier_scores_say_more_than_one():
    rng = np.random.default_rng(3)
    ability = rng.normal(size=2000)
    first, second, later = (ability + 0.5 * rng.normal(size=2000) for _ in range(3))
    one = edmeasure.growth_percentiles(later, first, knots=(0.5,))
    two = edmeasure.growth_percentiles(later, np.column_stack([first, second]), knots=(0.5,))
    spread = [
        np.median(np.diff(model.quantiles(prior)[:, [10, 90]]))
        for model, prior in ((one, first), (two, np.column_stack([first, second])))
    ]
    assert spread[1] < 0.95 * spread[0]


def schools(rng, sizes, between=0.3, within=0.9):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    effect = rng.normal(0, between, len(sizes))
    prior = rng.normal(size=groups.size) + 0.5 * effect[groups]
    return groups, effect, prior, 0.2 + 0.7 * prior + effect[groups] + rng.normal(0, within, groups.size)


def test_balanced_groups_give_the_anova_estimates():
    groups, _, _, y = schools(np.random.default_rng(4), [20] * 30)
    found = edmeasure.value_added(y, groups=groups)
    means = y.reshape(30, 20).mean(axis=1)
    within = y.reshape(30, 20).var(axis=1, ddof=1).mean()
    between = means.var(ddof=1) - within / 20
    assert found.within**2 == pytest.approx(within, rel=1e-6)
    assert found.between**2 == pytest.approx(between, rel=1e-6)
    np.testing.assert_allclose(found.residual, means - y.mean(), atol=1e-8)
    np.testing.assert_allclose(found.effect, between / (between + within / 20) * (means - y.mean()), atol=1e-6)


def test_intervals_cover_the_true_effects():
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(40):
        groups, effect, prior, y = schools(rng, rng.integers(3, 60, 50))
        found = edmeasure.value_added(y, groups=groups, background=prior)
        low, high = found.interval
        covered.append(((low < effect) & (effect < high)).mean())
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)


def test_small_groups_are_drawn_to_the_middle():
    groups, _, prior, y = schools(np.random.default_rng(6), [4] * 20 + [100] * 20)
    found = edmeasure.value_added(y, groups=groups, background=prior)
    assert (found.reliability[:20] < found.reliability[20:].min()).all()
    assert np.abs(found.effect[:20]).max() < np.abs(found.residual[:20]).max()
    assert found.coefficients[1] == pytest.approx(0.7, abs=0.05)


def test_groups_without_effect_are_not_distinct():
    groups, _, prior, y = schools(np.random.default_rng(7), [25] * 40, between=0.0)
    found = edmeasure.value_added(y, groups=groups, background=prior)
    assert found.is_distinct.mean() < 0.05
    assert found.between < 0.15


def test_plausible_values_widen_the_intervals():
    rng = np.random.default_rng(8)
    groups, _, prior, y = schools(rng, [30] * 25)
    one = edmeasure.value_added(y, groups=groups, background=prior)
    five = edmeasure.value_added(y + rng.normal(0, 0.4, (5, y.size)), groups=groups, background=prior)
    assert five.standard_error.mean() > one.standard_error.mean()
    same = edmeasure.value_added(np.tile(y, (5, 1)), groups=groups, background=prior)
    np.testing.assert_allclose(same.standard_error, one.standard_error)


def test_impossible_input_is_refused(two_years):
    prior, later, _ = two_years
    with pytest.raises(edmeasure.BadShape, match="persons for"):
        edmeasure.growth_percentiles(later[:30], prior[:30])
    with pytest.raises(edmeasure.BadOption, match="same for everybody"):
        edmeasure.growth_percentiles(later, np.ones(4000))
    with pytest.raises(edmeasure.BadOption, match="NaN"):
        edmeasure.growth_percentiles(later, np.full(4000, np.nan))
    with pytest.raises(edmeasure.BadOption, match="later score is the same"):
        edmeasure.growth_percentiles(np.ones(4000), prior)
    with pytest.raises(edmeasure.BadOption, match="wholly"):
        edmeasure.value_added(3 + 2 * prior, groups=np.arange(4000) % 9, background=prior)
    with pytest.raises(edmeasure.BadShape, match="three groups"):
        edmeasure.value_added(later, groups=np.arange(4000) % 2)
    with pytest.raises(edmeasure.BadOption, match="depend"):
        edmeasure.value_added(later, groups=np.arange(4000) % 9, background=np.ones((4000, 1)))
