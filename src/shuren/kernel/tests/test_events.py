from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from shuren.kernel import audit, events
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused, ShurenError
from shuren.kernel.models import AuditEntry, Event

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
LATER = datetime(2026, 9, 2, 8, tzinfo=UTC)


@pytest.mark.django_db
class TestEvents:
    def test_undispatched_events_come_oldest_first_until_they_are_marked(self) -> None:
        ids = [events.publish("kernel.tested", {"number": number}, now=NOW) for number in range(3)]
        with transaction.atomic():
            waiting = events.undispatched(2)
            assert [event.pk for event in waiting] == ids[:2]
            assert waiting[0].payload == {"number": 0}
            events.mark_dispatched(ids[:2], now=LATER)
            assert [event.pk for event in events.undispatched(10)] == ids[2:]
        assert Event.objects.get(pk=ids[0]).dispatched_at == LATER

    def test_an_event_is_lost_with_its_transaction(self) -> None:
        def broken_caller() -> None:
            with transaction.atomic():
                events.publish("kernel.tested", {})
                raise IntegrityError

        with pytest.raises(IntegrityError):
            broken_caller()
        assert not Event.objects.exists()

    def test_a_subscriber_is_kept_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(events, "_subscribers", type(events._subscribers)(list))
        for job in ("shuren.a.jobs.f", "shuren.b.jobs.g", "shuren.a.jobs.f"):
            events.subscribe("kernel.tested", job)
        assert events.subscribers("kernel.tested") == ("shuren.a.jobs.f", "shuren.b.jobs.g")
        assert events.subscribers("kernel.unheard") == ()


@pytest.mark.django_db
class TestAudit:
    def test_an_entry_says_who_did_what_to_what(self) -> None:
        actor = Actor(person_id=1, account_id=2, name="张" * 150, role="head")
        audit.record(actor=actor, action="directory.person_corrected", target="person:9", details={"field": "name"}, now=NOW)
        entry = AuditEntry.objects.get()
        assert (entry.actor_person_id, entry.actor_account_id, entry.actor_role) == (1, 2, "head")
        assert (entry.target, entry.details, entry.at) == ("person:9", {"field": "name"}, NOW)
        assert len(entry.actor_name) == 100

    def test_entries_are_found_by_what_happened_to_what_and_by_whom(self) -> None:
        for number, action in enumerate(("directory.moved", "directory.merged", "intake.applied")):
            audit.record(actor=SYSTEM, action=action, target=f"org:{number}", now=LATER if number else NOW)
        assert [entry.action for entry in audit.entries()] == ["intake.applied", "directory.merged", "directory.moved"]
        assert audit.entries(action="directory.").count() == 2
        assert audit.entries(target="org:1").get().action == "directory.merged"
        assert audit.entries(since=LATER).count() == 2
        assert audit.entries(actor_name="system").count() == 3
        assert audit.entries(actor_name="nobody").count() == 0


@pytest.mark.parametrize(("kind", "status"), [(Invalid, 400), (Refused, 403), (NotFound, 404), (Conflict, 409)])
def test_errors_carry_their_status_and_their_remedy(kind: type[ShurenError], status: int) -> None:
    error = kind("发生了什么。", remedy="怎么办。")
    assert (error.status, str(error)) == (status, "发生了什么。 怎么办。")
    assert str(kind("发生了什么。")) == "发生了什么。"
