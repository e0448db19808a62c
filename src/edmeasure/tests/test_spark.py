"""The same estimates from a cluster of two worker processes (`make spark`)."""

import os
import sys

import numpy as np
import pytest

import edmeasure
from edmeasure import spark as on_spark
from edmeasure.tests.conftest import simulated

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def session():
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = pytest.importorskip("pyspark.sql").SparkSession.builder.master("local-cluster[2,1,1024]").appName("edmeasure")
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.default.parallelism": "2",
        "spark.task.maxFailures": "1",
        "spark.executorEnv.NUMBA_NUM_THREADS": "1",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


def as_frame(session, tmp_path, responses, **others):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {name: responses.scores[:, j] for j, name in enumerate(responses.item_ids)}
    parquet.write_table(arrow.table(columns | others), tmp_path / "answers.parquet")
    return session.read.parquet(str(tmp_path / "answers.parquet")).repartition(4).persist()


def test_two_workers_give_the_estimates_of_one_process(session, sim10k, sim10k_fit, tmp_path):
    frame = as_frame(session, tmp_path, sim10k)
    fit = on_spark.calibrate_frame(frame)
    assert len({row["worker"] for row in frame.mapInArrow(worker_ids, "worker long").collect()}) == 2
    np.testing.assert_allclose(fit.slopes, sim10k_fit.slopes, rtol=0, atol=1e-6)
    np.testing.assert_allclose(fit.intercepts, sim10k_fit.intercepts, rtol=0, atol=1e-6)
    np.testing.assert_allclose(fit.slope_se, sim10k_fit.slope_se, rtol=1e-6)
    assert fit.loglik == pytest.approx(sim10k_fit.loglik, abs=1e-6)
    assert fit.certificate.is_maximum
    once, again = (on_spark.calibrate_frame(frame, max_iterations=1, standard_errors=False) for _ in range(2))
    np.testing.assert_array_equal(once.slopes, again.slopes)


def worker_ids(batches):
    arrow = pytest.importorskip("pyarrow")
    for _ in batches:
        yield arrow.RecordBatch.from_pydict({"worker": [os.getppid()]})


def test_groups_weights_and_missing_answers(session, tmp_path):
    rng = np.random.default_rng(8)
    theta = np.concatenate([rng.standard_normal(2000), 0.4 + 1.2 * rng.standard_normal(2000)])
    intercepts = [0.5, -0.3, [1.0, -0.5], 0.0, -1.0]
    scores = simulated(rng, n=4000, slopes=[1.0, 1.4, 0.8, 1.1, 1.2], intercepts=intercepts, missing=0.1, theta=theta)
    responses, groups = edmeasure.Responses.from_array(scores), np.repeat(["A", "B"], 2000)
    weights = rng.uniform(0.5, 2, 4000)
    frame = as_frame(session, tmp_path, responses, **{"W.1": weights, "G": groups})
    fit = on_spark.calibrate_frame(frame, weights="W.1", groups="G", chunk_rows=300, max_iterations=4)
    wanted = edmeasure.calibrate(responses, weights=weights, groups=groups, max_iterations=4)
    assert fit.group_labels == ("A", "B")
    np.testing.assert_allclose(fit.slopes, wanted.slopes, rtol=0, atol=1e-6)
    np.testing.assert_allclose(fit.group_means, wanted.group_means, rtol=0, atol=1e-6)
    np.testing.assert_allclose(fit.group_sd_se, wanted.group_sd_se, rtol=1e-5)


def test_refusals(session):
    frame = session.createDataFrame([(0, 1), (1, 0), (1, 1)], "a int, b int")
    with pytest.raises(edmeasure.BadShape, match="no columns"):
        on_spark.calibrate_frame(frame, weights="w")
    with pytest.raises(edmeasure.BadOption, match="chunk_rows"):
        on_spark.calibrate_frame(frame, chunk_rows=0)
    with pytest.raises(edmeasure.NothingToCalibrate, match="no persons"):
        on_spark.calibrate_frame(frame.filter("a > 5"))
    with pytest.raises(Exception, match=r"unknown code -7|reach from -7"):
        on_spark.calibrate_frame(session.createDataFrame([(0, 1), (1, -7)], "a int, b int"))
