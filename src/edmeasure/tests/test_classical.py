import numpy as np
import pytest

import edmeasure
from edmeasure import Responses

from .conftest import table


def test_complete_data_give_the_textbook_figures(lsat7):
    found = edmeasure.item_statistics(lsat7)
    scores = lsat7.scores.astype(float)
    np.testing.assert_allclose(found.difficulty, scores.mean(axis=0))
    for j in range(5):
        rest = np.delete(scores, j, axis=1).sum(axis=1)
        assert found.discrimination[j] == pytest.approx(np.corrcoef(scores[:, j], rest)[0, 1])
    assert (found.omit_rate == 0).all()


def test_alpha_is_the_textbook_one():
    scores = table("SAT12_scored.csv.gz")
    k = scores.shape[1]
    alpha = k / (k - 1) * (1 - scores.var(axis=0).sum() / scores.sum(axis=1).var())
    assert edmeasure.cronbach_alpha(Responses.from_array(scores)) == pytest.approx(alpha)


def test_weights_count_as_repetition():
    rng = np.random.default_rng(0)
    scores = (rng.normal(size=(300, 6)) + rng.normal(size=(300, 1)) > 0).astype(np.int8)
    counts = rng.integers(1, 5, 300)
    weighted = Responses.from_array(scores, weights=counts)
    repeated = Responses.from_array(np.repeat(scores, counts, axis=0))
    np.testing.assert_allclose(
        edmeasure.item_statistics(weighted).discrimination, edmeasure.item_statistics(repeated).discrimination
    )
    assert edmeasure.cronbach_alpha(weighted) == pytest.approx(edmeasure.cronbach_alpha(repeated))


def test_kinds_of_no_answer_are_counted_apart():
    scores = np.array([[1, 1, 0], [0, -2, 1], [1, 0, -3], [1, -1, -3], [0, 1, -1]])
    found = edmeasure.item_statistics(Responses.from_array(scores))
    assert found.n.tolist() == [5, 4, 2]
    np.testing.assert_allclose(found.difficulty, [3 / 5, 2 / 4, 1 / 2])
    np.testing.assert_allclose(found.omit_rate, [0, 1 / 4, 0])
    np.testing.assert_allclose(found.not_reached_rate, [0, 0, 2 / 4])


def test_booklets_of_different_difficulty_stay_comparable():
    rng = np.random.default_rng(1)
    theta = rng.normal(size=(20_000, 1))
    scores = (rng.random((20_000, 20)) < 1 / (1 + np.exp(-theta))).astype(np.int8)
    whole = edmeasure.item_statistics(Responses.from_array(scores))
    scores[:10_000, :8] = -1
    scores[10_000:, 12:] = -1
    part = edmeasure.item_statistics(Responses.from_array(scores))
    np.testing.assert_allclose(part.difficulty, whole.difficulty, atol=0.02)
    assert (part.discrimination > whole.discrimination - 0.12).all()
    assert edmeasure.cronbach_alpha(Responses.from_array(scores)) == pytest.approx(0.79, abs=0.03)


def test_constant_and_empty_items_give_nan_not_noise():
    scores = np.array([[1, 1, -1], [0, 1, -1], [1, 1, -1]])
    found = edmeasure.item_statistics(Responses.from_array(scores))
    assert np.isnan(found.discrimination[[1, 2]]).all()
    assert np.isnan(found.difficulty[2])


def test_alpha_of_one_item_is_refused():
    with pytest.raises(edmeasure.BadShape, match="two items"):
        edmeasure.cronbach_alpha(Responses.from_array([[1], [0]]))
