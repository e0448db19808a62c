import numpy as np
import pytest

import edmeasure
from edmeasure import Responses

from .test_model_dif import drawn

ANCHORS = [f"I{j}" for j in range(5, 11)]


def test_it_says_what_likelihood_ratios_say():
    responses, focal = drawn(1, 4000, -0.4, 0.7)
    ratio = edmeasure.likelihood_dif(responses, focal=focal, purify=False)
    found = edmeasure.lord_dif(responses, focal=focal, anchors=ANCHORS)
    np.testing.assert_allclose(found.chi_square[:2], ratio.chi_square[:2], rtol=0.25)
    np.testing.assert_allclose(found.difference[:2], ratio.difference[:2], atol=0.03)
    assert (found.df[:4] == 2).all()
    assert np.isnan(found.chi_square[4:]).all()
    assert found.untested == ()
    assert found.anchors == tuple(ANCHORS)


def test_a_single_free_item_gives_the_likelihood_ratio_of_large_samples():
    responses, focal = drawn(2, 12_000, -0.15, 1.0)
    ratio = edmeasure.likelihood_dif(responses, focal=focal, purify=False)
    found = edmeasure.lord_dif(responses, focal=focal, anchors=[f"I{j}" for j in range(2, 11)])
    assert found.chi_square[0] == pytest.approx(ratio.chi_square[0], rel=0.03)


def test_no_difference_is_significant_at_its_level():
    p_values = []
    for seed in range(12):
        responses, focal = drawn(100 + seed, 1500, 0.0, 1.0)
        p_values += edmeasure.lord_dif(responses, focal=focal, anchors=ANCHORS).p_value[:4].tolist()
    assert np.mean(np.array(p_values) < 0.05) <= 0.15
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.13)


def test_graded_items_and_guessing():
    responses, focal = drawn(3, 4000, -1.2, 1.0)
    scores = responses.scores.copy()
    scores[:, 1] = scores[:, 1] + scores[:, 2]
    responses = Responses.from_array(np.delete(scores, 2, axis=1))
    found = edmeasure.lord_dif(responses, focal=focal, anchors=ANCHORS[:-1], models={"I2": "GRM", "I4": "3PL"})
    assert found.matter == ("I1",)
    assert found.df[:2].tolist() == [2, 3]
    assert str(found).startswith("9 items")


def test_anchors_must_be_there():
    responses, focal = drawn(4, 600, 0.0, 1.0)
    for anchors in ([], ["I1"], list(responses.item_ids), ["I1", "I2", "none"]):
        with pytest.raises(edmeasure.BadOption):
            edmeasure.lord_dif(responses, focal=focal, anchors=anchors)
    with pytest.raises(edmeasure.BadOption, match="slopes"):
        edmeasure.lord_dif(responses, focal=focal, anchors=ANCHORS, models="1PL")
