import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

import edmeasure
from edmeasure.profiles import _criteria
from edmeasure.profiles.rotation import METHODS

from .conftest import table

CRITERIA = {
    "varimax": _criteria.CrawfordFerguson(1 / 8),
    "parsimax": _criteria.CrawfordFerguson(2 / 9),
    "oblimin": _criteria.Oblimin(-0.5),
    "geomin": _criteria.Geomin(0.01),
    "bifactor": _criteria.Bifactor(),
    "target": _criteria.Target(np.zeros((8, 3)), np.arange(24).reshape(8, 3) % 2 == 0),
}


def options(method, shape):
    return (
        {"target": np.where(np.arange(shape[0])[:, None] % shape[1] == np.arange(shape[1]), np.nan, 0)}
        if method == "target"
        else {}
    )


def clusters(m, per_factor=4):
    """Perfectly simple loadings: every item on one factor, factors explaining unlike shares."""
    simple = np.zeros((m * per_factor, m))
    for at in range(m):
        simple[at * per_factor : (at + 1) * per_factor, at] = 0.85 - 0.1 * at
    return simple


@pytest.mark.parametrize("name", CRITERIA)
def test_gradients_are_those_of_differences(name):
    loadings = np.random.default_rng(1).uniform(-0.8, 0.8, (8, 3))
    criterion = CRITERIA[name]
    numeric = approx_fprime(loadings.ravel(), lambda flat: criterion(flat.reshape(8, 3))[0], 1e-7)
    np.testing.assert_allclose(criterion(loadings)[1].ravel(), numeric, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), m=st.integers(1, 4))
def test_rotation_moves_axes_only(method, seed, m):
    if m == 1 and method in ("bifactor", "target"):
        return
    loadings = np.random.default_rng(seed).uniform(-0.7, 0.7, (9, m))
    found = edmeasure.rotate(loadings, method=method, **options(method, loadings.shape))
    phi = found.factor_correlations
    np.testing.assert_allclose(found.loadings @ phi @ found.loadings.T, loadings @ loadings.T, atol=1e-8)
    np.testing.assert_allclose(np.diag(phi), 1, atol=1e-12)
    np.testing.assert_allclose(found.loadings, loadings @ np.linalg.inv(found.turn).T, atol=1e-10)
    if method in ("varimax", "quartimax", "equamax", "parsimax", "bifactor"):
        np.testing.assert_allclose(phi, np.eye(m), atol=1e-10)


@pytest.mark.parametrize("method", ["varimax", "quartimax", "equamax", "oblimin", "promax", "geomin"])
def test_simple_structure_comes_back_from_any_position(method):
    simple = clusters(4)
    turned = simple @ np.linalg.qr(np.random.default_rng(2).standard_normal((4, 4)))[0]
    found = edmeasure.rotate(turned, method=method, rng=np.random.default_rng(3))
    np.testing.assert_allclose(found.loadings, simple, atol=1e-5)
    assert found.converged


def test_correlated_factors_come_back():
    simple, phi = clusters(3), np.array([[1, 0.4, 0.2], [0.4, 1, 0.3], [0.2, 0.3, 1]])
    unrotated = simple @ np.linalg.cholesky(phi)
    for method, extra in (
        ("oblimin", {}),
        ("geomin", {"epsilon": 1e-4, "n_starts": 8}),
        ("target", {"target": np.where(simple > 0, np.nan, 0)}),
    ):
        found = edmeasure.rotate(unrotated, method=method, rng=np.random.default_rng(4), **extra)
        np.testing.assert_allclose(found.loadings, simple, atol=2e-3)
        np.testing.assert_allclose(found.factor_correlations, phi, atol=2e-3)


def test_axes_on_a_ridge_are_left():
    balanced = np.kron(np.eye(2), np.ones((3, 1))) @ np.array([[0.5, 0.5], [0.5, -0.5]])
    for method in ("quartimax", "varimax", "oblimin", "geomin"):
        found = edmeasure.rotate(balanced, method=method)
        np.testing.assert_allclose(found.loadings, np.kron(np.eye(2), np.full((3, 1), np.sqrt(0.5))), atol=1e-5)


def test_a_general_factor_is_found_beside_groups():
    bifactor = np.concatenate([np.linspace(0.75, 0.45, 12)[:, None], 0.9 * clusters(3) / 2], axis=1)
    turned = bifactor @ np.linalg.qr(np.random.default_rng(5).standard_normal((4, 4)))[0]
    found = edmeasure.rotate(turned, method="bifactor", rng=np.random.default_rng(6))
    np.testing.assert_allclose(found.loadings, bifactor, atol=1e-4)


def test_varimax_with_kaisers_weights_leaves_the_peers_loadings_where_they_are():
    peer = table("psychR_bfi_varimax.csv")[:, 1:]
    np.testing.assert_allclose(np.abs(edmeasure.rotate(peer, method="varimax").loadings), np.abs(peer), atol=2e-3)


def test_where_starts_disagree_the_best_counts():
    # random loadings have no simple structure: geomin then has many ends
    loadings = np.random.default_rng(3).uniform(-0.8, 0.8, (12, 4))
    alone = edmeasure.rotate(loadings, method="geomin")
    many = edmeasure.rotate(loadings, method="geomin", n_starts=16, rng=np.random.default_rng(8))
    again = edmeasure.rotate(loadings, method="geomin", n_starts=16, rng=np.random.default_rng(8))
    assert many.criterion < alone.criterion - 1e-3
    assert 1 <= many.n_agreeing < many.n_starts == 16
    np.testing.assert_array_equal(many.loadings, again.loadings)


@pytest.mark.parametrize("method", [one for one in METHODS if one not in ("promax", "target")])
def test_columns_that_depend_on_each_other_do_no_harm(method):
    found = edmeasure.rotate(np.outer(np.linspace(0.3, 0.9, 6), [1.0, 0.5]), method=method)
    assert np.isfinite(found.loadings).all()


def test_promax_names_a_factor_without_loadings():
    with pytest.raises(edmeasure.BadOption, match="without loadings"):
        edmeasure.rotate(np.outer(np.linspace(0.3, 0.9, 6), [1.0, 0.5]), method="promax")


@pytest.mark.parametrize(
    ("loadings", "extra", "error"),
    [
        ([1.0, 2.0], {}, edmeasure.BadShape),
        (np.ones((2, 3)), {}, edmeasure.BadShape),
        (np.empty((0, 0)), {}, edmeasure.BadShape),
        ([[0.5, np.nan], [0.2, 0.1]], {}, edmeasure.BadOption),
        (np.eye(3), {"method": "tilt"}, edmeasure.BadOption),
        (np.eye(3), {"gamma": 0.5}, edmeasure.BadOption),
        (np.eye(3), {"n_starts": 0}, edmeasure.BadOption),
        (np.eye(3), {"method": "geomin", "epsilon": 0.0}, edmeasure.BadOption),
        (np.eye(3), {"method": "target"}, edmeasure.BadShape),
        (np.eye(3), {"method": "target", "target": np.full((3, 3), np.nan)}, edmeasure.BadOption),
    ],
)
def test_impossible_input_is_refused(loadings, extra, error):
    with pytest.raises(error):
        edmeasure.rotate(loadings, **extra)
