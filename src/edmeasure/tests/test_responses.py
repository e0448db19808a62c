import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import edmeasure
from edmeasure import NOT_ADMINISTERED, NOT_REACHED, OMITTED, Responses


def test_int8_input_is_not_copied():
    scores = np.zeros((5, 3), dtype=np.int8)
    assert np.shares_memory(Responses.from_array(scores).scores, scores)


def test_nan_counts_as_not_administered():
    assert Responses.from_array([[1.0, np.nan]]).scores.tolist() == [[1, NOT_ADMINISTERED]]


@settings(max_examples=40, deadline=None)
@given(
    scores=hnp.arrays(np.int8, st.tuples(st.integers(1, 60), st.integers(1, 6)), elements=st.integers(-3, 3)),
    size=st.integers(1, 70),
)
def test_batches_gather_to_the_same_matrix(scores, size):
    batches = (scores[first : first + size].copy() for first in range(0, len(scores), size))
    np.testing.assert_array_equal(Responses.from_batches(batches).scores, scores)


def test_a_growing_buffer_keeps_every_row():
    blocks = [np.full((700, 2), k % 3, dtype=np.int8) for k in range(9)]
    gathered = Responses.from_batches(iter(blocks))
    assert gathered.n_persons == 6300
    np.testing.assert_array_equal(gathered.scores, np.vstack(blocks))


@pytest.mark.parametrize(
    ("omitted", "not_reached", "expected"),
    [
        (0, "missing", [1, 0, -1, -1]),
        ("missing", 0, [1, -1, 0, -1]),
        ("missing", "missing", [1, -1, -1, -1]),
        (0, 0, [1, 0, 0, -1]),
    ],
)
def test_policies_for_the_kinds_of_no_answer(omitted, not_reached, expected):
    responses = Responses.from_array([[1, OMITTED, NOT_REACHED, NOT_ADMINISTERED]])
    turned = responses.scored(omitted_as=omitted, not_reached_as=not_reached)
    assert turned.scores.tolist() == [expected]
    assert responses.scores.tolist() == [[1, -2, -3, -1]]


def test_selecting_items_and_persons_keeps_what_belongs_together():
    responses = Responses.from_array(
        [[0, 1, 2], [1, 0, 1], [1, 1, 0]],
        item_ids=["a", "b", "c"],
        weights=[1, 2, 3],
        zones=[7, 7, 9],
        reps=[0, 1, 0],
    )
    some = responses.items(np.array([True, False, True])).persons([2, 0])
    assert some.item_ids == ("a", "c")
    assert some.max_scores.tolist() == [1, 2]
    assert some.scores.tolist() == [[1, 0], [0, 2]]
    assert some.weights.tolist() == [3, 1]
    assert some.zones.tolist() == [1, 0]
    assert "2 persons x 2 items" in str(some)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"scores": [1, 2]}, edmeasure.BadShape, "n_persons, n_items"),
        ({"scores": [[0.5]]}, edmeasure.BadScore, "whole"),
        ({"scores": [[200]]}, edmeasure.BadScore, "0..126"),
        ({"scores": np.array([[-7]], dtype=np.int8)}, edmeasure.BadScore, "-7"),
        ({"scores": [["x"]]}, edmeasure.BadScore, "code text"),
        ({"scores": [[3]], "max_scores": [2]}, edmeasure.BadScore, "above their maximum"),
        ({"scores": [[1]], "max_scores": [1, 1]}, edmeasure.BadShape, "one maximum per item"),
        ({"scores": [[1, 0]], "item_ids": ["a", "a"]}, edmeasure.BadShape, "twice"),
        ({"scores": [[1], [0]], "weights": [1]}, edmeasure.BadShape, "one weight per person"),
        ({"scores": [[1]], "weights": [np.inf]}, edmeasure.BadWeight, "not finite"),
        ({"scores": [[1], [0]], "weights": [0, 0]}, edmeasure.BadWeight, "positive"),
        ({"scores": [[1]], "zones": [1], "reps": [2]}, edmeasure.BadOption, "0/1"),
    ],
)
def test_refusals_say_how_to_mend(arguments, error, words):
    scores = arguments.pop("scores")
    with pytest.raises(error, match=words) as caught:
        Responses.from_array(scores, **arguments)
    assert isinstance(caught.value, ValueError)
    assert caught.value.remedy in str(caught.value)


def test_blocks_of_different_width_are_refused():
    with pytest.raises(edmeasure.BadShape, match="Fill items"):
        Responses.from_batches([np.zeros((1, 2)), np.zeros((1, 3))])


def test_unknown_policy_is_refused():
    with pytest.raises(edmeasure.BadOption, match="omitted_as"):
        Responses.from_array([[1]]).scored(omitted_as="zero")
