"""Answers that are read in chunks give what answers in memory give, in memory that does not grow with them."""

import inspect
import tracemalloc

import numpy as np
import pytest

import edmeasure
from edmeasure.calibration import _sheets, streaming
from edmeasure.tests.conftest import simulated

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def as_table(responses, **others):
    columns = {name: responses.scores[:, j] for j, name in enumerate(responses.item_ids)}
    return arrow.table(columns | others)


@pytest.fixture(scope="module")
def booklets():
    """6,000 persons in two groups with weights, mixed items, some not given, one that nobody of a group was given."""
    rng = np.random.default_rng(4)
    theta = np.concatenate([rng.standard_normal(3000), 0.5 + 1.2 * rng.standard_normal(3000)])
    intercepts = [0.5, -0.3, [1.0, -0.5], 0.0, -1.0, [0.4, 0.2, -0.9], 0.8]
    scores = simulated(rng, n=6000, slopes=[1.0, 1.4, 0.8, 1.1, 0.7, 0.9, 1.3], intercepts=intercepts, missing=0.1, theta=theta)
    scores[:3000, 3] = -1
    return edmeasure.Responses.from_array(scores), np.repeat([10, 9], 3000), rng.uniform(0.5, 2.0, 6000)


def assert_same(fit, other, atol):
    for name in ("slopes", "intercepts", "group_means", "group_sds"):
        np.testing.assert_allclose(getattr(fit, name), getattr(other, name), rtol=0, atol=atol, err_msg=name)
    for name in ("slope_se", "intercept_se", "group_mean_se", "group_sd_se"):
        np.testing.assert_allclose(getattr(fit, name), getattr(other, name), rtol=1e-7, err_msg=name)
    assert fit.loglik == pytest.approx(other.loglik, abs=1e-7)
    assert fit.item_ids == other.item_ids
    assert fit.models == other.models
    assert fit.group_labels == other.group_labels
    assert fit.unused_categories == other.unused_categories
    assert fit.certificate.is_sound == other.certificate.is_sound


def test_packed_while_read_is_the_same_to_the_last_bit(sim10k, sim10k_fit, tmp_path):
    parquet.write_table(as_table(sim10k), tmp_path / "a.parquet", row_group_size=777)
    fit = edmeasure.calibrate_dataset(tmp_path)
    np.testing.assert_array_equal(fit.slopes, sim10k_fit.slopes)
    np.testing.assert_array_equal(fit.intercepts, sim10k_fit.intercepts)
    assert fit.history == sim10k_fit.history
    assert fit.loglik == sim10k_fit.loglik
    in_pieces = edmeasure.calibrate_dataset(tmp_path / "a.parquet", chunk_rows=1500, standard_errors=False)
    np.testing.assert_array_equal(in_pieces.slopes, fit.slopes)


def test_one_chunk_that_is_read_again_is_the_same_to_the_last_bit(sim10k, sim10k_fit):
    fit = edmeasure.calibrate_dataset(as_table(sim10k), memory=0, standard_errors=False)
    np.testing.assert_array_equal(fit.slopes, sim10k_fit.slopes)
    assert fit.history == sim10k_fit.history


@pytest.mark.parametrize("memory", [0, streaming.MEMORY])
@pytest.mark.parametrize("with_groups", [False, True])
def test_weights_groups_and_booklets_agree_with_memory(booklets, memory, with_groups):
    # Seven items, and slopes that stretch with the groups: the likelihood is flat, which enlarges the rounding of sums, and
    # how sums are rounded is the processor's (1.7e-8 was seen).
    responses, groups, weights = booklets
    tight = {"tolerance": 1e-10, "loglik_tolerance": 1e-13}
    in_groups = {"groups": groups, "reference": 10} if with_groups else {}
    wanted = edmeasure.calibrate(responses, weights=weights, **in_groups, **tight)
    table = as_table(responses, W=weights, G=groups)
    options = {"items": responses.item_ids, "weights": "W", "chunk_rows": 1900, "memory": memory}
    if with_groups:
        options |= {"groups": "G", "reference": 10}
    assert_same(edmeasure.calibrate_dataset(table, **options, **tight), wanted, 1e-7)


def test_other_models_fixed_items_and_histograms_agree_with_memory(booklets):
    responses, groups, _ = booklets
    table = as_table(responses, G=arrow.array(groups.astype(str)).dictionary_encode())
    for options in (
        {"models": {"I1": "3PL", "I3": "GRM"}},
        {"latent_density": "histogram", "reference": "10"},
        {"fixed": edmeasure.calibrate(responses.items([0, 1, 2]), standard_errors=False)},
    ):
        tight = {"tolerance": 1e-8, "max_iterations": 8, "standard_errors": False, **options}
        wanted = edmeasure.calibrate(responses, groups=groups.astype(str), **tight)
        fit = edmeasure.calibrate_dataset(table, groups="G", memory=0, chunk_rows=2500, **tight)
        np.testing.assert_allclose(fit.slopes, wanted.slopes, atol=1e-6)
        assert fit.loglik == pytest.approx(wanted.loglik, abs=1e-4)


def test_files_and_row_groups_do_not_matter(sim10k, tmp_path):
    table = as_table(sim10k)
    parquet.write_table(table, tmp_path / "one.parquet")
    for part in range(3):
        parquet.write_table(table.slice(part * 3500, 3500), tmp_path / f"many{part}.parquet", row_group_size=999)
    paths = [str(tmp_path / f"many{part}.parquet") for part in range(3)]
    tight = {"tolerance": 1e-9, "loglik_tolerance": 1e-13, "standard_errors": False}
    options = {"memory": 0, "chunk_rows": 1111, **tight}
    one = edmeasure.calibrate_dataset(tmp_path / "one.parquet", **options)
    many = edmeasure.calibrate_dataset(arrow.dataset.dataset(paths, format="parquet"), **options)
    np.testing.assert_array_equal(one.slopes, many.slopes)
    assert one.history == many.history
    # a Newton step is refused where rounding hides its gain: that leaves 1e-9
    wanted = edmeasure.calibrate(sim10k, **tight)
    np.testing.assert_allclose(one.slopes, wanted.slopes, rtol=0, atol=5e-9)
    np.testing.assert_allclose(one.intercepts, wanted.intercepts, rtol=0, atol=5e-9)


def test_short_tests_collapse_into_their_patterns():
    scores = simulated(np.random.default_rng(2), n=30_000, slopes=[1.0, 1.5, 0.8], intercepts=[0.2, -0.5, 0.0], missing=0.05)
    responses = edmeasure.Responses.from_array(scores)
    # room for a chunk and the 27 patterns, not for the persons
    fit = edmeasure.calibrate_dataset(as_table(responses), memory=12_000, chunk_rows=1000, standard_errors=False)
    sheets = _sheets.dataset_sheets(as_table(responses), None, None, None, 1000)
    assert len(list(sheets)) == 30
    wanted = edmeasure.calibrate(responses, standard_errors=False)
    np.testing.assert_array_equal(fit.slopes, wanted.slopes)
    assert fit.loglik == wanted.loglik


def test_memory_does_not_grow_with_the_persons(tmp_path):
    scores = simulated(np.random.default_rng(6), n=5000, slopes=np.linspace(0.8, 1.6, 30), intercepts=np.linspace(-1, 1, 30))
    table = as_table(edmeasure.Responses.from_array(scores))
    peaks = []
    for copies in (2, 12):
        path = tmp_path / f"{copies}.parquet"
        with parquet.ParquetWriter(path, table.schema) as file:
            for _ in range(copies):
                file.write_table(table)
        options = {"memory": 0, "chunk_rows": 5000, "max_iterations": 2}
        edmeasure.calibrate_dataset(path, **options)
        tracemalloc.start()
        fit = edmeasure.calibrate_dataset(path, **options)
        edmeasure.score_dataset(fit, path, tmp_path / "scores.parquet", chunk_rows=5000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def test_options_have_the_defaults_of_a_calibration_in_memory():
    parameters = inspect.signature(edmeasure.calibrate).parameters
    for name in streaming.CalibrationOptions.__annotations__:
        assert getattr(streaming.Settings(), name) == parameters[name].default, name


def hostile(**changes):
    columns = {"a": [0, 1, 1, 0, 1, 0], "b": [1, 1, 0, 0, 1, 0], "c": [0, 1, 0, 1, 0, 1]}
    return arrow.table(columns | changes)


@pytest.mark.parametrize(
    ("table", "options", "error", "words"),
    [
        (hostile(c=np.array([0, 1, -4, 1, 0, 1], dtype=np.int8)), {}, edmeasure.BadScore, "Item c.*-4"),
        (hostile(c=[0.0, 0.5, 0, 1, 0, 1]), {}, edmeasure.BadScore, "Column c"),
        (hostile(c=[0, 1, 2, 1, 0, 1]), {"max_scores": [1, 1, 1]}, edmeasure.BadScore, r"\['c'\].*above"),
        (hostile(w=[1.0, None, 1, 1, 1, 1]), {"weights": "w"}, edmeasure.BadShape, "Column w"),
        (hostile(w=[1.0, -1, 1, 1, 1, 1]), {"weights": "w"}, edmeasure.BadWeight, "negative"),
        (hostile(w=[0.0] * 6), {"weights": "w"}, edmeasure.BadWeight, "zero"),
        (hostile(g=["x", None, "y", "x", "y", "x"]), {"groups": "g"}, edmeasure.BadShape, "Column g"),
        (hostile(), {"groups": "g"}, edmeasure.BadShape, "no columns"),
        (hostile(a=[0, 1, None, None, 1, 0], b=[0, 1, None, None, 0, 1], c=[1, 1, None, None, 0, 1], g=[*"uuvvuu"]),
         {"groups": "g"}, edmeasure.BadOption, "Nobody of group 'v'"),
        (hostile().slice(0, 0), {}, edmeasure.NothingToCalibrate, "no persons"),
        (hostile(a=[1] * 6, b=[0] * 6, c=[1] * 6), {}, edmeasure.NothingToCalibrate, "one and the same"),
        (hostile(), {"items": []}, edmeasure.BadShape, "no columns of scores"),
        (hostile(), {"memory": -1}, edmeasure.BadOption, "memory"),
        (hostile(), {"chunk_rows": 0}, edmeasure.BadOption, "chunk_rows"),
        (hostile(), {"n_nodes": 3}, edmeasure.BadOption, "n_nodes"),
    ],
)  # fmt: skip
def test_refusals_name_the_column(table, options, error, words):
    with pytest.raises(error, match=words):
        edmeasure.calibrate_dataset(table, **options)


def test_items_without_variance_are_left_out(lsat7):
    table = as_table(lsat7).append_column("same", arrow.array(np.ones(1000, dtype=np.int8)))
    fit = edmeasure.calibrate_dataset(table, memory=0, chunk_rows=300)
    assert fit.excluded == ("same",)
    # Sums by chunks round otherwise, so EM may end a step earlier or later.
    np.testing.assert_allclose(fit.slopes[:5], edmeasure.calibrate(lsat7).slopes, rtol=1e-5)


def test_scores_are_those_of_answers_in_memory(booklets, tmp_path):
    responses, groups, _ = booklets
    fit = edmeasure.calibrate(responses, groups=groups, standard_errors=False)
    numbers = np.arange(6000)
    table = as_table(responses, number=numbers, G=groups)
    kinds = ("eap", "map", "wle", "ml", "sum", "pv")
    options = {"scores": kinds, "keep": ["number"], "groups": "G", "n_values": 3}
    target = tmp_path / "scores.parquet"
    told = edmeasure.score_dataset(fit, table, target, rng=np.random.default_rng(1), chunk_rows=1700, **options)
    found = parquet.read_table(target)
    prior = dict(zip(("prior_mean", "prior_sd"), fit.priors_of(groups), strict=True))
    for kind, wanted in {
        "eap": edmeasure.score_eap(fit, responses, **prior),
        "map": edmeasure.score_map(fit, responses, **prior),
        "wle": edmeasure.score_wle(fit, responses),
        "ml": edmeasure.score_ml(fit, responses),
    }.items():
        np.testing.assert_allclose(found.column(kind).to_numpy(), wanted.theta, atol=1e-6, err_msg=kind)
        np.testing.assert_allclose(found.column(f"{kind}_se").to_numpy(), wanted.se, atol=1e-6, err_msg=kind)
    rows = groups == 9
    of_points = edmeasure.score_sum_eap(
        fit, responses.persons(rows), prior_mean=prior["prior_mean"][rows][0], prior_sd=prior["prior_sd"][rows][0]
    )
    np.testing.assert_allclose(found.column("sum").to_numpy()[rows], of_points.theta, atol=1e-12)
    np.testing.assert_array_equal(found.column("number").to_numpy(), numbers)
    drawn = np.stack([found.column(f"pv{k}").to_numpy() for k in (1, 2, 3)])
    for g, label in enumerate(fit.group_labels):
        own = drawn[:, groups.astype(str) == label]
        assert own.mean() == pytest.approx(fit.group_means[g], abs=0.04)
        assert own.std() == pytest.approx(fit.group_sds[g], abs=0.04)
    assert told.columns == ("eap", "map", "wle", "ml", "sum", "pv1", "pv2", "pv3")
    assert told.n_persons == 6000
    np.testing.assert_allclose(told.mean[0], found.column("eap").to_numpy().mean(), rtol=1e-10)
    np.testing.assert_allclose(told.sd[0], found.column("eap").to_numpy().std(), rtol=1e-10)
    assert told.to_arrow().num_rows == 8
    assert "6,000 persons scored" in str(told)


def test_draws_do_not_depend_on_the_chunks_and_follow_the_posterior(lsat7, lsat7_fit, tmp_path):
    table = as_table(lsat7, centre=np.linspace(-1, 1, 1000), spread=np.full(1000, 0.7))
    drawn = []
    for chunk_rows in (100, 1000):
        target = tmp_path / f"{chunk_rows}.parquet"
        options = {"prior_mean": "centre", "prior_sd": "spread", "n_values": 400, "chunk_rows": chunk_rows}
        edmeasure.score_dataset(lsat7_fit, table, target, scores="pv", rng=np.random.default_rng(5), **options)
        drawn.append(np.stack([column.to_numpy() for column in parquet.read_table(target).columns], axis=1))
    np.testing.assert_array_equal(*drawn)
    eap = edmeasure.score_eap(lsat7_fit, lsat7, prior_mean=np.linspace(-1, 1, 1000), prior_sd=0.7)
    z = (drawn[0].mean(axis=1) - eap.theta) / (eap.se / np.sqrt(400))
    assert 0.9 < z.std() < 1.1
    assert abs(z.mean()) < 0.12
    np.testing.assert_allclose(drawn[0].std(axis=1), eap.se, rtol=0.2)


def test_a_refused_run_leaves_no_file(lsat7, lsat7_fit, tmp_path):
    target = tmp_path / "scores.parquet"
    bad = as_table(lsat7).set_column(0, "I1", arrow.array(np.r_[lsat7.scores[:999, 0], 5].astype(np.int8)))
    with pytest.raises(edmeasure.BadScore, match="above the maximum"):
        edmeasure.score_dataset(lsat7_fit, bad, target, chunk_rows=100)
    assert list(tmp_path.iterdir()) == []
    for options, error, words in (
        ({"scores": ("eap", "median")}, edmeasure.BadOption, "median"),
        ({"scores": ()}, edmeasure.BadOption, "No scores"),
        ({"scores": ("pv",)}, edmeasure.BadOption, "rng"),
        ({"items": ["I9"]}, edmeasure.BadShape, "I9"),
        ({"keep": ["who"]}, edmeasure.BadShape, "who"),
    ):
        with pytest.raises(error, match=words):
            edmeasure.score_dataset(lsat7_fit, as_table(lsat7), target, **options)
    with pytest.raises(edmeasure.BadShape, match="No column"):
        edmeasure.score_dataset(lsat7_fit, arrow.table({"x": [1]}), target)
    with pytest.raises(edmeasure.BadShape, match="no persons"):
        edmeasure.score_dataset(lsat7_fit, as_table(lsat7).slice(0, 0), target)


def test_persons_without_answers_have_no_weighted_likelihood_estimate(lsat7_fit, tmp_path):
    table = arrow.table({f"I{j}": arrow.array([None, 1], type=arrow.int8()) for j in range(1, 6)})
    told = edmeasure.score_dataset(lsat7_fit, table, tmp_path / "scores.parquet")
    assert told.n_scored.tolist() == [2, 1]
    assert parquet.read_table(tmp_path / "scores.parquet").column("eap").to_numpy()[0] == pytest.approx(0.0, abs=1e-12)
