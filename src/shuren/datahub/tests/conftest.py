"""A dataset to write to, and a lake of its own for every test."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.cast import Cast, build_cast, forget_news

from shuren.datahub.api import declare_dataset
from shuren.datahub.data import DatasetSpec

MARKS = DatasetSpec(name="probe.marks", partition_keys=("run",), description="for tests", grade="L2", owner="tests")
PAIRS = DatasetSpec(name="probe.pairs", partition_keys=("run", "year"), description="for tests", grade="L2", owner="tests")


def table_of(rows: int, value: int = 0) -> pa.Table:
    """Rows with ids 0…rows-1, all holding `value`: a mixed read would show two values."""
    return pa.table({"person_id": pa.array(np.arange(rows)), "mark": pa.array(np.full(rows, value, np.int16))})


@pytest.fixture(autouse=True)
def lake(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    declare_dataset(MARKS)
    declare_dataset(PAIRS)
    return tmp_path / "lake"


@pytest.fixture
def cast(db: None) -> Cast:
    found = build_cast()
    forget_news()
    return found
