"""Group figures: equal to edmeasure's, and sums that agree from class to city."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edmeasure
from shuren.evaluation.data import Cut, Declaration, Level, Scale
from shuren.evaluation.rules.bodies import unit_bodies
from shuren.evaluation.rules.figures import PERCENTILES, level_figures
from shuren.evaluation.rules.measuring import Answers, ItemInfo, ItemParameters, Line, domains_of, linked_line, measure, spread
from shuren.evaluation.rules.profiles import expected_share, profiles
from shuren.evaluation.rules.units import climb, sums, unit_tree

CUTS = (400.0, 475.0, 550.0, 625.0)


def simulated(n: int = 600, seed: int = 1, *, zones: bool = False, items: int = 18) -> Answers:
    """Pupils in 24 classes, 12 schools, 4 districts; items of two kinds in three domains."""
    rng = np.random.default_rng(seed)
    classes = np.sort(rng.integers(0, 24, n))
    schools, districts = classes // 2, classes // 6
    theta = rng.normal(size=n) * 0.85 + rng.normal(size=12)[schools] * 0.5
    slopes, difficulties = rng.lognormal(0, 0.25, items), rng.normal(size=items)
    highest = np.where(np.arange(items) % 6 == 5, 2, 1)
    chance = 1 / (1 + np.exp(-slopes * (theta[:, None] - difficulties)))
    scores = (rng.random((n, items)) < chance).astype(np.int8)
    scores += ((rng.random((n, items)) < chance) & (scores > 0) & (highest > 1)).astype(np.int8)
    scores[rng.random((n, items)) < 0.1] = -1
    scores[rng.random((n, items)) < 0.02] = -2
    info = tuple(ItemInfo(f"I{at}", f"题{at}", "数形统"[at % 3], "知用"[at % 2], (), int(highest[at])) for at in range(items))
    return Answers(
        person_ids=np.arange(1, n + 1),
        class_ids=classes + 1000,
        school_ids=schools + 100,
        district_ids=districts + 10,
        scores=scores,
        items=info,
        weights=rng.uniform(0.5, 3, n),
        zones=(schools // 2 + 1).astype(np.int64) if zones else None,
        reps=(schools % 2).astype(np.int64) if zones else None,
        context={"female": (rng.random(n) < 0.5).astype(float)},
        reference={},
    )


def declared(**options: object) -> Declaration:
    values: dict[str, object] = {
        "title": "t",
        "programme": "p",
        "assessment_ids": (1,),
        "org_id": 1,
        "snapshots": {},
        "models": {},
        "scale": Scale(cuts=tuple(Cut(cut) for cut in CUTS)),
        "contrasts": ("female",),
        "conditioning": ("female",),
    }
    return Declaration(**{**values, **options})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def run():
    answers = simulated(zones=True)
    measurement = measure(answers, declared())
    tree = unit_tree(answers, root_id=1, top=Level.CITY)
    bodies = list(unit_bodies(answers, measurement, tree, declared()))
    return answers, measurement, tree, bodies


def test_means_and_errors_of_city_and_districts_are_edmeasures(run) -> None:
    answers, measurement, tree, _ = run
    found = level_figures(answers, measurement.scores.pvs, tree, CUTS)
    whole = edmeasure.mean(measurement.scores.pvs, weights=answers.weights, zones=answers.zones, reps=answers.reps)
    assert found[0].mean[0] == pytest.approx(whole.value, abs=1e-8)
    assert found[0].mean_se[0] == pytest.approx(whole.standard_error, rel=1e-8)
    sd = edmeasure.standard_deviation(measurement.scores.pvs, weights=answers.weights, zones=answers.zones, reps=answers.reps)
    assert (found[0].sd[0], found[0].sd_se[0]) == pytest.approx((sd.value, sd.standard_error), rel=1e-8)
    shares = edmeasure.shares_at_levels(
        measurement.scores.pvs, cuts=CUTS, weights=answers.weights, zones=answers.zones, reps=answers.reps
    )
    for at, share in enumerate(shares):
        assert found[0].shares[0, at] == pytest.approx(share.value, abs=1e-12)
        assert found[0].share_se[0, at] == pytest.approx(share.standard_error, rel=1e-6)


def test_means_of_classes_are_edmeasures(run) -> None:
    answers, measurement, tree, _ = run
    found = level_figures(answers, measurement.scores.pvs, tree, CUTS)[3]
    groups = edmeasure.estimate_groups(measurement.scores.pvs, groups=answers.class_ids, weights=answers.weights)
    np.testing.assert_allclose(found.mean, groups.value, atol=1e-8)
    np.testing.assert_array_equal(found.n, groups.n)
    assert np.median(np.abs(found.mean_se / groups.standard_error - 1)) < 0.15


def test_percentiles_split_the_weight(run) -> None:
    answers, measurement, tree, _ = run
    for units, found in zip(tree, level_figures(answers, measurement.scores.pvs, tree, CUTS), strict=True):
        assert (np.diff(found.percentiles, axis=1) >= 0).all()
        inside = units.codes == units.count - 1
        median, weights = found.percentiles[-1, 2], answers.weights[inside]
        below = [np.average(draw[inside] <= median, weights=weights) for draw in measurement.scores.pvs]
        assert np.mean(below) == pytest.approx(PERCENTILES[2] / 100, abs=0.12)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_totals_climb_without_loss(places: list[tuple[int, int, int]]) -> None:
    """Whatever the tree, every level sums to the same, and a unit is the sum of its children."""
    n = len(places)
    district, school, klass = (np.array(column) for column in zip(*places, strict=True))
    school, klass = district * 10 + school, (district * 10 + school) * 10 + klass
    answers = Answers(
        np.arange(n), klass + 1, school + 1, district + 1, np.zeros((n, 1), np.int8), (), np.ones(n), None, None, {}, {}
    )
    tree = unit_tree(answers, root_id=9, top=Level.CITY)
    values = np.arange(n, dtype=float)
    levels = climb(tree, sums(tree[-1].codes, tree[-1].count, values)[:, None])
    for units, totals in zip(tree, levels, strict=True):
        assert totals.sum() == pytest.approx(values.sum())
        for unit in range(units.count):
            assert totals[unit, 0] == pytest.approx(values[units.codes == unit].sum())


def test_levels_nobody_belongs_to_are_left_out() -> None:
    answers = simulated(60)
    flat = replace(answers, district_ids=np.zeros(60, int))
    assert [units.level for units in unit_tree(flat, root_id=1, top=Level.CITY)] == [Level.CITY, Level.SCHOOL, Level.CLASS]
    assert [units.level for units in unit_tree(answers, root_id=1, top=Level.SCHOOL)] == [Level.SCHOOL, Level.CLASS]


def test_numbers_agree_across_levels(run) -> None:
    """Children's n and weights sum to the parent's; weighted means and level shares of children give the parent's."""
    bodies = {unit.org_id: unit.body for unit in run[3]}
    checked = 0
    for body in bodies.values():
        children = [bodies[row["org"]] for row in body["children"]]
        if body["is_withheld"] or not children or any(child["is_withheld"] for child in children):
            continue
        weights = np.array([child["weight"] for child in children])
        assert sum(child["n"] for child in children) == body["n"]
        assert weights.sum() == pytest.approx(body["weight"], abs=1e-2)
        means = np.array([child["mean"]["value"] for child in children])
        assert np.average(means, weights=weights) == pytest.approx(body["mean"]["value"], abs=1e-3)
        for at, level in enumerate(body["levels"]):
            shares = [child["levels"][at]["value"] for child in children]
            assert np.average(shares, weights=weights) == pytest.approx(level["value"], abs=2e-4)
        for row in body["children"]:
            assert row["mean"] == bodies[row["org"]]["mean"]
        checked += 1
    assert checked >= 5


def test_bodies_are_plain_json_without_nan(run) -> None:
    for unit in run[3]:
        json.dumps(unit.body, allow_nan=False)


def test_shares_sum_to_one_and_intervals_hold_their_values(run) -> None:
    for unit in run[3]:
        if unit.is_withheld:
            continue
        assert sum(level["value"] for level in unit.body["levels"]) == pytest.approx(1, abs=1e-3)
        for estimate in [unit.body["mean"], unit.body["sd"], *unit.body["levels"]]:
            assert estimate["low"] <= estimate["value"] <= estimate["high"]


def test_small_groups_have_no_histogram_and_no_item_cell_below_ten(run) -> None:
    for unit in run[3]:
        if unit.is_withheld:
            assert set(unit.body) == {"schema", "level", "org", "is_withheld", "children"}
            continue
        assert unit.body["n"] >= 10
        assert (unit.body["histogram"] is None) == (unit.body["n"] < 30)
        for row in [*unit.body["items"], *unit.body["domains"]]:
            assert row.get("is_suppressed") or row["n"] >= 10


def test_the_city_is_the_zero_of_its_own_profile(run) -> None:
    answers, measurement, tree, bodies = run
    for row in bodies[0].body["domains"]:
        assert row["difference"]["value"] == 0
    domains, items = profiles(answers, measurement, tree)
    assert np.abs(items[0].difference).max() < 0.05
    weights = domains[1].n / domains[1].n.sum(axis=0)
    assert np.abs((domains[1].difference * weights).sum(axis=0)).max() < 0.02


def test_expected_share_rises_with_ability_from_none_to_all(run) -> None:
    fit = run[1].fit
    for item in (0, 5):
        shares = expected_share(fit, item, np.linspace(-8, 8, 41))
        assert (np.diff(shares) > 0).all()
        assert shares[0] < 0.1
        assert shares[-1] > 0.9


def test_contrasts_are_shown_only_above_school_level(run) -> None:
    for unit in run[3]:
        if not unit.is_withheld:
            assert bool(unit.body["contrasts"]) == (unit.level in (Level.CITY, Level.DISTRICT))
    row = run[3][0].body["contrasts"][0]
    assert row["groups"][0]["n"] + row["groups"][1]["n"] == run[3][0].body["n"]
    gap = row["groups"][1]["mean"]["value"] - row["groups"][0]["mean"]["value"]
    assert row["gap"]["value"] == pytest.approx(gap, abs=1e-3)


def test_a_contrast_with_a_small_answer_in_one_district_is_shown_in_none() -> None:
    answers = simulated()
    female = answers.context["female"].copy()
    first = np.flatnonzero(answers.district_ids == 10)
    female[first] = 0
    female[first[:3]] = 1
    changed = replace(answers, context={"female": female})
    measurement = measure(changed, declared())
    tree = unit_tree(changed, root_id=1, top=Level.CITY)
    bodies = list(unit_bodies(changed, measurement, tree, declared()))
    assert bodies[0].body["contrasts"]
    assert not any(unit.body["contrasts"] for unit in bodies if unit.level is Level.DISTRICT and not unit.is_withheld)


def test_difference_to_the_unit_above_is_the_difference_of_the_means(run) -> None:
    for unit in run[3]:
        for row in unit.body.get("above", ()):
            gap = unit.body["mean"]["value"] - row["mean"]["value"]
            assert row["difference"]["value"] == pytest.approx(gap, abs=1e-3)
            assert row["difference"]["se"] >= 0


def test_shares_of_marks_carry_the_error_of_a_ratio(run) -> None:
    """By pupils in a class, by schools in the city: residuals from the ratio, linearised."""
    answers, measurement, tree, _ = run
    found, _items = profiles(answers, measurement, tree)
    members = next(members for domain, members in domains_of(answers.items) if domain.key == "content:数")
    highest = np.array([answers.items[item].max_score for item in members])
    scores = measurement.scored.scores[:, members]
    gained = np.where(scores >= 0, scores, 0).sum(axis=1)
    stake = ((scores >= 0) * highest).sum(axis=1)
    for level, groups in ((3, answers.person_ids), (0, answers.school_ids)):
        inside = tree[level].codes == 0 if level else np.ones(answers.n, bool)
        rows = inside & (stake > 0)
        weights = answers.weights[rows]
        rate = (weights @ gained[rows]) / (weights @ stake[rows])
        parts = weights * (gained[rows] - rate * stake[rows])
        names, which = np.unique(groups[rows], return_inverse=True)
        sums_of_groups = np.bincount(which, weights=parts)
        variance = (sums_of_groups**2).sum() * names.size / (names.size - 1) / (weights @ stake[rows]) ** 2
        assert found[level].rate[0, 0] == pytest.approx(rate, rel=1e-6)
        assert found[level].rate_se[0, 0] == pytest.approx(variance**0.5, rel=1e-4)


def test_siblings_stay_without_names_and_only_where_they_are_many(run) -> None:
    for unit in run[3]:
        beside = unit.body.get("beside")
        if beside:
            assert beside["count"] == len(beside["means"]) == len(beside["ses"]) >= 5
            assert set(beside) == {"count", "means", "ses"}


def test_a_school_without_jackknife_zones_uses_schools_as_clusters() -> None:
    answers = simulated()
    measurement = measure(answers, declared())
    tree = unit_tree(answers, root_id=1, top=Level.CITY)
    clustered = level_figures(answers, measurement.scores.pvs, tree, CUTS)[0].mean_se[0]
    simple = edmeasure.mean(measurement.scores.pvs, weights=answers.weights).standard_error
    assert clustered > 1.5 * simple


def test_linking_finds_the_anchor_scale_again(run) -> None:
    """Items moved to another origin and unit link back exactly: b' = 0.8 b + 0.5, a' = a / 0.8."""
    fit = run[1].fit
    moved = {}
    for at, code in enumerate(fit.item_ids):
        steps = np.arange(fit.max_scores[at] + 1)
        slope = fit.slopes[at] / 0.8
        moved[code] = ItemParameters(slope, fit.intercepts[at, : steps.size] - slope * 0.5 * steps)
    line = linked_line(fit, moved, Line(100, 500))
    assert (line.slope, line.intercept) == pytest.approx((80, 550), abs=1e-4)
    with pytest.raises(ValueError, match="common items"):
        linked_line(fit, {"I1": moved["I1"]}, Line(100, 500))


def test_the_population_gets_the_declared_mean_and_spread(run) -> None:
    answers, measurement, _tree, _bodies = run
    assert spread(measurement.scores.pvs, answers.weights) == pytest.approx((500, 100), abs=1e-6)
    keys = [domain.key for domain, _ in domains_of(answers.items)]
    assert keys == ["content:数", "content:形", "content:统", "cognitive:知", "cognitive:用"]
