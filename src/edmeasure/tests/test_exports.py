"""Every result of linking, equating, classical statistics, differences, growth, factors and profiles becomes JSON and Arrow."""

import json

import numpy as np
import pytest

import edmeasure

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def plain_results(lsat7, lsat7_fit):
    rng = np.random.default_rng(1)
    focal = np.arange(1000) % 2 == 1
    counts = np.bincount(lsat7.scores.sum(axis=1), minlength=6)
    prior = rng.normal(size=300)
    later = prior + rng.normal(size=300)
    link = edmeasure.link(lsat7_fit, onto=lsat7_fit)
    mean = edmeasure.Estimate(0.0, 0.1, 0.0, 0.0, 10, 10.0)
    return {
        "link": (link, 1, "slope_se"),
        "drift": (edmeasure.drifting_items(lsat7_fit, onto=lsat7_fit), 5, "item"),
        "trend": (edmeasure.trend(mean, mean, link=link), 1, "change"),
        "equating": (edmeasure.equate(counts, counts), 6, "equivalents"),
        "smoothing": (edmeasure.smooth_counts(counts, degree=2), 6, "probabilities"),
        "omega": (edmeasure.omega(lsat7, n_factors=1), 5, "uniqueness"),
        "halves": (edmeasure.split_halves(lsat7), 6, "bound"),
        "components": (edmeasure.variance_components(lsat7.scores), 3, "effect"),
        "decision": (edmeasure.variance_components(lsat7.scores).decide(n_i=9), 1, "n_i"),
        "distractors": (edmeasure.distractor_analysis(lsat7.scores, key=np.ones(5)), 10, "is_key"),
        "speed": (edmeasure.speededness(lsat7), 5, "reached"),
        "copying": (edmeasure.copying_indices(lsat7.scores, key=np.ones(5), copiers=[0, 1], sources=[2, 3]), 2, "omega"),
        "mantel": (edmeasure.mantel_haenszel(lsat7, focal=focal), 5, "class"),
        "logistic": (edmeasure.logistic_dif(lsat7, focal=focal), 5, "r2_total"),
        "likelihood": (edmeasure.likelihood_dif(lsat7, focal=focal, purify=False, n_nodes=31), 5, "distance"),
        "growth": (edmeasure.growth_percentiles(later, prior, knots=(0.5,)), 300, "percentile"),
        "value": (edmeasure.value_added(later, groups=np.arange(300) % 10, background=prior), 10, "effect"),
    }


@pytest.fixture(scope="module")
def profile_results():
    rng = np.random.default_rng(1)
    values = rng.standard_normal((200, 2)) @ np.kron(np.eye(2), [0.8, 0.7, 0.6]) + 0.6 * rng.standard_normal((200, 6))
    answers = (values > 0).astype(np.int8)
    factors = edmeasure.explore_factors(values, 2)
    options = {"rng": rng, "n_profiles": range(1, 4), "n_starts": 4, "n_replications": 2}
    profiles = {method: edmeasure.find_profiles(values[:, [0, 3]], method=method, **options) for method in ("kmeans", "latent")}
    groups = np.arange(200) % 2
    return {
        "correlations": (edmeasure.correlate(answers, kind="polychoric"), 6, "I2"),
        "adequacy": (factors.adequacy, 6, "kmo"),
        "factors": (factors, 6, "communality"),
        "rotation": (factors.rotation, 6, "factor_2"),
        "scores": (factors.scores(values), 200, "error_1"),
        "parallel": (edmeasure.parallel_analysis(values, rng=rng, n_replications=5), 6, "factors_by_chance"),
        "kmeans": (profiles["kmeans"], 200, "profile_1"),
        "latent": (profiles["latent"], 200, "number"),
        "evidence": (profiles["latent"].evidence, 3, "bic"),
        "invariance": (
            edmeasure.measurement_invariance(edmeasure.Responses.from_array(answers), groups, n_nodes=31),
            6,
            "distance",
        ),
    }


@pytest.fixture(params=["plain_results", "profile_results"])
def results(request):
    return request.getfixturevalue(request.param)


def test_results_become_json(results):
    for result, _, _ in results.values():
        assert json.loads(json.dumps(result.to_dict(), allow_nan=False))


def test_results_become_tables(results):
    for name, (result, rows, column) in results.items():
        table = result.to_arrow()
        assert (name, table.num_rows) == (name, rows)
        assert column in table.column_names


def test_results_say_what_they_found(results):
    for result, _, _ in results.values():
        assert len(str(result)) > 20
        assert "nan" not in str(result)


def test_a_confirmed_model_is_exported_too():
    pytest.importorskip("semopy")
    rng = np.random.default_rng(2)
    values = 0.8 * rng.standard_normal((300, 1)) + 0.6 * rng.standard_normal((300, 4))
    found = edmeasure.confirm_factors(values, {"all": ["I1", "I2", "I3", "I4"]})
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["factors"] == ["all"]
    assert found.to_arrow().column_names == ["item", "all", "uniqueness"]
