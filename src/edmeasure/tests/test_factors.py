import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import edmeasure
from edmeasure import Correlations, Responses
from edmeasure.profiles._polychoric_kernels import joint_chance

from .conftest import table

SIMPLE = np.kron(np.eye(2), np.array([[0.8], [0.7], [0.6], [0.5]]))
PHI = np.array([[1.0, 0.4], [0.4, 1.0]])


@pytest.fixture(scope="module")
def bfi():
    """25 questionnaire items, 1 to 6, with a few answers missing."""
    return table("bfi.csv.gz")


@pytest.fixture(scope="module")
def bfi_ml(bfi):
    return edmeasure.explore_factors(bfi, 5, method="ml", rotation="varimax")


def drawn(rng, n, loadings=SIMPLE, phi=PHI):
    """Answers of a factor model and the factors behind them."""
    factors = rng.standard_normal((n, phi.shape[0])) @ np.linalg.cholesky(phi).T
    unique = np.sqrt(1 - np.einsum("jm,mk,jk->j", loadings, phi, loadings))
    return factors @ loadings.T + unique * rng.standard_normal((n, loadings.shape[0])), factors


def graded(values, cuts):
    return (values[:, :, None] > np.asarray(cuts)).sum(axis=2)


def matched(found, peer):
    """Columns in the peer's order and signs."""
    cosine = found.T @ peer
    order = np.abs(cosine).argmax(axis=0)
    return found[:, order] * np.sign(cosine[order, np.arange(peer.shape[1])])


def test_pairwise_correlations_are_those_of_the_peer(bfi):
    peer = table("psychR_bfi_correlations.csv.gz")[:, 1:]
    found = edmeasure.correlate(bfi)
    np.testing.assert_allclose(found.matrix, peer, atol=1e-12)
    assert found.n_persons == 2800
    assert found.n_together.min() >= 2700


def test_maximum_likelihood_factors_are_those_of_the_peer(bfi_ml):
    assert bfi_ml.chi_square == pytest.approx(1749.88, abs=0.005)
    assert bfi_ml.degrees == 185
    assert bfi_ml.rmsea == pytest.approx(0.0550, abs=5e-5)
    assert bfi_ml.tli == pytest.approx(0.8721, abs=2e-4)
    assert bfi_ml.adequacy.kmo == pytest.approx(0.8459, abs=5e-5)
    assert bfi_ml.rmsea_interval == pytest.approx((0.0526, 0.0573), abs=1e-4)
    peer = table("psychR_bfi_varimax.csv")[:, 1:]
    np.testing.assert_allclose(matched(bfi_ml.loadings, peer), peer, atol=2e-3)


def test_least_residual_factors_are_those_of_the_peer(bfi):
    found = edmeasure.explore_factors(bfi, 5)
    peer = table("psychR_bfi_oblimin.csv")[:, 1:]
    np.testing.assert_allclose(matched(found.loadings, peer), peer, atol=1e-4)
    np.testing.assert_allclose(found.explained.sum(), found.communality.mean())


def test_parallel_analysis_finds_as_many_as_the_peer(bfi):
    found = edmeasure.parallel_analysis(bfi, rng=np.random.default_rng(1), n_replications=10)
    assert (found.n_factors, found.n_components) == (6, 6)


def test_answers_of_chance_hold_no_factor():
    noise = np.random.default_rng(2).integers(0, 4, (500, 8))
    found = edmeasure.parallel_analysis(noise, rng=np.random.default_rng(3), n_replications=40)
    assert found.n_components == 0
    values, _ = drawn(np.random.default_rng(4), 800)
    asked = {"rng": np.random.default_rng(5), "n_replications": 20, "kind": "polychoric"}
    assert edmeasure.parallel_analysis(graded(values, [-0.5, 0.5]), **asked).n_factors == 2


def test_known_loadings_come_back_and_the_test_of_fit_keeps_its_level():
    rng = np.random.default_rng(6)
    fits = [edmeasure.explore_factors(drawn(rng, 400)[0], 2, method="ml") for _ in range(120)]
    chi_squares = np.array([fit.chi_square for fit in fits])
    degrees = fits[0].degrees
    assert chi_squares.mean() == pytest.approx(degrees, abs=4 * np.sqrt(2 * degrees / 120))
    assert np.mean([fit.p_value < 0.05 for fit in fits]) < 0.12
    mean = np.mean([matched(fit.loadings, SIMPLE) for fit in fits], axis=0)
    np.testing.assert_allclose(mean, SIMPLE, atol=0.03)
    related = np.mean([abs(fit.factor_correlations[0, 1]) for fit in fits])
    assert related == pytest.approx(0.4, abs=0.03)


def test_exact_correlations_are_explained_exactly():
    matrix = SIMPLE @ PHI @ SIMPLE.T
    np.fill_diagonal(matrix, 1.0)
    given = Correlations.from_matrix(9 * matrix, n_persons=500)
    for method in ("minres", "ml"):
        found = edmeasure.explore_factors(given, 2, method=method)
        np.testing.assert_allclose(matched(found.loadings, SIMPLE), SIMPLE, atol=1e-4)
        assert (found.rmsea, found.residual) == pytest.approx((0.0, 0.0), abs=1e-5)
        assert found.tli >= 1 - 1e-6


def test_joint_chances_are_exact():
    rng = np.random.default_rng(7)
    for rho in (-0.9994, -0.97, -0.6, 0.0, 0.3, 0.85, 0.92, 0.99, 0.9994):
        h, k = rng.normal(size=2)
        for a, b in ((h, k), (h, h + 0.01), (h, -h)):
            exact = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([a, b])
            assert joint_chance(a, b, rho) == pytest.approx(exact, abs=1e-13)


def test_tetrachoric_correlation_of_median_splits_is_sheppards():
    cells = {(1, 1): 30, (1, 0): 20, (0, 1): 20, (0, 0): 30}
    answers = np.repeat(np.array(list(cells)), list(cells.values()), axis=0)
    found = edmeasure.correlate(answers, kind="polychoric")
    assert found.matrix[0, 1] == pytest.approx(np.sin(2 * np.pi * (0.3 - 0.25)), abs=1e-9)


def test_tetrachoric_correlation_reproduces_its_table():
    cells = {(1, 1): 37, (1, 0): 11, (0, 1): 25, (0, 0): 27}
    answers = np.repeat(np.array(list(cells)), list(cells.values()), axis=0)
    rho = edmeasure.correlate(answers, kind="polychoric").matrix[0, 1]
    assert joint_chance(norm.ppf(0.52), norm.ppf(0.38), rho) == pytest.approx(0.27, abs=1e-9)


def test_grades_tell_what_is_behind_them():
    rng = np.random.default_rng(8)
    values, _ = drawn(rng, 20_000)
    expected = np.corrcoef(values.T)
    for cuts in ([0.3], [-1.0, 0.2, 1.4], np.linspace(-2, 2, 9)):
        answers = graded(values, cuts).astype(float)
        answers[rng.random(answers.shape) < 0.1] = np.nan
        found = edmeasure.correlate(answers, kind="polychoric")
        np.testing.assert_allclose(found.matrix, expected, atol=0.035)
    assert np.abs(edmeasure.correlate(graded(values, [0.3])).matrix - expected).max() > 0.15


def test_items_may_have_unlike_numbers_of_grades():
    values, _ = drawn(np.random.default_rng(15), 20_000)
    cuts = ([0.3], [-1.0, 0.2, 1.4], [-0.5, 0.5], np.linspace(-2, 2, 9))
    answers = np.column_stack([graded(values[:, [at]], cuts[at % 4])[:, 0] for at in range(8)])
    found = edmeasure.correlate(answers, kind="polychoric")
    np.testing.assert_allclose(found.matrix, np.corrcoef(values.T), atol=0.035)
    np.testing.assert_allclose(found.thresholds[1], [-1.0, 0.2, 1.4], atol=0.04)
    reversed_grades = edmeasure.correlate(9 - answers, kind="polychoric")
    np.testing.assert_allclose(reversed_grades.matrix, found.matrix, atol=1e-7)


@pytest.mark.parametrize("kind", ["pearson", "polychoric"])
def test_weights_count_persons_several_times(kind):
    rng = np.random.default_rng(9)
    answers = graded(drawn(rng, 200)[0], [-0.5, 0.5])
    times = rng.integers(0, 4, 200)
    weighted = edmeasure.correlate(answers, kind=kind, weights=times)
    repeated = edmeasure.correlate(np.repeat(answers, times, axis=0), kind=kind)
    np.testing.assert_allclose(weighted.matrix, repeated.matrix, atol=1e-8)


def test_perfect_agreement_ends_at_the_bound_and_is_named():
    answers = np.repeat([0, 1, 2, 3], 25)
    found = edmeasure.correlate(np.column_stack([answers, answers, answers[::-1]]), kind="polychoric", item_ids=["a", "b", "c"])
    assert found.at_bound == (("a", "b"), ("a", "c"), ("b", "c"))
    assert "3 pairs at the bound" in str(found)


def test_pairs_that_contradict_each_other_are_made_to_agree():
    given = Correlations.from_matrix([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]], n_persons=50)
    assert given.smallest_eigenvalue == pytest.approx(-0.8)
    assert np.linalg.eigvalsh(given.matrix)[0] > 0
    np.testing.assert_allclose(np.diag(given.matrix), 1.0)
    assert "made positive definite" in str(given)


def test_scores_are_as_sure_as_they_say():
    rng = np.random.default_rng(10)
    values, factors = drawn(rng, 6000)
    fit = edmeasure.explore_factors(values, 2, method="ml")
    values[rng.random(values.shape) < 0.2] = np.nan
    scored = fit.scores(values)
    order = np.abs(np.corrcoef(scored.values.T, factors.T)[:2, 2:]).argmax(axis=1)
    z = (scored.values - factors[:, order]) / scored.errors
    np.testing.assert_allclose(z.std(axis=0), 1.0, atol=0.03)
    np.testing.assert_allclose(scored.values.var(axis=0) + (scored.errors**2).mean(axis=0), 1.0, atol=0.05)
    unbiased = fit.scores(values, method="bartlett")
    kept = ~unbiased.unscored
    slope = [np.polyfit(factors[kept, at], unbiased.values[kept, f], 1)[0] for f, at in enumerate(order)]
    np.testing.assert_allclose(slope, 1.0, atol=0.03)


def test_scores_of_grades_are_as_sure_as_they_say():
    rng = np.random.default_rng(11)
    values, factors = drawn(rng, 6000)
    answers = graded(values, [-0.4, 0.9])
    fit = edmeasure.explore_factors(Responses.from_array(answers), 2, kind="polychoric")
    scored = fit.scores(answers)
    order = np.abs(np.corrcoef(scored.values.T, factors.T)[:2, 2:]).argmax(axis=1)
    np.testing.assert_allclose(((scored.values - factors[:, order]) / scored.errors).std(axis=0), 1.0, atol=0.03)
    np.testing.assert_allclose(scored.values.var(axis=0), scored.determinacy, atol=0.03)
    with pytest.raises(edmeasure.BadOption, match="regression"):
        fit.scores(answers, method="bartlett")


def test_who_answered_nothing_is_average_and_unsure(bfi, bfi_ml):
    nothing = np.full((2, 25), np.nan)
    scored = bfi_ml.scores(nothing)
    np.testing.assert_array_equal(scored.values, 0.0)
    np.testing.assert_allclose(scored.errors, 1.0)
    assert bfi_ml.scores(nothing, method="bartlett").unscored.all()


def test_too_many_factors_show(bfi):
    item = drawn(np.random.default_rng(12), 300)[0][:, :4]
    found = edmeasure.explore_factors(np.column_stack([item, item[:, 0] + 0.01 * item[:, 1]]), 1, method="ml")
    assert found.at_edge
    assert "explained wholly" in str(found)


def test_a_just_identified_model_fits():
    found = edmeasure.explore_factors(drawn(np.random.default_rng(13), 300)[0][:, :3], 1)
    assert (found.degrees, found.rmsea, found.p_value) == (0, 0.0, 1.0)
    assert "nan" not in str(found)


RNG = np.random.default_rng(14)
GOOD = RNG.standard_normal((50, 6))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: edmeasure.correlate(np.ones((50, 3))), edmeasure.BadShape, "I1, I2, I3 do not vary"),
        (lambda: edmeasure.correlate(GOOD[:, 0]), edmeasure.BadShape, "dimensions"),
        (lambda: edmeasure.correlate(GOOD[:1]), edmeasure.BadShape, "persons"),
        (lambda: edmeasure.correlate(np.empty((0, 0))), edmeasure.BadShape, "persons"),
        (lambda: edmeasure.correlate(np.where(GOOD > 1.5, np.inf, GOOD)), edmeasure.BadShape, "infinity"),
        (lambda: edmeasure.correlate(np.column_stack([GOOD, np.full(50, np.nan)])), edmeasure.BadShape, "I7 hold no value"),
        (lambda: edmeasure.correlate(GOOD, kind="polychoric"), edmeasure.BadOption, "I1 has 50 different"),
        (lambda: edmeasure.correlate(GOOD, kind="phi"), edmeasure.BadOption, "pearson"),
        (lambda: edmeasure.correlate(GOOD, weights=np.zeros(50)), edmeasure.BadWeight, "zero"),
        (
            lambda: edmeasure.correlate(np.where(np.arange(50)[:, None] % 2 == np.arange(6) % 2, np.nan, GOOD)),
            edmeasure.BadShape,
            "I1 and I2",
        ),
        (lambda: edmeasure.explore_factors(GOOD, 0), edmeasure.BadOption, "0 factors"),
        (lambda: edmeasure.explore_factors(GOOD, 4), edmeasure.BadOption, "degrees of freedom"),
        (lambda: edmeasure.explore_factors(GOOD, 2, method="pca"), edmeasure.BadOption, "minres"),
        (lambda: edmeasure.explore_factors(GOOD, 2).scores(GOOD[:, :5]), edmeasure.BadShape, "5|6"),
        (lambda: Correlations.from_matrix(np.eye(3)[:2], n_persons=50), edmeasure.BadShape, "square"),
        (lambda: Correlations.from_matrix([[1, 0.5], [0.2, 1]], n_persons=50), edmeasure.BadShape, "symmetric"),
        (lambda: Correlations.from_matrix([[1, np.nan], [np.nan, 1]], n_persons=50), edmeasure.BadShape, "NaN"),
        (lambda: Correlations.from_matrix(np.eye(2), n_persons=1), edmeasure.BadOption, "n_persons"),
        (lambda: edmeasure.parallel_analysis(GOOD, rng=RNG, n_replications=1), edmeasure.BadOption, "replications"),
        (lambda: edmeasure.sampling_adequacy(Correlations.from_matrix([[2.0]], n_persons=9)), edmeasure.BadShape, "two"),
    ],
)
def test_impossible_input_is_refused_by_name(call, error, match):
    with pytest.raises(error, match=match):
        call()
