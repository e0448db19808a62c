"""Every result of linking, equating, classical statistics, group differences and growth becomes JSON and Arrow."""

import json

import numpy as np
import pytest

import edmeasure

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def results(lsat7, lsat7_fit):
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
