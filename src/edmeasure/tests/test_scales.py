import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edmeasure


def test_population_gets_the_declared_mean_and_deviation():
    rng = np.random.default_rng(0)
    values, weights = rng.normal(0.3, 1.2, (5, 400)), rng.uniform(1, 3, 400)
    scale = edmeasure.scale_with(values, mean=500, sd=100, weights=weights)
    points = scale.points(values)
    assert np.mean(points @ weights) / weights.sum() == pytest.approx(500)
    spread = np.mean([np.average((y - np.average(y, weights=weights)) ** 2, weights=weights) for y in points])
    assert np.sqrt(spread) == pytest.approx(100)


@given(st.floats(-4, 4), st.floats(0.1, 50), st.floats(-500, 500))
def test_points_and_thetas_are_inverse(theta, slope, intercept):
    scale = edmeasure.ReportingScale(slope, intercept)
    assert float(scale.thetas(scale.points(theta))) == pytest.approx(theta, abs=1e-9 * (1 + abs(intercept) / slope))


def test_matching_a_reference_takes_its_mean_and_deviation():
    rng = np.random.default_rng(1)
    own, reference = rng.normal(size=(5, 300)), rng.normal(510, 62, (5, 300))
    scale = edmeasure.scale_matching(own, reference=reference)
    assert edmeasure.mean(scale.points(own)).value == pytest.approx(reference.mean())
    assert edmeasure.standard_deviation(scale.points(own)).value == pytest.approx(
        edmeasure.standard_deviation(reference).value, rel=1e-3
    )
    assert scale.errors(0.5) == pytest.approx(0.5 * scale.slope)
    assert "theta" in str(scale)


def test_values_without_variance_are_refused():
    with pytest.raises(edmeasure.BadOption, match="do not vary"):
        edmeasure.scale_with(np.ones(10))
