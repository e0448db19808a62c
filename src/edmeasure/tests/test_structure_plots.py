import numpy as np
import pytest

import edmeasure

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(1)
    return rng.standard_normal((300, 2)) @ np.kron(np.eye(2), [0.8, -0.7, 0.6]) + 0.6 * rng.standard_normal((300, 6))


def test_eigenvalues_stand_against_chance(values):
    found = edmeasure.parallel_analysis(values, rng=np.random.default_rng(2), n_replications=5)
    ax = found.plot(labels={"By chance": "随机"})
    answers, chance, limit = ax.get_lines()
    np.testing.assert_array_equal(answers.get_ydata(), found.factors)
    np.testing.assert_array_equal(chance.get_ydata(), found.factors_by_chance)
    assert limit.get_xdata()[0] == found.n_factors + 0.5
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Answers", "随机"]


def test_marks_are_as_large_as_loadings(values):
    found = edmeasure.explore_factors(values, 2)
    ax = found.plot(labels={"I1": "第1题"})
    marks = ax.collections[-1]
    shown = np.abs(found.loadings) >= 0.1
    assert len(marks.get_offsets()) == shown.sum()
    np.testing.assert_allclose(np.sort(marks.get_sizes()), np.sort(160 * found.loadings[shown] ** 2))
    assert ax.get_yticklabels()[0].get_text() == "第1题"
    colours = np.unique(marks.get_facecolors(), axis=0)
    assert len(colours) == 2  # some loadings are below 0


def test_confirmed_factors_have_their_names(values):
    pytest.importorskip("semopy")
    ax = edmeasure.confirm_factors(values, {"one": ["I1", "I2", "I3"], "two": ["I4", "I5", "I6"]}).plot()
    assert [text.get_text() for text in ax.get_xticklabels()] == ["one", "two"]
    assert len(ax.collections[-1].get_offsets()) == 6


def test_profiles_are_drawn_around_the_mean_of_all(values):
    found = edmeasure.find_profiles(values, rng=np.random.default_rng(3), n_profiles=2, n_starts=3, n_replications=0)
    ax = found.named({1: "calm"}).plot()
    _, small, large = ax.get_lines()
    mean, sd = values.mean(axis=0), values.std(axis=0)
    np.testing.assert_allclose(large.get_ydata(), (found.centres[0] - mean) / sd, atol=1e-6)
    np.testing.assert_allclose(small.get_ydata(), (found.centres[1] - mean) / sd, atol=1e-6)
    assert ax.get_legend().get_texts()[1].get_text().startswith("calm (")
