"""Readability: features that do not mind length, stated errors on real problems, readers and books on one scale."""

import csv
import gzip
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.base import clone

import edmeasure
from edmeasure import FeatureReader, ReadabilityModel, ReadingLink
from edmeasure.readability import _text
from edmeasure.tests.conftest import DATA

SENTENCE = "小明有三只猫，小红有五只狗。"


@pytest.fixture(scope="module")
def problems():
    """600 primary mathematics problems, 100 of every grade (CMATH, CC BY 4.0)."""
    with gzip.open(DATA / "cmath_problems.csv.gz", "rt", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    return [row["problem"] for row in rows], np.array([float(row["grade"]) for row in rows])


def test_counts_are_those_of_a_hand():
    found = FeatureReader().read([SENTENCE + "因为下雨，所以鼹鼠的家！"])
    assert found.of("characters_per_sentence")[0] == pytest.approx((12 + 10) / 2)
    assert found.of("characters_per_clause")[0] == pytest.approx((6 + 6 + 4 + 6) / 4)
    assert found.of("uncommon_characters")[0] == pytest.approx(1 / 22)  # only the mole is outside the common 3,755
    assert found.of("connectives")[0] == pytest.approx(200 / 22)
    assert found.of("particle_de")[0] == pytest.approx(100 / 22)


def test_common_characters_are_the_first_level_of_the_standard():
    assert int(_text.IS_COMMON.sum()) == 3755
    assert _text.IS_COMMON[[ord(one) for one in "的一是学习"]].all()
    assert not _text.IS_COMMON[[ord(one) for one in "饕餮鼹彷"]].any()


def test_full_width_figures_and_signs_count_like_plain_ones():
    plain, wide = FeatureReader().read([SENTENCE + "共3:5,有12元?", SENTENCE + "共３：５，有１２元？"]).values
    np.testing.assert_allclose(plain, wide)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_diversity_is_that_of_drawing_characters(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 6, 8)
    tokens = np.repeat(np.arange(8), counts)
    drawn = [np.unique(rng.permutation(tokens)[:5]).size / 5 for _ in range(1500)]
    assert _text.types_in_sample(counts, 5) == pytest.approx(np.mean(drawn), abs=0.03)
    assert _text.types_in_sample(counts, 1) == pytest.approx(1.0)
    pairs = sum(a == b for i, a in enumerate(tokens) for b in tokens[i + 1 :])
    assert _text.repeat_rate(counts) == pytest.approx(pairs / (tokens.size * (tokens.size - 1) / 2))


def test_length_does_not_move_the_features(problems):
    """Pages of clauses drawn from one stock have the same features on average, short or long."""
    texts, _ = problems
    stock = [clause for text in texts for clause in re.findall(r"[^，。？！,.]{4,}[，。？！]", text)]
    rng = np.random.default_rng(1)
    short, long = (["".join(rng.choice(stock, size)) for _ in range(150)] for size in (20, 200))
    reader = FeatureReader(sample=20)
    few, many = reader.read(short), reader.read(long)
    spread = few.values.std(axis=0)
    assert (np.abs(few.values.mean(axis=0) - many.values.mean(axis=0)) < 0.35 * spread + 1e-9).all()
    types = [len(set(text)) / len(text) for text in (short[0], long[0])]
    assert types[0] > 1.5 * types[1]  # the plain type-token ratio falls with length


def test_lists_strokes_and_a_segmenter_add_features():
    lists = ["小明有三只一二四五六七八九十", "猫狗红"]
    strokes = {"小": 3, "明": 8, "有": 6, "三": 3, "只": 5, "猫": 11, "红": 6, "五": 4, "狗": 8}
    reader = FeatureReader(
        character_lists=lists, strokes=strokes, segment=lambda text: [text[at : at + 2] for at in range(0, len(text), 2)],
        word_lists=[["小明"]], with_length=True,
    )  # fmt: skip
    found = reader.read([SENTENCE])
    assert found.of("character_level")[0] == pytest.approx(3 / 12)
    assert found.of("characters_above_1")[0] == pytest.approx(3 / 12)
    assert found.of("characters_above_2")[0] == 0
    assert found.of("strokes")[0] == pytest.approx(np.mean([strokes[one] for one in SENTENCE if one in strokes]))
    assert found.of("words_per_sentence")[0] == 7
    assert found.of("word_level")[0] == pytest.approx(6 / 7)
    assert found.of("log_characters")[0] == pytest.approx(np.log(12))
    assert found.signs[found.names.index("characters_above_1")] == 1


def test_grade_of_problems_is_told_with_its_error(problems):
    texts, grades = problems
    reader = FeatureReader(sample=7, with_length=True)
    model = ReadabilityModel(reader=reader, folds="each").fit(texts, grades)
    error = model.error_
    assert error.n_folds == 600
    assert error.baseline == pytest.approx(grades.std() * 600 / 599)
    assert 1.20 < error.root_mean_square < 1.35
    assert 0.38 < error.explained < 0.50
    assert error.within_one > 0.70
    assert error.root_mean_square == pytest.approx(np.sqrt(np.mean((error.predicted - grades) ** 2)))
    # leaving one out by hand gives the same prediction
    others = [text for at, text in enumerate(texts) if at != 17]
    alone = ReadabilityModel(reader=reader, folds=2).fit(others, np.delete(grades, 17)).predict([texts[17]])
    assert alone[0] == pytest.approx(error.predicted[17], abs=1e-6)


def test_boosting_states_its_error_too(problems):
    texts, grades = problems
    model = ReadabilityModel(reader=FeatureReader(sample=7, with_length=True), regression="boosting", folds=5).fit(texts, grades)
    assert 1.15 < model.error_.root_mean_square < 1.40
    fitted = np.sqrt(np.mean((model.predict(texts) - grades) ** 2))
    assert fitted < model.error_.root_mean_square  # the error of seen texts flatters


def test_shuffled_grades_cannot_be_told(problems):
    texts, grades = problems
    shuffled = np.random.default_rng(2).permutation(grades)
    error = ReadabilityModel(reader=FeatureReader(sample=7)).fit(texts, shuffled).error_
    assert error.explained < 0.02
    assert abs(error.correlation) < 0.15


def test_intervals_hold_new_texts(problems):
    texts, grades = problems
    order = np.random.default_rng(3).permutation(600)
    inside, width = [], []
    for part in np.array_split(order, 4):
        rest = np.setdiff1d(order, part)
        model = ReadabilityModel(reader=FeatureReader(sample=7, with_length=True)).fit([texts[at] for at in rest], grades[rest])
        low, high = model.intervals([texts[at] for at in part], coverage=0.8)
        inside.append(np.mean((low <= grades[part]) & (grades[part] <= high)))
        width.append(np.mean(high - low))
    assert 0.75 < np.mean(inside) < 0.87
    assert np.mean(width) < 4


def test_harder_never_means_easier_where_it_is_monotone(problems):
    texts, grades = problems
    for regression in ("ridge", "boosting"):
        model = ReadabilityModel(reader=FeatureReader(sample=7), regression=regression, folds=5).fit(texts, grades)
        chopped = "小明买了三本书。小红买了五本书。他们一共买了几本书？"
        joined = "小明买了三本书小红买了五本书他们一共买了几本书？"
        assert model.predict([joined])[0] >= model.predict([chopped])[0]
    # against the grain: grades turned round leave nothing for features that may only make a text harder
    turned = ReadabilityModel(reader=FeatureReader(sample=7)).fit(texts, -grades)
    names = list(turned.feature_names_)
    held = [names.index(name) for name in ("characters_per_clause", "connectives")]
    np.testing.assert_allclose(turned.coefficients_[held], 0, atol=1e-9)


def test_explanations_add_up(problems):
    texts, grades = problems
    model = ReadabilityModel(reader=FeatureReader(sample=7)).fit(texts, grades)
    parts = model.explain(texts[500])
    assert sum(parts.values()) + grades.mean() == pytest.approx(model.predict([texts[500]])[0])
    sizes = np.abs(list(parts.values()))
    assert (np.diff(sizes) <= 0).all()


def test_groups_stay_whole_in_folds():
    """Pages of a book share its level: only with `groups` does the error say what a new book would cost."""
    rng = np.random.default_rng(4)
    letters = [chr(0x4E00 + at) for at in range(800)]
    texts, levels, books = [], [], []
    for book in range(30):
        level, own = rng.uniform(1, 6), rng.choice(800, 12, replace=False)
        for _ in range(8):
            length = 5 + (book * 7) % 30
            sentence = "".join(letters[at] for at in rng.choice(own, length)) + "。"
            texts.append(sentence * 3)
            levels.append(level)
            books.append(book)
    apart = ReadabilityModel(regression="boosting", is_monotone=False).fit(texts, levels, groups=books).error_
    mixed = ReadabilityModel(regression="boosting", is_monotone=False).fit(texts, levels).error_
    assert mixed.root_mean_square < 0.8 * apart.root_mean_square
    assert apart.explained < 0.2


def test_it_is_an_estimator_with_results_that_travel(problems):
    texts, grades = problems
    model = ReadabilityModel(reader=FeatureReader(sample=7), folds=4)
    assert clone(model).get_params()["folds"] == 4
    first, second = (clone(model).fit(texts, grades) for _ in range(2))
    np.testing.assert_array_equal(first.predict(texts[:9]), second.predict(texts[:9]))
    assert first.score(texts, grades) > first.error_.explained
    assert first.error_.to_dict()["n_folds"] == 4
    assert "within one level" in str(first)
    assert "600 texts" in str(FeatureReader(sample=7).read(texts))


def test_forecasts_are_those_that_stenner_published():
    """Stenner (1996): a 1000L reader understands texts of 500L, 750L .. 1500L by 96, 90, 75, 50, 25 %; 225L to the logit."""
    lexile = ReadingLink(slope=1 / 225, intercept=0.0, covariance=np.zeros((2, 2)), text_deviation=0.0)
    reader = 1000 / 225 + logit(0.75)
    assert lexile.reader_levels(reader) == pytest.approx(1000)
    chance = lexile.comprehension(reader, [500, 750, 1000, 1250, 1500])
    np.testing.assert_allclose(chance, [0.96, 0.90, 0.75, 0.50, 0.25], atol=0.008)


def test_reader_and_book_of_one_level_meet_at_the_target():
    link = ReadingLink(slope=0.6, intercept=-2.0, covariance=np.zeros((2, 2)), text_deviation=0.0, target=0.8)
    theta = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(link.comprehension(theta, link.reader_levels(theta)), 0.8)
    assert (np.diff(link.reader_levels(theta)) > 0).all()
    assert link.are_suited(0.0, link.reader_levels(0.0), between=(0.75, 0.85))
    assert link.are_suited(0.0, np.linspace(-10, 10, 400)).mean() < 0.1


def test_unsure_readers_and_texts_draw_the_chance_to_one_half():
    link = ReadingLink(slope=0.5, intercept=0.0, covariance=np.zeros((2, 2)), text_deviation=0.0)
    sure, unsure = link.comprehension(2.0, 1.0), link.comprehension(2.0, 1.0, theta_errors=0.6, level_errors=1.0)
    rng = np.random.default_rng(5)
    drawn = expit(2.0 + 0.6 * rng.normal(size=400_000) - 0.5 * (1.0 + rng.normal(size=400_000)))
    assert unsure == pytest.approx(drawn.mean(), abs=0.002)
    assert 0.5 < unsure < sure == pytest.approx(expit(1.5))


def test_the_line_is_found_from_tested_texts():
    rng = np.random.default_rng(6)
    found, levels_found, deviations = [], [], []
    for _ in range(200):
        levels = rng.uniform(1, 9, 40)
        errors = rng.uniform(0.1, 0.3, 40)
        difficulties = -2 + 0.5 * levels + rng.normal(0, 0.25, 40) + rng.normal(0, errors)
        link = edmeasure.link_reading(levels, difficulties, standard_errors=errors)
        found.append(abs(link.slope - 0.5) < 1.96 * np.sqrt(link.covariance[0, 0]))
        deviations.append(link.text_deviation**2)
        true = (0.7 - logit(0.75) + 2) / 0.5
        levels_found.append(abs(link.reader_levels(0.7) - true) < 1.96 * link.reader_errors(0.7, 0.0))
    assert 0.90 < np.mean(found) < 0.99
    assert 0.90 < np.mean(levels_found) < 0.99
    assert np.sqrt(np.mean(deviations)) == pytest.approx(0.25, abs=0.02)
    plain = edmeasure.link_reading([1, 2, 3, 4], [0.1, 0.5, 1.1, 1.4])
    slope, intercept = np.polyfit([1, 2, 3, 4], [0.1, 0.5, 1.1, 1.4], 1)
    assert (plain.slope, plain.intercept) == (pytest.approx(slope), pytest.approx(intercept))
    assert "one level is" in str(plain)


def test_impossible_texts_and_levels_are_refused(problems):
    texts, grades = problems
    with pytest.raises(edmeasure.BadShape, match="Text 1 has 2 Chinese characters"):
        FeatureReader().read([SENTENCE, "你好 hello"])
    with pytest.raises(edmeasure.BadShape, match="list of texts"):
        FeatureReader().read(SENTENCE)
    with pytest.raises(edmeasure.BadShape, match="Text 0 is a float"):
        FeatureReader().read([np.nan])
    with pytest.raises(edmeasure.BadOption, match="without a segmenter"):
        FeatureReader(word_lists=[["小明"]]).read([SENTENCE])
    with pytest.raises(edmeasure.BadShape, match="no words in text 0"):
        FeatureReader(segment=lambda _: []).read([SENTENCE])
    with pytest.raises(edmeasure.BadOption, match="strokes"):
        FeatureReader(strokes={"小明": 3}).read([SENTENCE])
    with pytest.raises(edmeasure.BadOption, match="No character of text 0"):
        FeatureReader(strokes={"龙": 5}).read([SENTENCE])
    with pytest.raises(edmeasure.BadOption, match="no lists"):
        FeatureReader(character_lists=[]).read([SENTENCE])
    with pytest.raises(edmeasure.BadOption, match="sample"):
        FeatureReader(sample=1).read([SENTENCE])
    reader = FeatureReader(sample=7)
    with pytest.raises(edmeasure.BadShape, match="3 texts"):
        ReadabilityModel(reader=reader).fit(texts[:3], grades[:3])
    with pytest.raises(edmeasure.BadShape, match="levels"):
        ReadabilityModel(reader=reader).fit(texts, grades[:-1])
    with pytest.raises(edmeasure.BadOption, match="NaN"):
        ReadabilityModel(reader=reader).fit(texts, np.where(grades == 1, np.nan, grades))
    with pytest.raises(edmeasure.BadOption, match="same level"):
        ReadabilityModel(reader=reader).fit(texts[:50], np.ones(50))
    with pytest.raises(edmeasure.BadOption, match="No feature differs"):
        ReadabilityModel(reader=reader).fit([SENTENCE] * 30, np.arange(30.0))
    with pytest.raises(edmeasure.BadOption, match="folds"):
        ReadabilityModel(reader=reader, folds=1).fit(texts, grades)
    with pytest.raises(edmeasure.BadOption, match="regression"):
        ReadabilityModel(reader=reader, regression="magic").fit(texts, grades)
    with pytest.raises(edmeasure.BadOption, match="not fitted"):
        ReadabilityModel().predict([SENTENCE])
    with pytest.raises(edmeasure.BadOption, match="slope"):
        edmeasure.link_reading([1, 2, 3], [3, 2, 1])
    with pytest.raises(edmeasure.BadShape, match="three texts"):
        edmeasure.link_reading([1, 2], [1, 2])
    with pytest.raises(edmeasure.BadOption, match="same level"):
        edmeasure.link_reading([1, 1, 1], [1, 2, 3])
    link = edmeasure.link_reading([1, 2, 3], [1, 2, 3.5])
    with pytest.raises(edmeasure.BadOption, match="NaN"):
        link.comprehension(np.nan, 2.0)
    with pytest.raises(edmeasure.BadOption, match="between"):
        link.are_suited(0.0, 1.0, between=(0.9, 0.1))
