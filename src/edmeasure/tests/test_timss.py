"""The truth check: our own scores of TIMSS 2011 Austria against the official plausible values."""

import numpy as np
import pytest

import edmeasure

SEED = 2011
OFFICIAL_SHARE = 0.19


@pytest.fixture(scope="module")
def run(timss):
    """The recipe of docs/apps/edmeasure.md, word for word."""
    responses = edmeasure.Responses.from_array(timss.matrix(timss.items), item_ids=timss.items, weights=timss.columns["TOTWGT"])
    fit = edmeasure.calibrate(responses, standard_errors=False)
    components = edmeasure.conditioning_components(timss.matrix(timss.questions), weights=responses.weights)
    drawn = edmeasure.plausible_values(
        fit,
        responses,
        design=np.column_stack([components, timss.columns["female"]]),
        groups=timss.columns["IDSCHOOL"],
        rng=np.random.default_rng(SEED),
    )
    return fit, responses, drawn


def correlations(theta, official):
    return np.array([np.corrcoef(theta, values)[0, 1] for values in (official.mean(axis=0), *official)])


def test_eap_reaches_the_official_values(run, timss):
    fit, responses, _ = run
    found = correlations(edmeasure.score_eap(fit, responses).theta, timss.official("ASMMAT"))
    assert found[0] >= 0.92
    assert (found[1:] >= 0.865).all()


def test_conditioned_eap_comes_closer(run, timss):
    fit, responses, drawn = run
    official = timss.official("ASMMAT")
    conditioned = correlations(drawn.eap, official)
    assert (conditioned > correlations(edmeasure.score_eap(fit, responses).theta, official)).all()
    assert conditioned[0] >= 0.94


def test_share_of_variance_between_schools(run, timss):
    fit, responses, drawn = run
    schools = timss.columns["IDSCHOOL"]
    conditioned = edmeasure.variance_between(drawn.values, groups=schools)
    assert conditioned == pytest.approx(OFFICIAL_SHARE, abs=0.02)
    official = edmeasure.variance_between(timss.official("ASMMAT"), groups=schools)
    assert conditioned == pytest.approx(official, abs=0.02)
    unconditioned = edmeasure.plausible_values(fit, responses, rng=np.random.default_rng(SEED))
    assert edmeasure.variance_between(unconditioned.values, groups=schools) < 0.15


def test_own_city_mean_and_error_on_the_official_scale(run, timss):
    _, responses, drawn = run
    official = timss.official("ASMMAT")
    scale = edmeasure.scale_matching(drawn.values, reference=official, weights=responses.weights)
    own = edmeasure.mean(scale.points(drawn.values), **timss.replicate)
    assert own.value == pytest.approx(508.31, abs=0.01)
    assert own.standard_error == pytest.approx(edmeasure.mean(official, **timss.replicate).standard_error, rel=0.15)


def test_own_gap_between_girls_and_boys_is_the_official_one(run, timss):
    _, responses, drawn = run
    official, girls = timss.official("ASMMAT"), timss.columns["female"] == 1
    scale = edmeasure.scale_matching(drawn.values, reference=official, weights=responses.weights)
    own = edmeasure.group_difference(scale.points(drawn.values), is_first=girls, **timss.replicate)
    theirs = edmeasure.group_difference(official, is_first=girls, **timss.replicate)
    assert own.value == pytest.approx(theirs.value, abs=2 * theirs.standard_error)
