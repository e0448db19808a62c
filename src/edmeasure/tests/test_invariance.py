import numpy as np
import pytest

import edmeasure
from edmeasure import Responses

from .conftest import simulated

SLOPES = np.array([0.9, 1.4, 1.1, 1.7, 0.8, 1.2])
STEPS = [-1.2, 0.4, 0.9, -0.3, 0.1, 1.0]
QUICK = {"n_nodes": 31, "bound": 6.0}


def two_groups(rng, n, slopes=SLOPES, steps=STEPS, mean=0.5, sd=1.2):
    """Reference and focal answers; the focal group's items and abilities may differ."""
    first = simulated(rng, n=n, slopes=SLOPES, intercepts=STEPS)
    second = simulated(rng, n=n, slopes=slopes, intercepts=steps, theta=mean + sd * rng.standard_normal(n))
    return Responses.from_array(np.concatenate([first, second])), np.repeat(["east", "west"], n)


@pytest.fixture(scope="module")
def alike():
    return edmeasure.measurement_invariance(*two_groups(np.random.default_rng(11), 1000), **QUICK)


def test_items_that_work_alike_reach_scalar_invariance(alike):
    assert alike.reached == "scalar"
    assert alike.breaking == ()
    assert alike.steps == ("configural", "metric", "scalar")
    np.testing.assert_allclose(alike.group_means, [0.0, 0.5], atol=0.12)
    np.testing.assert_allclose(alike.group_sds, [1.0, 1.2], atol=0.15)


def test_steps_are_nested(alike):
    assert alike.loglik[0] >= alike.loglik[1] >= alike.loglik[2]
    assert alike.n_parameters.tolist() == [24, 19, 14]
    assert alike.degrees.tolist() == [0, 5, 5]
    assert (alike.p_value[1:] > 0.01).all()


def test_harder_items_break_scalar_invariance_only():
    steps = [*STEPS[:4], STEPS[4] - 0.9, STEPS[5]]
    found = edmeasure.measurement_invariance(*two_groups(np.random.default_rng(2), 1500, steps=steps), **QUICK)
    assert found.reached == "metric"
    assert found.breaking == ("I5",)
    assert found.distance[4] == pytest.approx(0.17, abs=0.05)
    assert found.steps[-1] == "partial"
    assert found.p_value[1] > 0.01 > found.p_value[2]
    assert found.p_value[3] > 0.01
    assert found.group_means[1] == pytest.approx(0.5, abs=0.12)
    assert "breaks: I5" in str(found)


def test_steeper_items_break_metric_invariance():
    slopes = SLOPES * [2.2, 2.2, 2.2, 1, 1, 1]
    found = edmeasure.measurement_invariance(*two_groups(np.random.default_rng(3), 1500, slopes=slopes, mean=0), **QUICK)
    assert found.reached == "configural"
    assert found.p_value[1] < 0.001


def test_a_group_and_its_copy_fit_as_well_in_every_step():
    rng = np.random.default_rng(4)
    steps = [[0.5, -0.4], [1.0, 0.2], [-0.2, -1.0], [0.3, 0.1]]
    scores = simulated(rng, n=600, slopes=[0.8, 1.2, 1.0, 0.7], intercepts=steps, missing=0.1)
    groups = np.repeat([2019, 2020], 600)
    found = edmeasure.measurement_invariance(Responses.from_array(np.concatenate([scores, scores])), groups, **QUICK)
    np.testing.assert_allclose(found.loglik, found.loglik[0], atol=2e-3)
    np.testing.assert_allclose(found.distance, 0.0, atol=2e-3)
    assert found.degrees.tolist() == [0, 3, 7]
    assert found.reached == "scalar"


def test_likelihood_ratios_keep_their_level():
    rng = np.random.default_rng(5)
    metric, scalar = [], []
    for _ in range(6):
        found = edmeasure.measurement_invariance(*two_groups(rng, 250), n_nodes=31, bound=6.0)
        metric.append(found.chi_square[1])
        scalar.append(found.chi_square[2])
    for drawn in (metric, scalar):
        assert np.mean(drawn) == pytest.approx(5, abs=3 * np.sqrt(10 / 6))


def test_three_groups_have_twice_the_degrees():
    rng = np.random.default_rng(6)
    responses, groups = two_groups(rng, 400)
    third = simulated(rng, n=400, slopes=SLOPES, intercepts=STEPS, theta=rng.standard_normal(400) - 0.5)
    found = edmeasure.measurement_invariance(
        Responses.from_array(np.concatenate([responses.scores, third])),
        np.concatenate([groups, np.repeat("north", 400)]),
        reference="north",
        **QUICK,
    )
    assert found.group_labels[0] == "north"
    assert found.degrees[1:3].tolist() == [10, 10]
    assert found.group_means[1:].min() > 0.3


def test_an_item_that_a_group_never_solves_is_left_out_and_named():
    responses, groups = two_groups(np.random.default_rng(7), 300)
    scores = responses.scores.copy()
    scores[groups == "west", 2] = 0
    found = edmeasure.measurement_invariance(Responses.from_array(scores), groups, **QUICK)
    assert found.excluded == ("I3",)
    assert "I3" not in found.item_ids
    assert "left out" in str(found)


def test_impossible_input_is_refused():
    responses, groups = two_groups(np.random.default_rng(8), 50)
    for bad, error, match in (
        (np.repeat("one", 100), edmeasure.BadOption, "one group"),
        (groups[:50], edmeasure.BadShape, "groups"),
        (np.arange(100), edmeasure.BadShape, "0 items"),
    ):
        with pytest.raises(error, match=match):
            edmeasure.measurement_invariance(responses, bad)
    with pytest.raises(edmeasure.BadOption, match="no group"):
        edmeasure.measurement_invariance(responses, groups, reference="south")
    with pytest.raises(edmeasure.BadOption, match="probability"):
        edmeasure.measurement_invariance(responses, groups, level=0.0)
    with pytest.raises(edmeasure.BadOption, match="no weight"):
        edmeasure.measurement_invariance(responses, groups, weights=(groups == "east").astype(float))
