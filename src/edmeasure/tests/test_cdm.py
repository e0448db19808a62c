"""Diagnosis models against R's CDM and GDINA, brute force, and what must hold for any data."""

import itertools

import numba
import numpy as np
import pytest

import edmeasure

from .conftest import DATA, attribute_answers, table

LOGLIKS = {
    ("fraction20", "dina"): -4402.2877,
    ("fraction15", "dina"): -3455.7615,
    ("fraction15", "gdina"): -3213.549,
    ("fraction11", "dina"): -2737.5873,
    ("fraction11", "gdina"): -2631.6646,
    ("ecpe", "dina"): -42841.4909,
    ("ecpe", "gdina"): -42738.5598,
    ("timss07py", "dina"): -6483.059,
    ("timss07py", "gdina"): -6357.969,
}
ALL_MODELS = ("dina", "dino", "gdina", "acdm", "llm", "rrum")


def answers_of(name):
    return edmeasure.Responses.from_array(table(f"{name}_data.csv.gz"))


def q_of(name, **options):
    return edmeasure.QMatrix.from_array(table(f"{name}_Q.csv"), **options)


def diagnosed(name, model, **options):
    return edmeasure.diagnose(answers_of(name), q_of(name), model=model, rng=np.random.default_rng(0), **options)


def column(name, at):
    return np.genfromtxt(DATA / name, delimiter=",", skip_header=1, usecols=at)


@pytest.fixture(scope="module")
def fits():
    return {(name, model): diagnosed(name, model) for name, model in LOGLIKS}


@pytest.mark.parametrize(("name", "model"), LOGLIKS)
def test_log_likelihood_is_as_high_as_the_best_peer(fits, name, model):
    fit = fits[name, model]
    assert fit.loglik >= LOGLIKS[name, model] - 1e-3
    if (name, model) not in {("fraction15", "gdina"), ("timss07py", "gdina")}:
        assert fit.loglik == pytest.approx(LOGLIKS[name, model], abs=1e-3)
        assert fit.certificate.is_sound
        assert fit.certificate.starts_at_best >= 4


def test_many_maxima_are_told(fits):
    certificate = fits["fraction15", "gdina"].certificate
    assert certificate.starts_at_best < 5
    assert not certificate.is_sound
    assert len(certificate.start_logliks) == 20
    assert certificate.start_logliks[0] - certificate.start_logliks[-1] > 5


@pytest.mark.parametrize(("name", "peer"), [("fraction20", "din"), ("fraction15", "din"), ("ecpe", "din")])
def test_guessing_and_slip_agree_with_cdm(fits, name, peer):
    fit = fits[name, "dina"]
    # CDM stopped at its looser default
    np.testing.assert_allclose(fit.guessing, column(f"CDM{peer}_{name}_gs.csv", 1), atol=2e-3)
    np.testing.assert_allclose(fit.slip, column(f"CDM{peer}_{name}_gs.csv", 3), atol=2e-3)


def test_guessing_and_slip_agree_with_gdina(fits):
    fit = fits["ecpe", "dina"]
    np.testing.assert_allclose(fit.guessing, column("GDINA_ecpe_DINA_tight_gs.csv", 1), atol=1e-4)
    np.testing.assert_allclose(fit.slip, column("GDINA_ecpe_DINA_tight_gs.csv", 2), atol=1e-4)


@pytest.mark.parametrize(("name", "tolerance"), [("ecpe", 1e-3), ("fraction11", 5e-4)])
def test_delta_parameters_agree_with_cdm(fits, name, tolerance):
    items = fits[name, "gdina"].items
    found = np.concatenate([item.coefficients for item in items])
    np.testing.assert_allclose(found, column(f"CDM_{name}_GDINA_tight_coef.csv", 5), atol=tolerance)
    assert items[0].terms == ("1", *items[0].attributes, ":".join(items[0].attributes))


def test_of_exchangeable_labels_the_same_are_taken_whatever_the_seed(fits):
    # attributes 2 and 3 have no items of their own: among those who lack the first their labels can be exchanged
    responses, q = answers_of("fraction11"), q_of("fraction11")
    for seed in (1, 2):
        fit = edmeasure.diagnose(responses, q, rng=np.random.default_rng(seed), standard_errors=False)
        assert fit.loglik == pytest.approx(fits["fraction11", "gdina"].loglik, abs=1e-4)
        np.testing.assert_allclose(fit.success, fits["fraction11", "gdina"].success, atol=1e-3)


@pytest.mark.parametrize("model", ["dina", "gdina"])
def test_pattern_probabilities_agree_with_cdm(fits, model):
    fit = fits["ecpe", model]
    peer = np.genfromtxt(DATA / f"CDM_ecpe_{model.upper()}_tight_class.csv", delimiter=",", skip_header=1, dtype=str)
    known = {label.strip('"'): float(share) for label, share in peer[:, :2]}
    found = {"".join(map(str, pattern)): p for pattern, p in zip(fit.patterns, fit.pattern_probabilities, strict=True)}
    assert found == pytest.approx(known, abs=3e-4)
    np.testing.assert_allclose(fit.prevalence, fit.pattern_probabilities @ fit.patterns)


def test_published_parameters_of_rational_numbers_are_recovered():
    q = q_of("dtmr", attribute_names=("RU", "PI", "APP", "MC"))
    fit = edmeasure.diagnose(answers_of("dtmr"), q, rng=np.random.default_rng(0))
    distances = []
    for item, truth, required in zip(fit.items, table("dtmr_items.csv")[:, 1:], q.entries, strict=True):
        logits = truth[0] + item.patterns @ truth[1:5][required == 1] + truth[5] * item.patterns.prod(axis=1)
        distances.append((item.success - 1 / (1 + np.exp(-logits))) / item.success_se)
    z = np.concatenate(distances)
    assert np.abs(z).max() < 4
    assert (z**2).mean() == pytest.approx(1, abs=0.5)
    skills = table("dtmr_skills.csv")
    known = {tuple(row[:4].astype(int)): row[4] / skills[:, 4].sum() for row in skills}
    found = {tuple(pattern.tolist()): p for pattern, p in zip(fit.patterns, fit.pattern_probabilities, strict=True)}
    assert found == pytest.approx(known, abs=0.02)


def brute_force(scores, patterns, chances, probabilities):
    """Log-likelihood by enumeration; ``chances`` is (n_items, n_patterns)."""
    likelihood = np.ones((scores.shape[0], patterns.shape[0]))
    for j, column in enumerate(scores.T):
        given = np.where(column[:, None] == 1, chances[j], 1.0 - chances[j])
        likelihood *= np.where(column[:, None] < 0, 1.0, given)
    return float(np.log(likelihood @ probabilities).sum())


def chances_of(fit):
    return fit.success[fit.classes.cell_of][:, fit.classes.class_of_pattern]


@pytest.mark.parametrize(("name", "model"), [("fraction20", "dina"), ("timss07py", "gdina"), ("ecpe", "gdina")])
def test_log_likelihood_is_that_of_enumeration(fits, name, model):
    fit = fits[name, model]
    scores = np.nan_to_num(table(f"{name}_data.csv.gz"), nan=-1)
    assert brute_force(scores, fit.patterns, chances_of(fit), fit.pattern_probabilities) == pytest.approx(fit.loglik, rel=1e-9)


def test_standard_errors_are_those_of_the_numerical_hessian():
    rng = np.random.default_rng(8)
    q = np.array([[1, 0], [0, 1], [1, 1], [1, 0], [0, 1]])
    scores, _ = attribute_answers(rng, q=q, n=600, guessing=0.25, slip=0.2, missing=0.1)
    fit = edmeasure.diagnose(edmeasure.Responses.from_array(scores), edmeasure.QMatrix.from_array(q), model="dina", rng=rng)
    at = np.concatenate([fit.success, fit.class_probabilities[1:]])

    def loglik(vector):
        chances = vector[: fit.success.size][fit.classes.cell_of]
        shares = vector[fit.success.size :]
        return brute_force(scores, fit.patterns, chances, np.concatenate([[1 - shares.sum()], shares]))

    step = 1e-4
    moves = step * np.eye(at.size)
    hessian = np.empty((at.size, at.size))
    for a, b in itertools.product(range(at.size), repeat=2):
        corners = [loglik(at + s * moves[a] + t * moves[b]) * s * t for s in (1, -1) for t in (1, -1)]
        hessian[a, b] = sum(corners) / (4 * step**2)
    errors = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    np.testing.assert_allclose(np.concatenate([item.success_se for item in fit.items]), errors[: fit.success.size], rtol=1e-3)
    np.testing.assert_allclose(fit.pattern_se[1:], errors[fit.success.size :], rtol=1e-3)


def simulated(seed=2, *, n=2000, q=None, **options):
    rng = np.random.default_rng(seed)
    q = np.vstack([np.eye(3), np.eye(3), [[1, 1, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1]]]) if q is None else q
    scores, attributes = attribute_answers(rng, q=q, n=n, guessing=0.2, slip=0.15, **options)
    return edmeasure.Responses.from_array(scores), edmeasure.QMatrix.from_array(q), attributes


@pytest.mark.parametrize("model", ALL_MODELS)
def test_every_model_lies_between_independence_and_gdina(fits, model):
    fit = diagnosed("ecpe", model, n_starts=4, standard_errors=False)
    full = fits["ecpe", "gdina"]
    assert fit.loglik <= full.loglik + 1e-3
    assert (np.diff(fit.history) >= -1e-9 * abs(fit.loglik)).all()
    for item, larger in zip(fit.items, full.items, strict=True):
        if len(item.attributes) == 1:
            assert item.success.size == larger.success.size == 2
    link = {"acdm": lambda p: p, "llm": lambda p: np.log(p / (1 - p)), "rrum": np.log}.get(model)
    if link:
        none, one, other, both = link(fit.item("I1").success)
        assert one + other - none == pytest.approx(both, abs=1e-8)
        np.testing.assert_allclose(fit.item("I1").coefficients, [none, one - none, other - none], atol=1e-8)
        scores = table("ecpe_data.csv.gz")
        assert brute_force(scores, fit.patterns, chances_of(fit), fit.pattern_probabilities) == pytest.approx(fit.loglik)


@pytest.mark.parametrize("model", ["llm", "rrum", "acdm"])
def test_additive_models_have_errors_of_their_links(model):
    responses, q, _ = simulated(5, n=4000)
    fit = edmeasure.diagnose(responses, q, model=model, rng=np.random.default_rng(1), n_starts=4)
    item = fit.item("I7")
    assert item.terms == ("1", "A1", "A2")
    assert item.link == {"acdm": "identity", "llm": "logit", "rrum": "log"}[model]
    slope = {"acdm": 1.0, "llm": item.guessing * (1 - item.guessing), "rrum": item.guessing}[model]
    assert item.success_se[0] == pytest.approx(item.coefficient_se[0] * slope, rel=1e-6)


def test_true_parameters_lie_within_their_errors():
    responses, q, attributes = simulated(3, n=5000, missing=0.2)
    fit = edmeasure.diagnose(responses, q, model="dina", rng=np.random.default_rng(0), n_starts=5)
    assert (np.abs(fit.guessing - 0.2) < 4 * fit.guessing_se).all()
    assert (np.abs(fit.slip - 0.15) < 4 * fit.slip_se).all()
    assert (np.abs(fit.prevalence - attributes.mean(axis=0)) < 4 * fit.prevalence_se).all()
    assert fit.n_parameters == 27
    assert fit.bic > fit.aic > -2 * fit.loglik


def test_models_may_differ_by_item():
    responses, q, _ = simulated()
    mixed = {name: "dina" if name != "I7" else "gdina" for name in responses.item_ids}
    fit = edmeasure.diagnose(responses, q, model=mixed, rng=np.random.default_rng(0), n_starts=3)
    assert fit.item("I7").terms == ("1", "A1", "A2", "A1:A2")
    assert fit.item("I8").success.size == 2
    with pytest.raises(edmeasure.BadOption, match="No model"):
        edmeasure.diagnose(responses, q, model={"I1": "dina"}, rng=np.random.default_rng(0))


def test_same_seed_gives_the_same_bits_with_any_number_of_threads():
    threads = numba.get_num_threads()
    found = []
    try:
        for count in (1, threads):
            numba.set_num_threads(count)
            found.append(diagnosed("fraction11", "gdina"))
    finally:
        numba.set_num_threads(threads)
    assert found[0].loglik == found[1].loglik
    np.testing.assert_array_equal(found[0].success, found[1].success)
    np.testing.assert_array_equal(found[0].pattern_probabilities, found[1].pattern_probabilities)


def test_weights_count_as_repetition():
    responses, q, _ = simulated(4, n=500)
    counts = np.random.default_rng(1).integers(1, 4, 500)
    repeated = edmeasure.Responses.from_array(np.repeat(responses.scores, counts, axis=0))
    weighted = edmeasure.Responses.from_array(responses.scores, weights=counts)
    fits = [
        edmeasure.diagnose(each, q, model="dina", rng=np.random.default_rng(0), n_starts=3, tolerance=1e-9)
        for each in (repeated, weighted)
    ]
    np.testing.assert_allclose(fits[0].success, fits[1].success, atol=1e-5)
    assert fits[0].loglik / counts.sum() == pytest.approx(fits[1].loglik / 500, abs=1e-8)


def test_persons_without_answers_and_items_of_others_change_nothing():
    responses, q, _ = simulated(6, n=800)
    padded = np.vstack([responses.scores, np.full((200, 10), -1, dtype=np.int8)])
    options = {"model": "dina", "n_starts": 3, "tolerance": 1e-9}
    plain = edmeasure.diagnose(responses, q, rng=np.random.default_rng(0), **options)
    more = edmeasure.diagnose(edmeasure.Responses.from_array(padded), q, rng=np.random.default_rng(0), **options)
    np.testing.assert_allclose(plain.success, more.success, atol=1e-5)
    shuffled = edmeasure.diagnose(responses.items([3, 1, 2, 0, 4, 5, 6, 7, 8, 9]), q, rng=np.random.default_rng(0), **options)
    assert shuffled.item("I2").guessing == pytest.approx(plain.item("I2").guessing, abs=1e-5)


def test_many_persons_try_their_starts_on_a_sample():
    responses, q, attributes = simulated(7, n=9000, missing=0.3)
    fit = edmeasure.diagnose(responses, q, model="dina", rng=np.random.default_rng(0), n_starts=4, standard_errors=False)
    assert fit.converged
    assert fit.certificate.gradient < 1e-4
    assert abs(fit.certificate.start_logliks[0]) < 0.5 * abs(fit.loglik)
    np.testing.assert_allclose(fit.prevalence, attributes.mean(axis=0), atol=0.03)


def test_long_tests_do_not_underflow():
    rng = np.random.default_rng(0)
    q = np.tile(np.eye(2, dtype=int), (150, 1))
    scores, attributes = attribute_answers(rng, q=q, n=300, guessing=0.05, slip=0.05)
    fit = edmeasure.diagnose(
        edmeasure.Responses.from_array(scores), edmeasure.QMatrix.from_array(q), model="dina", rng=rng, n_starts=2
    )
    assert np.isfinite(fit.loglik)
    np.testing.assert_allclose(fit.prevalence, attributes.mean(axis=0), atol=1e-6)


def test_constant_items_are_named_and_do_no_harm():
    responses, q, _ = simulated(8, n=600)
    scores = responses.scores.copy()
    scores[:, 3] = 1
    fit = edmeasure.diagnose(edmeasure.Responses.from_array(scores), q, model="dina", rng=np.random.default_rng(0), n_starts=3)
    assert "I4 0" in fit.certificate.boundary
    assert np.isnan(fit.item("I4").success_se).all()
    assert np.isfinite(fit.item("I5").success_se).all()
    assert "I4" in str(fit)


def test_refusals_say_how_to_mend():
    responses, q, _ = simulated(n=50)
    rng = np.random.default_rng(0)
    with pytest.raises(edmeasure.BadOption, match="n_starts"):
        edmeasure.diagnose(responses, q, rng=rng, n_starts=0)
    with pytest.raises(edmeasure.BadOption, match="model"):
        edmeasure.diagnose(responses, q, rng=rng, model="rasch")
    with pytest.raises(edmeasure.NothingToCalibrate, match="Nobody"):
        edmeasure.diagnose(edmeasure.Responses.from_array(np.full((5, 10), -1)), q, rng=rng)
    with pytest.raises(edmeasure.BadScore, match="right/wrong"):
        edmeasure.diagnose(edmeasure.Responses.from_array(2 * responses.scores), q, rng=rng)
    strange = edmeasure.Responses.from_array(responses.scores, item_ids=[f"X{j}" for j in range(10)])
    with pytest.raises(edmeasure.BadShape, match="not in the Q-matrix"):
        edmeasure.diagnose(strange, q, rng=rng)
