import numpy as np
import pytest

import edmeasure
from edmeasure.equating.forms import ANCHOR_METHODS, METHODS

from .conftest import table

BOUND_3_DECIMALS = 5e-4


def peer(name: str) -> np.ndarray:
    """Columns score, equivalent and errors of R equate."""
    return table(f"equateR_{name}.csv")


@pytest.fixture(scope="module")
def act():
    """Counts of ACT mathematics, two randomly equivalent groups."""
    columns = table("equate_ACTmath.csv")
    return columns[:, 1], columns[:, 2]


@pytest.fixture(scope="module")
def neat():
    """Kolen & Brennan's two groups: 36 items, of which 12 are the anchor."""
    return tuple(
        edmeasure.score_counts(people[:, 0], anchor=people[:, 1], max_score=36, max_anchor=12)
        for people in (table("equate_KBneat_x.csv.gz"), table("equate_KBneat_y.csv.gz"))
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ACT_mean", {"method": "mean"}),
        ("ACT_linear", {"method": "linear"}),
        ("ACT_circle", {"method": "circle-arc"}),
        ("ACT_equip_unsmoothed", {"method": "equipercentile"}),
        ("ACT_equip_loglin6", {"method": "equipercentile", "degree": 6}),
    ],
)
def test_random_groups_agree_with_the_peer(act, name, options):
    found = edmeasure.equate(*act, **options)
    expected = peer(name)
    np.testing.assert_allclose(found.equivalents, expected[:, 1], atol=2e-6)
    if expected.shape[1] > 2:
        np.testing.assert_allclose(found.standard_errors, expected[:, 2], atol=BOUND_3_DECIMALS)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("KB_lin_tucker", "tucker"),
        ("KB_lin_levine", "levine"),
        ("KB_lin_chained", "chained-linear"),
        ("KB_lin_braunholland", "braun-holland"),
        ("KB_equip_frequency", "frequency-estimation"),
        ("KB_equip_chained", "chained-equipercentile"),
    ],
)
def test_groups_with_an_anchor_agree_with_the_peer(neat, name, method):
    found = edmeasure.equate_with_anchor(*neat, method=method)
    expected = peer(name)
    np.testing.assert_allclose(found.equivalents, expected[:, 1], atol=1e-6)
    if expected.shape[1] > 3:
        np.testing.assert_allclose(found.standard_errors, expected[:, 3], atol=BOUND_3_DECIMALS)


def test_the_textbook_lines_of_tucker_and_levine(neat):
    for method, intercept, slope in (("tucker", 0.5368, 1.0289), ("levine", 0.2513, 1.0112)):
        found = edmeasure.equate_with_anchor(*neat, method=method).equivalents
        assert found[0] == pytest.approx(intercept, abs=1e-4)
        assert found[1] - found[0] == pytest.approx(slope, abs=1e-4)


def test_bootstrap_errors_are_those_of_the_peer_and_of_the_formulas(act):
    for options in ({"method": "equipercentile"}, {"method": "kernel", "degree": 4}, {"method": "linear"}):
        drawn = edmeasure.equate(*act, **options, n_bootstrap=200, rng=np.random.default_rng(2)).standard_errors
        formula = edmeasure.equate(*act, **options).standard_errors
        middle = slice(5, 38)
        assert np.median(drawn[middle] / formula[middle]) == pytest.approx(1, abs=0.06)
        np.testing.assert_allclose(drawn[middle], formula[middle], rtol=0.35)
    unsmoothed = edmeasure.equate(*act, n_bootstrap=200, rng=np.random.default_rng(2)).standard_errors
    assert np.median(unsmoothed[5:38] / peer("ACT_equip_bootSE200")[5:38, 1]) == pytest.approx(1, abs=0.06)


def test_a_wide_kernel_is_the_linear_method(act):
    wide = edmeasure.equate(*act, method="kernel", bandwidth=500.0)
    linear = edmeasure.equate(*act, method="linear")
    np.testing.assert_allclose(wide.equivalents, linear.equivalents, atol=2e-3)
    np.testing.assert_allclose(wide.standard_errors, linear.standard_errors, atol=1e-3)


def test_kernel_and_equipercentile_of_a_smooth_distribution_agree(act):
    curved = edmeasure.equate(*act, method="kernel", degree=6).equivalents
    np.testing.assert_allclose(curved[3:], edmeasure.equate(*act, degree=6).equivalents[3:], atol=0.12)


@pytest.mark.parametrize("method", METHODS)
def test_a_form_equated_to_itself_stays(act, method):
    found = edmeasure.equate(act[0], act[0], method=method)
    seen = act[0].cumsum() > 0  # below the lowest score that occurs there is nothing to compare
    np.testing.assert_allclose(found.equivalents[seen], np.arange(41)[seen], atol=1e-8)


@pytest.mark.parametrize("method", ANCHOR_METHODS)
def test_groups_with_an_anchor_and_the_same_form_keep_their_scores(neat, method):
    found = edmeasure.equate_with_anchor(neat[0], neat[0], method=method)
    np.testing.assert_allclose(found.equivalents[2:], np.arange(37)[2:], atol=1e-8)


@pytest.mark.parametrize("method", ["mean", "linear", "kernel"])
def test_equating_is_symmetric(act, method):
    forth, back = edmeasure.equate(*act, method=method, degree=6), edmeasure.equate(*act[::-1], method=method, degree=6)
    scores = np.arange(5.0, 36.0)
    tolerance = 0.02 if method == "kernel" else 1e-8  # between whole scores `convert` interpolates
    np.testing.assert_allclose(back.convert(forth.convert(scores)), scores, atol=tolerance)


def test_equating_removes_a_known_difference_of_groups():
    rng = np.random.default_rng(9)
    items = rng.normal(0, 1, (3, 20))  # own of X, own of Y (harder), anchor
    items[1] += 0.5

    def counts(theta, own):
        right = rng.random((theta.size, 40)) < 1 / (1 + np.exp(np.concatenate([items[own], items[2]]) - theta[:, None]))
        anchor = right[:, 20:].sum(axis=1)
        return edmeasure.score_counts(right[:, :20].sum(axis=1) + anchor, anchor=anchor, max_score=40, max_anchor=20)

    x, y = counts(rng.normal(0.0, 1, 20_000), 0), counts(rng.normal(0.4, 1, 20_000), 1)
    truth = edmeasure.equate(x.sum(axis=1), counts(rng.normal(0.0, 1, 20_000), 1).sum(axis=1), degree=6).equivalents
    naive = edmeasure.equate(x.sum(axis=1), y.sum(axis=1), degree=6).equivalents
    middle = slice(8, 36)
    assert np.abs(naive - truth)[middle].max() > 1.5
    for method in ("frequency-estimation", "chained-equipercentile"):
        for continuous in ("uniform", "kernel"):
            found = edmeasure.equate_with_anchor(x, y, method=method, degree=4, continuous=continuous).equivalents
            assert np.abs(found - truth)[middle].max() < 0.6
    assert np.abs(edmeasure.equate_with_anchor(x, y, method="levine").equivalents - truth)[10:34].max() < 0.6


def test_smoothing_keeps_the_moments_and_its_errors_hold(act):
    scores = np.arange(41)
    model = edmeasure.smooth_counts(act[0], degree=4)
    observed = act[0] / act[0].sum()
    for power in range(5):
        assert model.probabilities @ scores**power == pytest.approx(observed @ scores**power, rel=1e-9)
    rng = np.random.default_rng(3)
    drawn = [edmeasure.smooth_counts(rng.multinomial(4329, model.probabilities), degree=4).probabilities for _ in range(300)]
    expected = np.sqrt((model.root**2).sum(axis=1))
    np.testing.assert_allclose(np.std(drawn, axis=0), expected, rtol=0.25)
    assert 3 <= edmeasure.smoothing_degree(act[0]) <= 6


def test_joint_smoothing_keeps_cross_moments_and_impossible_cells(neat):
    model = edmeasure.smooth_counts(neat[0], degree=4, internal_anchor=True)
    total, anchor = np.indices(neat[0].shape)
    observed = neat[0] / neat[0].sum()
    assert np.sum(model.probabilities * total * anchor) == pytest.approx(np.sum(observed * total * anchor), rel=1e-9)
    assert model.probabilities[total < anchor].sum() == 0
    smoothed = edmeasure.equate_with_anchor(*neat, degree=4)
    np.testing.assert_allclose(smoothed.equivalents[4:], peer("KB_equip_frequency")[4:, 1], atol=0.6)
    drawn = edmeasure.equate_with_anchor(*neat, degree=4, n_bootstrap=20, rng=np.random.default_rng(1))
    assert (drawn.standard_errors > 0).all()


def test_weights_count_as_repetition():
    total, anchor, weights = np.array([0, 2, 2, 3]), np.array([0, 1, 1, 2]), np.array([1, 2, 1, 3])
    weighted = edmeasure.score_counts(total, anchor=anchor, weights=weights)
    np.testing.assert_array_equal(weighted, edmeasure.score_counts(np.repeat(total, weights), anchor=np.repeat(anchor, weights)))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda c: edmeasure.equate(c, c, method="magic"), edmeasure.BadOption),
        (lambda c: edmeasure.equate(c, c, degree=50), edmeasure.BadOption),
        (lambda c: edmeasure.equate(c, c, n_bootstrap=5), edmeasure.BadOption),
        (lambda c: edmeasure.equate(-c, c), edmeasure.BadScore),
        (lambda c: edmeasure.equate(c * np.nan, c), edmeasure.BadScore),
        (lambda c: edmeasure.equate(c[:, None], c), edmeasure.BadShape),
        (lambda c: edmeasure.equate_with_anchor(c, c), edmeasure.BadShape),
        (lambda c: edmeasure.equate_with_anchor(np.outer(c[2:7], [1, 1, 0]), np.outer(c[2:7], [0, 1, 1])), edmeasure.BadOption),
        (lambda c: edmeasure.equate_with_anchor(np.outer(np.ones(5), [0, 0, 1]), np.eye(5, 3)), edmeasure.BadShape),
        (lambda c: edmeasure.equate(c, c).convert([41]), edmeasure.BadOption),
        (lambda c: edmeasure.score_counts([0.5, 1]), edmeasure.BadScore),
        (lambda c: edmeasure.score_counts([3, 1], max_score=2), edmeasure.BadScore),
        (lambda c: edmeasure.score_counts([3, 1], anchor=[1]), edmeasure.BadShape),
    ],
)
def test_impossible_input_is_refused(act, call, error):
    with pytest.raises(error):
        call(act[0])
