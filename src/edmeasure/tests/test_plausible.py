"""Latent regression and draws: recovery, determinism, and the moments draws must keep."""

import os
import subprocess
import sys

import numpy as np
import pytest

import edmeasure

from .conftest import simulated

N = 6000
N_GROUPS = 150
SLOPES = [1.0, 1.2, 0.8, 1.5, 0.9, 1.1, 1.3, 0.7] * 3
DIFFICULTIES = list(np.linspace(-1.5, 1.5, 24))
GROUP_SD = 0.45
RESIDUAL_SD = 0.7

HASHES = """
import hashlib, numpy as np, edmeasure
rng = np.random.default_rng(1)
theta = rng.standard_normal(3000)
scores = (rng.random((3000, 12)) < 1 / (1 + np.exp(-theta[:, None]))).astype(np.int8)
responses = edmeasure.Responses.from_array(scores)
fit = edmeasure.calibrate(responses, standard_errors=False)
design = edmeasure.conditioning_components(rng.integers(0, 4, (3000, 20)))
drawn = edmeasure.plausible_values(
    fit, responses, design=design, groups=np.arange(3000) // 25, rng=np.random.default_rng(2))
parts = (fit.slopes, fit.intercepts, edmeasure.score_wle(fit, responses).theta, drawn.eap, drawn.values)
print(hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest())
"""


@pytest.fixture(scope="module")
def population():
    """Pupils in groups, one covariate, a 24-item test, and the true abilities."""
    rng = np.random.default_rng(21)
    groups = np.repeat(np.arange(N_GROUPS), N // N_GROUPS)
    covariate = rng.standard_normal(N)
    theta = 0.4 * covariate + GROUP_SD * rng.standard_normal(N_GROUPS)[groups] + RESIDUAL_SD * rng.standard_normal(N)
    intercepts = [-a * b for a, b in zip(SLOPES, DIFFICULTIES, strict=True)]
    scores = simulated(rng, n=N, slopes=SLOPES, intercepts=intercepts, theta=theta, missing=0.3)
    responses = edmeasure.Responses.from_array(scores)
    return responses, edmeasure.calibrate(responses, standard_errors=False), groups, covariate, theta


def drawn(population, **options):
    responses, fit, groups, covariate, _ = population
    return edmeasure.plausible_values(fit, responses, design=covariate, groups=groups, rng=np.random.default_rng(5), **options)


@pytest.mark.parametrize("group_effects", ["fixed", "random"])
def test_regression_recovers_its_truth(population, group_effects):
    result = drawn(population, group_effects=group_effects)
    theta = population[-1]
    unit = theta.std()
    at = 1 if group_effects == "random" else 0
    assert result.converged
    assert result.coefficients[at] == pytest.approx(0.4 / unit, abs=4 * result.coefficient_se[at])
    assert result.residual_sd == pytest.approx(RESIDUAL_SD / unit, abs=0.03)
    if group_effects == "random":
        assert np.sqrt(result.group_variance) == pytest.approx(GROUP_SD / unit, rel=0.15)


@pytest.mark.parametrize("group_effects", ["fixed", "random"])
def test_conditioned_draws_keep_the_share_between_groups(population, group_effects):
    responses, fit, groups, _, theta = population
    truth = edmeasure.variance_between(theta, groups=groups)
    conditioned = edmeasure.variance_between(drawn(population, group_effects=group_effects).values, groups=groups)
    plain = edmeasure.plausible_values(fit, responses, rng=np.random.default_rng(5))
    assert conditioned == pytest.approx(truth, abs=0.02)
    assert edmeasure.variance_between(plain.values, groups=groups) < truth - 0.03


def test_draws_spread_as_the_population_and_correlate_as_reliable(population):
    result = drawn(population)
    assert result.values.std() == pytest.approx(1.0, abs=0.03)
    assert result.values.shape == (5, N)
    assert np.unique(result.values).size == result.values.size
    gap = (result.values - result.eap) / result.eap_se
    assert gap.mean() == pytest.approx(0.0, abs=0.02)
    assert gap.std() == pytest.approx(1.0, abs=0.03)


def test_draws_follow_every_posterior(population):
    """Interpolation between nodes neither widens nor lumps: many draws of the same persons."""
    responses, fit, *_ = population
    repeated = responses.persons(np.tile(np.arange(100), 400))
    result = edmeasure.plausible_values(fit, repeated, rng=np.random.default_rng(3), n_values=1)
    draws = result.values.reshape(400, 100)
    spread = draws.std(axis=0, ddof=1) / result.eap_se[:100]
    assert np.sqrt((spread**2).mean()) == pytest.approx(1.0, abs=0.015)
    assert np.abs(draws.mean(axis=0) - result.eap[:100]).max() < 5 * result.eap_se.max() / 20


def test_a_population_without_any_spread_stays_finite(population):
    responses, fit, *_ = population
    one = responses.persons(np.zeros(500, dtype=np.int64))
    result = edmeasure.plausible_values(fit, one, rng=np.random.default_rng(3))
    assert np.isfinite(result.values).all()
    assert result.residual_sd < 0.11


def test_eap_under_the_regression_is_score_eap_with_its_prior(population):
    responses, fit, *_ = population
    result = drawn(population)
    scored = edmeasure.score_eap(fit, responses, prior_mean=result.prior_mean, prior_sd=result.residual_sd)
    np.testing.assert_allclose(scored.theta, result.eap, atol=1e-5)


def test_fixed_groups_equal_dummies(population):
    responses, fit, *_ = population
    few = np.arange(N) % 7
    by_groups = edmeasure.plausible_values(fit, responses, groups=few, rng=np.random.default_rng(1))
    dummies = (few[:, None] == np.arange(1, 7)).astype(float)
    by_design = edmeasure.plausible_values(fit, responses, design=dummies, rng=np.random.default_rng(1))
    np.testing.assert_allclose(by_groups.prior_mean, by_design.prior_mean, atol=1e-4)
    assert by_groups.residual_variance == pytest.approx(by_design.residual_variance, abs=1e-4)


def test_doubled_columns_do_no_harm(population):
    responses, fit, groups, covariate, _ = population
    doubled = edmeasure.plausible_values(
        fit, responses, design=np.column_stack([covariate, covariate]), groups=groups, rng=np.random.default_rng(5)
    )
    np.testing.assert_allclose(doubled.prior_mean, drawn(population).prior_mean, atol=1e-4)


def test_same_seed_same_draws(population):
    np.testing.assert_array_equal(drawn(population).values, drawn(population).values)


def bits_of(**settings):
    """What a process with these settings of its own finds."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **settings}
    return subprocess.run([sys.executable, "-c", HASHES], capture_output=True, text=True, env=environment, check=True).stdout


def test_threads_do_not_change_a_bit():
    assert len({bits_of(NUMBA_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads) for threads in ("1", "2")}) == 1


@pytest.mark.soak
def test_compiling_and_loading_the_compiled_do_not_differ_by_a_bit(tmp_path):
    compiled, loaded = (bits_of(NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2))
    assert compiled == loaded


def test_components_are_uncorrelated_and_keep_the_share():
    rng = np.random.default_rng(4)
    answers = rng.integers(1, 5, (500, 6)).astype(float)
    answers[:, 1] = answers[:, 0]
    answers[::9, 2] = np.nan
    components = edmeasure.conditioning_components(answers, share=0.9)
    assert components.shape[1] < 19
    np.testing.assert_allclose(np.cov(components.T, bias=True), np.eye(components.shape[1]), atol=1e-9)
    everything = edmeasure.conditioning_components(answers, share=1.0)
    assert everything.shape[1] == 3 + 4 + 3 * 3


def test_refusals_say_how_to_mend(population):
    responses, fit, *_ = population
    rng = np.random.default_rng(0)
    with pytest.raises(edmeasure.BadOption, match="conditioning_components"):
        edmeasure.plausible_values(fit, responses, design=np.full(N, np.nan), rng=rng)
    with pytest.raises(edmeasure.BadShape, match="one label per person"):
        edmeasure.plausible_values(fit, responses, groups=[1, 2], rng=rng)
    with pytest.raises(edmeasure.BadShape, match="no persons"):
        edmeasure.plausible_values(fit, responses.persons(np.array([], dtype=np.int64)), rng=rng)
    with pytest.raises(edmeasure.BadOption, match="as many nodes"):
        edmeasure.plausible_values(fit, responses, rng=rng, n_nodes=21)
    with pytest.raises(edmeasure.BadOption, match="random"):
        edmeasure.plausible_values(fit, responses, group_effects="mixed", rng=rng)
    with pytest.raises(edmeasure.BadOption, match="share"):
        edmeasure.conditioning_components(np.ones((3, 2)), share=2.0)
