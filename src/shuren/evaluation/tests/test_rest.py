"""The API answers with the same documents, inside the same branches."""

import pytest
from django.test import RequestFactory

from shuren.evaluation import rest
from shuren.evaluation.api import report_of
from shuren.evaluation.tests.conftest import NOW, Region
from shuren.kernel import audit, ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import NotFound


def request_of(region: Region, key: str):
    request = RequestFactory().get("/api/v1/reports/")
    request._shuren_actor = region.actor(key)
    return request


def test_a_report_over_the_api_is_the_document(region: Region, run_id: int) -> None:
    run = ids.encode("run", run_id)
    found = rest.show_report(request_of(region, "head"), run, region.public("east1"))
    expected = report_of(actor=SYSTEM, run_id=run_id, org_id=region.orgs["east1"], now=NOW)
    assert found == expected.body
    assert audit.entries(action="evaluation.report_downloaded").get().details["form"] == "api"
    with pytest.raises(NotFound):
        rest.show_report(request_of(region, "head"), run, region.public("west1"))


def test_runs_and_pupils_over_the_api(region: Region, run_id: int) -> None:
    run = ids.encode("run", run_id)
    page = rest.list_runs(request_of(region, "head"))
    assert [row["id"] for row in page["runs"]] == [run]
    detail = rest.RunDetail.model_validate(rest.show_run(request_of(region, "head"), run))
    assert detail.certificate["is_sound"] is True
    assert detail.truth == []
    person = ids.encode("person", region.people["pupil"])
    assert rest.show_pupil(request_of(region, "parent"), run, person)["schema"] == "shuren.pupil/1"
    with pytest.raises(NotFound):
        rest.show_pupil(request_of(region, "teacher"), run, person)
    with pytest.raises(NotFound):
        rest.show_run(request_of(region, "parent"), run)
