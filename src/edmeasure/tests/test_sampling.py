"""Sample designs: textbook variances, equalities between methods, coverage, and what is refused."""

import json

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import edmeasure
from edmeasure import SampleDesign
from edmeasure.survey._replication import hadamard

LOHR = {  # strata of the 1992 agricultural census: N, n, mean and variance of acres (Lohr 1999, table 4.1)
    "north central": (1054, 103, 300_504.16, 29_618_183_543),
    "northeast": (220, 21, 97_629.81, 7_647_472_708),
    "south": (1382, 135, 211_315.04, 53_587_487_856),
    "west": (422, 41, 662_295.51, 396_185_950_266),
}


@pytest.fixture(scope="module")
def clustered():
    """Twenty strata of four clusters of fifteen, unequal weights."""
    rng = np.random.default_rng(1)
    strata, clusters = np.repeat(np.arange(20), 60), np.repeat(np.arange(80), 15)
    y = 500 + 3 * strata + rng.normal(0, 30, 80)[clusters] + rng.normal(0, 90, 1200)
    return y, rng.uniform(1, 3, 1200), strata, clusters


def with_moments(n, mean, variance, rng):
    """Any n numbers with exactly this mean and variance."""
    x = rng.normal(size=n)
    return mean + (x - x.mean()) / x.std(ddof=1) * np.sqrt(variance)


def test_stratified_mean_and_error_are_the_textbook_ones():
    rng = np.random.default_rng(0)
    y = np.concatenate([with_moments(n, mean, variance, rng) for _, n, mean, variance in LOHR.values()])
    strata = np.repeat(list(LOHR), [n for _, n, _, _ in LOHR.values()])
    population = np.repeat([N for N, _, _, _ in LOHR.values()], [n for _, n, _, _ in LOHR.values()])
    sampled = np.repeat([n for _, n, _, _ in LOHR.values()], [n for _, n, _, _ in LOHR.values()])
    for make in (SampleDesign.taylor, SampleDesign.jackknife):
        design = make(population / sampled, strata=strata, population_clusters=population)
        found = edmeasure.mean(y, design=design)
        # Lohr (1999), example 4.2: total 909,736,034 (50,417,248) of 3,078 counties
        assert found.value == pytest.approx(909_736_034 / 3078, rel=1e-7)
        assert found.standard_error == pytest.approx(50_417_248 / 3078, rel=1e-6)
        assert found.degrees == 296


def test_cluster_mean_is_the_error_of_cluster_means():
    rng = np.random.default_rng(2)
    y = rng.normal(size=(30, 8)) + rng.normal(size=(30, 1))
    clusters = np.repeat(np.arange(30), 8)
    expected = y.mean(axis=1).std(ddof=1) / np.sqrt(30)
    for design in (SampleDesign.taylor(np.ones(240), clusters=clusters), SampleDesign.jackknife(np.ones(240), clusters=clusters)):
        assert edmeasure.mean(y.ravel(), design=design).standard_error == pytest.approx(expected, rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), n_strata=st.integers(1, 6), n_clusters=st.integers(2, 5))
def test_methods_agree_wherever_the_figure_is_linear(seed, n_strata, n_clusters):
    """A mean under equal cluster totals of weights is linear: every method but the random one must agree exactly."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(n_strata * n_clusters), 5)
    strata = clusters // n_clusters
    y = rng.normal(size=clusters.size) + strata
    w = np.tile(rng.dirichlet(np.ones(5)), n_strata * n_clusters)
    taylor = edmeasure.mean(y, design=SampleDesign.taylor(w, strata=strata, clusters=clusters)).standard_error
    jackknife = edmeasure.mean(y, design=SampleDesign.jackknife(w, strata=strata, clusters=clusters)).standard_error
    assert jackknife == pytest.approx(taylor, rel=1e-9)
    if n_clusters == 2:
        half = clusters % 2
        for design in (
            SampleDesign.paired(w, zones=strata, reps=half),
            SampleDesign.paired(w, zones=strata, reps=half, sides="both"),
            SampleDesign.balanced(w, strata=strata, clusters=clusters),
            SampleDesign.balanced(w, strata=strata, clusters=clusters, fay=0.5),
        ):
            assert edmeasure.mean(y, design=design).standard_error == pytest.approx(taylor, rel=1e-9)


def designs(clustered):
    _, w, strata, clusters = clustered
    pairs = clusters // 2
    return {
        "jk1": SampleDesign.jackknife(w, clusters=clusters),
        "jkn": SampleDesign.jackknife(w, strata=strata, clusters=clusters),
        "jk2": SampleDesign.paired(w, zones=pairs, reps=clusters % 2),
        "jk2 both": SampleDesign.paired(w, zones=pairs, reps=clusters % 2, sides="both"),
        "brr": SampleDesign.balanced(w, strata=pairs, clusters=clusters),
        "fay": SampleDesign.balanced(w, strata=pairs, clusters=clusters, fay=0.3),
        "bootstrap": SampleDesign.bootstrap(w, strata=strata, clusters=clusters, rng=np.random.default_rng(3), n_replicates=60),
    }


def test_given_replicate_weights_say_the_same_as_the_design_they_come_from(clustered):
    y, w, strata, _ = clustered
    x = y + np.random.default_rng(5).normal(0, 50, y.size)
    for name, made in designs(clustered).items():
        weights = made.replicate_weights(slice(0, y.size)).astype(np.float64)
        given_ = SampleDesign.replicates(w, weights, method=made.method, scales=made.coefficients)
        for statistic in (edmeasure.mean, edmeasure.standard_deviation):
            there, here = statistic(y, design=made), statistic(y, design=given_)
            assert here.standard_error == pytest.approx(there.standard_error, rel=1e-9), name
        pairs = [edmeasure.percentiles(y, probabilities=[0.9, 0.25], design=design) for design in (made, given_)]
        for there, here in zip(*pairs, strict=True):
            assert here.standard_error == pytest.approx(there.standard_error, rel=1e-9), name
        there, here = (edmeasure.correlation(x, y, design=design) for design in (made, given_))
        assert here.standard_error == pytest.approx(there.standard_error, rel=1e-9), name
        there, here = (edmeasure.estimate_groups(y, groups=strata // 5, design=design) for design in (made, given_))
        assert there.is_jackknifed.all()
        np.testing.assert_allclose(here.standard_error, there.standard_error, rtol=1e-9, err_msg=name)


def test_replicates_are_full_recomputations(clustered):
    y, w, _, _ = clustered
    for name, made in designs(clustered).items():
        weights = made.replicate_weights(slice(0, y.size))
        full = np.average(y, weights=w)
        away = np.array([np.average(y, weights=column) for column in weights.T]) - full
        expected = np.sqrt(np.sum(made.coefficients * away**2))
        assert edmeasure.mean(y, design=made).standard_error == pytest.approx(expected, rel=1e-9), name


def test_scales_of_given_replicates_are_those_of_the_manuals(clustered):
    y, w, _, _ = clustered
    weights = w[:, None] * np.random.default_rng(4).uniform(0.5, 1.5, (y.size, 80))
    away = np.array([np.average(y, weights=column) for column in weights.T]) - np.average(y, weights=w)
    asked = {"jk1": 79 / 80, "jk2": 1.0, "brr": 1 / 80, "bootstrap": 1 / 80, "fay": 1 / 20}  # PISA: 80 replicates, k 0.5
    for method, scale in asked.items():
        found = edmeasure.mean(y, design=SampleDesign.replicates(w, weights, method=method))
        assert found.standard_error == pytest.approx(np.sqrt(scale * np.sum(away**2)), rel=1e-9)


def test_timss_by_every_method(timss):
    """JK2 pairs are strata of two: other methods on the same pairs come close to the published 2.6."""
    official, w = timss.official("ASMMAT"), timss.columns["TOTWGT"]
    zones, reps = timss.columns["JKCZONE"], timss.columns["JKCREP"]
    published = edmeasure.mean(official, design=SampleDesign.paired(w, zones=zones, reps=reps))
    assert (round(published.value, 1), round(published.standard_error, 1)) == (508.3, 2.6)
    with pytest.raises(edmeasure.BadOption, match=r"5 strata hold one cluster: 9\.0, 25\.0, 40\.0, 46\.0, 57\.0"):
        SampleDesign.taylor(w, strata=zones, clusters=reps)
    full = ~np.isin(zones, [9, 25, 40, 46, 57])
    values, weights, pair, half = official[:, full], w[full], zones[full], reps[full]
    usual = edmeasure.mean(values, design=SampleDesign.paired(weights, zones=pair, reps=half)).standard_error
    for design in (
        SampleDesign.paired(weights, zones=pair, reps=half, sides="both"),
        SampleDesign.taylor(weights, strata=pair, clusters=half),
        SampleDesign.jackknife(weights, strata=pair, clusters=half),
        SampleDesign.balanced(weights, strata=pair, clusters=half),
        SampleDesign.balanced(weights, strata=pair, clusters=half, fay=0.5),
        SampleDesign.bootstrap(weights, strata=pair, clusters=half, rng=np.random.default_rng(6), n_replicates=1000),
    ):
        assert edmeasure.mean(values, design=design).standard_error == pytest.approx(usual, rel=0.04), design
    effect = edmeasure.design_effect(official, design=SampleDesign.paired(w, zones=zones, reps=reps))
    assert 4 < effect.effect < 10
    assert effect.effective_n == pytest.approx(effect.n / effect.effect)


def test_intervals_cover_the_population():
    rng = np.random.default_rng(7)
    effects = rng.normal(0, 30, 600)
    population = 500 + effects[:, None] + rng.normal(0, 80, (600, 40))
    truth = {"mean": population.mean(), "sd": population.std(), "p75": np.quantile(population, 0.75)}
    kinds = ("taylor", "jackknife", "bootstrap")
    inside = {(kind, name): 0 for kind in kinds for name in truth}
    for _ in range(200):
        y = population[rng.choice(600, 30, replace=False), :20].ravel()
        clusters, w = np.repeat(np.arange(30), 20), np.ones(600)
        made = {
            "taylor": SampleDesign.taylor(w, clusters=clusters),
            "jackknife": SampleDesign.jackknife(w, clusters=clusters),
            "bootstrap": SampleDesign.bootstrap(w, clusters=clusters, rng=rng, n_replicates=100),
        }
        for kind, design in made.items():
            found = {
                "mean": edmeasure.mean(y, design=design),
                "sd": edmeasure.standard_deviation(y, design=design),
                "p75": edmeasure.percentiles(y, probabilities=[0.75], design=design)[0],
            }
            for name, one in found.items():
                low, high = one.interval
                inside[kind, name] += low <= truth[name] <= high
    for (kind, name), count in inside.items():
        assert 0.90 <= count / 200 <= 0.99, (kind, name, count)


def test_a_part_keeps_the_clusters_it_does_not_reach(clustered):
    y, w, strata, clusters = clustered
    part = np.random.default_rng(8).random(y.size) < 0.2
    design = SampleDesign.taylor(w, strata=strata, clusters=clusters)
    inside = edmeasure.mean(y, design=design.within(part))
    table = edmeasure.estimate_groups(y, groups=part, design=design)
    assert inside.standard_error == pytest.approx(table.of(True).standard_error, rel=1e-9)
    assert inside.value == pytest.approx(np.average(y[part], weights=w[part]))
    assert inside.n == part.sum()
    made = SampleDesign.jackknife(w, strata=strata, clusters=clusters)
    given_ = SampleDesign.replicates(w, made.replicate_weights(slice(0, y.size)), method="jkn", scales=made.coefficients)
    assert edmeasure.mean(y, design=given_.within(part)).standard_error == pytest.approx(
        edmeasure.mean(y, design=made.within(part)).standard_error, rel=1e-9
    )


def test_groups_in_few_clusters_get_the_simple_error(clustered):
    y, w, strata, clusters = clustered
    design = SampleDesign.taylor(w, strata=strata, clusters=clusters)
    found = edmeasure.estimate_groups(y, groups=clusters, design=design)
    assert not found.is_jackknifed.any()
    alone = edmeasure.mean(y[clusters == 3], weights=w[clusters == 3])
    assert found.of(3).standard_error == pytest.approx(alone.standard_error)


def test_design_effects_have_their_two_sources(clustered):
    y, w, _, clusters = clustered
    unequal = edmeasure.design_effect(y, design=SampleDesign.simple(w))
    assert unequal.from_weights == pytest.approx(1 + (w.std() / w.mean()) ** 2)
    assert unequal.effect == pytest.approx(unequal.from_weights, rel=0.1)
    none = edmeasure.design_effect(y, design=SampleDesign.simple(n=y.size))
    assert none.effect == pytest.approx(1.0)
    whole = edmeasure.design_effect(y, design=SampleDesign.taylor(w, clusters=clusters))
    assert whole.effect > unequal.effect
    # equal clusters of m: 1 + (m - 1) rho (Kish 1965), rho by analysis of variance
    table = y.reshape(80, 15)
    means, within = table.mean(axis=1).var(ddof=1), table.var(axis=1, ddof=1).mean()
    rho = (means - within / 15) / (means - within / 15 + within)
    plain = edmeasure.design_effect(y, design=SampleDesign.taylor(np.ones(1200), clusters=clusters))
    assert plain.effect == pytest.approx(1 + 14 * rho, rel=0.02)


def test_hadamard_matrices_are_orthogonal_with_a_constant_first_column():
    for least in range(1, 101):
        found = hadamard(least)
        order = found.shape[0]
        assert order >= least
        assert (found[:, 0] == 1).all()
        np.testing.assert_array_equal(found.T @ found, order * np.eye(order))
    assert [hadamard(least).shape[0] for least in (4, 12, 20, 28, 36, 44, 48, 75, 76)] == [4, 12, 20, 28, 36, 44, 48, 76, 76]


def test_intervals_of_groups_know_how_few_clusters_they_have(clustered):
    y, w, strata, clusters = clustered
    found = edmeasure.estimate_groups(y, groups=strata // 2, design=SampleDesign.taylor(w, strata=strata, clusters=clusters))
    assert (found.degrees == 6).all()
    low, high = found.interval
    np.testing.assert_allclose((high - low) / (2 * found.standard_error), stats.t.ppf(0.975, 6))
    assert found.of(3).interval == pytest.approx((low[3], high[3]))
    simple = edmeasure.estimate_groups(y, groups=strata)
    assert (simple.degrees == 59).all()
    # five sets of values and nothing sampled: only the four degrees between the sets are left
    several = y + np.random.default_rng(12).normal(0, 30, (5, 1200))
    assert (edmeasure.estimate_groups(several, groups=strata, is_census=True).degrees == 4).all()


def test_threads_do_not_change_a_bit(clustered):
    y, w, _, clusters = clustered
    y, w, clusters = (np.tile(one, 5) for one in (y, w, clusters))
    passed, x = (y > 520).astype(float), np.random.default_rng(13).normal(size=y.size)
    weights = w[:, None] * np.random.default_rng(14).uniform(0.5, 1.5, (y.size, 20))
    given_ = SampleDesign.replicates(w, weights, method="bootstrap")
    found = []
    for threads in (1, 2):
        before = numba.get_num_threads()
        numba.set_num_threads(threads)
        found.append(
            [
                edmeasure.mean(y, design=given_),
                edmeasure.percentiles(y, probabilities=[0.3], design=given_),
                edmeasure.correlation(x, y, design=given_),
                edmeasure.percentiles(y, probabilities=[0.3], design=SampleDesign.jackknife(w, clusters=clusters)),
                edmeasure.logistic_regression(passed, x, design=given_).standard_errors.tolist(),
            ]
        )
        numba.set_num_threads(before)
    assert found[0] == found[1]


def test_results_become_json_and_tables(clustered):
    pytest.importorskip("pyarrow")
    y, w, strata, clusters = clustered
    design = SampleDesign.taylor(w, strata=strata, clusters=clusters)
    groups = edmeasure.estimate_groups(y, groups=strata, design=design)
    results = {
        "value": (edmeasure.mean(y, design=design), 1),
        "degrees": (groups, 20),
        "effect": (edmeasure.design_effect(y, design=design), 1),
        "coefficients": (edmeasure.linear_regression(y, strata, design=design), 2),
        "share": (edmeasure.variance_decomposition(y, levels={"school": clusters, "district": strata}), 3),
        "weight_of_direct": (edmeasure.small_area_means(groups.value, sampling_variances=groups.sampling_variance), 20),
    }
    for column, (result, rows) in results.items():
        assert json.loads(json.dumps(result.to_dict(), allow_nan=False))
        table = result.to_arrow()
        assert (column, table.num_rows) == (column, rows)
        assert column in table.column_names
        assert "nan" not in str(result)


def test_the_same_seed_draws_the_same_bootstrap(clustered):
    y, w, strata, clusters = clustered
    first, second = (
        edmeasure.mean(
            y, design=SampleDesign.bootstrap(w, strata=strata, clusters=clusters, rng=np.random.default_rng(9), n_replicates=50)
        )
        for _ in range(2)
    )
    assert first == second


def test_strata_of_one_cluster_are_named():
    clusters = np.repeat(np.arange(9), 4)
    strata = np.array(["a", "a", "a", "b", "b", "lone", "c", "c", "sure"])[clusters]
    w, y = np.ones(36), np.random.default_rng(10).normal(size=36)
    with pytest.raises(edmeasure.BadOption, match="2 strata hold one cluster: lone, sure"):
        SampleDesign.taylor(w, strata=strata, clusters=clusters)
    with pytest.raises(edmeasure.BadOption, match="lone"):
        SampleDesign.jackknife(w, strata=strata, clusters=clusters, certainty=["sure"])
    silent = SampleDesign.taylor(w, strata=strata, clusters=clusters, certainty=["sure"], lonely="certainty")
    assert (silent.certainty, silent.lonely, silent.degrees) == (("sure",), ("lone",), 4)
    assert "1 certainty strata, 1 strata of one cluster" in str(silent)
    jackknifed = SampleDesign.jackknife(w, strata=strata, clusters=clusters, certainty=["sure"], lonely="certainty")
    assert jackknifed.n_replicates == 7
    assert edmeasure.mean(y, design=jackknifed).standard_error == pytest.approx(edmeasure.mean(y, design=silent).standard_error)
    centred = SampleDesign.taylor(w, strata=strata, clusters=clusters, certainty=["sure"], lonely="centre")
    assert edmeasure.mean(y, design=centred).standard_error > edmeasure.mean(y, design=silent).standard_error
    drawn = SampleDesign.bootstrap(
        w, strata=strata, clusters=clusters, certainty=["sure"], lonely="certainty", rng=np.random.default_rng(1), n_replicates=20
    )
    assert (drawn.replicate_weights(np.flatnonzero(strata == "sure")) == 1).all()


def test_strata_taken_whole_add_nothing():
    clusters = np.repeat(np.arange(6), 5)
    strata = clusters // 3
    y, w = np.random.default_rng(11).normal(size=30), np.ones(30)
    whole = np.where(strata == 0, 3, 300)
    found = SampleDesign.taylor(w, strata=strata, clusters=clusters, population_clusters=whole)
    assert found.certainty == ("0",)
    alone = SampleDesign.taylor(w, strata=strata, clusters=clusters, certainty=[0])
    ratio = edmeasure.mean(y, design=found).standard_error / edmeasure.mean(y, design=alone).standard_error
    assert ratio == pytest.approx(np.sqrt(1 - 3 / 300))


def test_impossible_designs_are_refused(clustered):
    y, w, strata, clusters = clustered
    with pytest.raises(edmeasure.BadOption, match="do not hold two clusters: 0, 1"):
        SampleDesign.balanced(w, strata=strata, clusters=clusters)
    with pytest.raises(edmeasure.BadOption, match="fay"):
        SampleDesign.balanced(w, strata=clusters // 2, clusters=clusters, fay=1)
    with pytest.raises(edmeasure.BadShape, match="Replicate weights have shape"):
        SampleDesign.replicates(w, np.ones((3, 4)), method="brr")
    with pytest.raises(edmeasure.BadWeight, match="type"):
        SampleDesign.replicates(w, np.full((1200, 4), "1"), method="brr")
    with pytest.raises(edmeasure.BadWeight, match=r"persons 0\.\.1199"):
        SampleDesign.replicates(w, np.full((1200, 4), np.nan), method="brr")
    with pytest.raises(edmeasure.BadOption, match="scale of their own"):
        SampleDesign.replicates(w, np.ones((1200, 4)), method="jkn")
    with pytest.raises(edmeasure.BadOption, match="no strata"):
        SampleDesign.taylor(w, strata=strata, clusters=clusters, certainty=["x"])
    with pytest.raises(edmeasure.BadOption, match="population_clusters"):
        SampleDesign.taylor(w, strata=strata, clusters=clusters, population_clusters=3)
    with pytest.raises(edmeasure.BadWeight, match="negative"):
        SampleDesign.taylor(-w, strata=strata, clusters=clusters)
    with pytest.raises(edmeasure.BadOption, match="No stratum adds"):
        SampleDesign.taylor(w, strata=strata, clusters=strata, lonely="certainty")
    with pytest.raises(edmeasure.BadOption, match="n_replicates"):
        SampleDesign.bootstrap(w, clusters=clusters, rng=np.random.default_rng(0), n_replicates=1)
    with pytest.raises(edmeasure.BadOption, match="Neither weights nor n"):
        SampleDesign.simple()
    design = SampleDesign.taylor(w, strata=strata, clusters=clusters)
    with pytest.raises(edmeasure.BadOption, match="Put them into the design"):
        edmeasure.mean(y, weights=w, design=design)
    with pytest.raises(edmeasure.BadShape, match="same persons"):
        edmeasure.mean(y[:-1], design=design)
    with pytest.raises(edmeasure.BadOption, match="clusters holds NaN"):
        SampleDesign.taylor(w, clusters=np.where(clusters == 3, np.nan, clusters))
    part = design.within(strata < 4)
    with pytest.raises(edmeasure.BadOption, match="empty"):
        edmeasure.group_difference(y, is_first=strata < 4, design=part)
    with pytest.raises(edmeasure.BadOption, match="y is the same"):
        edmeasure.correlation(y, strata >= 4, design=part)
    with pytest.raises(edmeasure.BadOption, match="not both 0 and 1"):
        edmeasure.logistic_regression(strata >= 4, y, design=part)
    with pytest.raises(edmeasure.BadOption, match="x1 is the same"):
        edmeasure.linear_regression(y, strata >= 4, design=part)
    with pytest.raises(edmeasure.BadWeight, match="No member"):
        design.within(np.zeros(1200, dtype=bool))
    with pytest.raises(edmeasure.BadOption, match="same for everybody"):
        edmeasure.design_effect(np.ones(1200), design=design)
    with pytest.raises(edmeasure.BadOption, match="x is the same"):
        edmeasure.correlation(np.ones(1200), y, design=design)
