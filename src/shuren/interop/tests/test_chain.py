"""From a vendor's first line to the last day of its app, with a real app that answers."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps

from shuren.directory.data import Permission
from shuren.interop import api
from shuren.interop.data import AppStatus, DataPurpose, DataWish, Decision, DeliveryStatus, EventType, RunStatus, VersionStatus
from shuren.interop.models import App, Delivery, Installation, Listing
from shuren.interop.selectors.apps import access_app, access_own_app, latest_test
from shuren.interop.selectors.people import paths_of
from shuren.interop.services.choose import install_app, remove_app
from shuren.interop.services.conformity.service import start_conformity
from shuren.interop.services.govern import announce_leave, end_leaving, resume_app, suspend_app
from shuren.interop.services.launch import launch_app
from shuren.interop.services.review import decide_submission, submit_version
from shuren.interop.services.webhook_keys import rotate_webhook_key
from shuren.interop.services.write_entry import EntryRefused, add_app, revise_entry
from shuren.interop.tests.conftest import ISSUER, Stage, VendorServer, entry_at
from shuren.kernel import clock
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.standards.data import Grade
from shuren.work import api as work


def run_test(stage: Stage, app_id: int) -> RunStatus:
    app = App.objects.get(pk=app_id)
    apps.get_model("interop.ConformityTest").objects.update(started_at=clock.now() - timedelta(minutes=1))
    start_conformity(actor=stage.vendor, app_id=app_id, issuer=ISSUER, now=clock.now())
    work.run_pending()
    version = app.versions.order_by("-number").first()
    assert version is not None
    test = latest_test(version.pk)
    assert test is not None
    return test.status


def failed_steps(app_id: int) -> list[str]:
    version = App.objects.get(pk=app_id).versions.order_by("-number").first()
    assert version is not None
    test = latest_test(version.pk)
    assert test is not None
    return [step.key for step in test.steps if not step.is_passed]


def listed_app(stage: Stage, server: VendorServer, **changes: Any) -> int:
    """An app that went the whole way to the city's list."""
    app_id = add_app(actor=stage.vendor, entry=entry_at(server.url, **changes), now=clock.now())
    server.control(key=rotate_webhook_key(actor=stage.vendor, app_id=app_id, now=clock.now()))
    client_id = App.objects.get(pk=app_id).sandbox_client_id
    server.control(client_id=client_id or "sandbox")
    assert run_test(stage, app_id) is RunStatus.PASSED, failed_steps(app_id)
    approve(stage, app_id)
    server.control(client_id=App.objects.get(pk=app_id).client_id)
    return app_id


def approve(stage: Stage, app_id: int) -> None:
    org_id = stage.cast.orgs["city"].id
    found = submit_version(actor=stage.vendor, app_id=app_id, org_id=org_id, now=clock.now())
    officer = stage.actor("city_officer")
    decide_submission(actor=officer, submission_id=found, decision=Decision.APPROVE, reason="", now=clock.now())


def install(stage: Stage, app_id: int, key: str = "school_admin", org: str = "school") -> int:
    org_id = stage.cast.orgs[org].id
    return install_app(actor=stage.actor(key), app_id=app_id, org_id=org_id, has_read_data=True, now=clock.now())


def launch(stage: Stage, app_id: int, key: str) -> str:
    actor = stage.actor(key)
    assert actor.person_id is not None
    paths = paths_of(actor, now=clock.now())
    return launch_app(app_id=app_id, person_id=actor.person_id, paths=paths, issuer=ISSUER, now=clock.now())[1]


def test_from_entry_to_the_last_day(stage: Stage, server: VendorServer, settings: Any) -> None:
    app_id = listed_app(stage, server)
    with pytest.raises(NotFound):
        launch(stage, app_id, "pupil")
    install(stage, app_id)
    for key in ("pupil", "parent", "teacher", "head"):
        assert launch(stage, app_id, key) == f"{server.url}/start?iss=https%3A%2F%2Fregion.example.cn"
    with pytest.raises(NotFound):
        launch(stage, app_id, "west_pupil")
    work.run_pending()
    told = [line["type"] for line in server.seen()]
    assert told.count("app.installed") == 1

    suspend_app(actor=stage.actor("city_officer"), app_id=app_id, reason="数据外泄", now=clock.now())
    with pytest.raises(Conflict, match="停用"):
        launch(stage, app_id, "pupil")
    resume_app(actor=stage.actor("city_officer"), app_id=app_id, now=clock.now())
    assert launch(stage, app_id, "pupil")

    day = clock.day_of(clock.now())
    with pytest.raises(Invalid, match="30"):
        announce_leave(actor=stage.vendor, app_id=app_id, leaves_on=day + timedelta(days=29), reason="停止服务", now=clock.now())
    announce_leave(actor=stage.vendor, app_id=app_id, leaves_on=day + timedelta(days=30), reason="停止服务", now=clock.now())
    with pytest.raises(Conflict):
        install(stage, app_id, org="class")
    assert end_leaving(now=clock.now() + timedelta(days=29)) == 0
    assert end_leaving(now=clock.now() + timedelta(days=30)) == 1
    assert App.objects.get(pk=app_id).status == AppStatus.DELISTED
    assert not Installation.objects.filter(ended_at__isnull=True).exists()
    assert not Listing.objects.filter(ended_at__isnull=True).exists()
    with pytest.raises(NotFound):
        launch(stage, app_id, "pupil")


@pytest.mark.parametrize(
    ("fault", "step"), [("pkce", "authorize"), ("state", "state"), ("signature", "forged_message"), ("signature", "old_message")]
)
def test_a_careless_app_sees_what_it_does_wrong(stage: Stage, server: VendorServer, fault: str, step: str) -> None:
    app_id = add_app(actor=stage.vendor, entry=entry_at(server.url), now=clock.now())
    server.control(key=rotate_webhook_key(actor=stage.vendor, app_id=app_id, now=clock.now()), fault=fault)
    server.control(client_id=App.objects.get(pk=app_id).sandbox_client_id or "sandbox")
    assert run_test(stage, app_id) is RunStatus.FAILED
    assert step in failed_steps(app_id)
    with pytest.raises(Conflict, match="符合性测试"):
        submit_version(actor=stage.vendor, app_id=app_id, org_id=stage.cast.orgs["city"].id, now=clock.now())


def test_a_changed_entry_must_be_tested_again(stage: Stage, server: VendorServer) -> None:
    app_id = add_app(actor=stage.vendor, entry=entry_at(server.url), now=clock.now())
    server.control(key=rotate_webhook_key(actor=stage.vendor, app_id=app_id, now=clock.now()))
    server.control(client_id=App.objects.get(pk=app_id).sandbox_client_id or "sandbox")
    assert run_test(stage, app_id) is RunStatus.PASSED, failed_steps(app_id)
    revise_entry(actor=stage.vendor, app_id=app_id, entry=entry_at(server.url, description="改过的介绍。"), now=clock.now())
    with pytest.raises(Conflict, match="符合性测试"):
        submit_version(actor=stage.vendor, app_id=app_id, org_id=stage.cast.orgs["city"].id, now=clock.now())


def test_more_data_needs_a_new_approval_and_a_new_choice(stage: Stage, server: VendorServer) -> None:
    app_id = listed_app(stage, server)
    install(stage, app_id)
    first = Installation.objects.get(ended_at__isnull=True).version_id
    entry = entry_at(server.url)
    phone = DataWish("person.phone", DataPurpose.TEACHING, "打电话通知家长", Grade.PUBLIC)
    more = (*entry.wishes, phone)
    revise_entry(actor=stage.vendor, app_id=app_id, entry=entry_at(server.url, wishes=more), now=clock.now())
    assert Listing.objects.get(ended_at__isnull=True).version_id == first
    assert run_test(stage, app_id) is RunStatus.PASSED, failed_steps(app_id)
    approve(stage, app_id)
    states = list(App.objects.get(pk=app_id).versions.order_by("number").values_list("status", flat=True))
    assert states == [VersionStatus.SUPERSEDED, VersionStatus.APPROVED]
    assert Installation.objects.get(ended_at__isnull=True).version_id == first, "the school still has what it agreed to"
    install(stage, app_id)
    assert Installation.objects.get(ended_at__isnull=True).version_id != first


def test_only_what_lies_in_the_branch_is_reached(stage: Stage, server: VendorServer) -> None:
    app_id = listed_app(stage, server)
    for read in (
        lambda: access_own_app(actor=stage.rival, id=app_id, now=clock.now()),
        lambda: rotate_webhook_key(actor=stage.rival, app_id=app_id, now=clock.now()),
        lambda: access_app(actor=stage.actor("far_head"), id=app_id, permission=Permission.CHOOSE_APPS, now=clock.now()),
        lambda: access_app(actor=stage.actor("head"), id=app_id, permission=Permission.APPROVE_APPS, now=clock.now()),
        lambda: install(stage, app_id, "far_head", "far_school"),
        lambda: install(stage, app_id, "school_admin", "other_school"),
        lambda: install(stage, app_id, "teacher", "school"),
    ):
        with pytest.raises(NotFound):
            read()
    assert install(stage, app_id, "county_officer", "county"), "an officer may choose for the whole county"
    assert launch(stage, app_id, "pupil")


def test_returned_versions_can_be_mended(stage: Stage, server: VendorServer) -> None:
    app_id = add_app(actor=stage.vendor, entry=entry_at(server.url), now=clock.now())
    server.control(key=rotate_webhook_key(actor=stage.vendor, app_id=app_id, now=clock.now()))
    server.control(client_id=App.objects.get(pk=app_id).sandbox_client_id or "sandbox")
    assert run_test(stage, app_id) is RunStatus.PASSED, failed_steps(app_id)
    org_id = stage.cast.orgs["city"].id
    found = submit_version(actor=stage.vendor, app_id=app_id, org_id=org_id, now=clock.now())
    with pytest.raises(Conflict, match="正在审核"):
        revise_entry(actor=stage.vendor, app_id=app_id, entry=entry_at(server.url), now=clock.now())
    officer = stage.actor("city_officer")
    with pytest.raises(Invalid):
        decide_submission(actor=officer, submission_id=found, decision=Decision.RETURN, reason="", now=clock.now())
    with pytest.raises(NotFound):
        decide_submission(
            actor=stage.actor("county_officer"), submission_id=found, decision=Decision.APPROVE, reason="", now=clock.now()
        )
    decide_submission(actor=officer, submission_id=found, decision=Decision.RETURN, reason="请写清保存多久", now=clock.now())
    revise_entry(actor=stage.vendor, app_id=app_id, entry=entry_at(server.url, description="保存一学期。"), now=clock.now())
    assert run_test(stage, app_id) is RunStatus.PASSED, failed_steps(app_id)
    approve(stage, app_id)
    with pytest.raises(Conflict):
        decide_submission(actor=officer, submission_id=found, decision=Decision.APPROVE, reason="", now=clock.now())


def test_an_entry_says_what_is_wrong_with_it(stage: Stage, settings: Any) -> None:
    settings.SHUREN_PRIVATE_TARGETS = []
    bad = entry_at("http://127.0.0.1:1", name="好", icon=b"GIF89a", privacy_text="短")
    with pytest.raises(EntryRefused) as refused:
        add_app(actor=stage.vendor, entry=bad, now=clock.now())
    said = " ".join(refused.value.faults)
    for words in ("4 到 8 个字", "https", "PNG", "隐私政策"):
        assert words in said


def test_removing_ends_the_launch_and_tells_the_app(stage: Stage, server: VendorServer) -> None:
    app_id = listed_app(stage, server, events=(EventType.APP_REMOVED,))
    install(stage, app_id)
    assert api.installation_of(app_id, stage.cast.orgs["class"].path) is not None
    remove_app(actor=stage.actor("head"), app_id=app_id, org_id=stage.cast.orgs["school"].id, now=clock.now())
    assert api.installation_of(app_id, stage.cast.orgs["class"].path) is None
    work.run_pending()
    assert Delivery.objects.get(event="app.removed").status == DeliveryStatus.DELIVERED
