"""Variance components against textbook fits, dense matrices, analysis of variance and simulation."""

import numpy as np
import pytest

import edmeasure

# fmt: off
DYESTUFF = np.array(
    [
        1545, 1440, 1440, 1520, 1580, 1540, 1555, 1490, 1560, 1495, 1595, 1550, 1605, 1510, 1560, 1445, 1440, 1595,
        1465, 1545, 1595, 1630, 1515, 1635, 1625, 1520, 1455, 1450, 1480, 1445,
    ],
    dtype=float,
)  # Davies (1947): yield of six batches
PASTES = np.array(
    [
        62.8, 62.6, 60.1, 62.3, 62.7, 63.1, 60.0, 61.4, 57.5, 56.9, 61.1, 58.9, 58.7, 57.5, 63.9, 63.1, 65.4, 63.7,
        57.1, 56.4, 56.9, 58.6, 64.7, 64.5, 55.1, 55.1, 54.7, 54.2, 58.8, 57.5, 63.4, 64.9, 59.3, 58.1, 60.5, 60.0,
        62.5, 62.6, 61.0, 58.7, 56.9, 57.7, 59.2, 59.4, 65.2, 66.0, 64.8, 64.1, 54.8, 54.8, 64.0, 64.0, 57.7, 56.8,
        58.3, 59.3, 59.2, 59.2, 58.9, 56.6,
    ],
    dtype=float,
)  # Davies & Goldsmith (1972): strength of three casks of each of ten batches, tested twice
# fmt: on


def test_two_levels_are_those_that_lme4_publishes():
    batch = np.repeat(np.arange(6), 5)
    found = edmeasure.variance_decomposition(DYESTUFF, levels={"batch": batch})
    # Bates, lme4: Mixed-effects modeling with R (2010), section 1.3: REML and ML fits of Dyestuff
    np.testing.assert_allclose(np.sqrt(found.variance), [49.51, 42.00], atol=0.005)
    assert found.deviance == pytest.approx(319.6543, abs=5e-5)
    assert (found.coefficients[0], found.coefficient_errors[0]) == (pytest.approx(1527.5), pytest.approx(19.38, abs=0.005))
    ml = edmeasure.variance_decomposition(DYESTUFF, levels={"batch": batch}, method="ml")
    np.testing.assert_allclose(np.sqrt(ml.variance), [49.51, 37.26], atol=0.005)
    assert ml.deviance == pytest.approx(327.3271, abs=5e-5)


def test_three_levels_are_those_that_lme4_publishes():
    levels = {"cask": np.tile(np.repeat(["a", "b", "c"], 2), 10), "batch": np.repeat(np.arange(10), 6)}
    found = edmeasure.variance_decomposition(PASTES, levels=levels)
    # the same book, section 2.2: REML fit of Pastes
    np.testing.assert_allclose(np.sqrt(found.variance), [0.8234, 2.9041, 1.2874], atol=5e-5)
    assert found.deviance == pytest.approx(246.9907, abs=5e-5)
    assert found.n_units.tolist() == [60, 30, 10]
    assert found.between("cask") == pytest.approx(found.share[1:].sum())


def region(rng, *, districts=8, schools=5, classes=2, pupils=6, spreads=(1.0, 0.3, 0.5, 0.2)):
    """Unbalanced pupils in classes in schools in districts."""
    number = districts * schools * classes
    class_of = np.repeat(np.arange(number), rng.integers(2, 2 * pupils, number))
    school, district = class_of // classes, class_of // (classes * schools)
    y = (
        rng.normal(0, spreads[0], class_of.size)
        + rng.normal(0, spreads[1], number)[class_of]
        + rng.normal(0, spreads[2], districts * schools)[school]
        + rng.normal(0, spreads[3], districts)[district]
    )
    return y, {"class": class_of, "school": school, "district": district}


def dense_deviance(y, x, levels, variances, is_restricted):
    """-2 log likelihood from the whole covariance matrix."""
    covariance = variances[0] * np.eye(y.size)
    for variance, labels in zip(variances[1:], levels.values(), strict=True):
        covariance += variance * (labels[:, None] == labels)
    inverse = np.linalg.inv(covariance)
    gram = x.T @ inverse @ x
    rest = y - x @ np.linalg.solve(gram, x.T @ inverse @ y)
    found = y.size * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1] + rest @ inverse @ rest
    return found + np.linalg.slogdet(gram)[1] - x.shape[1] * np.log(2 * np.pi) if is_restricted else found


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_deviance_is_that_of_the_whole_matrix_and_its_minimum(method):
    rng = np.random.default_rng(1)
    y, levels = region(rng, districts=5, schools=4, pupils=4)
    background = rng.normal(3, 2, y.size)
    y = y + 0.4 * background
    found = edmeasure.variance_decomposition(y, levels=levels, background=background, method=method)
    x = np.column_stack([np.ones(y.size), background])
    best = dense_deviance(y, x, levels, found.variance, method == "reml")
    assert found.deviance == pytest.approx(best, abs=1e-6)
    for factor in (0.97, 1.03):
        for level in range(4):
            moved = found.variance.copy()
            moved[level] *= factor
            assert dense_deviance(y, x, levels, moved, method == "reml") >= best - 1e-9
    assert found.coefficients[1] == pytest.approx(0.4, abs=0.1)


def test_balanced_data_give_the_analysis_of_variance():
    rng = np.random.default_rng(2)
    table = rng.normal(size=(12, 4, 10)) + 0.7 * rng.normal(size=(12, 4, 1)) + rng.normal(size=(12, 1, 1))
    levels = {"class": np.tile(np.repeat(np.arange(4), 10), 12), "school": np.repeat(np.arange(12), 40)}
    found = edmeasure.variance_decomposition(table.ravel(), levels=levels)
    person = table.var(axis=2, ddof=1).mean()
    means = table.mean(axis=2)
    in_class = means.var(axis=1, ddof=1).mean() - person / 10
    in_school = means.mean(axis=1).var(ddof=1) - means.var(axis=1, ddof=1).mean() / 4
    np.testing.assert_allclose(found.variance, [person, in_class, in_school], rtol=1e-6)
    # Searle, Casella & McCulloch (1992): var of the persons' component is 2 s^2 / degrees of freedom
    assert found.standard_error[0] == pytest.approx(person * np.sqrt(2 / (12 * 4 * 9)), rel=1e-4)


def test_scale_and_place_do_not_matter():
    y, levels = region(np.random.default_rng(3))
    plain = edmeasure.variance_decomposition(y, levels=levels)
    moved = edmeasure.variance_decomposition(1e4 + 100 * y, levels=levels)
    np.testing.assert_allclose(moved.share, plain.share, atol=1e-7)
    np.testing.assert_allclose(moved.standard_error, 1e4 * plain.standard_error, rtol=1e-3)


def test_a_level_without_variance_is_said_to_be_at_zero():
    rng = np.random.default_rng(4)
    y, levels = region(rng, spreads=(1.0, 0.0, 0.6, 0.0))
    y = y - np.bincount(levels["class"], weights=y)[levels["class"]] / np.bincount(levels["class"])[levels["class"]]
    y = y + rng.normal(0, 0.6, 40)[levels["school"]]
    found = edmeasure.variance_decomposition(y, levels=levels)
    assert found.is_zero[1]
    assert "class 0 (0.0%, 80 units, at zero)" in str(found)
    assert np.isfinite(found.standard_error).all()


def test_intervals_cover_the_true_variances():
    rng = np.random.default_rng(5)
    truth = np.array([1.0, 0.16, 0.36])
    inside = np.zeros(3)
    for _ in range(150):
        y, levels = region(rng, districts=60, schools=2, classes=2, pupils=8, spreads=(1.0, 0.4, 0.6, 0.0))
        found = edmeasure.variance_decomposition(y, levels={name: levels[name] for name in ("class", "school")})
        inside += np.abs(found.variance - truth) < 1.96 * found.standard_error
    assert (inside >= 135).all()


def test_plausible_values_follow_rubin():
    rng = np.random.default_rng(6)
    y, levels = region(rng)
    several = y + rng.normal(0, 0.4, (4, y.size))
    found = edmeasure.variance_decomposition(several, levels=levels)
    single = [edmeasure.variance_decomposition(one, levels=levels) for one in several]
    variances = np.array([one.variance for one in single])
    drawn = np.mean([one.standard_error**2 for one in single], axis=0)
    np.testing.assert_allclose(found.variance, variances.mean(axis=0))
    np.testing.assert_allclose(found.standard_error, np.sqrt(drawn + 1.25 * variances.var(axis=0, ddof=1)))


def test_whole_weights_are_copies_of_schools():
    """A school that counts twice is a school there twice: exact for weights of the highest level (ML)."""
    y, levels = region(np.random.default_rng(7))
    two = {name: levels[name] for name in ("class", "school")}
    twice = levels["school"] % 3 == 0
    schools = 1.0 + twice
    found = edmeasure.variance_decomposition(
        y, levels=two, weights=np.stack([np.ones(y.size), np.ones(y.size), schools]), method="ml"
    )
    copied = {name: np.concatenate([labels, labels[twice] + 1000]) for name, labels in two.items()}
    expected = edmeasure.variance_decomposition(np.concatenate([y, y[twice]]), levels=copied, method="ml")
    np.testing.assert_allclose(found.variance, expected.variance, rtol=1e-5)
    np.testing.assert_allclose(found.coefficients, expected.coefficients, rtol=1e-5)
    final = edmeasure.variance_decomposition(y, levels=two, weights=schools, method="ml")
    np.testing.assert_allclose(final.variance, found.variance, rtol=1e-6)
    same = edmeasure.variance_decomposition(y, levels=two, weights=np.full(y.size, 7.0))
    np.testing.assert_allclose(same.variance, edmeasure.variance_decomposition(y, levels=two).variance, rtol=1e-6)


def test_weights_take_the_bias_out_of_an_informative_sample():
    """Schools with high means are drawn three times as often: weights give the population's mean back."""
    rng = np.random.default_rng(8)
    school = np.repeat(np.arange(3000), 10)
    effect = rng.normal(0, 0.6, 3000)
    y = effect[school] + rng.normal(size=30_000)
    chance = np.where(effect > 0, 0.3, 0.1)
    drawn = (rng.random(3000) < chance)[school]
    plain = edmeasure.variance_decomposition(y[drawn], levels={"school": school[drawn]})
    found = edmeasure.variance_decomposition(y[drawn], levels={"school": school[drawn]}, weights=1 / chance[school[drawn]])
    assert abs(found.coefficients[0]) < 0.08 < plain.coefficients[0]
    assert found.variance[1] == pytest.approx(0.36, abs=0.06)


def test_timss_schools_and_classes(timss):
    levels = {"class": timss.columns["IDCLASS"], "school": timss.columns["IDSCHOOL"]}
    found = edmeasure.variance_decomposition(timss.official("ASMMAT"), levels=levels)
    assert found.n_units.tolist() == [4668, 276, 158]
    corrected = edmeasure.variance_between(timss.official("ASMMAT"), groups=timss.columns["IDSCHOOL"], estimator="corrected")
    alone = edmeasure.variance_decomposition(timss.official("ASMMAT"), levels={"school": levels["school"]})
    assert alone.share[1] == pytest.approx(corrected, abs=0.02)
    assert 0.1 < found.between("school") < found.between("class") < 0.3


def test_impossible_levels_are_refused():
    y, levels = region(np.random.default_rng(9))
    with pytest.raises(edmeasure.BadOption, match="Every school holds one class"):
        edmeasure.variance_decomposition(y, levels={"class": levels["school"], "school": levels["school"]})
    with pytest.raises(edmeasure.BadOption, match="Every class holds one person"):
        edmeasure.variance_decomposition(y, levels={"class": np.arange(y.size)})
    with pytest.raises(edmeasure.BadOption, match="only one school"):
        edmeasure.variance_decomposition(y, levels={"school": np.zeros(y.size)})
    with pytest.raises(edmeasure.BadOption, match="No level"):
        edmeasure.variance_decomposition(y, levels={})
    with pytest.raises(edmeasure.BadOption, match="same for everybody"):
        edmeasure.variance_decomposition(np.ones(y.size), levels=levels)
    with pytest.raises(edmeasure.BadOption, match="wholly"):
        edmeasure.variance_decomposition(y, levels=levels, background=y)
    with pytest.raises(edmeasure.BadOption, match="depend"):
        edmeasure.variance_decomposition(y, levels=levels, background=np.ones(y.size))
    with pytest.raises(edmeasure.BadWeight, match="row 2 differ"):
        edmeasure.variance_decomposition(
            y, levels={"school": levels["school"], "district": levels["district"]}, weights=[np.ones(y.size), y * 0 + 1, y**2 + 1]
        )
    with pytest.raises(edmeasure.BadWeight, match="positive"):
        edmeasure.variance_decomposition(y, levels=levels, weights=np.zeros(y.size))
    with pytest.raises(edmeasure.BadShape, match="weights have shape"):
        edmeasure.variance_decomposition(y, levels=levels, weights=np.ones((2, y.size)))
    with pytest.raises(edmeasure.BadOption, match="NaN"):
        edmeasure.variance_decomposition(np.append(y[1:], np.nan), levels=levels)
    with pytest.raises(edmeasure.BadOption, match="Level 'school' holds NaN"):
        edmeasure.variance_decomposition(y, levels={"school": np.where(levels["school"] == 2, np.nan, levels["school"])})
    with pytest.raises(edmeasure.BadOption, match="no level"):
        edmeasure.variance_decomposition(y, levels=levels).between("nation")
