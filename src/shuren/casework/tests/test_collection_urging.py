"""One key urges everybody who has not answered, and nobody twice in an hour."""

from datetime import timedelta
from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.models import Collection
from shuren.casework.services.collections import urge
from shuren.casework.services.collections.change import cancel_collection
from shuren.casework.services.collections.urge import Urged, count_to_urge, urge_collection, urge_targets
from shuren.casework.tests.collection_play import Define, handed_in, issued, target_of
from shuren.directory import api as directory
from shuren.directory.data import NewPerson, Role
from shuren.identity import api as identity
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, NotFound
from shuren.kernel.models import AuditEntry
from shuren.messaging.api import notices_of, outbox
from shuren.messaging.data import Channel, OutboxState
from shuren.work.api import job_state, run_pending


def urged(cast: Cast, row: Collection, *, by: str = "county_officer", **more: Any) -> dict[str, Any]:
    """The result of an urge that ran."""
    job_id = urge_collection(actor=cast.actor(by), collection_id=row.pk, now=more.pop("now", cast.now), **more)
    run_pending()
    return dict(job_state(job_id).result or {})


def titles(cast: Cast, key: str) -> list[str]:
    return [notice.title for notice in notices_of(cast.people[key].id).rows if notice.title.startswith("催办")]


def reachable_head(cast: Cast, org: str) -> int:
    """A head with a phone and an address, and an account."""
    new = NewPerson(name="何校长", phone="13800001234", email="he@example.org", is_synthetic=True)
    person_id = directory.add_person(actor=SYSTEM, person=new, now=cast.now).id
    directory.affiliate(
        actor=SYSTEM,
        person_id=person_id,
        org_id=cast.orgs[org].id,
        role=Role.HEAD,
        begin_date=day_of(cast.now) - timedelta(days=9),
        now=cast.now,
    )
    identity.create_accounts(actor=SYSTEM, person_ids=[person_id], usernames={person_id: "he.head"}, now=cast.now)
    identity.set_password(actor=SYSTEM, person_id=person_id, password="kavu-mite-tane-4827", must_change=False, now=cast.now)
    return person_id


def test_whoever_answered_is_left_in_peace(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    handed_in(cast, row, {"pupils": 3})
    told = urged(cast, row)
    # The other school has nobody who could fill in: it is counted, so that somebody notices.
    assert told == {"orgs": 1, "people": 0, "messages": 0, "without_filler": 1}
    assert titles(cast, "head") == []
    assert target_of(cast, row).urges == 0
    assert target_of(cast, row, "other_school").urges == 1


def test_twice_in_an_hour_rings_once(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    assert urged(cast, row)["orgs"] == 2
    assert urged(cast, row, now=cast.now + timedelta(minutes=59))["orgs"] == 0
    assert count_to_urge(row, [row.path], now=cast.now + timedelta(minutes=60)) == 2
    assert urged(cast, row, now=cast.now + timedelta(minutes=60))["orgs"] == 2
    assert titles(cast, "head") == ["催办：请尽快填报“学校基本情况一张表”"] * 2
    assert target_of(cast, row).urges == 2


def test_only_the_late_where_that_was_asked(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    row.targets.filter(org_id=cast.orgs["other_school"].id).update(due_at=cast.now - timedelta(days=1))
    assert urged(cast, row, only_late=True)["orgs"] == 1
    assert target_of(cast, row).urges == 0


def test_an_office_urges_its_own_branch_of_a_collection_from_above(cast: Cast, define: Define) -> None:
    row = issued(cast, define, by="province_officer", org_id=cast.orgs["province"].id)
    assert urged(cast, row)["orgs"] == 2
    assert titles(cast, "far_head") == []
    with pytest.raises(NotFound):
        urge_collection(actor=cast.actor("county_officer"), collection_id=row.pk, path=cast.orgs["city"].path, now=cast.now)


def test_messages_go_out_by_the_channels_chosen_and_are_kept_where_there_is_no_gateway(cast: Cast, define: Define) -> None:
    reachable_head(cast, "other_school")
    row = issued(cast, define)
    told = urged(cast, row, channels=[Channel.SMS, Channel.EMAIL, Channel.WECOM])
    assert (told["orgs"], told["messages"], told["without_filler"]) == (2, 2, 0)
    rows = outbox().rows
    assert {(message.channel, message.to) for message in rows} == {
        (Channel.SMS, "138****1234"),
        (Channel.EMAIL, "h***@example.org"),
    }
    assert {message.state for message in rows} == {OutboxState.RECORDED}
    assert "催办：请尽快填报“学校基本情况一张表”" in rows[0].text
    details = AuditEntry.objects.get(action="casework.collection_urged").details
    assert (details["channels"], details["orgs"]) == (["sms", "email", "wecom"], 2)


def test_a_kill_between_two_batches_tells_nobody_twice(cast: Cast, define: Define, monkeypatch: pytest.MonkeyPatch) -> None:
    reachable_head(cast, "other_school")
    row = issued(cast, define)
    monkeypatch.setattr(urge, "_AT_ONCE", 1)

    class Killed(BaseException):
        pass

    def kill(done: int, total: int) -> None:
        assert (done, total) == (1, 2)
        raise Killed

    asked: dict[str, Any] = {
        "collection_id": row.pk,
        "paths": [row.path],
        "only_late": False,
        "channels": ["sms"],
        "asked_at": cast.now,
        "now": cast.now,
    }
    with pytest.raises(Killed):
        urge_targets(**asked, on_progress=kill)
    second = urge_targets(**asked, on_progress=lambda done, total: None)
    assert second.orgs == 1
    assert [target_of(cast, row, key).urges for key in ("school", "other_school")] == [1, 1]
    assert len(titles(cast, "head")) == 1
    assert outbox().total == 1


def test_counts_of_batches_add_up() -> None:
    assert Urged(1, 2, 3, 4).plus(Urged(1, 1, 1, 1)) == Urged(2, 3, 4, 5)


def test_nothing_to_urge_once_it_is_over(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    cancel_collection(actor=cast.actor("county_officer"), collection_id=row.pk, reason="不用了", now=cast.now)
    with pytest.raises(Conflict):
        urge_collection(actor=cast.actor("county_officer"), collection_id=row.pk, now=cast.now)
