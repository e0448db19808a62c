"""A vendor's synthetic school, and the clients that reach it and nothing else."""

from datetime import timedelta

import pytest
from django.apps import apps

from shuren.directory import api as directory
from shuren.directory.data import Permission, Role
from shuren.identity import api as identity
from shuren.identity.data import ClientStatus
from shuren.interop.models import App
from shuren.interop.services.clients import draw_secret
from shuren.interop.services.govern import resume_app, suspend_app
from shuren.interop.services.sandbox import make_sandbox
from shuren.interop.services.write_entry import add_app
from shuren.interop.tests.conftest import Stage, VendorServer, entry_at
from shuren.interop.tests.test_chain import listed_app
from shuren.kernel import clock
from shuren.kernel.errors import Conflict, NotFound


def test_the_school_is_synthetic_and_apart(stage: Stage) -> None:
    before = directory.counts_of([stage.cast.orgs["province"].id])
    accounts = make_sandbox(actor=stage.vendor, now=clock.now())
    assert sorted(account.role for account in accounts) == sorted(
        ["class_teacher", "school_admin", "pupil", "pupil", "pupil", "parent", "parent"]
    )
    assert directory.root_org() == stage.cast.orgs["province"]
    path = apps.get_model("interop.Sandbox").objects.get().org_path
    people = directory.people_of_org(path)
    assert all(person.is_synthetic for person in people)
    for key in ("province_officer", "city_officer", "head", "vendor"):
        scope = directory.scope_of(actor=stage.actor(key), permission=Permission.VIEW_PEOPLE, now=clock.now())
        assert not scope.covers(path)
    after = directory.counts_of([stage.cast.orgs["province"].id])
    for kind, count in after[stage.cast.orgs["province"].id].items():
        if kind.value not in ("people",):
            assert before[stage.cast.orgs["province"].id][kind] == count, kind


def test_asking_again_gives_new_passwords_to_the_same_people(stage: Stage) -> None:
    first = make_sandbox(actor=stage.vendor, now=clock.now())
    again = make_sandbox(actor=stage.vendor, now=clock.now())
    assert [account.username for account in first] == [account.username for account in again]
    assert {account.password for account in first}.isdisjoint(account.password for account in again)
    assert apps.get_model("interop.Sandbox").objects.count() == 1


def test_the_sandbox_client_is_bounded_by_the_school(stage: Stage) -> None:
    app_id = add_app(actor=stage.vendor, entry=entry_at("https://app.example.cn"), now=clock.now())
    with pytest.raises(Conflict, match="沙箱"):
        draw_secret(actor=stage.vendor, app_id=app_id, is_sandbox=True, now=clock.now())
    make_sandbox(actor=stage.vendor, now=clock.now())
    drawn = draw_secret(actor=stage.vendor, app_id=app_id, is_sandbox=True, now=clock.now())
    client = identity.client_by_client_id(drawn.client_id)
    assert client is not None
    assert client.org_id == apps.get_model("interop.Sandbox").objects.get().org_id
    with pytest.raises(Conflict, match="审核"):
        draw_secret(actor=stage.vendor, app_id=app_id, is_sandbox=False, now=clock.now())
    with pytest.raises(NotFound):
        draw_secret(actor=stage.rival, app_id=app_id, is_sandbox=True, now=clock.now())
    assert draw_secret(actor=stage.vendor, app_id=app_id, is_sandbox=True, now=clock.now() + timedelta(seconds=1)) != drawn


def test_stopping_an_app_shuts_its_client_out(stage: Stage, server: VendorServer) -> None:
    app_id = listed_app(stage, server)
    client_id = App.objects.get(pk=app_id).client_id
    assert client_id is not None
    officer = stage.actor("province_officer")
    suspend_app(actor=officer, app_id=app_id, reason="数据外泄", now=clock.now())
    client = identity.client_by_client_id(client_id)
    assert client is not None
    assert client.status is ClientStatus.DISABLED
    resume_app(actor=officer, app_id=app_id, now=clock.now())
    client = identity.client_by_client_id(client_id)
    assert client is not None
    assert client.status is ClientStatus.ACTIVE


def test_only_a_vendor_has_one(stage: Stage) -> None:
    for key in ("head", "province_officer", "vendor"):
        with pytest.raises(NotFound):
            make_sandbox(actor=stage.actor(key), now=clock.now())
    assert Role.VENDOR in {option.role for option in directory.role_options(stage.vendor.person_id or 0)}
