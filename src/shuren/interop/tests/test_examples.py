"""The example apps of a demonstration, as each of the cast meets them."""

import pytest
from tests.cast import Cast, build_cast

from shuren.identity import api as identity
from shuren.interop.api import make_example_apps
from shuren.interop.data import RunStatus
from shuren.interop.models import App
from shuren.interop.selectors.apps import app_data, latest_test
from shuren.interop.services.launch import launch_app
from shuren.interop.views.words import app_status
from shuren.kernel import clock
from shuren.kernel.errors import Conflict
from shuren.standards.api import load_registry


@pytest.mark.django_db
def test_every_state_is_there_plainly_marked_and_none_can_be_opened() -> None:
    load_registry()
    cast: Cast = build_cast()
    vendor_person = make_example_apps(
        officer=cast.actor("city_officer"),
        head=cast.actor("head"),
        org_id=cast.orgs["city"].id,
        school_id=cast.orgs["school"].id,
        now=clock.now(),
    )
    apps = {app.name: app for app in App.objects.select_related("vendor", "current")}
    assert all(app.is_example and "示例" in name and "示例" in app.vendor.name for name, app in apps.items())
    assert {name: app_status(app_data(app)).text for name, app in apps.items()} == {
        "口算本（示例）": "可用",
        "单词卡（示例）": "未上架",
        "朗读课（示例）": "未上架",
        "投票器（示例）": "已下架",
    }
    failing = apps["朗读课（示例）"].versions.get()
    test = latest_test(failing.pk)
    assert test is not None
    assert test.status is RunStatus.FAILED
    assert all(step.remedy for step in test.steps if not step.is_passed)
    assert vendor_person in identity.accounts_of_people([vendor_person])
    with pytest.raises(Conflict, match="示例"):
        launch_app(
            app_id=apps["口算本（示例）"].pk,
            person_id=cast.people["pupil"].id,
            paths=[cast.orgs["class"].path],
            issuer="https://region.example.cn",
            now=clock.now(),
        )
