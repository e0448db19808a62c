"""The portal's tests play on the small province of `tests/cast.py`."""

import pytest
from tests.cast import Cast, build_cast


@pytest.fixture
def cast(db: None) -> Cast:
    return build_cast()
