"""Forms assembled: recorded optima, brute force on small pools, and every rule in every result."""

import itertools
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edmeasure
from edmeasure import (
    Between,
    Blueprint,
    ContentBound,
    MaximinInformation,
    MostInformation,
    SolverOptions,
    SumBound,
    TargetInformation,
)
from edmeasure.assembly import _race, _swaps, conflicts
from edmeasure.assembly._assembling import assemble
from edmeasure.assembly._layout import Scope
from edmeasure.assembly._model import build
from edmeasure.assembly._solving import finished, solve
from edmeasure.assembly.forms import forms_layout

from .conftest import bank_of_table
from .pools import diao_pool, reading_blueprint, reading_pool, rows_of, science_blueprint, science_pool

HIGHS = SolverOptions(solvers=("highs",), seconds=20)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def small_pool(seed, n=9, n_points=2):
    rng = np.random.default_rng(seed)
    return edmeasure.item_pool(
        [f"i{at}" for at in range(n)],
        points=np.linspace(-1, 1, n_points),
        information=rng.uniform(0.1, 2.0, (n, n_points)),
        attributes={"kind": [("a", "b", "c")[at % 3] for at in range(n)], "minutes": rng.integers(1, 6, n)},
        stimuli=["s1", "s1", "s1", "s2", "s2", "s2", "s3", "s3", "s3"][:n],
    )


def value(goal, told):
    weights = np.array(goal.weights or [1.0] * told.size)
    if isinstance(goal, MostInformation):
        return told @ weights
    return (told / weights).min() if isinstance(goal, MaximinInformation) else (abs(told - goal.target) * weights).max()


def keeps(pool, blueprint, form):
    """Whether a set of positions follows the blueprint, counted item by item."""
    low, high = blueprint.n_items if isinstance(blueprint.n_items, tuple) else (blueprint.n_items,) * 2
    names = {pool.item_ids[at] for at in form}
    fits = [low <= len(form) <= high]
    for bound in blueprint.content:
        count = pool.items_where(bound.where)[list(form)].sum()
        fits.append(bound.at_least <= count <= (bound.at_most if bound.at_most is not None else np.inf))
    for bound in blueprint.sums:
        chosen = pool.items_where(bound.where)[list(form)]
        total = (pool.numbers(bound.attribute)[list(form)] * chosen).sum()
        fits.append((bound.at_least or 0) <= total <= (bound.at_most if bound.at_most is not None else np.inf))
    fits += [len(names & set(group)) <= 1 for group in blueprint.enemies]
    fits += [len(names & set(group)) in (0, len(group)) for group in blueprint.together]
    fits.append(set(blueprint.fixed) <= names and not names & set(blueprint.forbidden))
    of_set = np.bincount(pool.stimuli[[at for at in form if pool.stimuli[at] >= 0]], minlength=len(pool.stimulus_ids))
    if blueprint.n_stimuli is not None:
        fits.append((of_set > 0).sum() == blueprint.n_stimuli)
    if blueprint.items_per_stimulus is not None:
        least, most = blueprint.items_per_stimulus
        fits += [count == 0 or least <= count <= most for count in of_set]
    return all(fits)


def best_by_force(pool, blueprint, goal):
    found = [
        value(goal, pool.information[list(form)].sum(axis=0))
        for size in range(1, pool.n_items + 1)
        for form in itertools.combinations(range(pool.n_items), size)
        if keeps(pool, blueprint, form)
    ]
    if not found:
        return None
    return min(found) if isinstance(goal, TargetInformation) else max(found)


BLUEPRINTS = (
    Blueprint(4, content=(ContentBound({"kind": "a"}, 1, 2), ContentBound({"kind": ("b", "c")}, 2))),
    Blueprint((3, 5), sums=(SumBound("minutes", 8, 12),), enemies=(("i0", "i4", "i8"), ("i1", "i2"))),
    Blueprint(4, n_stimuli=2, items_per_stimulus=(1, 3), fixed=("i3",)),
    Blueprint(5, together=(("i0", "i5"),), forbidden=("i7",), content=(ContentBound({"minutes": Between(2, 4)}, 1),)),
)
GOALS = (MostInformation(), MaximinInformation((1.0, 1.5)), TargetInformation((3.0, 4.0)))


@pytest.mark.parametrize("blueprint", BLUEPRINTS)
@pytest.mark.parametrize("goal", GOALS)
def test_small_forms_are_the_best_of_all(blueprint, goal, rng):
    options = SolverOptions(solvers=("highs",), deviation=0.0)
    for seed in range(3):
        pool = small_pool(seed)
        expected = best_by_force(pool, blueprint, goal)
        if expected is None:
            with pytest.raises(edmeasure.InfeasibleBlueprint):
                edmeasure.assemble_form(pool, blueprint, goal, rng=rng, options=options)
            continue
        found = edmeasure.assemble_form(pool, blueprint, goal, rng=rng, options=options)
        assert found.objective == pytest.approx(expected, abs=1e-6)
        assert found.is_proven
        assert found.gap < 1e-4
        assert keeps(pool, blueprint, pool.places(found.forms[0]).tolist())


@pytest.mark.parametrize("goal", GOALS)
def test_small_parallel_forms_are_the_best_of_all(goal, rng):
    pool = small_pool(3, n=8)
    worth = []
    for one in itertools.combinations(range(8), 3):
        rest = [at for at in range(8) if at not in one]
        for other in itertools.combinations(rest, 3):
            worth.append([value(goal, pool.information[list(form)].sum(axis=0)) for form in (one, other)])
    options = SolverOptions(seconds=1, deviation=0.0)
    found = edmeasure.assemble_forms(pool, Blueprint(3), goal, n_forms=2, rng=rng, options=options)
    if isinstance(goal, TargetInformation):
        assert found.objective == pytest.approx(min(map(max, worth)), abs=1e-6)
        assert found.bound <= found.objective
    else:
        best = max(map(sum if isinstance(goal, MostInformation) else min, worth))
        assert found.objective == pytest.approx(best, abs=1e-6)
        assert found.bound >= best - 1e-6


def test_conflicts_of_anchored_forms_are_minimal():
    pool = small_pool(3)
    anchors = Blueprint(2, content=(ContentBound({"kind": "a"}, 2, 2),))
    blueprint = Blueprint(4, content=(ContentBound({"kind": "a"}, 3, 4), ContentBound({"minutes": Between(1)}, 2)))
    conflict = edmeasure.explain_infeasibility(pool, blueprint, n_forms=2, anchors=anchors)
    rules = {give.rule for give in conflict.rules}
    assert "form: 3 to 4 items with kind a" in rules
    assert "anchors: 2 items with kind a" in rules
    check_minimal(pool, blueprint, conflict, n_forms=2, anchors=anchors)


def test_rules_of_unlike_forms_are_told_apart():
    pool = small_pool(3)
    plans = [Blueprint(3), Blueprint(3, content=(ContentBound({"kind": "a"}, 4),))]
    conflict = edmeasure.explain_infeasibility(pool, plans, n_forms=2)
    assert {give.rule for give in conflict.rules} <= {"form 2: 3 items", "form 2: at least 4 items with kind a"}
    check_minimal(pool, plans, conflict, n_forms=2)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    size=st.integers(2, 5),
    pairs=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda pair: pair[0] != pair[1]), max_size=6),
    minutes=st.integers(5, 25),
)
def test_every_rule_holds_and_every_conflict_is_minimal(seed, size, pairs, minutes):
    pool = small_pool(seed)
    blueprint = Blueprint(
        size,
        content=(ContentBound({"kind": "b"}, 1, 2, name="B"),),
        sums=(SumBound("minutes", None, minutes), SumBound("minutes", 4)),
        enemies=tuple((f"i{one}", f"i{other}") for one, other in pairs),
    )
    rng = np.random.default_rng(0)
    try:
        found = edmeasure.assemble_form(pool, blueprint, MostInformation(), rng=rng, options=HIGHS)
    except edmeasure.InfeasibleBlueprint as refused:
        assert best_by_force(pool, blueprint, MostInformation()) is None
        check_minimal(pool, blueprint, refused.conflict)
    else:
        assert keeps(pool, blueprint, pool.places(found.forms[0]).tolist())


def check_minimal(pool, blueprint, conflict, **design):
    """Together infeasible; feasible without any one of them."""
    layout = forms_layout(
        pool, blueprint, None, **{"n_forms": 1, "item_use": 1, "stimulus_use": None, "overlap": None, "anchors": None, **design}
    )
    model = build(layout).without_goal()
    lines = [model.lines.index(give.rule) for give in conflict.rules]
    assert conflict.is_minimal
    assert is_hopeless(model, lines)
    for line in lines:
        assert not is_hopeless(model, [one for one in lines if one != line])
    assert all(give.amount > 0 for give in conflict.rules)


def is_hopeless(model, lines):
    from_scratch = conflicts.of_lines(model, lines)
    return solve(from_scratch, seconds=20, gap=1e-6).is_infeasible


def test_the_conflict_of_two_science_forms_is_found():
    pool, blueprint = science_pool(), science_blueprint()
    assert edmeasure.explain_infeasibility(pool, blueprint) is None
    conflict = edmeasure.explain_infeasibility(pool, blueprint, n_forms=2)
    names = {give.rule.split(":")[0] for give in conflict.rules}
    assert {"C7", "C18", "C19"} <= names
    assert "every item in at most 1 form" in names
    assert all(give.amount == pytest.approx(1.0) for give in conflict.rules)
    assert "exclude each other" in str(conflict)
    check_minimal(pool, blueprint, conflict, n_forms=2)
    # what the repair says is enough
    assert sum(give.amount for give in conflict.repairs) == pytest.approx(1.0)
    assert conflict.to_dict()["rules"][0]["amount"] == pytest.approx(1.0)


def test_recorded_optima_of_single_forms(rng):
    science, reading = science_pool(), reading_pool()
    found = edmeasure.assemble_form(science, science_blueprint(), MostInformation(), rng=rng, options=HIGHS)
    assert found.objective == pytest.approx(44.913319, abs=2e-6)
    assert found.is_proven
    assert keeps(science, science_blueprint(), science.places(found.forms[0]).tolist())
    found = edmeasure.assemble_form(reading, reading_blueprint(reading), MostInformation(), rng=rng, options=HIGHS)
    assert found.objective == pytest.approx(32.428673, abs=2e-6)
    assert keeps(reading, reading_blueprint(reading), reading.places(found.forms[0]).tolist())


def test_science_target_is_met_better_than_by_peers(rng):
    goal = TargetInformation((8.0, 10.0, 8.0))
    options = SolverOptions(solvers=("highs",), seconds=60, deviation=0.0174)
    found = edmeasure.assemble_form(science_pool(), science_blueprint(), goal, rng=rng, options=options)
    assert found.objective <= 0.0174
    assert found.is_proven
    np.testing.assert_allclose(found.information[0], goal.target, atol=found.objective + 1e-12)


def test_parallel_forms_of_few_items(rng):
    pool = diao_pool()
    found = edmeasure.assemble_forms(
        pool, Blueprint(20), MaximinInformation(), n_forms=2, rng=rng, options=SolverOptions(seconds=20, gap=3e-5)
    )
    assert found.objective >= 9.7848
    assert found.bound == pytest.approx(9.785183, abs=1e-5)
    assert not set(found.forms[0]) & set(found.forms[1])
    assert "2 of 20 items" in str(found)
    assert found.to_arrow().num_rows == 40
    assert len(found.to_dict()["forms"]) == 2


def test_anchors_are_common_and_use_is_kept(rng):
    pool = small_pool(11, n=9)
    anchors = Blueprint(2, content=(ContentBound({"kind": "a"}, 1, 1),))
    found = edmeasure.assemble_forms(
        pool, Blueprint(4), MaximinInformation(), n_forms=3, rng=rng, anchors=anchors, options=SolverOptions(seconds=1)
    )
    common = set.intersection(*map(set, found.forms))
    assert common == set(found.anchors)
    assert len(common) == 2
    assert pool.items_where({"kind": "a"})[pool.places(found.anchors)].sum() == 1
    assert all(len(form) == 4 for form in found.forms)
    rest = [item for form in found.forms for item in form if item not in common]
    assert len(rest) == len(set(rest))


def test_overlap_is_bounded(rng):
    pool = small_pool(12)
    found = edmeasure.assemble_forms(
        pool, Blueprint(5), MaximinInformation(), n_forms=3, item_use=2, overlap=3, rng=rng, options=SolverOptions(seconds=1)
    )
    for one, other in itertools.combinations(found.forms, 2):
        assert len(set(one) & set(other)) <= 3
    counts = np.bincount(np.concatenate([pool.places(form) for form in found.forms]))
    assert counts.max() <= 2


def test_enemies_of_a_real_pool_are_never_together(rng):
    rows = rows_of("pool_vera.csv.gz")
    enemies = [(row["item"], other.strip()) for row in rows for other in row["exclusions"].split(",") if other.strip()]
    known = {row["item"] for row in rows}
    pool = edmeasure.item_pool(
        [row["item"] for row in rows],
        points=(0.0,),
        information=np.random.default_rng(2).uniform(0.2, 1.5, (len(rows), 1)),
        attributes={name: [float(row[name]) for row in rows] for name in ("time", "MC", "open")},
    )
    blueprint = Blueprint(
        (8, 14),
        sums=(SumBound("time", 18, 24),),
        content=(ContentBound({"MC": 1}, 2, 4),),
        enemies=tuple(pair for pair in enemies if set(pair) <= known),
    )
    found = edmeasure.assemble_forms(
        pool, blueprint, MaximinInformation(), n_forms=3, rng=rng, options=SolverOptions(seconds=2, gap=1e-3)
    )
    for form in found.forms:
        assert keeps(pool, blueprint, pool.places(form).tolist())
        assert not any(set(pair) <= set(form) for pair in enemies)
    assert found.bound >= found.objective


def test_panels_keep_the_rules_of_routes(rng):
    pool = edmeasure.item_pool(
        [f"q{at}" for at in range(60)],
        points=(-1.0, 0.0, 1.0),
        information=np.random.default_rng(4).uniform(0.05, 1.0, (60, 3)),
        attributes={"area": ["number", "shape", "data"] * 20},
    )
    modules = [
        edmeasure.ModulePlan("start", 0, Blueprint(4), MaximinInformation((1.0, 2.0, 1.0))),
        edmeasure.ModulePlan("easy", 1, Blueprint(5), MaximinInformation((2.0, 1.0, 0.0))),
        edmeasure.ModulePlan("hard", 1, Blueprint(5), MaximinInformation((0.0, 1.0, 2.0))),
    ]
    rules = Blueprint(9, content=tuple(edmeasure.each_value(pool, "area", at_least=3, at_most=3)), enemies=(("q0", "q1"),))
    found = edmeasure.assemble_panels(
        pool, modules, rng=rng, n_panels=2, route_blueprint=rules, options=SolverOptions(seconds=2, gap=1e-2)
    )
    assert len(found.forms) == 6
    assert len({item for form in found.forms for item in form}) == sum(map(len, found.forms))
    forms = dict(zip(found.names, found.forms, strict=True))
    assert len(found.routes) == 4
    for route in found.routes:
        assert keeps(pool, rules, pool.places([item for name in route for item in forms[name]]).tolist())
    assert found.route_information().shape == (4, 3)
    easy, hard = found.information[1], found.information[2]
    assert easy[0] > easy[2]
    assert hard[2] > hard[0]


def test_both_solvers_agree(rng):
    pool, blueprint = reading_pool(), reading_blueprint(reading_pool())
    layout = forms_layout(
        pool, blueprint, MostInformation(), n_forms=1, item_use=1, stimulus_use=None, overlap=None, anchors=None
    )
    _, found = assemble(layout, SolverOptions(solvers=("cp-sat",), seconds=40), rng)
    assert found.solver == "CP-SAT"
    assert -found.cost == pytest.approx(32.428673, abs=1e-4)
    assert found.bound <= found.cost + 1e-9


def test_a_solver_that_dies_leaves_nothing_behind(rng, monkeypatch, tmp_path):
    monkeypatch.setattr(_race.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setitem(_race.SCRIPTS, "cp-sat", "no_such_script.py")
    layout = forms_layout(
        diao_pool(), Blueprint(20), MaximinInformation(), n_forms=1, item_use=1, stimulus_use=None, overlap=None, anchors=None
    )
    _, found = assemble(layout, SolverOptions(solvers=("cp-sat",), seconds=5), rng)
    assert found.x is None
    assert not list(tmp_path.iterdir())


def test_without_ortools_highs_does_it_alone(rng, monkeypatch):
    monkeypatch.setitem(sys.modules, "ortools", None)
    monkeypatch.setattr("edmeasure.assembly._assembling.has_cp_sat", lambda: False)
    assert SolverOptions().chosen == ("highs",)
    with pytest.raises(edmeasure.MissingPackage, match="assembly"):
        SolverOptions(solvers=("cp-sat",))


def test_exchanges_keep_every_row_and_never_lose():
    pool = science_pool()
    blueprint = science_blueprint(for_several=True)
    goal = TargetInformation((8.0, 10.0, 8.0))
    layout = forms_layout(pool, blueprint, goal, n_forms=1, item_use=1, stimulus_use=None, overlap=None, anchors=None)
    _, found = assemble(layout, SolverOptions(solvers=("highs",), seconds=20, deviation=0.5), np.random.default_rng(0))
    exact = build(layout)
    start = finished(exact, found.x)
    after = _swaps.anneal(exact, start.x, level=0.0, warmth=0.05, n_moves=100_000, rng=np.random.default_rng(0))
    again = _swaps.anneal(exact, start.x, level=0.0, warmth=0.05, n_moves=100_000, rng=np.random.default_rng(0))
    assert after.x is not None
    assert exact.excess(after.x) < 1e-6
    assert _swaps.spread(exact, after.x, 0.0) <= _swaps.spread(exact, start.x, 0.0)
    np.testing.assert_array_equal(after.x, again.x)


def test_each_form_may_have_its_own_blueprint_and_target(rng):
    pool = small_pool(21)
    found = edmeasure.assemble_forms(
        pool,
        [Blueprint(3), Blueprint(4, content=(ContentBound({"kind": "c"}, 2),))],
        [TargetInformation((2.0, 2.0)), TargetInformation((4.0, 4.0))],
        n_forms=2,
        rng=rng,
        options=SolverOptions(seconds=5, deviation=0.0, gap=1e-4),
    )
    assert [len(form) for form in found.forms] == [3, 4]
    assert pool.items_where({"kind": "c"})[pool.places(found.forms[1])].sum() >= 2
    targets = np.array([[2.0, 2.0], [4.0, 4.0]])
    assert found.objective == pytest.approx(np.abs(found.information - targets).max())


def test_pools_of_calibrated_banks_have_the_banks_information():
    bank_of_500 = bank_of_table("catbank_500_3PL.csv", areas=("odd", "even"))
    pool = edmeasure.item_pool(bank_of_500, points=(-1.0, 0.0, 1.3), attributes={"even": [at % 2 for at in range(500)]})
    expected = [np.interp(point, bank_of_500.nodes, row) for row in bank_of_500.information[:5] for point in pool.points]
    np.testing.assert_allclose(pool.information[:5].ravel(), expected, atol=2e-3)
    assert pool.items_where({"area": "odd"}).sum() == 250
    assert "500 items" in str(pool)


def test_conditions_know_the_unknown():
    pool = edmeasure.item_pool(
        ["a", "b", "c", "d"], attributes={"level": [1, None, 3, float("nan")], "text": ["x", "", None, "y"]}, points=()
    )
    assert pool.items_where({"level": Between()}).tolist() == [True, False, True, False]
    assert pool.items_where({"text": Between()}).tolist() == [True, False, False, True]
    assert pool.items_where({"level": Between(2)}).tolist() == [False, False, True, False]
    assert str(ContentBound({"level": Between(2), "text": ("x", "y")}, 1, 2)) == "1 to 2 items with level from 2 and text x or y"
    table = edmeasure.two_way_bounds("level", "text", {(1, "x"): 1, (3, "y"): (0, 2)})
    assert [str(bound) for bound in table] == ["1 items with level 1 and text x", "at most 2 items with level 3 and text y"]


def test_scopes_know_how_often_units_count():
    assert Scope("form", (0, 2), Blueprint(1), None, (1, 3)).parts == ((0, 1), (2, 3))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda pool, rng: edmeasure.assemble_form(pool, Blueprint(3), MostInformation((1.0,)), rng=rng),
        lambda pool, rng: edmeasure.assemble_form(pool, Blueprint(3), TargetInformation((np.nan, 1.0)), rng=rng),
        lambda pool, rng: edmeasure.assemble_form(pool, Blueprint(3, fixed=("no",)), MostInformation(), rng=rng),
        lambda pool, rng: edmeasure.assemble_form(pool, Blueprint(3, sums=(SumBound("kind", 1),)), MostInformation(), rng=rng),
        lambda pool, rng: edmeasure.assemble_form(
            pool, Blueprint(3, content=(ContentBound({"no": 1}),)), MostInformation(), rng=rng
        ),
        lambda pool, rng: edmeasure.assemble_form(
            pool, Blueprint(3, content=(ContentBound({"minutes": "x"}),)), MostInformation(), rng=rng
        ),
        lambda pool, rng: edmeasure.assemble_forms(pool, Blueprint(3), MostInformation(), n_forms=0, rng=rng),
        lambda pool, rng: edmeasure.assemble_forms(pool, [Blueprint(3)], MostInformation(), n_forms=2, rng=rng),
        lambda pool, rng: edmeasure.assemble_forms(
            pool, Blueprint(3), [MostInformation(), MaximinInformation()], n_forms=2, rng=rng
        ),
        lambda pool, rng: edmeasure.assemble_panels(pool, [edmeasure.ModulePlan("m", 0, Blueprint(3))], rng=rng),
        lambda pool, rng: Blueprint((4, 3)),
        lambda pool, rng: ContentBound({}, 4, 3),
        lambda pool, rng: SumBound("minutes", float("nan")),
        lambda pool, rng: SolverOptions(seconds=0),
        lambda pool, rng: SolverOptions(solvers=("simplex",)),
        lambda pool, rng: edmeasure.item_pool([], points=()),
        lambda pool, rng: edmeasure.item_pool(["a", "a"], points=()),
        lambda pool, rng: edmeasure.item_pool(["a"], points=(0.0,), information=[[np.nan]]),
        lambda pool, rng: edmeasure.item_pool(["a"], points=(0.0,), information=[[1.0, 2.0]]),
        lambda pool, rng: edmeasure.item_pool(["a"], attributes={"x": [1, 2]}),
    ],
)
def test_hostile_input_is_refused(wrong, rng):
    with pytest.raises(edmeasure.MeasurementError):
        wrong(small_pool(0), rng)
