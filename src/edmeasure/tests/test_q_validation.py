"""Suggested Q-matrices."""

import numpy as np
import pytest

import edmeasure

from .conftest import attribute_answers, table

TRUE_Q = np.vstack([np.eye(3)] * 4 + [[1, 1, 0], [0, 1, 1], [1, 0, 1]] * 2).astype(int)


def fitted(entries, *, n=6000, seed=1):
    scores, _ = attribute_answers(np.random.default_rng(seed), q=TRUE_Q, n=n, guessing=0.15, slip=0.15)
    responses = edmeasure.Responses.from_array(scores)
    fit = edmeasure.diagnose(
        responses, edmeasure.QMatrix.from_array(entries), rng=np.random.default_rng(0), n_starts=4, standard_errors=False
    )
    return fit, responses


def test_the_true_matrix_is_kept():
    fit, responses = fitted(TRUE_Q)
    found = edmeasure.validate_q_matrix(fit, responses)
    assert found.changed == ()
    np.testing.assert_array_equal(found.q_matrix.entries, TRUE_Q)
    assert (found.pvaf_given > 0.95).all()
    assert str(found) == "the answers agree with the Q-matrix"


def test_a_missing_and_a_superfluous_attribute_are_found():
    wrong = TRUE_Q.copy()
    wrong[12] = [1, 0, 0]  # lacks the second attribute
    wrong[0] = [1, 0, 1]  # has the third too many
    found = edmeasure.validate_q_matrix(*fitted(wrong))
    assert found.changed == ("I1", "I13")
    np.testing.assert_array_equal(found.q_matrix.entries, TRUE_Q)
    assert found.pvaf_given[12] < 0.9
    assert "I13: A1" in str(found)


def test_more_attributes_account_for_more_up_to_all():
    fit, responses = fitted(TRUE_Q, n=500)
    mesa = edmeasure.validate_q_matrix(fit, responses).mesa
    assert (np.diff(mesa, axis=1) >= -1e-12).all()
    np.testing.assert_allclose(mesa[:, -1], 1)


def test_order_of_items_does_not_matter():
    fit, responses = fitted(TRUE_Q, n=500)
    plain = edmeasure.validate_q_matrix(fit, responses)
    turned = edmeasure.validate_q_matrix(fit, responses.items(np.arange(18)[::-1]))
    np.testing.assert_allclose(plain.mesa, turned.mesa)


def test_ecpe_items_9_and_13_seem_to_require_two_attributes():
    responses = edmeasure.Responses.from_array(table("ecpe_data.csv.gz"))
    q = edmeasure.QMatrix.from_array(table("ecpe_Q.csv"))
    fit = edmeasure.diagnose(responses, q, rng=np.random.default_rng(0), n_starts=4, standard_errors=False)
    assert edmeasure.validate_q_matrix(fit, responses).changed == ("I9", "I13")


def test_refusals_say_how_to_mend():
    fit, responses = fitted(TRUE_Q, n=200)
    with pytest.raises(edmeasure.BadOption, match="share"):
        edmeasure.validate_q_matrix(fit, responses, share=1.5)
    with pytest.raises(edmeasure.BadShape, match="no answers"):
        edmeasure.validate_q_matrix(fit, responses.items(np.arange(5)))
