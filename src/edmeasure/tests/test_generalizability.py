import numpy as np
import pytest

import edmeasure
from edmeasure import Responses


def drawn(rng, shape, **components):
    """Scores of a p x i (x r) design with these variance components."""
    axes = "pir"[: len(shape)]
    scores = np.zeros(shape)
    for effect, variance in components.items():
        own = tuple(size if name in effect else 1 for name, size in zip(axes, shape, strict=True))
        scores = scores + np.sqrt(variance) * rng.standard_normal(own)
    return scores


def test_the_coefficient_of_one_facet_is_alpha():
    rng = np.random.default_rng(1)
    scores = (rng.normal(size=(200, 1)) + rng.normal(size=(200, 12)) > 0).astype(np.int8)
    found = edmeasure.variance_components(scores).decide()
    assert found.generalizability == pytest.approx(edmeasure.cronbach_alpha(Responses.from_array(scores)), abs=1e-12)
    assert found.dependability < found.generalizability


def test_a_worked_table():
    # persons differ by 1, items by 2, nothing else: all variance is explained
    scores = np.add.outer([0.0, 1.0, 2.0], [0.0, 2.0])
    found = edmeasure.variance_components(scores)
    np.testing.assert_allclose(found.components, [1.0, 2.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(found.df, [2, 1, 2])
    assert found.decide(n_i=4).absolute_error == pytest.approx(0.5)


def test_components_come_back_without_bias():
    rng = np.random.default_rng(2)
    truth = {"p": 0.5, "i": 0.3, "r": 0.1, "pi": 0.4, "pr": 0.05, "ir": 0.08, "pir": 0.6}
    many = [edmeasure.variance_components(drawn(rng, (40, 8, 3), **truth), design="p x i x r") for _ in range(400)]
    components = np.array([one.components for one in many])
    assert many[0].effects == tuple(truth)
    error = components.std(axis=0) / np.sqrt(400)
    assert (np.abs(components.mean(axis=0) - list(truth.values())) < 4 * error).all()
    stated = np.sqrt(np.mean([one.standard_errors**2 for one in many], axis=0))
    np.testing.assert_allclose(stated, components.std(axis=0), rtol=0.25)


def test_nested_designs_add_up_what_crossing_tells_apart():
    rng = np.random.default_rng(3)
    scores = drawn(rng, (30, 6, 4), p=1, i=0.5, r=0.2, pi=0.3, pr=0.1, ir=0.1, pir=0.5)
    crossed = edmeasure.variance_components(scores, design="p x i x r")
    nested = edmeasure.variance_components(scores, design="p x (r:i)")
    part = dict(zip(crossed.effects, crossed.components, strict=True))
    found = dict(zip(nested.effects, nested.components, strict=True))
    assert found["r:i"] == pytest.approx(part["r"] + part["ir"])
    assert found["pr:i"] == pytest.approx(part["pr"] + part["pir"])
    one = edmeasure.variance_components(scores[:, :, 0])
    own = edmeasure.variance_components(scores[:, :, 0], design="i:p")
    assert own.components[1] == pytest.approx(one.components[1:].sum())
    assert own.decide().relative_error == own.decide().absolute_error


def test_more_conditions_buy_the_variance_of_longer_tests():
    rng = np.random.default_rng(4)
    found = edmeasure.variance_components(drawn(rng, (300, 10, 2), p=0.5, i=0.3, pi=0.4, pr=0.1, pir=0.6), design="p x i x r")
    steps = [found.decide(n_i=n).generalizability for n in (5, 10, 20, 10_000)]
    assert steps == sorted(steps)
    assert steps[-1] == pytest.approx(found.of("p") / (found.of("p") + found.of("pr") / 2), abs=1e-3)
    fixed = found.decide(fixed_r=True)
    assert fixed.universe == pytest.approx(found.of("p") + found.of("pr") / 2)
    assert fixed.generalizability > found.decide().generalizability
    assert "p x i x r" in str(found)


@pytest.mark.parametrize(
    ("scores", "design", "error"),
    [
        (np.ones((3, 3)), "p x q", edmeasure.BadOption),
        (np.ones((3, 3)), "p x i x r", edmeasure.BadShape),
        (np.ones((3, 1)), "p x i", edmeasure.BadShape),
        (np.full((3, 3), np.nan), "p x i", edmeasure.BadScore),
        (np.ones((3, 3)), "p x i", edmeasure.BadScore),
    ],
)
def test_unbalanced_input_is_refused(scores, design, error):
    with pytest.raises(error):
        edmeasure.variance_components(scores, design=design)
