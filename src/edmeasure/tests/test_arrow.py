"""Answers from Parquet and results to Arrow and JSON."""

import json

import numpy as np
import pytest

import edmeasure
from edmeasure import _arrow

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def folder(tmp_path, lsat7):
    """LSAT7 in two files, with a null, a weight and a text column."""
    for part, rows in enumerate((slice(0, 400), slice(400, 1000))):
        columns = {f"Q{j}": arrow.array(lsat7.scores[rows, j].astype(np.int16)) for j in range(5)}
        if part == 0:
            columns["Q2"] = arrow.array([None, *lsat7.scores[1:400, 2].tolist()], type=arrow.int16())
        size = lsat7.scores[rows].shape[0]
        columns["W"] = arrow.array(np.linspace(1, 2, size))
        columns["name"] = arrow.array([f"p{i}" for i in range(size)])
        parquet.write_table(arrow.table(columns), tmp_path / f"part{part}.parquet")
    return tmp_path


@pytest.mark.parametrize("batch_rows", [64, 100_000])
def test_parquet_is_read_in_batches(folder, lsat7, batch_rows):
    names = [f"Q{j}" for j in range(5)]
    read = edmeasure.Responses.from_parquet(folder, items=names, weights="W", batch_rows=batch_rows)
    expected = lsat7.scores.copy()
    expected[0, 2] = edmeasure.NOT_ADMINISTERED
    np.testing.assert_array_equal(read.scores, expected)
    assert read.item_ids == tuple(names)
    assert read.weights[399] == 2.0


def test_tables_and_columns_of_any_number_type_are_read():
    table = arrow.table({"a": [True, None, False], "b": [0.0, float("nan"), 2.0], "c": [1, 0, None]})
    read = edmeasure.Responses.from_parquet(table)
    np.testing.assert_array_equal(read.scores, [[1, 0, 1], [-1, -1, 0], [0, 2, -1]])


def test_columns_that_are_no_scores_are_named(folder):
    with pytest.raises(edmeasure.BadScore, match="name"):
        edmeasure.Responses.from_parquet(folder, items=["Q0", "name"])
    with pytest.raises(edmeasure.BadShape, match="Q9"):
        edmeasure.Responses.from_parquet(folder, items=["Q9"])
    with pytest.raises(edmeasure.MissingPackage, match="edmeasure\\[arrow\\]"):
        _arrow.module("pyarrow.no_such_part")


def test_results_become_tables_and_json(lsat7, lsat7_fit):
    items = lsat7_fit.to_arrow()
    assert items.num_rows == 5
    assert items.column("model").to_pylist() == ["2PL"] * 5
    np.testing.assert_array_equal(items.column("slopes").to_numpy(), lsat7_fit.slopes)
    scored = edmeasure.score_wle(lsat7_fit, lsat7)
    assert scored.to_arrow().column_names == ["theta", "se"]
    assert edmeasure.sum_score_table(lsat7_fit).to_arrow().num_rows == 6
    drawn = edmeasure.plausible_values(lsat7_fit, lsat7, rng=np.random.default_rng(1), n_values=2)
    assert drawn.to_arrow().column_names[:3] == ["pv1", "pv2", "eap"]
    told = json.loads(json.dumps(lsat7_fit.to_dict(), allow_nan=False))
    assert told["certificate"]["nodes"] == 61
    assert told["slopes"] == lsat7_fit.slopes.tolist()
    assert told["group_mean_se"] == [None]
