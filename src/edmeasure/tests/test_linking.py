from dataclasses import replace

import numpy as np
import pytest

import edmeasure
from edmeasure.linking.links import METHODS

from .conftest import simulated

A, B = 1.3, -0.4


def described(like, slopes, intercepts, names=None):
    """A fit with these parameters; ``intercepts`` holds d_0..d_K, NaN beyond an item's maximum."""
    slopes, intercepts = np.asarray(slopes, float), np.asarray(intercepts, float)
    n = slopes.size
    return replace(
        like,
        item_ids=tuple(names or (f"Q{j}" for j in range(n))),
        max_scores=(np.isfinite(intercepts).sum(axis=1) - 1).astype(np.int8),
        slopes=slopes,
        intercepts=intercepts,
        slope_se=np.full(n, 0.05),
        intercept_se=np.full(intercepts.shape, 0.05),
        excluded=(),
        unused_categories=(),
        models=("GPCM",) * n,
        lower=np.zeros(n),
        upper=np.ones(n),
        category_scores=np.tile(np.arange(float(intercepts.shape[1])), (n, 1)),
        category_slope_se=np.full(intercepts.shape, 0.05) * np.arange(intercepts.shape[1]),
    )


@pytest.fixture(scope="module")
def mixed(lsat7_fit):
    """Fifteen right/wrong and five partial credit items."""
    rng = np.random.default_rng(4)
    intercepts = np.full((20, 4), np.nan)
    intercepts[:, 0] = 0.0
    intercepts[:, 1] = rng.normal(0, 1.2, 20)
    intercepts[15:, 2:] = intercepts[15:, 1:2] + np.array([-0.5, -1.8])
    return described(lsat7_fit, rng.uniform(0.6, 1.8, 20), intercepts)


def seen_from(fit, slope, intercept):
    """The same items on a scale where theta* = slope theta + intercept."""
    return replace(fit, slopes=fit.slopes / slope, intercepts=fit.intercepts - fit.category_slopes / slope * intercept)


@pytest.mark.parametrize("method", METHODS)
def test_known_constants_come_back(mixed, method):
    found = edmeasure.link(mixed, onto=seen_from(mixed, A, B), method=method)
    assert (found.slope, found.intercept) == pytest.approx((A, B), abs=1e-7)
    assert max(found.slope_se, found.intercept_se) < 1e-6


@pytest.mark.parametrize("method", METHODS)
def test_linking_back_is_the_inverse(mixed, method):
    rng = np.random.default_rng(5)
    other = seen_from(mixed, A, B)
    other = replace(other, slopes=other.slopes * rng.lognormal(0, 0.1, 20), intercepts=other.intercepts * 1.1)
    forth = edmeasure.link(mixed, onto=other, method=method)
    back = edmeasure.link(other, onto=mixed, method=method)
    assert back.slope == pytest.approx(1 / forth.slope, abs=1e-6)
    assert back.intercept == pytest.approx(-forth.intercept / forth.slope, abs=1e-6)


def test_a_linked_fit_gives_every_answer_the_same_probability(mixed):
    found = edmeasure.link(mixed, onto=seen_from(mixed, A, B))
    moved = found.apply(mixed)
    np.testing.assert_allclose(moved.slopes, mixed.slopes / A)
    np.testing.assert_allclose(moved.difficulties, A * mixed.difficulties + B, atol=1e-6)
    np.testing.assert_allclose(moved.nodes, -moved.nodes[::-1], atol=1e-12)
    population_mean = moved.nodes @ moved.node_weights
    assert population_mean == pytest.approx(B, abs=1e-4)
    assert np.sqrt(moved.node_weights @ (moved.nodes - population_mean) ** 2) == pytest.approx(A, abs=1e-2)


def test_every_model_is_linked():
    rng = np.random.default_rng(11)
    intercepts = [[d] for d in rng.normal(0, 1, 8)] + [[0.8, 0.2]] * 4
    scores = simulated(rng, n=3000, slopes=rng.uniform(0.8, 1.6, 12), intercepts=intercepts)
    ids = [f"Q{j}" for j in range(12)]
    models = {**dict.fromkeys(ids[:3], "3PL"), **dict.fromkeys(ids[8:10], "GRM"), "Q10": "NRM"}
    responses = edmeasure.Responses.from_array(scores, item_ids=ids)
    fit = edmeasure.calibrate(responses, models=models)
    other = seen_from(fit, A, B)
    for method in METHODS:
        found = edmeasure.link(fit, onto=other, method=method)
        assert (found.slope, found.intercept) == pytest.approx((A, B), abs=1e-6)
    moved = found.apply(fit)
    np.testing.assert_allclose(moved.intercepts, other.intercepts, atol=1e-6)
    np.testing.assert_allclose(moved.thresholds, A * fit.thresholds + B, atol=1e-5)
    assert (moved.group_means[0], moved.group_sds[0]) == pytest.approx((B, A), abs=1e-6)
    linked = edmeasure.score_eap(moved, responses, prior_mean=found.intercept, prior_sd=found.slope)
    np.testing.assert_allclose(linked.theta, found.thetas(edmeasure.score_eap(fit, responses).theta), atol=1e-4)


def test_scores_follow_the_link(lsat7, lsat7_fit):
    other = seen_from(lsat7_fit, A, B)
    found = edmeasure.link(lsat7_fit, onto=other)
    own = edmeasure.score_eap(lsat7_fit, lsat7)
    linked = edmeasure.score_eap(found.apply(lsat7_fit), lsat7, prior_mean=found.intercept, prior_sd=found.slope)
    np.testing.assert_allclose(linked.theta, found.thetas(own.theta), atol=1e-5)


def test_two_calibrations_of_groups_that_differ(lsat7_fit):
    rng = np.random.default_rng(6)
    slopes, intercepts = rng.uniform(0.8, 1.6, 20), rng.normal(0, 1, 20)
    base = simulated(rng, n=4000, slopes=slopes, intercepts=intercepts)
    able = simulated(rng, n=4000, slopes=slopes, intercepts=intercepts, theta=0.5 + 1.2 * rng.standard_normal(4000))
    first = edmeasure.calibrate(edmeasure.Responses.from_array(base))
    second = edmeasure.calibrate(edmeasure.Responses.from_array(able))
    for method in METHODS:
        found = edmeasure.link(second, onto=first, method=method)
        assert found.slope == pytest.approx(1.2, abs=0.1)
        assert found.intercept == pytest.approx(0.5, abs=0.08)
    drawn = edmeasure.link(second, onto=first, method="mean-sigma", n_bootstrap=300, rng=np.random.default_rng(1))
    cut = edmeasure.link(second, onto=first, method="mean-sigma")
    np.testing.assert_allclose(np.diag(drawn.covariance), np.diag(cut.covariance), rtol=0.6)
    assert edmeasure.drifting_items(second, onto=first).drifted == ()


def test_linking_errors_cover_the_truth(lsat7_fit):
    rng = np.random.default_rng(7)
    inside = 0
    for _ in range(200):
        slopes, difficulty = rng.uniform(0.8, 1.6, 25), rng.normal(0, 1, 25)
        own = described(lsat7_fit, slopes, np.stack([np.zeros(25), -slopes * difficulty], axis=1))
        moved = A * difficulty + B + rng.normal(0, 0.2, 25)
        other = described(lsat7_fit, slopes / A, np.stack([np.zeros(25), -slopes / A * moved], axis=1))
        found = edmeasure.link(own, onto=other, method="mean-sigma")
        inside += abs(found.intercept - B) < 1.96 * found.intercept_se
    assert 0.88 <= inside / 200 <= 0.99


def test_categories_that_nobody_chose_say_nothing(mixed):
    empty = mixed.intercepts.copy()
    empty[16, 2] = -50.0
    own = replace(mixed, intercepts=empty, unused_categories=(("Q16", 2),))
    for method in METHODS[2:]:
        found = edmeasure.link(own, onto=seen_from(mixed, A, B), method=method)
        assert (found.slope, found.intercept) == pytest.approx((A, B), abs=1e-7)
    assert edmeasure.drifting_items(own, onto=seen_from(mixed, A, B), method="mean-sigma").drifted == ()


def test_testlets_are_left_out_together(mixed):
    other = seen_from(mixed, A, B)
    other = replace(other, intercepts=other.intercepts + np.where(np.arange(20) < 10, 0.2, -0.2)[:, None] * np.arange(4))
    alone = edmeasure.link(mixed, onto=other, method="mean-mean")
    together = edmeasure.link(mixed, onto=other, method="mean-mean", units=np.arange(20) // 5)
    assert together.intercept == alone.intercept
    assert together.intercept_se > 1.3 * alone.intercept_se


def test_drifted_items_are_named_and_left_out(mixed):
    other = seen_from(mixed, A, B)
    steps = np.arange(4)
    moved = other.intercepts.copy()
    moved[3] += 0.8 * other.slopes[3] * steps
    moved[17] -= 0.6 * other.slopes[17] * steps
    slopes = other.slopes.copy()
    slopes[8] *= 2
    other = replace(other, intercepts=moved, slopes=slopes)
    report = edmeasure.drifting_items(mixed, onto=other)
    assert set(report.drifted) == {"Q3", "Q17", "Q8"}
    assert (report.link.slope, report.link.intercept) == pytest.approx((A, B), abs=1e-6)
    assert report.shift[3] == pytest.approx(-0.8, abs=1e-6)
    assert report.slope_ratio[8] == pytest.approx(2, abs=1e-6)
    assert "Q3: shift -0.80" in str(report)


def test_movement_that_does_not_matter_is_no_drift(mixed):
    other = seen_from(mixed, A, B)
    moved = other.intercepts.copy()
    moved[3] += 0.1 * other.slopes[3] * np.arange(4)
    assert edmeasure.drifting_items(mixed, onto=replace(other, intercepts=moved)).drifted == ()


def test_a_form_of_which_half_has_drifted_is_refused(mixed):
    moved = mixed.intercepts.copy()
    moved[::2] += (np.linspace(1, 4, 10) * mixed.slopes[::2])[:, None] * np.arange(4)
    with pytest.raises(edmeasure.BadOption, match="have drifted"):
        edmeasure.drifting_items(mixed, onto=replace(mixed, intercepts=moved), threshold=1.0)


def test_a_chain_is_the_composition_and_gathers_errors():
    covariance = np.array([[4e-4, 1e-4], [1e-4, 9e-4]])
    first = edmeasure.Link(1.1, 0.2, covariance, "haebara", ("a", "b"))
    second = edmeasure.Link(0.9, -0.1, covariance, "haebara", ("b", "c"))
    whole = edmeasure.chain_links([first, second])
    theta = np.array([-1.0, 0.0, 2.0])
    np.testing.assert_allclose(whole.thetas(theta), second.thetas(first.thetas(theta)))
    assert whole.item_ids == ("a", "b", "c")
    rng = np.random.default_rng(8)
    draws = rng.multivariate_normal([0, 0], covariance, (2, 200_000))
    sampled = (0.9 + draws[1, :, 0]) * ((1.1 + draws[0, :, 0]) * 2.0 + 0.2 + draws[0, :, 1]) - 0.1 + draws[1, :, 1]
    assert whole.errors(2.0) == pytest.approx(sampled.std(), rel=0.01)


def test_a_vertical_scale_recovers_the_grades():
    rng = np.random.default_rng(12)
    difficulty = np.linspace(-1.5, 2.5, 50)
    fits = []
    for grade in range(4):
        items = slice(10 * grade, 10 * grade + 20)  # ten items in common with the next grade
        scores = simulated(
            rng, n=3000, slopes=np.ones(20), intercepts=-difficulty[items, None], theta=rng.normal(0.6 * grade, 1, 3000)
        )
        names = [f"Q{j}" for j in range(50)][items]
        fits.append(edmeasure.calibrate(edmeasure.Responses.from_array(scores, item_ids=names), standard_errors=False))
    links = edmeasure.vertical_links(fits, base=1)
    np.testing.assert_allclose([one.intercept for one in links], [-0.6, 0.0, 0.6, 1.2], atol=0.15)
    np.testing.assert_allclose([one.slope for one in links], 1.0, atol=0.15)
    assert links[1].errors(0.0) == 0
    assert 0 < links[2].errors(0.0) < links[3].errors(0.0)
    on_base = [one.apply(fit) for one, fit in zip(links, fits, strict=True)]
    np.testing.assert_allclose(on_base[2].difficulties[:10], on_base[1].difficulties[10:], atol=0.4)
    with pytest.raises(edmeasure.BadOption, match="base"):
        edmeasure.vertical_links(fits, base=4)


def test_a_trend_carries_the_error_of_its_link():
    earlier = edmeasure.Estimate(0.1, 0.03, 0.0, 0.0, 1000, 1000.0)
    later = edmeasure.Estimate(0.2, 0.04, 0.0, 0.0, 1000, 1000.0)
    link = edmeasure.Link(1.1, 0.05, np.diag([0.0004, 0.0009]), "haebara", ("a",))
    found = edmeasure.trend(earlier, later, link=link, scale=edmeasure.ReportingScale(100, 500))
    assert found.change == pytest.approx(100 * (0.22 + 0.05 - 0.1))
    assert found.linking_error == pytest.approx(100 * np.sqrt(0.0004 * 0.04 + 0.0009))
    assert found.standard_error == pytest.approx(100 * np.sqrt(0.044**2 + 0.03**2 + 0.0004 * 0.04 + 0.0009))
    assert found.interval[0] < found.change < found.interval[1]


def test_impossible_links_are_refused(mixed, lsat7_fit):
    with pytest.raises(edmeasure.BadShape, match="share 0 items"):
        edmeasure.link(mixed, onto=lsat7_fit)
    with pytest.raises(edmeasure.BadShape, match="not in both"):
        edmeasure.link(mixed, onto=mixed, items=["Q1", "Q2", "Z"])
    with pytest.raises(edmeasure.BadOption, match="method"):
        edmeasure.link(mixed, onto=mixed, method="eye")
    with pytest.raises(edmeasure.BadOption, match="random"):
        edmeasure.link(mixed, onto=mixed, n_bootstrap=10)
    with pytest.raises(edmeasure.BadShape, match="two maximum scores"):
        edmeasure.link(mixed, onto=replace(mixed, max_scores=mixed.max_scores + np.int8(1)))
    with pytest.raises(edmeasure.BadShape, match="empty"):
        edmeasure.chain_links([])
