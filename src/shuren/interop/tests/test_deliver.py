"""Messages: in order per subject, tried again, dead at last, signed while keys overlap, and never to ourselves."""

from datetime import timedelta
from typing import Any

import pytest

from shuren.interop.data import DeliveryStatus, EventType
from shuren.interop.models import App, AppVersion, Delivery, DeliveryTurn, WebhookKey
from shuren.interop.rules.retries import MAX_ATTEMPTS, pause_after, rest_of
from shuren.interop.services import deliver
from shuren.interop.services.deliver import deliver_app, give_up_silent, replay_delivery, valid_keys, wake_due
from shuren.interop.services.emit import emit
from shuren.interop.services.govern import resume_app, suspend_app
from shuren.interop.services.webhook_keys import make_key, rotate_webhook_key
from shuren.interop.tests.conftest import Stage, VendorServer
from shuren.interop.tests.test_chain import listed_app
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.tests.test_outward import Trickler
from shuren.work import api as work

LATER = timedelta(days=1)


def tell(app_id: int, subject: str, key: str) -> int | None:
    return emit(app_id=app_id, event=EventType.PERSON_CHANGED, subject=subject, data={"key": key}, key=key, now=clock.now())


def be_due() -> None:
    Delivery.objects.filter(status=DeliveryStatus.WAITING).update(next_at=clock.now() - LATER)


def twin(app_id: int, webhook_url: str) -> int:
    """Another app of the same vendor, told at another address."""
    app = App.objects.select_related("current").get(pk=app_id)
    assert app.current is not None
    other = App.objects.create(vendor=app.vendor, name=app.name, created_at=clock.now())
    version = app.current
    version.pk, version.app, version.webhook_url = None, other, webhook_url
    version.save(force_insert=True)
    App.objects.filter(pk=other.pk).update(current=version)
    make_key(app=other, actor=SYSTEM, now=clock.now())
    return other.pk


@pytest.fixture
def app_id(stage: Stage, server: VendorServer) -> int:
    return listed_app(stage, server)


def test_a_failing_subject_holds_back_its_own_later_messages_only(app_id: int, server: VendorServer) -> None:
    server.control(answer=500)
    tell(app_id, "person:1", "a1")
    deliver_app(app_id=app_id)
    server.control(answer=200)
    tell(app_id, "person:1", "a2")
    tell(app_id, "person:2", "b1")
    assert deliver_app(app_id=app_id) == 1
    assert [line["data"].get("key") for line in server.seen()][-1] == "b1"
    be_due()
    assert deliver_app(app_id=app_id) == 2
    assert [line["data"].get("key") for line in server.seen() if line["answer"] == 200][-2:] == ["a1", "a2"]


def test_a_message_is_told_once_and_dies_after_ten_tries(app_id: int, server: VendorServer) -> None:
    assert tell(app_id, "person:1", "same") == tell(app_id, "person:1", "same")
    server.control(answer=503)
    for _try in range(MAX_ATTEMPTS):
        be_due()
        deliver_app(app_id=app_id)
    row = Delivery.objects.get(key="same")
    assert (row.status, row.attempts, row.answer) == (DeliveryStatus.DEAD, MAX_ATTEMPTS, 503)
    server.control(answer=200)
    vendor_sees = row.message_id
    replay_delivery(actor=SYSTEM, delivery=row, now=clock.now())
    assert deliver_app(app_id=app_id) == 1
    assert server.seen()[-1]["id"] == vendor_sees


def test_gone_ends_a_message_at_once(app_id: int, server: VendorServer) -> None:
    server.control(answer=410)
    tell(app_id, "person:1", "gone")
    deliver_app(app_id=app_id)
    assert Delivery.objects.get(key="gone").status == DeliveryStatus.DEAD


def test_a_suspended_app_gets_nothing_until_it_runs_again(stage: Stage, app_id: int, server: VendorServer) -> None:
    officer = stage.actor("city_officer")
    suspend_app(actor=officer, app_id=app_id, reason="数据外泄", now=clock.now())
    tell(app_id, "person:1", "held")
    assert deliver_app(app_id=app_id) == 0
    resume_app(actor=officer, app_id=app_id, now=clock.now())
    assert deliver_app(app_id=app_id) == 1


def test_the_old_key_signs_beside_the_new_one_for_a_day(stage: Stage, app_id: int, server: VendorServer) -> None:
    rotate_webhook_key(actor=stage.vendor, app_id=app_id, now=clock.now())
    tell(app_id, "person:1", "both")
    assert deliver_app(app_id=app_id) == 1, "the app still has the old key"
    WebhookKey.objects.filter(ends_at__isnull=False).update(ends_at=clock.now() - LATER)
    assert len(valid_keys(app_id, now=clock.now())) == 1
    tell(app_id, "person:1", "new only")
    assert deliver_app(app_id=app_id) == 0


@pytest.mark.parametrize(
    "address",
    [
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost/",
        "https://user@127.0.0.1/",
        "http://10.0.0.1/",
    ],
)
def test_addresses_of_ours_are_never_called(app_id: int, settings: Any, address: str) -> None:
    settings.SHUREN_PRIVATE_TARGETS = []
    AppVersion.objects.filter(app_id=app_id).update(webhook_url=address)
    tell(app_id, "person:1", "probe")
    assert deliver_app(app_id=app_id) == 0
    row = Delivery.objects.get(key="probe")
    assert (row.answer, row.attempts) == (None, 1)
    assert "not" in row.error


def test_neither_a_silent_nor_a_slow_receiver_makes_the_others_wait(
    stage: Stage, app_id: int, server: VendorServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.1/32"]
    monkeypatch.setattr(deliver, "_CALL_SECONDS", 0.3)
    monkeypatch.setattr(deliver, "_TURN_SECONDS", 0.3)
    slow = Trickler(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n")
    bad = [twin(app_id, "http://127.0.0.1:1/hook"), twin(app_id, f"http://127.0.0.1:{slow.port}/hook")]
    for number in range(20):
        for at in (*bad, app_id):
            tell(at, f"person:{number}", f"{at}:{number}")
    work.run_pending()
    assert not Delivery.objects.filter(app_id=app_id).exclude(status=DeliveryStatus.DELIVERED).exists()
    for at in bad:
        turn = DeliveryTurn.objects.get(pk=at)
        assert 0 < Delivery.objects.filter(app_id=at, attempts__gt=0).count() < 5, "a try, then a rest"
        assert turn.failing_since is not None
        assert turn.rests_until is not None
        assert turn.rests_until > clock.now()


def test_only_one_worker_sends_to_an_app_and_a_killed_one_is_relieved(app_id: int) -> None:
    tell(app_id, "person:1", "held")
    DeliveryTurn.objects.create(app_id=app_id, taken_until=clock.now() + LATER)
    assert deliver_app(app_id=app_id) == 0
    DeliveryTurn.objects.update(taken_until=clock.now() - LATER)
    assert deliver_app(app_id=app_id) == 1


def test_what_waits_for_an_app_that_is_silent_for_days_is_given_up_and_can_be_sent_again(app_id: int) -> None:
    tell(app_id, "person:1", "lost")
    DeliveryTurn.objects.create(app_id=app_id, failing_since=clock.now() - timedelta(days=3), rests_until=clock.now() + LATER)
    assert wake_due(now=clock.now() + timedelta(minutes=1)) == 0, "it rests"
    assert give_up_silent(now=clock.now()) == 1
    row = Delivery.objects.get(key="lost")
    assert row.status == DeliveryStatus.DEAD
    replay_delivery(actor=SYSTEM, delivery=row, now=clock.now())
    assert deliver_app(app_id=app_id) == 1
    assert DeliveryTurn.objects.get(pk=app_id).failing_since is None


def test_what_was_not_asked_for_is_not_told(app_id: int) -> None:
    told = emit(app_id=app_id, event=EventType.ROSTER_APPLIED, subject="roster", data={}, key="r", now=clock.now())
    assert told is None
    App.objects.filter(pk=app_id).update(status="delisted")
    assert tell(app_id, "person:1", "late") is None


def test_who_is_silent_is_asked_less_and_less_often() -> None:
    assert [rest_of(silent_for=timedelta(seconds=s)).total_seconds() for s in (0, 5, 100, 9999)] == [5, 5, 100, 600]


def test_pauses_grow_and_end() -> None:
    pauses = [pause_after(attempt) for attempt in range(1, MAX_ATTEMPTS + 1)]
    assert pauses[-1] is None
    grown = [pause for pause in pauses if pause is not None]
    assert grown == sorted(grown)
