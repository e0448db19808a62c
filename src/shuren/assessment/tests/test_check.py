"""Checking a results file."""

import pytest

from shuren.assessment import api
from shuren.assessment.tests.conftest import Cast, apply, findings_of, package_of, sheets_of, start

pytestmark = pytest.mark.django_db


def test_a_faultless_file(cast: Cast) -> None:
    state = start(package_of(sheets_of(cast)))
    print(findings_of(state), state)
    assert state.status == "ready"
    state = apply(state)
    print(state)
    assert state.status == "applied"
    data = api.responses_of(api.assessment_id_of_code("math-2026"))
    print(data)
