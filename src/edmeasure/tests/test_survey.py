"""Population figures against TIMSS's published ones and against slow computations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import edmeasure


@pytest.mark.parametrize(
    ("subject", "practice", "value", "error"),
    [
        ("ASMMAT", "all", 508.31, 2.62),
        ("ASMMAT", "first", 508.31, 2.65),
        ("ASSSCI", "all", 531.50, 2.89),
        ("ASSSCI", "first", 531.50, 2.85),
    ],
)
def test_timss_means_and_errors(timss, subject, practice, value, error):
    found = edmeasure.mean(timss.official(subject), practice=practice, **timss.replicate)
    assert found.value == pytest.approx(value, abs=0.005)
    assert found.standard_error == pytest.approx(error, abs=0.005)
    assert found.n == 4668
    if practice == "all":
        assert (round(found.value, 1), round(found.standard_error, 1)) == (round(value, 1), round(error, 1))


def test_share_between_schools(timss):
    official = timss.official("ASMMAT")
    schools = timss.columns["IDSCHOOL"]
    assert edmeasure.variance_between(official, groups=schools) == pytest.approx(0.19, abs=0.005)
    weighted = edmeasure.variance_between(official, groups=schools, weights=timss.columns["TOTWGT"])
    assert weighted == pytest.approx(0.20, abs=0.005)
    assert edmeasure.variance_between(official, groups=schools, estimator="corrected") == pytest.approx(0.162, abs=0.005)


def slow_jackknife(statistic, values, weights, zones, reps):
    """JK2 with one full recomputation per zone, averaged over value sets."""
    full = np.array([statistic(y, weights) for y in values])
    total = np.zeros(len(values))
    for zone in np.unique(zones):
        factor = np.where(zones == zone, 2.0 * reps, 1.0)
        total += (np.array([statistic(y, weights * factor) for y in values]) - full) ** 2
    m = len(values)
    return np.sqrt(total.mean() + (1 + 1 / m) * full.var(ddof=1))


def test_jackknife_errors_agree_with_recomputation(timss):
    official, design = timss.official("ASMMAT"), timss.replicate
    girls = timss.columns["female"] == 1

    def slow(statistic):
        return slow_jackknife(statistic, official, *design.values())

    def weighted_sd(y, w):
        return np.sqrt(np.average((y - np.average(y, weights=w)) ** 2, weights=w))

    def gap(y, w):
        return np.average(y[girls], weights=w[girls]) - np.average(y[~girls], weights=w[~girls])

    sd = edmeasure.standard_deviation(official, **design)
    assert sd.standard_error == pytest.approx(slow(weighted_sd))
    difference = edmeasure.group_difference(official, is_first=girls, **design)
    assert difference.standard_error == pytest.approx(slow(gap))
    high = edmeasure.proportion(official, at_least=550, **design)
    assert high.standard_error == pytest.approx(slow(lambda y, w: np.average(y >= 550, weights=w)))
    zone_groups = timss.columns["JKCZONE"] // 20
    groups = edmeasure.estimate_groups(official, groups=zone_groups, **design)
    assert groups.is_jackknifed.all()
    alone = zone_groups == 2
    part = edmeasure.mean(official[:, alone], **{name: given[alone] for name, given in design.items()})
    assert groups.of(2.0).standard_error == pytest.approx(part.standard_error)
    assert groups.of(2.0).value == pytest.approx(part.value)


def test_percentiles_are_ordered_and_close_to_the_shares(timss):
    official, design = timss.official("ASMMAT"), timss.replicate
    found = edmeasure.percentiles(official, probabilities=[0.1, 0.5, 0.9], **design)
    assert found[0].value < found[1].value < found[2].value
    assert edmeasure.proportion(official, below=found[2].value, **design).value == pytest.approx(0.9, abs=0.003)
    shares = edmeasure.shares_at_levels(official, cuts=[400, 475, 550, 625], **design)
    assert sum(share.value for share in shares) == pytest.approx(1.0)
    assert all(0 < share.standard_error < 0.03 for share in shares)


def test_simple_errors_cover_the_truth():
    rng = np.random.default_rng(0)
    inside = {"mean": 0, "sd": 0, "median": 0}
    for _ in range(300):
        y = rng.normal(10, 2, 200)
        for name, found, truth in (
            ("mean", edmeasure.mean(y), 10.0),
            ("sd", edmeasure.standard_deviation(y), 2.0),
            ("median", edmeasure.percentiles(y, probabilities=[0.5])[0], 10.0),
        ):
            low, high = found.interval
            inside[name] += low <= truth <= high
    for count in inside.values():
        assert 0.90 < count / 300 < 0.99


def test_simple_error_of_the_mean_is_the_textbook_one():
    y = np.random.default_rng(1).normal(size=50)
    assert edmeasure.mean(y).standard_error == pytest.approx(stats.sem(y))


def test_measurement_error_widens_intervals():
    rng = np.random.default_rng(2)
    y = rng.normal(size=300)
    several = y + rng.normal(scale=0.5, size=(5, 300))
    found = edmeasure.mean(several)
    between = several.mean(axis=1).var(ddof=1)
    assert found.imputation_variance == pytest.approx(1.2 * between)
    assert found.standard_error == pytest.approx(np.sqrt(found.sampling_variance + found.imputation_variance))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n_groups=st.integers(1, 12))
def test_groups_agree_with_one_at_a_time(seed, n_groups):
    rng = np.random.default_rng(seed)
    n = 240
    values, weights = rng.normal(size=(3, n)), rng.uniform(0.5, 2, n)
    groups = rng.integers(0, n_groups, n)
    table = edmeasure.estimate_groups(values, groups=groups, weights=weights)
    assert table.n.sum() == n
    for label in np.unique(groups):
        chosen = groups == label
        if chosen.sum() < 2:
            assert np.isnan(table.of(label).standard_error)
            continue
        alone = edmeasure.mean(values[:, chosen], weights=weights[chosen])
        assert table.of(label).value == pytest.approx(alone.value)
        assert table.of(label).standard_error == pytest.approx(alone.standard_error)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_order_of_persons_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    n = 160
    values = rng.normal(size=(2, n))
    weights, zones, reps = rng.uniform(1, 3, n), np.repeat(np.arange(20), 8), np.tile([0, 1], 80)
    order = rng.permutation(n)
    for statistic in (edmeasure.mean, edmeasure.standard_deviation):
        there = statistic(values, weights=weights, zones=zones, reps=reps)
        back = statistic(values[:, order], weights=weights[order], zones=zones[order], reps=reps[order])
        assert back.value == pytest.approx(there.value)
        assert back.standard_error == pytest.approx(there.standard_error)


def test_schools_inside_one_zone_get_the_simple_error(timss):
    official = timss.official("ASMMAT")
    schools = edmeasure.estimate_groups(official, groups=timss.columns["IDSCHOOL"], **timss.replicate)
    assert schools.labels.size == 158
    assert not schools.is_jackknifed.any()
    assert np.isfinite(schools.standard_error).all()
    census = edmeasure.estimate_groups(official, groups=timss.columns["IDSCHOOL"], is_census=True)
    assert (census.sampling_variance == 0).all()
    assert (census.standard_error < schools.standard_error).all()


def test_levels_and_percentiles_of_groups():
    rng = np.random.default_rng(7)
    values, groups = rng.normal(500, 100, (2, 900)), np.repeat(["a", "b", "c"], 300)
    shares = edmeasure.level_shares_groups(values, groups=groups, cuts=[450, 550])
    np.testing.assert_allclose(sum(level.value for level in shares), 1.0)
    labels, cut = edmeasure.percentiles_groups(values, groups=groups, probabilities=[0.25, 0.75])
    assert labels.tolist() == ["a", "b", "c"]
    alone = edmeasure.percentiles(values[:, :300], probabilities=[0.25, 0.75])
    np.testing.assert_allclose(cut[0], [part.value for part in alone])


def test_variance_between_runs_from_nothing_to_all():
    groups = np.repeat(np.arange(40), 25)
    noise = np.random.default_rng(3).normal(size=1000)
    assert edmeasure.variance_between(groups.astype(float), groups=groups) == pytest.approx(1.0)
    assert edmeasure.variance_between(noise, groups=groups) == pytest.approx(39 / 999, abs=0.02)
    assert edmeasure.variance_between(noise, groups=groups, estimator="corrected") < 0.03


def test_refusals_say_how_to_mend():
    y = np.arange(4.0)
    with pytest.raises(edmeasure.BadOption, match="both or neither"):
        edmeasure.mean(y, zones=[1, 1, 2, 2])
    with pytest.raises(edmeasure.BadOption, match="rising"):
        edmeasure.shares_at_levels(y, cuts=[2, 1])
    with pytest.raises(edmeasure.BadOption, match="NaN"):
        edmeasure.mean([1.0, np.nan])
    with pytest.raises(edmeasure.BadShape, match="at least 1"):
        edmeasure.mean(np.empty((5, 0)))
    with pytest.raises(edmeasure.BadOption, match="practice"):
        edmeasure.mean(y, practice="none")
    with pytest.raises(edmeasure.BadOption, match="only one group"):
        edmeasure.variance_between(y, groups=np.zeros(4))
    with pytest.raises(edmeasure.BadOption, match="empty"):
        edmeasure.group_difference(y, is_first=np.ones(4, dtype=bool))
    with pytest.raises(edmeasure.BadOption, match="probability"):
        edmeasure.percentiles(y, probabilities=[1.0])
    with pytest.raises(edmeasure.BadOption, match="labels"):
        edmeasure.estimate_groups(y, groups=[1, 1, 2, 2]).of(9)
