"""Every result of factors, profiles and invariance becomes JSON and Arrow, and says what it found."""

import json

import numpy as np
import pytest

import edmeasure

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def results():
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
