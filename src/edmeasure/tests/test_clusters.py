import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

import edmeasure
from edmeasure.profiles._mixture import Measures, MixtureFitter

CENTRES = np.array([[0.0, 0.0, 0.0], [4.0, 0.0, 1.0], [0.0, 4.0, -1.0]])
QUICK = {"n_starts": 10, "n_replications": 3}


def groups(rng, n, *, centres=CENTRES, shares=(0.5, 0.3, 0.2), spread=1.0):
    which = rng.choice(len(shares), size=n, p=shares)
    return centres[which] + spread * rng.standard_normal((n, centres.shape[1])), which


@pytest.fixture(scope="module")
def three():
    return groups(np.random.default_rng(1), 400, spread=0.8)


@pytest.fixture(scope="module")
def found(three):
    options = {"n_profiles": range(1, 5), "columns": ["reading", "number", "effort"], **QUICK}
    return {m: edmeasure.find_profiles(three[0], method=m, rng=np.random.default_rng(2), **options) for m in ("kmeans", "latent")}


@pytest.mark.parametrize("method", ["kmeans", "latent"])
def test_clear_groups_are_found_with_evidence(method, three, found):
    profiles = found[method]
    assert profiles.n_profiles == 3
    assert adjusted_rand_score(three[1], profiles.number) > 0.9
    np.testing.assert_allclose(profiles.centres, CENTRES, atol=0.35)
    np.testing.assert_allclose(profiles.shares, [0.5, 0.3, 0.2], atol=0.05)
    np.testing.assert_allclose(profiles.membership.sum(axis=1), 1.0)
    assert profiles.evidence.stability[2] > max(0.85, profiles.evidence.stability[3])
    assert (profiles.jaccard > 0.85).all()
    assert profiles.n_agreeing >= 1
    assert "nan" not in str(profiles)


def test_criteria_agree_where_groups_are_clear(found):
    assert found["kmeans"].evidence.best("silhouette") == 3
    assert found["latent"].evidence.best("bic") == 3
    assert found["latent"].evidence.entropy[2] > 0.85


@pytest.mark.parametrize("method", ["kmeans", "latent"])
def test_one_cloud_is_one_profile(method):
    cloud = np.random.default_rng(3).standard_normal((250, 3))
    options = {"n_profiles": range(1, 4), **QUICK}
    assert edmeasure.find_profiles(cloud, method=method, rng=np.random.default_rng(4), **options).n_profiles == 1


def test_the_bootstrap_test_stops_where_nothing_is_gained():
    values, _ = groups(np.random.default_rng(5), 120, centres=CENTRES[:2], shares=(0.5, 0.5))
    options = {"n_profiles": range(1, 4), "criterion": "bootstrap", "n_tests": 19, "n_starts": 3, "n_replications": 0}
    evidence = edmeasure.find_profiles(
        values, method="latent", has_shared_variances=True, rng=np.random.default_rng(6), **options
    ).evidence
    assert evidence.best("bootstrap") == 2
    assert evidence.bootstrap_p[1] == pytest.approx(1 / 20)
    assert evidence.bootstrap_p[2] > 0.05


def test_many_starts_leave_the_trap():
    # pairs of near centres far apart: a single start often gives two centres to one and one to two
    rng = np.random.default_rng(7)
    centres = np.repeat(rng.normal(0, 12, (8, 4)), 2, axis=0) + rng.normal(0, 1.5, (16, 4))
    values, which = groups(rng, 1500, centres=centres, shares=np.full(16, 1 / 16), spread=0.5)
    options = {"n_profiles": 16, "n_replications": 0, "is_standardized": False}
    one = edmeasure.find_profiles(values, rng=np.random.default_rng(1), n_starts=1, **options)
    many = edmeasure.find_profiles(values, rng=np.random.default_rng(1), n_starts=25, **options)
    means = np.array([values[which == k].mean(axis=0) for k in range(16)])
    at_truth = ((values - means[which]) ** 2).sum()
    assert -many.fit.value <= at_truth * 1.001
    assert -one.fit.value > at_truth * 1.02
    assert many.n_agreeing < many.n_starts


def test_latent_profiles_are_a_maximum_of_the_likelihood(three):
    values, _ = three
    fit = MixtureFitter(False)(values, np.ones(400), 2, 10, np.random.default_rng(8))
    parts = zip(fit.shares, fit.centres, fit.variances, strict=True)
    logs = [np.log(s) + norm.logpdf(values, c, np.sqrt(v)).sum(axis=1) for s, c, v in parts]
    assert np.logaddexp(*logs).sum() == pytest.approx(fit.value)
    for move in (1e-3, -1e-3):
        for name in ("centres", "variances"):
            moved = {**vars(fit), name: getattr(fit, name) + move}
            other = type(fit)(**moved)
            assert np.logaddexp(*other.log_densities(Measures.of(values, np.ones(400))).T).sum() < fit.value


@pytest.mark.parametrize("method", ["kmeans", "latent"])
def test_weights_count_persons_several_times(method, three):
    values = three[0][:200]
    times = np.random.default_rng(9).integers(0, 4, 200)
    options = {"method": method, "n_profiles": 2, "n_starts": 10, "n_replications": 0}
    weighted = edmeasure.find_profiles(values, weights=times, rng=np.random.default_rng(1), **options)
    repeated = edmeasure.find_profiles(np.repeat(values, times, axis=0), rng=np.random.default_rng(1), **options)
    np.testing.assert_allclose(weighted.centres, repeated.centres, atol=1e-3)
    np.testing.assert_allclose(weighted.shares, repeated.shares, atol=1e-3)


def test_missing_values_cost_precision_only(three):
    values = three[0].copy()
    values[np.random.default_rng(10).random(values.shape) < 0.2] = np.nan
    options = {"method": "latent", "n_profiles": 3, "n_starts": 10, "n_replications": 0}
    profiles = edmeasure.find_profiles(values, rng=np.random.default_rng(11), **options)
    np.testing.assert_allclose(profiles.centres, CENTRES, atol=0.5)
    assert (profiles.certainty < 1).all()
    nothing = profiles.assign(np.full((1, 3), np.nan))
    np.testing.assert_allclose(nothing, profiles.shares[None, :])
    with pytest.raises(edmeasure.BadOption, match="lack a value"):
        edmeasure.find_profiles(values, rng=np.random.default_rng(11))


def test_same_seed_same_bits_on_any_number_of_threads(three):
    for method in ("kmeans", "latent"):
        results = []
        for threads in (1, 2):
            with threadpool_limits(limits=threads):
                results.append(
                    edmeasure.find_profiles(three[0], method=method, rng=np.random.default_rng(3), n_profiles=3, **QUICK)
                )
        np.testing.assert_array_equal(results[0].centres, results[1].centres)
        np.testing.assert_array_equal(results[0].membership, results[1].membership)


def test_units_do_not_matter(three, found):
    moved = 500 + three[0] * [100.0, 0.01, 7.0]
    for method, profiles in found.items():
        options = {"n_profiles": 3, "n_starts": 10, "n_replications": 0}
        again = edmeasure.find_profiles(moved, method=method, rng=np.random.default_rng(2), **options)
        assert adjusted_rand_score(again.number, profiles.number) > 0.99


def test_people_give_the_names(found):
    profiles = found["kmeans"]
    assert profiles.names == ("1", "2", "3")
    named = profiles.named({2: "strong readers"})
    assert named.names == ("1", "strong readers", "3")
    assert "strong readers" in str(named)
    np.testing.assert_array_equal(named.number, profiles.number)
    with pytest.raises(edmeasure.BadOption, match="no profiles"):
        profiles.named({4: "nobody"})
    with pytest.raises(edmeasure.BadOption, match="same name"):
        profiles.named({1: "a", 2: "a"})


def test_others_are_assigned_as_the_persons_of_the_fit(three, found):
    for profiles in found.values():
        np.testing.assert_allclose(profiles.assign(three[0]), profiles.membership)


GOOD = np.random.default_rng(12).standard_normal((40, 2))


@pytest.mark.parametrize(
    ("data", "options", "error", "match"),
    [
        (GOOD, {"method": "ward"}, edmeasure.BadOption, "kmeans"),
        (GOOD, {"criterion": "bic"}, edmeasure.BadOption, "gap"),
        (GOOD, {"n_profiles": 0}, edmeasure.BadOption, "one profile"),
        (GOOD, {"n_profiles": []}, edmeasure.BadOption, "one profile"),
        (GOOD, {"n_profiles": 30}, edmeasure.BadShape, "fewer profiles"),
        (GOOD, {"n_starts": 0}, edmeasure.BadOption, "start"),
        (GOOD, {"criterion": "gap", "n_replications": 0}, edmeasure.BadOption, "reference sets"),
        (GOOD.astype(str), {}, edmeasure.BadOption, "type"),
        (GOOD, {"method": "latent", "criterion": "bootstrap"}, edmeasure.BadOption, "n_tests"),
        (np.ones((40, 2)), {}, edmeasure.BadShape, "I1, I2 do not vary"),
        (GOOD[:1], {}, edmeasure.BadShape, "persons"),
        (np.repeat([[0.0, 1.0], [1.0, 0.0]], 20, axis=0), {"n_profiles": 3}, edmeasure.BadShape, "2 different"),
        (np.where(GOOD > 2, np.inf, GOOD), {}, edmeasure.BadShape, "infinity"),
    ],
)
def test_impossible_input_is_refused(data, options, error, match):
    with pytest.raises(error, match=match):
        edmeasure.find_profiles(data, rng=np.random.default_rng(1), **options)
