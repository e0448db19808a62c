"""Multistage tests from a bank of 500 simulated 3PL items."""

import numpy as np
import pytest

import edmeasure
from edmeasure import Module, Panel

from .conftest import bank_of_table


@pytest.fixture(scope="module")
def bank():
    return bank_of_table("catbank_500_3PL.csv", areas=("algebra", "geometry", "numbers", "numbers"))


def best_for(bank, theta, n, taken):
    """The n most informative items at an ability that nobody took yet."""
    at = int(np.abs(bank.nodes - theta).argmin())
    chosen = [j for j in np.argsort(-bank.information[:, at]) if j not in taken][:n]
    taken.update(chosen)
    return [bank.item_ids[j] for j in chosen]


def stages_of(bank, taken):
    """1-3-3 with ten items a module."""
    return [
        [("first", best_for(bank, 0.0, 10, taken))],
        [(f"second {name}", best_for(bank, theta, 10, taken)) for name, theta in (("low", -1.2), ("mid", 0.0), ("high", 1.2))],
        [(f"third {name}", best_for(bank, theta, 10, taken)) for name, theta in (("low", -1.2), ("mid", 0.0), ("high", 1.2))],
    ]


@pytest.fixture(scope="module")
def panels(bank):
    taken = set()
    return [edmeasure.route_by_information(bank, stages_of(bank, taken)) for _ in range(2)]


@pytest.fixture(scope="module")
def examinees(bank):
    rng = np.random.default_rng(7)
    thetas = rng.normal(size=3000)
    return thetas, bank.draw(thetas, rng=rng)


@pytest.fixture(scope="module")
def found(bank, panels, examinees):
    return edmeasure.simulate_panels(bank, panels, examinees[1], rng=np.random.default_rng(1))


def test_routing_beats_one_form_and_loses_to_adaptive_items(bank, examinees, found):
    thetas, answers = examinees
    error = np.sqrt(np.mean((found.theta - thetas) ** 2))
    fixed = Panel(((Module("all", tuple(best_for(bank, 0.0, 30, set()))),),))
    of_fixed, of_items = (
        np.sqrt(np.mean((one.theta - thetas) ** 2))
        for one in (
            edmeasure.simulate_panels(bank, [fixed], answers, rng=np.random.default_rng(1)),
            edmeasure.simulate_tests(bank, edmeasure.TestRules(), answers, rng=np.random.default_rng(1)),
        )
    )
    assert of_items < error < 0.95 * of_fixed
    assert np.sqrt(np.mean(found.se**2)) == pytest.approx(error, rel=0.07)
    assert (found.n_items == 30).all()


def test_routes_follow_the_points(bank, panels, examinees, found):
    answers = examinees[1]
    for i in range(0, 3000, 97):
        panel = panels[found.panel[i]]
        names = [found.module_names[at].split(":")[1] for at in found.path[i]]
        points, module = 0, panel.stages[0][0]
        for stage, name in enumerate(names):
            module = next(one for one in panel.stages[stage] if one.name == name)
            points += sum(answers[i, bank.item_ids.index(item)] for item in module.item_ids)
            if module.leads_to:
                assert names[stage + 1] == module.leads_to[sum(points >= cut for cut in module.cuts)]
        assert points == found.points[i]


def test_cuts_lie_where_information_crosses(bank, panels):
    panel = edmeasure.route_by_information(bank, stages_of(bank, set()), routed_by="theta")
    low, mid, high = panel.stages[1]
    first = panel.stages[0][0]
    for below, above, cut in ((low, mid, first.cuts[0]), (mid, high, first.cuts[1])):
        lead = [
            np.interp(cut + step, bank.nodes, sum(bank.information[bank.item_ids.index(name)] for name in above.item_ids))
            - np.interp(cut + step, bank.nodes, sum(bank.information[bank.item_ids.index(name)] for name in below.item_ids))
            for step in (-0.05, 0.05)
        ]
        assert lead[0] < 0 < lead[1]
    assert all(cut == int(cut) for module in panels[0].stages[0] for cut in module.cuts)


def test_everybody_s_way_is_checked_for_content(bank, panels):
    checks = edmeasure.check_paths(bank, panels[0])
    assert len(checks) == 9
    for check in checks:
        assert check.n_items == check.area_items.sum() == 30
    low, high = checks[0], checks[-1]
    assert low.nodes[low.information.argmax()] < high.nodes[high.information.argmax()]
    assert "30 items" in str(low)


def test_panels_share_exposure(found, panels, bank):
    assert found.module_shares.sum() == pytest.approx(3)
    assert np.bincount(found.panel) / 3000 == pytest.approx([0.5, 0.5], abs=0.03)
    assert found.exposure.max() == pytest.approx(0.5, abs=0.03)
    assert found.exposure.sum() == pytest.approx(30)
    first = bank.item_ids.index(panels[0].stages[0][0].item_ids[0])
    assert found.exposure[first] == found.module_shares[0]
    assert "highest exposure 0.5" in str(found)
    assert found.to_arrow().num_rows == 3000


def test_one_way_is_the_fixed_form_s_posterior(bank, examinees):
    """Without routes the estimate is that of a test of the same items in any order."""
    names = bank.item_ids[:24]
    line = Panel((
        (Module("a", names[:12], ("b",)),),
        (Module("b", names[12:]),),
    ))  # fmt: skip
    staged = edmeasure.simulate_panels(bank, [line], examinees[1][:50], rng=np.random.default_rng(0))
    logs = np.log(bank.prior) + sum(np.log(bank.probabilities[bank.category_start[j] + examinees[1][:50, j]]) for j in range(24))
    weights = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(staged.theta, weights @ bank.nodes, atol=1e-10)


@pytest.mark.parametrize("routed_by", ["points", "theta"])
def test_stored_tests_go_on_where_they_were(bank, examinees, routed_by):
    taken = set()
    panels = [edmeasure.route_by_information(bank, stages_of(bank, taken), routed_by=routed_by) for _ in range(2)]
    answers = examinees[1][5]
    state = edmeasure.start_test(rng=np.random.default_rng(3))
    modules = []
    while (step := edmeasure.next_module(bank, panels, state)).module is not None:
        resumed = edmeasure.TestState.from_json(state.to_json())
        assert edmeasure.next_module(bank, panels, resumed) == step
        if modules[-1:] != [step.module]:
            modules.append(step.module)
        state = state.answered(step.item_ids[0], answers[bank.item_ids.index(step.item_ids[0])])
    batch = edmeasure.simulate_panels(bank, panels, answers[None], rng=np.random.default_rng(3))
    assert [batch.module_names[at] for at in batch.path[0]] == [f"{step.panel}:{name}" for name in modules]
    assert batch.theta[0] == step.theta
    assert batch.points[0] == step.points
    assert "ended" in str(step)


def test_results_do_not_depend_on_who_else_is_tested(bank, panels, examinees):
    answers = examinees[1]
    whole = edmeasure.simulate_panels(bank, panels[:1], answers[:500], rng=np.random.default_rng(0))
    alone = edmeasure.simulate_panels(bank, panels[:1], answers[100:101], rng=np.random.default_rng(0))
    assert whole.theta[100].tobytes() == alone.theta[0].tobytes()
    assert whole.se[100].tobytes() == alone.se[0].tobytes()


def test_hostile_panels_are_refused(bank, panels, examinees):
    items = bank.item_ids
    with pytest.raises(edmeasure.BadOption, match="empty or has an item twice"):
        Module("a", (items[0], items[0]))
    with pytest.raises(edmeasure.BadOption, match="cuts for"):
        Module("a", items[:2], ("b", "c"))
    with pytest.raises(edmeasure.BadOption, match="do not ascend"):
        Module("a", items[:2], ("b", "c", "d"), (2.0, 1.0))
    with pytest.raises(edmeasure.BadOption, match="begins with one"):
        Panel(((Module("a", items[:2]), Module("b", items[2:4])),))
    with pytest.raises(edmeasure.BadOption, match="leads to"):
        Panel(((Module("a", items[:2], ("x",)),), (Module("b", items[2:4]),)))
    with pytest.raises(edmeasure.BadOption, match="comes twice"):
        Panel(((Module("a", items[:2], ("b",)),), (Module("b", items[1:4]),)))
    with pytest.raises(edmeasure.BadOption, match="one name"):
        Panel(((Module("a", items[:2], ("a",)),), (Module("a", items[2:4]),)))
    stages = stages_of(bank, set())
    with pytest.raises(edmeasure.BadOption, match="nowhere more"):
        edmeasure.route_by_information(bank, [stages[0], stages[1][::-1]])
    rng = np.random.default_rng(0)
    for answers in (np.full((2, 500), -1), np.full((2, 500), 2)):
        with pytest.raises(edmeasure.BadScore):
            edmeasure.simulate_panels(bank, panels, answers, rng=rng)
    with pytest.raises(edmeasure.BadShape):
        edmeasure.simulate_panels(bank, panels, np.zeros((2, 3)), rng=rng)
    with pytest.raises(edmeasure.BadOption):
        edmeasure.simulate_panels(bank, [], examinees[1], rng=rng)
    stranger = Panel(((Module("a", ("no such item",)),),))
    with pytest.raises(edmeasure.BadShape, match="not in the bank"):
        edmeasure.simulate_panels(bank, [stranger], examinees[1], rng=rng)
    first = panels[0].stages[0][0].item_ids
    for state in (
        edmeasure.TestState(1).answered(items[0] if items[0] not in first else items[1], 1),
        edmeasure.TestState(1).answered(first[1], 1),
    ):
        with pytest.raises(edmeasure.BadShape, match="other items"):
            edmeasure.next_module(bank, panels[:1], state)
    with pytest.raises(edmeasure.BadScore):
        edmeasure.next_module(bank, panels[:1], edmeasure.TestState(1).answered(first[0], 2))
