import numpy as np
import pytest

import edmeasure


@pytest.fixture(scope="module")
def paper():
    """Ten items with options A to D; item 3 is keyed wrongly, nobody takes D of item 5."""
    rng = np.random.default_rng(1)
    theta = rng.normal(size=3000)
    true = np.array(list("ABCDABCDAB"))
    right = rng.random((3000, 10)) < 1 / (1 + np.exp(rng.normal(0, 0.7, 10) - 1.2 * theta[:, None]))
    wrong = np.array([[c for c in "ABCD" if c != t] for t in true])
    choices = np.where(right, true, wrong[np.arange(10), rng.integers(0, 3, (3000, 10))])
    choices[:, 5] = np.where(choices[:, 5] == "D", "A", choices[:, 5])
    choices[::50, 7] = ""
    key = true.copy()
    key[3] = "A"
    return choices, key


def test_shares_and_correlations_are_the_textbook_ones(paper):
    choices, key = paper
    found = edmeasure.distractor_analysis(choices, key=key)
    right = choices == key
    rest = right.sum(axis=1) - right[:, 2]
    assert found.share[2, 1] == pytest.approx((choices[:, 2] == "B").mean())
    assert found.correlation[2, 1] == pytest.approx(np.corrcoef(choices[:, 2] == "B", rest)[0, 1])
    assert found.rest_mean[2, 2] == pytest.approx(rest[choices[:, 2] == "C"].mean())
    np.testing.assert_allclose(np.nansum(found.group_shares[2], axis=0), 1)
    assert (np.diff(found.group_shares[2, 2]) > 0).all()


def test_faulty_items_are_named(paper):
    found = edmeasure.distractor_analysis(paper[0], key=paper[1])
    assert found.suspected_keys == ("I4",)
    assert ("I4", "D") in found.attractive_to_the_able
    assert np.isnan(found.share[5, 3])
    assert "look at the key of: I4" in str(found)


def test_no_answer_counts_as_wrong_and_numbers_work_too(paper):
    choices, key = paper
    numbers = np.select([choices == letter for letter in "ABCD"], [0.0, 1.0, 2.0, 3.0], np.nan)
    by_number = edmeasure.distractor_analysis(numbers, key=np.searchsorted(list("ABCD"), key))
    by_letter = edmeasure.distractor_analysis(choices, key=key)
    np.testing.assert_allclose(by_number.share, by_letter.share)
    np.testing.assert_allclose(by_number.correlation, by_letter.correlation)
    assert np.nansum(by_letter.share[7]) == pytest.approx(1 - 60 / 3000)


def test_weights_count_as_repetition(paper):
    choices, key = paper[0][:200], paper[1]
    weights = np.random.default_rng(2).integers(1, 4, 200)
    weighted = edmeasure.distractor_analysis(choices, key=key, weights=weights)
    repeated = edmeasure.distractor_analysis(np.repeat(choices, weights, axis=0), key=key)
    np.testing.assert_allclose(weighted.correlation, repeated.correlation)
    np.testing.assert_allclose(weighted.group_shares, repeated.group_shares)


def test_impossible_input_is_refused(paper):
    choices, key = paper
    with pytest.raises(edmeasure.BadShape):
        edmeasure.distractor_analysis(choices, key=key[:3])
    with pytest.raises(edmeasure.BadOption):
        edmeasure.distractor_analysis(choices, key=key, n_groups=1)
    with pytest.raises(edmeasure.BadScore):
        edmeasure.distractor_analysis(np.arange(400).reshape(200, 2), key=[1, 2])
