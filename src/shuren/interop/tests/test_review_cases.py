"""Reviewing an app is a case: it is asked of the officers, decided where they work, taken back with its submission."""

import pytest
from django.apps import apps

from shuren.casework import api as casework
from shuren.casework.data import CaseState
from shuren.interop.data import Decision
from shuren.interop.models import App, Listing, Submission
from shuren.interop.services.review import decide_submission, origin_of, submit_version, withdraw_submission
from shuren.interop.services.webhook_keys import rotate_webhook_key
from shuren.interop.services.write_entry import add_app
from shuren.interop.tests.conftest import Stage, VendorServer, entry_at
from shuren.interop.tests.test_chain import run_test
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict


def laid_before(stage: Stage, server: VendorServer) -> tuple[int, int]:
    app_id = add_app(actor=stage.vendor, entry=entry_at(server.url), now=clock.now())
    server.control(key=rotate_webhook_key(actor=stage.vendor, app_id=app_id, now=clock.now()))
    server.control(client_id=App.objects.get(pk=app_id).sandbox_client_id or "sandbox")
    run_test(stage, app_id)
    org_id = stage.cast.orgs["city"].id
    return app_id, submit_version(actor=stage.vendor, app_id=app_id, org_id=org_id, now=clock.now())


def asked(submission_id: int) -> list[int | None]:
    items = apps.get_model("casework.WorkItem").objects.filter(case__origin=origin_of(submission_id), state="open")
    return list(items.values_list("assignee_id", flat=True))


def test_the_officers_are_asked_and_decide_on_either_page(stage: Stage, server: VendorServer) -> None:
    app_id, submission_id = laid_before(stage, server)
    assert stage.actor("city_officer").person_id in asked(submission_id)
    case = casework.case_of(origin_of(submission_id))
    assert case.state is CaseState.RUNNING
    assert case.data["app_name"] == App.objects.get(pk=app_id).versions.get().name
    casework.decide_case_of(
        actor=stage.actor("city_officer"), origin=origin_of(submission_id), outcome="approve", now=clock.now()
    )
    assert Submission.objects.get(pk=submission_id).decision == Decision.APPROVE
    assert Listing.objects.filter(app_id=app_id, ended_at__isnull=True).count() == 1
    with pytest.raises(Conflict):
        casework.decide_case_of(actor=SYSTEM, origin=origin_of(submission_id), outcome="refuse", comment="晚了", now=clock.now())


def test_a_reason_reaches_the_submission_and_closes_the_case(stage: Stage, server: VendorServer) -> None:
    _app_id, submission_id = laid_before(stage, server)
    officer = stage.actor("city_officer")
    decide_submission(
        actor=officer, submission_id=submission_id, decision=Decision.RETURN, reason="请写清楚用途", now=clock.now()
    )
    case = casework.case_of(origin_of(submission_id))
    assert (case.state, case.end) == (CaseState.CLOSED, "returned")
    assert Submission.objects.get(pk=submission_id).reason == "请写清楚用途"


def test_taking_the_submission_back_withdraws_the_case(stage: Stage, server: VendorServer) -> None:
    app_id, submission_id = laid_before(stage, server)
    withdraw_submission(actor=stage.vendor, app_id=app_id, now=clock.now())
    assert casework.case_of(origin_of(submission_id)).state is CaseState.WITHDRAWN
    assert asked(submission_id) == []
