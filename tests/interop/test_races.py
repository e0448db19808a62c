"""Several at once: quotas hold to the call, and of two who write the same SCIM resource one is told so."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from shuren.interop import api as interop
from shuren.interop.data import AppCategory, AppData, AppStatus, LaunchKind
from shuren.interop.models import App, Vendor
from shuren.interop.services import count_calls
from shuren.interop.services.scim import provision_users
from shuren.kernel import clock
from shuren.standards.api import load_registry
from tests.cast import Cast
from tests.interop.test_scim import Peer, new_staff, peer_of

pytestmark = pytest.mark.django_db(transaction=True)
THREADS, CALLS = 8, 60


@pytest.fixture
def app(cast: Cast) -> Iterator[AppData]:
    place = {"org_id": cast.orgs["city"].id, "org_path": cast.orgs["city"].path}
    vendor = Vendor.objects.create(name="服务商", registered_at=cast.now, **place)
    row = App.objects.create(vendor=vendor, name="作业", created_at=cast.now)
    count_calls.forget_blocks()
    yield AppData(
        id=row.pk,
        public_id="",
        vendor_id=vendor.pk,
        vendor_name="",
        name="",
        name_en="",
        category=AppCategory.HOMEWORK_ASSESSMENT,
        kind=LaunchKind.OIDC,
        status=AppStatus.ACTIVE,
        client_id="",
        version_id=None,
        launch_url="",
        quota_per_minute=200,
        quota_per_day=10_000,
    )
    count_calls.write_counts()
    count_calls.forget_blocks()


def allowed(app: AppData, *, forgets: bool = False) -> int:
    """How many of many calls by several threads pass; with `forgets` each call stands for a process of its own."""
    now = clock.now()

    def call(_number: int) -> bool:
        try:
            if forgets:
                count_calls.forget_blocks()
            return interop.count_call(app, now=now).is_allowed
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(call, range(THREADS * CALLS)))


def needs_many_connections() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("threads of a test share the one connection of a database in memory")


def test_calls_in_parallel_get_the_quota_to_the_call(app: AppData) -> None:
    needs_many_connections()
    assert allowed(app) == 200


def test_many_processes_never_get_more_than_the_quota(app: AppData) -> None:
    needs_many_connections()
    assert 0 < allowed(app, forgets=True) <= 200


def test_the_quota_of_a_day_holds_beside_that_of_a_minute(app: AppData) -> None:
    needs_many_connections()
    assert allowed(replace(app, quota_per_day=75)) == 75


def test_of_two_writers_with_the_same_version_one_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_many_connections()
    load_registry()
    peer = peer_of(cast, "scim.people")
    user = new_staff(peer, "T-2026-RACE")
    together = threading.Barrier(2)
    check = provision_users.check_version

    def check_together(*told: Any) -> None:
        check(*told)
        # Without a lock both come here with the same version, and both write.
        with suppress(threading.BrokenBarrierError):
            together.wait(timeout=3)

    monkeypatch.setattr(provision_users, "check_version", check_together)

    def write(name: str) -> int:
        try:
            body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
            change = {"Operations": [{"op": "replace", "path": "displayName", "value": name}]}
            mine = Peer(cast, peer.headers, type(peer.client)())
            status: int = mine.ask(
                "PATCH", f"/Users/{user['id']}", body | change, **{"If-Match": user["meta"]["version"]}
            ).status_code
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(write, ("甲老师", "乙老师"))) == [200, 412]
