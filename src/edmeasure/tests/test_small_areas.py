"""Small-area means: closed forms, squared errors by simulation, benchmarks, and what is refused."""

import numpy as np
import pytest

import edmeasure


@pytest.fixture(scope="module")
def districts():
    rng = np.random.default_rng(1)
    x = rng.normal(size=40)
    psi = rng.uniform(20, 400, 40)
    true = 500 + 15 * x + rng.normal(0, 10, 40)
    return x, psi, true, true + rng.normal(0, np.sqrt(psi))


def test_equal_errors_give_the_closed_form():
    """Equal psi and no covariates: REML is A = s^2 - psi, the shrinkage 1 - psi / s^2 (Efron & Morris 1975)."""
    y = np.random.default_rng(2).normal(500, 20, 18)
    psi, spread = 100.0, y.var(ddof=1)
    found = edmeasure.small_area_means(y, sampling_variances=np.full(18, psi))
    assert found.model_deviation**2 == pytest.approx(spread - psi, rel=1e-5)
    np.testing.assert_allclose(found.weight_of_direct, 1 - psi / spread, rtol=1e-5)
    np.testing.assert_allclose(found.value, y.mean() + (1 - psi / spread) * (y - y.mean()), rtol=1e-7)
    # Datta & Lahiri (2000): g1 + g2 + 2 g3 with var(A) = 2 s^4 / D
    a = spread - psi
    expected = a * psi / spread + (psi / spread) ** 2 * spread / 18 + 2 * psi**2 / spread**3 * 2 * spread**2 / 18
    np.testing.assert_allclose(found.standard_error**2, expected, rtol=1e-5)


def test_ends_of_the_range_are_no_shrinkage_and_all():
    rng = np.random.default_rng(3)
    y = rng.normal(500, 30, 25)
    sure = edmeasure.small_area_means(y, sampling_variances=np.full(25, 1e-4))
    np.testing.assert_allclose(sure.value, y, atol=1e-3)
    np.testing.assert_allclose(sure.standard_error, 1e-2, rtol=1e-3)
    unsure = edmeasure.small_area_means(500 + 0.1 * (y - 500), sampling_variances=np.full(25, 1e4))
    assert unsure.model_deviation == 0
    assert np.ptp(unsure.value) == pytest.approx(0, abs=1e-9)


def test_variance_is_the_root_of_the_restricted_score(districts):
    x, psi, _, y = districts
    found = edmeasure.small_area_means(y, sampling_variances=psi, covariates=x)
    full = np.column_stack([np.ones(40), x])

    def score(a):
        inverse = np.diag(1 / (a + psi))
        p = inverse - inverse @ full @ np.linalg.inv(full.T @ inverse @ full) @ full.T @ inverse
        return -np.trace(p) + y @ p @ p @ y

    a = found.model_deviation**2
    assert score(0.999 * a) > 0 > score(1.001 * a)
    weights = 1 / (a + psi)
    beta = np.linalg.solve(full.T @ (weights[:, None] * full), full.T @ (weights * y))
    np.testing.assert_allclose(found.coefficients, beta)


def test_shrunken_means_are_closer_and_know_how_close():
    rng = np.random.default_rng(4)
    x, psi = rng.normal(size=40), rng.uniform(20, 400, 40)
    better, ratios, inside = [], [], []
    for _ in range(150):
        true = 500 + 15 * x + rng.normal(0, 10, 40)
        y = true + rng.normal(0, np.sqrt(psi))
        found = edmeasure.small_area_means(y, sampling_variances=psi, covariates=x)
        better.append(np.mean((found.value - true) ** 2) / np.mean((y - true) ** 2))
        ratios.append([np.mean((found.value - true) ** 2), np.mean(found.standard_error**2)])
        low, high = found.interval
        inside.append(np.mean((low < true) & (true < high)))
    assert np.mean(better) < 0.6
    actual, told = np.mean(ratios, axis=0)
    assert told == pytest.approx(actual, rel=0.08)
    assert 0.91 <= np.mean(inside) <= 0.97  # A is uncertain, so normal intervals fall a little short


def test_benchmarked_means_add_up_to_the_region(districts):
    x, psi, _, y = districts
    shares = np.arange(1.0, 41.0)
    region = edmeasure.Estimate(507.0, 1.0, 1.0, 0.0, 1000, 1000.0)
    plain = edmeasure.small_area_means(y, sampling_variances=psi, covariates=x)
    found = edmeasure.small_area_means(y, sampling_variances=psi, covariates=x, shares=shares, regional=region)
    assert np.average(found.value, weights=shares) == pytest.approx(507.0)
    np.testing.assert_allclose(found.value - found.adjustment, plain.value)
    spread = found.adjustment / (shares * plain.standard_error**2)
    np.testing.assert_allclose(spread, spread[0])
    assert (found.standard_error >= plain.standard_error).all()


def test_areas_without_anybody_get_the_regression(districts):
    x, psi, _, y = districts
    missing = y.copy()
    missing[[3, 7]] = np.nan
    variances = psi.copy()
    variances[3] = np.nan
    found = edmeasure.small_area_means(missing, sampling_variances=variances, covariates=x, labels=[f"d{k}" for k in range(40)])
    assert found.labels[found.is_synthetic].tolist() == ["d3", "d7"]
    np.testing.assert_allclose(found.value[[3, 7]], found.synthetic[[3, 7]])
    without = np.delete(np.arange(40), [3, 7])
    alone = edmeasure.small_area_means(y[without], sampling_variances=psi[without], covariates=x[without])
    np.testing.assert_allclose(found.value[without], alone.value)
    assert found.standard_error[3] > found.model_deviation


def test_timss_schools_are_drawn_to_the_regression(timss):
    official, schools = timss.official("ASMMAT"), timss.columns["IDSCHOOL"]
    direct = edmeasure.estimate_groups(official, groups=schools, weights=timss.columns["TOTWGT"])
    city = edmeasure.mean(official, **timss.replicate)
    found = edmeasure.small_area_means(
        direct.value,
        sampling_variances=direct.standard_error**2,
        labels=direct.labels,
        shares=direct.weight_sum,
        regional=city,
    )
    assert np.average(found.value, weights=direct.weight_sum) == pytest.approx(508.31, abs=0.005)
    assert found.value.std() < direct.value.std()
    assert np.median(found.standard_error / found.direct_error) < 0.95


def unit_sample(rng, x, effect, codes):
    return 500 + 20 * x + effect[codes] + rng.normal(0, 60, codes.size)


def test_unit_level_means_use_everybodys_background():
    rng = np.random.default_rng(5)
    inside, told, squared, direct = [], [], [], []
    for _ in range(60):
        shift = rng.normal(0, 0.5, 30)
        everybody = shift[:, None] + rng.normal(size=(30, 200))
        effect = rng.normal(0, 15, 30)
        true = 500 + 20 * everybody.mean(axis=1) + effect
        sizes = rng.integers(4, 25, 30)
        codes = np.repeat(np.arange(30), sizes)
        x = np.concatenate([row[:size] for row, size in zip(everybody, sizes, strict=True)])
        y = unit_sample(rng, x, effect, codes)
        means = everybody.mean(axis=1)
        found = edmeasure.unit_level_means(y, areas=codes, background=x, population_means=means)
        low, high = found.interval
        inside.append(np.mean((low < true) & (true < high)))
        told.append(np.mean(found.standard_error**2))
        squared.append(np.mean((found.value - true) ** 2))
        direct.append(np.mean((np.bincount(codes, weights=y) / sizes - true) ** 2))
    assert 0.90 <= np.mean(inside) <= 0.97
    assert np.mean(told) == pytest.approx(np.mean(squared), rel=0.1)
    assert np.mean(squared) < 0.5 * np.mean(direct)


def test_unit_level_without_background_is_value_added():
    rng = np.random.default_rng(6)
    codes = np.repeat(np.arange(30), rng.integers(5, 30, 30))
    y = unit_sample(rng, rng.normal(size=codes.size), rng.normal(0, 25, 30), codes)
    found = edmeasure.unit_level_means(y, areas=codes, background=np.empty((codes.size, 0)), population_means=np.empty((30, 0)))
    added = edmeasure.value_added(y, groups=codes)
    np.testing.assert_allclose(found.value - found.coefficients[0], added.effect, atol=1e-3)


def test_impossible_areas_are_refused(districts):
    x, psi, _, y = districts
    with pytest.raises(edmeasure.BadOption, match=r"variances of \[4\] are not positive"):
        edmeasure.small_area_means(y, sampling_variances=np.where(np.arange(40) == 4, 0, psi))
    with pytest.raises(edmeasure.BadShape, match="sampling_variances"):
        edmeasure.small_area_means(y, sampling_variances=psi[:5])
    with pytest.raises(edmeasure.BadShape, match="measured areas"):
        edmeasure.small_area_means(y[:3], sampling_variances=psi[:3], covariates=x[:3])
    with pytest.raises(edmeasure.BadShape, match="labels"):
        edmeasure.small_area_means(y, sampling_variances=psi, labels=["a"])
    with pytest.raises(edmeasure.BadOption, match="infinite"):
        edmeasure.small_area_means(np.where(np.arange(40) == 4, np.inf, y), sampling_variances=psi)
    with pytest.raises(edmeasure.BadOption, match="without a regional"):
        edmeasure.small_area_means(y, sampling_variances=psi, shares=psi)
    with pytest.raises(edmeasure.BadOption, match="not finite"):
        edmeasure.small_area_means(y, sampling_variances=psi, regional=np.nan)
    with pytest.raises(edmeasure.BadOption, match="NaN"):
        edmeasure.small_area_means(y, sampling_variances=psi, covariates=np.full(40, np.nan))
    codes = np.repeat(np.arange(10), 4)
    with pytest.raises(edmeasure.BadShape, match="population means"):
        edmeasure.unit_level_means(np.arange(40.0), areas=codes, background=x, population_means=np.ones((10, 2)))


def test_areas_that_do_not_differ_get_the_regression_alone():
    codes, x = np.repeat(np.arange(10), 4), np.tile([0.0, 1.0, 0.0, 1.0], 10)
    y = np.tile([1.0, 2.0, 3.0, 5.0], 10)
    found = edmeasure.unit_level_means(y, areas=codes, background=x, population_means=np.full(10, 0.5))
    np.testing.assert_allclose(found.value, y.mean())
    assert (found.model_deviation, found.weight_of_direct.max()) == (0, 0)
    assert (found.standard_error > 0).all()
