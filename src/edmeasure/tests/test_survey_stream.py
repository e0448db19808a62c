"""Means from batches equal those of everybody at once."""

import numpy as np
import pytest

import edmeasure
from edmeasure import SampleDesign, SurveyBatch


@pytest.fixture(scope="module")
def persons():
    rng = np.random.default_rng(1)
    weights = rng.uniform(0.5, 2, 3000)
    replicates = weights[:, None] * rng.choice([0.5, 1.5], (3000, 20))
    return rng.normal(500, 100, (3, 3000)), weights, replicates, rng.choice(["east", "west", "north"], 3000)


def batches(persons, size, with_groups=True):
    values, weights, replicates, groups = persons
    for first in range(0, 3000, size):
        rows = slice(first, first + size)
        yield SurveyBatch(values[:, rows], weights[rows], replicates[rows], groups[rows] if with_groups else None)


@pytest.mark.parametrize("size", [1, 700, 3000])
def test_batches_give_what_everybody_gives(persons, size):
    values, weights, replicates, groups = persons
    design = SampleDesign.replicates(weights, replicates, method="fay")
    whole = edmeasure.estimate_groups(values, groups=groups, design=design)
    found = edmeasure.stream_means(batches(persons, size), method="fay")
    assert found.labels.tolist() == ["east", "north", "west"]
    np.testing.assert_allclose(found.value, whole.value)
    np.testing.assert_allclose(found.standard_error, whole.standard_error, rtol=1e-8)
    np.testing.assert_array_equal(found.n, whole.n)
    alone = edmeasure.stream_means(batches(persons, size, with_groups=False), method="fay", practice="first")
    assert alone.of(0).standard_error == pytest.approx(edmeasure.mean(values, design=design, practice="first").standard_error)


def test_bad_batches_are_refused(persons):
    values, weights, replicates, _ = persons
    with pytest.raises(edmeasure.BadShape, match="no batches"):
        edmeasure.stream_means([], method="brr")
    good = SurveyBatch(values, weights, replicates)
    with pytest.raises(edmeasure.BadShape, match="Batch 1 has 3 value sets and 9 replicates"):
        edmeasure.stream_means([good, SurveyBatch(values, weights, replicates[:, :9])], method="brr")
    with pytest.raises(edmeasure.BadShape, match="batch 0 have shape"):
        edmeasure.stream_means([SurveyBatch(values, weights, replicates[:5])], method="brr")
    with pytest.raises(edmeasure.BadWeight, match="batch 1"):
        edmeasure.stream_means([good, SurveyBatch(values, -weights, replicates)], method="brr")
    with pytest.raises(edmeasure.BadWeight, match="zero"):
        edmeasure.stream_means([SurveyBatch(values, 0 * weights, 0 * replicates)], method="brr")
    with pytest.raises(edmeasure.BadOption, match="scale of their own"):
        edmeasure.stream_means([good], method="jkn")
