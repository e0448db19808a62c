import numpy as np
import pytest
from scipy import stats

import edmeasure
from edmeasure import Responses
from edmeasure.classical.behaviour import _at_least


def paper(rng, n, n_items=40, n_options=4):
    """Choices from a nominal model in which option 0 is right."""
    theta = rng.normal(size=n)
    slopes = np.concatenate([np.full((n_items, 1), 1.0), rng.uniform(-0.6, 0.3, (n_items, n_options - 1))], axis=1)
    eta = slopes * theta[:, None, None] + rng.normal(0, 0.6, (n_items, n_options)) + np.array([0.8, 0, 0, 0])
    chance = np.exp(eta) / np.exp(eta).sum(axis=2, keepdims=True)
    return (rng.random((n, n_items, 1)) > np.cumsum(chance, axis=2)).sum(axis=2).clip(max=n_options - 1)


def test_honest_pairs_are_flagged_no_more_often_than_stated():
    rng = np.random.default_rng(1)
    choices = paper(rng, 2000)
    copiers, sources = rng.integers(0, 1000, 20_000), rng.integers(1000, 2000, 20_000)
    found = edmeasure.copying_indices(choices, key=np.zeros(40, int), copiers=copiers, sources=sources)
    for level in (0.05, 0.01, 0.001):
        assert (found.p_value < level).mean() <= 1.15 * level + 0.0005
        assert (edmeasure.normal_p_value(found.omega) < level).mean() <= 1.5 * level + 0.0005
    assert found.omega.mean() == pytest.approx(0, abs=0.05)
    assert 0.85 < found.omega.std() < 1.02  # the number right is known, which leaves a little less to chance
    assert found.suspects().size <= 2


def test_copied_answers_are_found():
    rng = np.random.default_rng(2)
    choices = paper(rng, 600)
    right = (choices == 0).sum(axis=1)
    able, weak = np.argsort(-right)[50:70], np.argsort(right)[50:70]
    copied = rng.random((20, 40)) < 0.7
    choices[weak] = np.where(copied, choices[able], choices[weak])
    found = edmeasure.copying_indices(choices, key=np.zeros(40, int), copiers=weak, sources=able)
    assert (found.p_value < 0.01).mean() >= 0.9
    assert (found.p_value < 0.001).mean() >= 0.6
    everybody = edmeasure.copying_indices(choices, key=np.zeros(40, int))
    assert everybody.copiers.size == 600 * 599
    pairs = set(zip(weak.tolist(), able.tolist(), strict=True))
    first = np.argsort(everybody.p_value)[:5]
    named = set(zip(everybody.copiers[first].tolist(), everybody.sources[first].tolist(), strict=True))
    assert all(pair in pairs or pair[::-1] in pairs for pair in named)


def test_the_exact_tail_is_the_binomial_one_for_equal_chances():
    matches = np.array([0, 3, 10, 12])
    expected = stats.binom.sf(matches - 1, 12, 0.3)
    np.testing.assert_allclose(_at_least(matches, np.full((4, 12), 0.3)), expected, atol=1e-12)


def test_items_the_source_left_empty_do_not_count():
    rng = np.random.default_rng(3)
    choices = paper(rng, 300).astype(float)
    choices[1, :30] = np.nan
    found = edmeasure.copying_indices(choices, key=np.zeros(40, int), copiers=[0], sources=[1])
    assert found.matches[0] == (choices[0, 30:] == choices[1, 30:]).sum()
    assert 0 < found.expected[0] < 10


def test_a_test_with_time_for_all_is_not_speeded():
    scores = np.random.default_rng(4).integers(0, 2, (200, 20))
    found = edmeasure.speededness(Responses.from_array(scores))
    assert not found.is_speeded
    assert (found.reached == 1).all()
    assert (found.variance_ratio, found.quotient) == (0, 0)


def test_a_test_too_long_is_speeded():
    rng = np.random.default_rng(5)
    scores = rng.integers(0, 2, (400, 20)).astype(np.int8)
    stop = rng.integers(10, 24, 400)
    scores[np.arange(20) >= stop[:, None]] = -3
    found = edmeasure.speededness(Responses.from_array(scores))
    assert found.is_speeded
    assert found.reached_last == pytest.approx((stop >= 20).mean())
    assert found.reached_three_quarters == pytest.approx((stop >= 15).mean())
    missed = (scores == -3).sum()
    assert found.quotient == pytest.approx(missed / (missed + (scores == 0).sum()))
    assert (np.diff(found.reached) <= 0).all()


def test_booklets_count_only_what_was_given():
    scores = np.array([[1, 0, -3, -1], [-1, 1, 0, 1], [-1, 0, 1, -3]])
    found = edmeasure.speededness(Responses.from_array(scores))
    np.testing.assert_allclose(found.reached, [1, 1, 2 / 3, 1 / 2])
    assert found.reached_last == pytest.approx(1 / 3)


def test_impossible_input_is_refused():
    choices = paper(np.random.default_rng(6), 60)
    key = np.zeros(40, int)
    for bad in ({"copiers": [0]}, {"copiers": [0], "sources": [0]}, {"copiers": [0], "sources": [99]}):
        with pytest.raises(edmeasure.BadOption):
            edmeasure.copying_indices(choices, key=key, **bad)
    with pytest.raises(edmeasure.BadShape, match="at least 50"):
        edmeasure.copying_indices(choices[:20], key=key)
    with pytest.raises(edmeasure.BadOption, match="neighbours"):
        edmeasure.copying_indices(np.tile(choices, (100, 1)), key=key)
    with pytest.raises(edmeasure.BadShape, match="Nobody"):
        edmeasure.speededness(Responses.from_array([[-1, -1]]))
