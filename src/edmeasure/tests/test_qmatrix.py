"""Q-matrices: checks, prerequisites, and what they can tell apart."""

import itertools

import numpy as np
import pytest

import edmeasure

from .conftest import attribute_answers, table


def q_of(name):
    return edmeasure.QMatrix.from_array(table(f"{name}_Q.csv"))


def test_fraction_subtraction_tells_58_of_256_patterns_apart():
    # the count that de la Torre & Douglas's Q-matrix is known for
    found = edmeasure.identifiability(q_of("fraction20"), models="dina")
    assert (found.n_classes, found.n_patterns) == (58, 256)
    assert not found.is_complete
    assert any("A6 is required by 2 items" in line for line in found.warnings)
    assert edmeasure.identifiability(q_of("fraction20"), models="gdina").is_complete


def test_an_identified_q_matrix_has_no_warnings():
    q = edmeasure.QMatrix.from_array([[1, 0], [0, 1], [1, 0], [1, 1], [0, 1], [1, 0]])
    assert edmeasure.identifiability(q, models="dina").warnings == ()
    assert edmeasure.identifiability(q, models="gdina").warnings == ()


def test_twin_attributes_are_named():
    q = edmeasure.QMatrix.from_array([[1, 0], [0, 1], [1, 1], [1, 1]])
    found = edmeasure.identifiability(q, models="dina")
    assert found.is_complete
    assert "A2 and A1" in str(found)


def test_a_linear_hierarchy_leaves_one_pattern_per_step():
    q = edmeasure.QMatrix.from_array(np.eye(4), attribute_names="abcd", prerequisites=[("a", "b"), ("b", "c"), ("c", "d")])
    np.testing.assert_array_equal(q.patterns.sum(axis=1), [0, 1, 2, 3, 4])
    assert (np.diff(q.patterns, axis=1) <= 0).all()


def test_a_forked_hierarchy_permits_its_closed_sets():
    q = edmeasure.QMatrix.from_array(np.eye(3), attribute_names="abc", prerequisites=[("a", "b"), ("a", "c")])
    assert {"".join(map(str, row)) for row in q.patterns} == {"000", "100", "110", "101", "111"}


def test_twelve_attributes_are_free_and_twenty_in_a_chain():
    free = edmeasure.QMatrix.from_array(np.eye(12))
    assert free.patterns.shape == (4096, 12)
    assert np.unique(free.patterns, axis=0).shape[0] == 4096
    names = [f"a{k}" for k in range(20)]
    chain = edmeasure.QMatrix.from_array(np.eye(20), attribute_names=names, prerequisites=list(itertools.pairwise(names)))
    assert chain.patterns.shape == (21, 20)


def test_a_chain_of_twenty_is_diagnosed():
    rng = np.random.default_rng(3)
    names = [f"a{k}" for k in range(20)]
    entries = np.tile(np.eye(20, dtype=int), (2, 1))
    chain = edmeasure.QMatrix.from_array(entries, attribute_names=names, prerequisites=list(itertools.pairwise(names)))
    scores, attributes = attribute_answers(rng, q=entries, n=1500, guessing=0.15, slip=0.15, patterns=chain.patterns)
    responses = edmeasure.Responses.from_array(scores)
    fit = edmeasure.diagnose(responses, chain, model="dina", rng=rng, n_starts=2, standard_errors=False)
    np.testing.assert_allclose(fit.prevalence, attributes.mean(axis=0), atol=0.05)
    assert (edmeasure.classify(fit, responses).masters == attributes).mean() > 0.95


def test_a_true_hierarchy_costs_no_likelihood():
    rng = np.random.default_rng(1)
    entries = np.vstack([np.eye(3, dtype=int)] * 3 + [[1, 1, 0], [0, 1, 1], [1, 0, 1]])
    chain = edmeasure.QMatrix.from_array(entries, prerequisites=[("A1", "A2"), ("A2", "A3")])
    scores, _ = attribute_answers(rng, q=entries, n=1500, guessing=0.2, slip=0.1, patterns=chain.patterns)
    responses = edmeasure.Responses.from_array(scores)
    options = {"model": "dina", "n_starts": 4}
    bound = edmeasure.diagnose(responses, chain, rng=rng, **options)
    free = edmeasure.diagnose(responses, edmeasure.QMatrix.from_array(entries), rng=rng, **options)
    assert bound.patterns.shape[0] == 4
    assert bound.pattern_probabilities.sum() == pytest.approx(1)
    assert 0 <= free.loglik - bound.loglik < 8
    assert bound.n_parameters == free.n_parameters - 4
    np.testing.assert_allclose(bound.pattern_probabilities, 0.25, atol=0.06)


def test_groups_that_prerequisites_forbid_have_no_parameters():
    rng = np.random.default_rng(2)
    entries = np.vstack([np.eye(2, dtype=int)] * 4 + [[1, 1]] * 2)
    chain = edmeasure.QMatrix.from_array(entries, prerequisites=[("A1", "A2")])
    scores, _ = attribute_answers(rng, q=entries, n=800, guessing=0.2, slip=0.1, patterns=chain.patterns)
    fit = edmeasure.diagnose(edmeasure.Responses.from_array(scores), chain, rng=rng, n_starts=3)
    np.testing.assert_array_equal(fit.item("I9").patterns, [[0, 0], [1, 0], [1, 1]])
    assert fit.item("I9").terms == ("1", "A1", "A1:A2")
    assert fit.item("I9").coefficients.sum() == pytest.approx(1 - fit.item("I9").slip)


def test_twelve_attributes_are_diagnosed_exactly():
    rng = np.random.default_rng(4)
    entries = np.tile(np.eye(12, dtype=int), (2, 1))
    scores, _ = attribute_answers(rng, q=entries, n=150, guessing=0.1, slip=0.1, patterns=rng.integers(0, 2, (40, 12)))
    responses, q = edmeasure.Responses.from_array(scores), edmeasure.QMatrix.from_array(entries)
    options = {"n_starts": 1, "max_iterations": 12, "standard_errors": False}
    fit = edmeasure.diagnose(responses, q, model="dina", rng=rng, **options)
    assert fit.classes.n_classes == 4096
    assert fit.pattern_probabilities.sum() == pytest.approx(1)
    assert (np.diff(fit.history) >= -1e-9 * abs(fit.loglik)).all()
    assert edmeasure.classify(fit, responses).probabilities.shape == (150, 12)


def test_fifteen_attributes_that_items_hardly_tell_apart_are_diagnosed_exactly():
    responses = edmeasure.Responses.from_array(table("timss07lee_data.csv.gz"))
    q = q_of("timss07lee")
    options = {"n_starts": 1, "max_iterations": 20, "standard_errors": False}
    fit = edmeasure.diagnose(responses, q, model="dina", rng=np.random.default_rng(0), **options)
    assert fit.patterns.shape == (32768, 15)
    assert fit.classes.n_classes == 2174
    # three of four starts reach -6327.2471 in the end
    assert fit.loglik > -6330
    assert fit.pattern_probabilities.sum() == pytest.approx(1)
    with pytest.raises(edmeasure.BadOption, match="32768 attribute patterns"):
        edmeasure.diagnose(responses, q, rng=np.random.default_rng(0), **options)


@pytest.mark.parametrize(
    ("entries", "options", "message"),
    [
        ([[1, 2]], {}, "other than 0 and 1"),
        ([1, 0], {}, "shape"),
        ([[1, 0], [0, 0]], {}, "require no attribute"),
        ([[1, 0], [1, 0]], {}, "No item requires"),
        (np.eye(17), {}, "more than 65536 patterns"),
        (np.eye(2), {"attribute_names": ["a", "a"]}, "own name"),
        (np.eye(2), {"prerequisites": [("A1", "A2"), ("A2", "A1")]}, "own prerequisites"),
        (np.eye(2), {"prerequisites": [("A1", "A9")]}, "A9"),
    ],
)
def test_refusals_say_how_to_mend(entries, options, message):
    with pytest.raises(edmeasure.MeasurementError, match=message) as refusal:
        edmeasure.QMatrix.from_array(entries, **options)
    assert refusal.value.remedy


def test_models_must_fit_the_items():
    q = edmeasure.QMatrix.from_array(np.eye(2))
    with pytest.raises(edmeasure.BadShape, match="models for 2 items"):
        edmeasure.identifiability(q, models=["dina"])
    with pytest.raises(edmeasure.BadOption, match="models"):
        edmeasure.identifiability(q, models="rasch")
