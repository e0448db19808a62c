"""Regressions in populations: exact fits, errors of every design, plausible values, coverage, refusals."""

import numpy as np
import pytest
from scipy.optimize import minimize

import edmeasure
from edmeasure import SampleDesign


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(60), 20)
    x = np.column_stack([rng.normal(size=1200) + rng.normal(size=60)[clusters], rng.integers(0, 2, 1200)])
    y = 500 + 30 * x[:, 0] - 12 * x[:, 1] + rng.normal(0, 25, 60)[clusters] + rng.normal(0, 70, 1200)
    passed = (rng.random(1200) < 1 / (1 + np.exp(-0.4 - 0.7 * x[:, 0] + 0.3 * x[:, 1]))).astype(float)
    return x, y, passed, rng.uniform(0.5, 3, 1200), clusters


def weighted_fit(x, y, w):
    full = np.column_stack([np.ones(len(x)), x])
    return np.linalg.solve(full.T @ (w[:, None] * full), full.T @ (w * y))


def logistic_fit(x, y, w):
    full = np.column_stack([np.ones(len(x)), x])

    def loss(b):
        eta = full @ b
        return np.sum(w * (np.logaddexp(0, eta) - y * eta)), full.T @ (w * (1 / (1 + np.exp(-eta)) - y))

    return minimize(loss, np.zeros(full.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-9}).x


def replicate_designs(w, clusters):
    pairs = clusters // 2
    return (
        SampleDesign.jackknife(w, clusters=clusters),
        SampleDesign.paired(w, zones=pairs, reps=clusters % 2),
        SampleDesign.balanced(w, strata=pairs, clusters=clusters, fay=0.5),
        SampleDesign.bootstrap(w, clusters=clusters, rng=np.random.default_rng(2), n_replicates=40),
    )


def test_linear_errors_are_those_of_full_refits(sample):
    x, y, _, w, clusters = sample
    full = weighted_fit(x, y, w)
    for design in replicate_designs(w, clusters):
        found = edmeasure.linear_regression(y, x, design=design)
        weights = design.replicate_weights(slice(0, y.size))
        away = np.array([weighted_fit(x, y, column) for column in weights.T]) - full
        np.testing.assert_allclose(found.coefficients, full, rtol=1e-9)
        np.testing.assert_allclose(found.covariance, (away.T * design.coefficients) @ away, rtol=1e-7, atol=1e-9)


def test_logistic_errors_are_those_of_full_refits(sample):
    x, _, passed, w, clusters = sample
    full = logistic_fit(x, passed, w)
    for design in replicate_designs(w, clusters)[1:]:
        found = edmeasure.logistic_regression(passed, x, design=design)
        weights = design.replicate_weights(slice(0, passed.size))
        away = np.array([logistic_fit(x, passed, column) for column in weights.T]) - full
        np.testing.assert_allclose(found.coefficients, full, atol=1e-6)
        np.testing.assert_allclose(found.standard_errors, np.sqrt(design.coefficients @ away**2), rtol=1e-4)


def test_given_weights_and_taylor_come_close_to_the_jackknife(sample):
    x, y, passed, w, clusters = sample
    jackknife = SampleDesign.jackknife(w, clusters=clusters)
    weights = jackknife.replicate_weights(slice(0, y.size))
    same = SampleDesign.replicates(w, weights.astype(np.float32), method="jk1")
    for function, outcome in ((edmeasure.linear_regression, y), (edmeasure.logistic_regression, passed)):
        errors = function(outcome, x, design=jackknife).standard_errors
        np.testing.assert_allclose(function(outcome, x, design=same).standard_errors, errors, rtol=1e-4)
        taylor = function(outcome, x, design=SampleDesign.taylor(w, clusters=clusters))
        np.testing.assert_allclose(taylor.standard_errors, errors, rtol=0.06)


def test_sandwich_of_single_persons_is_whites(sample):
    """White (1980) with the factor n / (n - 1): the simple design is the sandwich of persons drawn one by one."""
    x, y, _, _, _ = sample
    full = np.column_stack([np.ones(1200), x])
    inverse = np.linalg.inv(full.T @ full)
    rest = y - full @ weighted_fit(x, y, np.ones(1200))
    expected = inverse @ (full.T @ (rest[:, None] ** 2 * full)) @ inverse * 1200 / 1199
    found = edmeasure.linear_regression(y, x)
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-8)
    assert found.explained == pytest.approx(1 - rest @ rest / np.sum((y - y.mean()) ** 2))


def test_known_special_cases(sample):
    x, y, passed, w, clusters = sample
    design = SampleDesign.jackknife(w, clusters=clusters)
    slope = edmeasure.linear_regression(y, x[:, 1], design=design, names=["girl"])
    gap = edmeasure.group_difference(y, is_first=x[:, 1] == 1, design=design)
    assert slope.of("girl") == pytest.approx((gap.value, gap.standard_error), rel=1e-8)
    assert slope.degrees[1] == gap.degrees == 59
    odds = edmeasure.logistic_regression(passed, x[:, 1], weights=w)
    share = [np.average(passed[x[:, 1] == k], weights=w[x[:, 1] == k]) for k in (0, 1)]
    logits = [np.log(p / (1 - p)) for p in share]
    np.testing.assert_allclose(odds.coefficients, [logits[0], logits[1] - logits[0]], atol=1e-8)


def test_plausible_values_of_outcome_and_predictor(sample):
    x, y, _, w, clusters = sample
    rng = np.random.default_rng(3)
    several = y + rng.normal(0, 30, (5, 1200))
    design = SampleDesign.jackknife(w, clusters=clusters)
    found = edmeasure.linear_regression(several, x, design=design)
    single = [edmeasure.linear_regression(one, x, design=design) for one in several]
    b = np.array([fit.coefficients for fit in single])
    expected = np.mean([fit.sampling_variance for fit in single], axis=0) + 1.2 * b.var(axis=0, ddof=1)
    np.testing.assert_allclose(found.coefficients, b.mean(axis=0))
    np.testing.assert_allclose(found.standard_errors, np.sqrt(expected))
    np.testing.assert_allclose(np.diag(found.covariance), expected)
    assert (found.degrees < 59).all()
    both = edmeasure.linear_regression(y, np.stack([several / 100, several / 100 + 1])[0][:, :, None], design=design)
    alone = [edmeasure.linear_regression(y, one / 100, design=design).coefficients for one in several]
    np.testing.assert_allclose(both.coefficients, np.mean(alone, axis=0))
    related = edmeasure.correlation(several, x[:, 0], design=design)
    r = [np.cov(one, x[:, 0], aweights=w) for one in several]
    assert related.value == pytest.approx(np.mean([c[0, 1] / np.sqrt(c[0, 0] * c[1, 1]) for c in r]))


def test_scale_and_order_of_predictors_do_not_matter(sample):
    x, y, passed, w, clusters = sample
    design = SampleDesign.taylor(w, clusters=clusters)
    for function, outcome in ((edmeasure.linear_regression, y), (edmeasure.logistic_regression, passed)):
        plain = function(outcome, x, design=design)
        moved = function(outcome, np.column_stack([x[:, 1], 1e6 + 1000 * x[:, 0]]), design=design)
        np.testing.assert_allclose(moved.coefficients[1:], plain.coefficients[[2, 1]] / [1, 1000], rtol=1e-6)
        np.testing.assert_allclose(moved.standard_errors[1:], plain.standard_errors[[2, 1]] / [1, 1000], rtol=1e-6)


def test_timss_slope_on_books_at_home(timss):
    """More books at home go with higher scores, and correlation and slope tell the same in their units."""
    official, books = timss.official("ASMMAT"), timss.columns["ASBG04"]
    known = ~np.isnan(books)
    design = SampleDesign.paired(**timss.replicate).within(known)
    filled = np.where(known, books, 0.0)
    slope, error = edmeasure.linear_regression(official, filled, design=design, names=["books"]).of("books")
    related = edmeasure.correlation(official, filled, design=design)
    assert slope > 5 * error > 0
    ratio = (
        edmeasure.standard_deviation(official, design=design).value / edmeasure.standard_deviation(filled, design=design).value
    )
    assert slope == pytest.approx(related.value * ratio, rel=0.01)


def test_an_exact_fit_has_no_error(sample):
    x, _, _, w, clusters = sample
    for design in (SampleDesign.taylor(w, clusters=clusters), SampleDesign.jackknife(w, clusters=clusters)):
        found = edmeasure.linear_regression(1e9 + 3 * x[:, 1], x, design=design)
        assert found.coefficients[2] == pytest.approx(3, rel=1e-6)
        assert (found.standard_errors < 1e-5).all()
        assert found.explained == pytest.approx(1)


def test_intervals_cover_the_true_slope():
    rng = np.random.default_rng(4)
    inside = {"linear": 0, "logistic": 0}
    for _ in range(150):
        clusters = np.repeat(np.arange(40), 15)
        x = rng.normal(size=600) + rng.normal(size=40)[clusters]
        shared = rng.normal(0, 0.5, 40)[clusters]
        y = 2 * x + shared + rng.normal(size=600)
        passed = (x + rng.logistic(size=600) > 0).astype(float)
        design = SampleDesign.taylor(np.ones(600), clusters=clusters)
        for name, fit, truth in (
            ("linear", edmeasure.linear_regression(y, x, design=design), 2.0),
            ("logistic", edmeasure.logistic_regression(passed, x, design=design), 1.0),
        ):
            low, high = fit.interval
            inside[name] += low[1] <= truth <= high[1]
    for count in inside.values():
        assert 0.89 <= count / 150 <= 0.99


def test_impossible_regressions_are_refused(sample):
    x, y, passed, w, clusters = sample
    with pytest.raises(edmeasure.BadOption, match="Predictor x2 follows"):
        edmeasure.linear_regression(y, np.column_stack([x[:, 0], 2 * x[:, 0] + 1]))
    with pytest.raises(edmeasure.BadOption, match="Predictor flat is the same"):
        edmeasure.linear_regression(y, np.full(1200, 7.0), names=["flat"])
    with pytest.raises(edmeasure.BadOption, match="no finite solution"):
        edmeasure.logistic_regression(x[:, 1], x[:, 1])
    with pytest.raises(edmeasure.BadOption, match="not both 0 and 1"):
        edmeasure.logistic_regression(y, x)
    with pytest.raises(edmeasure.BadOption, match="not both 0 and 1"):
        edmeasure.logistic_regression(np.ones(1200), x)
    with pytest.raises(edmeasure.BadOption, match="NaN"):
        edmeasure.linear_regression(y, np.full(1200, np.nan))
    with pytest.raises(edmeasure.BadShape, match="names for"):
        edmeasure.linear_regression(y, x, names=["one"])
    with pytest.raises(edmeasure.BadShape, match="sets of predictors"):
        edmeasure.linear_regression(np.stack([y, y]), np.stack([x, x, x]))
    with pytest.raises(edmeasure.BadOption, match="no predictor"):
        edmeasure.linear_regression(y, x).of("x9")
    rare = np.zeros(1200)
    rare[clusters == 5] = 1.0
    with pytest.raises(edmeasure.BadOption, match="depend on each other"):
        edmeasure.linear_regression(y, rare, design=SampleDesign.jackknife(w, clusters=clusters))
    with pytest.raises(edmeasure.BadOption, match="depend on each other"):
        edmeasure.logistic_regression(passed, rare, design=SampleDesign.jackknife(w, clusters=clusters))
