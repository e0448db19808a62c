"""What plots draw: lines, marks, words."""

import dataclasses
import importlib
import sys

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import edmeasure
from edmeasure import plots
from edmeasure.plots._look import ACCENT, GREY, PALE

from .conftest import bank_of_table, table


@pytest.fixture(scope="module")
def science():
    return edmeasure.calibrate(edmeasure.Responses.from_array(table("Science.csv.gz") - 1), standard_errors=False)


@pytest.fixture(scope="module")
def growth():
    rng = np.random.default_rng(0)
    prior = rng.normal(500, 100, 400)
    later = 50 + 0.9 * prior + rng.normal(0, 40, 400)
    return prior, later, edmeasure.growth_percentiles(later, prior)


@pytest.fixture(scope="module")
def mastery():
    rng = np.random.default_rng(1)
    q = edmeasure.QMatrix.from_array(np.tile(np.eye(3, dtype=int), (4, 1)), attribute_names=["add", "take", "times"])
    held = rng.random((200, 3)) < 0.5
    answers = edmeasure.Responses.from_array(rng.random((200, 12)) < np.where(np.tile(held, 4), 0.9, 0.15))
    fit = edmeasure.diagnose(answers, q, rng=rng, model="dina", n_starts=2, standard_errors=False)
    return fit, edmeasure.classify(fit, answers)


def colour(line):
    return to_hex(line.get_color())


def texts(ax):
    return {text.get_text() for text in ax.texts}


def legend_words(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_item_curve_is_the_model_s(lsat7_fit):
    ax = plots.plot_item(lsat7_fit, "I2")
    (line,) = ax.get_lines()
    theta, chance = line.get_data()
    at = lsat7_fit.item_ids.index("I2")
    expected = 1 / (1 + np.exp(-(lsat7_fit.slopes[at] * theta + lsat7_fit.intercepts[at, 1])))
    np.testing.assert_allclose(chance, expected, atol=1e-9)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title(loc="left")) == ("Ability", "Chance", "I2")
    assert colour(line) == ACCENT
    assert ax.get_xlim()[0] <= -4


def test_graded_items_show_every_category(science):
    ax = plots.plot_item(science, "I1", labels={"Score": "得分", "I1": "第一题", "Ability": "能力"})
    assert len(ax.get_lines()) == 4
    total = sum(line.get_ydata() for line in ax.get_lines())
    np.testing.assert_allclose(total, 1.0, atol=1e-9)
    assert legend_words(ax) == ["得分 0", "得分 1", "得分 2", "得分 3"]
    assert ax.get_title(loc="left") == "第一题"
    assert ax.get_xlabel() == "能力"
    assert ax.get_ylabel() == "Chance"


def test_information_and_its_error(lsat7_fit):
    ax = plots.plot_item_information(lsat7_fit, items=["I3"])
    assert [colour(line) for line in ax.get_lines()] == [PALE] * 4 + [ACCENT]
    theta, information = ax.get_lines()[-1].get_data()
    a, d = lsat7_fit.slopes[2], lsat7_fit.intercepts[2, 1]
    chance = 1 / (1 + np.exp(-(a * theta + d)))
    np.testing.assert_allclose(information, a**2 * chance * (1 - chance), atol=1e-6)
    ax = plots.plot_test_information(lsat7_fit)
    beside = next(other for other in ax.figure.axes if other is not ax)
    whole, error = ax.get_lines()[0], beside.get_lines()[0]
    shown = np.isin(whole.get_xdata(), error.get_xdata())
    np.testing.assert_allclose(error.get_ydata(), 1 / np.sqrt(whole.get_ydata()[shown]))
    assert beside.get_ylabel() == "Standard error"


def test_map_holds_persons_and_thresholds(science):
    theta = np.random.default_rng(0).normal(size=500)
    ax = plots.plot_person_item_map(science, theta)
    heights = np.concatenate([marks.get_offsets()[:, 1] for marks in ax.collections])
    np.testing.assert_allclose(np.sort(heights), np.sort(science.thresholds[np.isfinite(science.thresholds)]))
    assert texts(ax) == set(science.item_ids)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["Persons", "Items"]
    assert min(bar.get_width() for bar in ax.patches) == -1.0
    near = plots.plot_person_item_map(science, theta, bound=1.0, n_names=0)
    assert max(abs(marks.get_offsets()[0, 1]) for marks in near.collections) == 1.0
    assert texts(near) == set()


def test_dif_marks_classes():
    rng = np.random.default_rng(2)
    focal, theta = np.arange(2000) % 2 == 1, rng.normal(size=2000)
    difficulty = np.linspace(-1, 1, 12) + np.where(np.arange(12) == 4, 1.2, 0.0) * focal[:, None]
    answers = edmeasure.Responses.from_array(rng.random((2000, 12)) < 1 / (1 + np.exp(-(theta[:, None] - difficulty))))
    for found in (edmeasure.mantel_haenszel(answers, focal=focal), edmeasure.logistic_dif(answers, focal=focal)):
        ax = plots.plot_dif(found)
        by_colour = {to_hex(marks.get_facecolor()[0]): marks for marks in ax.collections if isinstance(marks, PathCollection)}
        assert set(by_colour) <= {PALE, GREY, ACCENT}
        assert sum(len(marks.get_offsets()) for marks in by_colour.values()) == 12
        named = [tick.get_text() for tick in ax.get_yticklabels()]
        assert named == list(answers.item_ids)
        if "C" in found.classes:
            assert by_colour[ACCENT].get_offsets()[0, 1] == 4
    assert "C" in edmeasure.mantel_haenszel(answers, focal=focal).classes
    assert ax.get_xlabel() == "Gain of R²"


def test_drift_names_drifted_items():
    link = edmeasure.Link(1.0, 0.0, np.zeros((2, 2)), "mean/sigma", ("a", "b", "c"))
    report = edmeasure.DriftReport(
        ("a", "b", "c"), np.array([0.0, 0.1, 0.8]), np.array([1.0, 1.1, 1.5]), np.zeros(3), np.zeros(3), ("c",), link
    )
    ax = report.plot(labels={"c": "alt"})
    assert texts(ax) == {"alt"}
    stable, drifted = ax.collections
    assert len(stable.get_offsets()) == 2
    np.testing.assert_allclose(drifted.get_offsets(), [[0.8, np.log(1.5)]])


def test_equating_shows_its_band():
    counts = table("equate_ACTmath.csv")
    found = edmeasure.equate(counts[:, 1], counts[:, 2])
    ax = found.plot()
    identity, line = ax.get_lines()
    np.testing.assert_allclose(line.get_ydata(), found.equivalents - np.arange(found.equivalents.size))
    assert (identity.get_ydata() == 0).all()
    band = ax.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(np.max(line.get_ydata() + 1.96 * found.standard_errors), abs=1e-3)
    assert legend_words(ax) == ["No equating", "95 % interval", "Equivalent"]
    without = dataclasses.replace(found, standard_errors=np.full(found.equivalents.size, np.nan))
    ax = plots.plot_equating(without, difference=False)
    assert not ax.collections
    assert ax.get_ylabel() == "Equivalent on form Y"


def test_growth_curves_are_the_quantiles(growth):
    prior, later, model = growth
    ax = plots.plot_growth(model, points=(prior, later))
    assert texts(ax) == {"10", "25", "50", "75", "90"}
    middle = next(line for line in ax.get_lines() if colour(line) == ACCENT)
    for at in (0, 50, 100):
        x, y = (values[at] for values in middle.get_data())
        low, high = model.quantiles([x])[0, [49, 50]]
        assert y == pytest.approx((low + high) / 2)
    assert len(ax.collections[0].get_offsets()) == 400
    heights = [line.get_ydata()[50] for line in ax.get_lines()]
    assert heights == sorted(heights)


def test_profile_colours_what_is_known(mastery):
    _, found = mastery
    chances = found.probabilities
    person = int(np.flatnonzero((np.maximum(chances, 1 - chances) < 0.8).any(axis=1))[0])
    ax = plots.plot_profile(found, person)
    bars = ax.patches[3:]
    np.testing.assert_allclose([bar.get_width() for bar in bars], chances[person])
    for bar, chance in zip(bars, chances[person], strict=True):
        assert to_hex(bar.get_facecolor()) == (ACCENT if max(chance, 1 - chance) >= 0.8 else GREY)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["add", "take", "times"]
    whole = plots.draw(found)
    np.testing.assert_allclose([bar.get_width() for bar in whole.patches[3:]], chances.mean(axis=0))
    assert whole.get_xlabel() == "Share of persons"


def test_history_falls_to_its_end(lsat7_fit, mastery):
    for fit in (lsat7_fit, mastery[0]):
        ax = plots.plot_history(fit)
        (line,) = ax.get_lines()
        np.testing.assert_allclose(line.get_ydata(), np.maximum(fit.history[-1] - np.array(fit.history), 1e-10)[:-1])
        assert ax.get_yscale() == "log"
    assert plots.draw(mastery[0]).get_xlabel() == "Step"


def test_adaptive_test_shows_its_course():
    bank = bank_of_table("catbank_500_3PL.csv", areas=("one",))
    rules, state = edmeasure.TestRules(max_items=8), edmeasure.start_test(rng=np.random.default_rng(1))
    for score in (1, 1, 0, 1, 0):
        state = state.answered(edmeasure.next_step(bank, rules, state).item_id, score)
    ax = plots.plot_adaptive(bank, rules, state)
    line = ax.get_lines()[0]
    assert line.get_ydata()[-1] == edmeasure.next_step(bank, rules, state).theta
    assert line.get_ydata()[0] == pytest.approx(0.0, abs=1e-9)
    _, right, wrong = ax.collections
    np.testing.assert_array_equal(right.get_offsets()[:, 0], [1, 2, 4])
    np.testing.assert_array_equal(wrong.get_offsets()[:, 0], [3, 5])
    assert legend_words(ax) == ["95 % interval", "Ability", "Right", "Wrong"]
    empty = plots.plot_adaptive(bank, rules, edmeasure.start_test(rng=np.random.default_rng(1)))
    assert empty.get_lines()[0].get_xdata().size == 1


def test_distribution_is_weighted_and_cut():
    ax = plots.plot_scores([400.0, 500.0, np.nan, 600.0], weights=[1, 1, 5, 2], cuts={"High": 550}, bins=3)
    assert sum(bar.get_height() for bar in ax.patches) == pytest.approx(1)
    assert ax.get_lines()[0].get_xdata()[0] == pytest.approx(525)
    assert texts(ax) == {"High"}


def test_calibration_and_estimates_draw_themselves(lsat7_fit, lsat7):
    rng = np.random.default_rng(0)
    chance = rng.random(500)
    quality = edmeasure.prediction_quality(chance, rng.random(500) < chance)
    np.testing.assert_array_equal(quality.plot().get_lines()[1].get_ydata(), quality.bin_right)
    assert edmeasure.score_eap(lsat7_fit, lsat7).plot(bins=10).get_xlabel() == "Score"
    assert lsat7_fit.plot().get_ylabel() == "Information"


def test_axes_of_the_caller_are_used_and_nothing_is_shown(lsat7_fit):
    ax = Figure().add_subplot()
    assert lsat7_fit.plot(ax=ax) is ax
    assert plots.plot_item(lsat7_fit, "I1").figure.canvas is not None
    assert not ax.spines["top"].get_visible()
    assert "matplotlib.pyplot" not in vars(plots)


def test_pictures_can_be_saved_without_a_screen(lsat7_fit, tmp_path):
    plots.plot_item(lsat7_fit, "I1").figure.savefig(tmp_path / "item.png")
    assert (tmp_path / "item.png").read_bytes()[:4] == b"\x89PNG"


def test_without_matplotlib_the_way_out_is_told(lsat7_fit, monkeypatch):
    loaded = importlib.import_module

    def lacking(name, *more):
        if name == "edmeasure.plots":
            raise ModuleNotFoundError(name)
        return loaded(name, *more)

    monkeypatch.setattr("edmeasure._export.import_module", lacking)
    with pytest.raises(edmeasure.MissingPackage, match="edmeasure\\[plot\\]"):
        lsat7_fit.plot()


def test_edmeasure_itself_does_not_load_matplotlib():
    assert "matplotlib" not in vars(edmeasure)
    source = [name for name in sys.modules if name.startswith("edmeasure.") and not name.startswith("edmeasure.plots")]
    assert not [name for name in source if "matplotlib" in vars(sys.modules[name])]


def test_hostile_input_is_refused(lsat7_fit, mastery, growth):
    with pytest.raises(edmeasure.BadOption, match="no calibrated item 'X'"):
        plots.plot_item(lsat7_fit, "X")
    with pytest.raises(edmeasure.BadOption, match="no finite"):
        plots.plot_scores([np.nan])
    with pytest.raises(edmeasure.BadOption, match="no finite"):
        plots.plot_person_item_map(lsat7_fit, [])
    with pytest.raises(edmeasure.BadOption, match="no person 999"):
        plots.plot_profile(mastery[1], 999)
    with pytest.raises(edmeasure.BadOption):
        plots.plot_growth(growth[2], percentiles=[0])
    with pytest.raises(edmeasure.BadOption, match="no plot of ReportingScale"):
        plots.draw(edmeasure.scale_with([1.0, 2.0]))
    with pytest.raises(edmeasure.BadWeight):
        plots.plot_scores([1.0, 2.0], weights=[0, 0])
