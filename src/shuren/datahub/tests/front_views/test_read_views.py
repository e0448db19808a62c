"""Reading a view of a real second database: whole, by its growing column, held where it changed, killed anywhere."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shuren.datahub.api import snapshots_of
from shuren.datahub.data import ColumnWords, ViewRunKind, ViewRunState
from shuren.datahub.models import LineageRun, ViewRun, ViewSource
from shuren.datahub.services.front_views.keep import describe_view_column, stop_view_source
from shuren.datahub.services.front_views.read import read_view
from shuren.datahub.services.front_views.runs import confirm_view_run, queue_views
from shuren.datahub.tests.exchange.conftest import killed
from shuren.datahub.tests.front_views.conftest import FrontDatabase, needs_postgres
from shuren.kernel.models import AuditEntry
from shuren.messaging.api import notices_of

pytestmark = [pytest.mark.django_db, needs_postgres]
READ = "shuren.datahub.services.front_views.read"


def pieces(front: FrontDatabase) -> int:
    return sum(one.is_current for one in snapshots_of("front.low_income", {"source": "low_income"}))


def told_to(front: FrontDatabase, key: str) -> list[str]:
    return [one.title for one in notices_of(front.cast.people[key].id).rows]


def test_a_view_is_tried_chosen_and_replaces_its_partition_only_when_it_changed(front: FrontDatabase) -> None:
    front.put(1, 3)
    front.put(4, 2, org="9999999999")
    front.choose()
    assert [one["name"] for one in ViewSource.objects.get().columns] == ["id", "姓名", "org", "born", "sum", "changed"]
    run = front.turn()
    assert (run.state, run.rows, run.view_rows) == ("landed", 3, 5)
    assert (run.left_out, run.unknown_orgs) == ({"unknown_org": 2}, ["9999999999"])
    first = front.rows()[0]
    path = front.cast.orgs["school"].path
    assert first == {"id": 1, "column_2": "姓1", "born": date(2015, 1, 2), "sum": Decimal("1.50"), "org_path": path}
    assert front.turn().state == "unchanged"
    front.raw.execute("DELETE FROM held WHERE id = 2")
    assert front.turn().state == "landed"
    assert front.ids() == [1, 3]
    assert pieces(front) == 1
    [drawn] = LineageRun.objects.filter(key=f"view-run:{run.pk}")
    assert [flow[1::2] for flow in drawn.flows][-1] == ["org", "org_path"]


def test_with_a_growing_column_only_later_rows_come_as_a_piece_and_young_ones_wait(front: FrontDatabase) -> None:
    front.put(1, 3)
    front.choose(cursor="changed")
    assert front.turn().state == "landed"
    front.put(4, 2, minutes_ago=50)
    front.put(6, 1, minutes_ago=0)
    run = front.turn()
    assert (run.state, run.rows, run.is_whole) == ("landed", 2, False)
    assert (front.ids(), pieces(front)) == ([1, 2, 3, 4, 5], 2)
    assert front.turn().state == "unchanged"
    front.raw.execute("UPDATE held SET changed = now() - interval '5 minutes' WHERE id = 6")
    assert front.turn().rows == 1
    assert front.ids() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("place", ["prepare_partition", "append_prepared", "record_run", "end_run"])
def test_killed_anywhere_it_is_read_again_and_nothing_lands_twice(
    front: FrontDatabase, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    front.put(1, 2)
    front.choose(cursor="changed")
    front.turn()
    before = ViewSource.objects.get().cursor
    front.put(3, 2, minutes_ago=50)
    run = front.ask()
    with killed(monkeypatch, f"{READ}.{place}"):
        read_view(run.pk, now=front.cast.now)
    assert front.ids() == [1, 2]
    assert ViewSource.objects.get().cursor == before
    assert read_view(run.pk, now=front.cast.now) == "landed"
    assert read_view(run.pk, now=front.cast.now) == "landed"
    assert front.ids() == [1, 2, 3, 4]


def test_a_view_that_lost_a_column_or_half_its_rows_waits_for_a_person(front: FrontDatabase) -> None:
    front.put(1, 5)
    front.choose()
    front.turn()
    front.raw.execute("DELETE FROM held WHERE id > 2")
    run = front.turn()
    assert (run.state, [(one["change"], one["was"], one["now"]) for one in run.changes]) == ("held", [("shrank", "5", "2")])
    assert front.ids() == [1, 2, 3, 4, 5]
    assert told_to(front, "county_officer") == ["视图“低保对象”有变化，等待确认"]
    assert queue_views(now=front.cast.now + timedelta(days=2)) == 0
    front.raw.execute('DROP VIEW "低保"; CREATE VIEW "低保" AS SELECT id, "姓名", org, sum FROM held')
    actor = front.cast.actor("province_officer")
    fresh = confirm_view_run(actor=actor, run_id=run.pk, now=front.cast.now)
    assert read_view(fresh.pk, now=front.cast.now) == "held"
    fresh.refresh_from_db()
    assert [(one["change"], one["column"]) for one in fresh.changes] == [("column_lost", "born")]
    last = confirm_view_run(actor=actor, run_id=fresh.pk, now=front.cast.now)
    assert read_view(last.pk, now=front.cast.now) == "landed"
    assert list(front.rows()[0]) == ["id", "column_2", "sum", "org_path"]


def test_a_growing_column_that_goes_back_is_held_and_confirming_reads_from_the_beginning(front: FrontDatabase) -> None:
    front.put(1, 4)
    front.choose(cursor="changed")
    front.turn()
    front.raw.execute("UPDATE held SET changed = changed - interval '1 day'")
    run = front.turn()
    assert [one["change"] for one in run.changes] == ["went_back"]
    fresh = confirm_view_run(actor=front.cast.actor("province_officer"), run_id=run.pk, now=front.cast.now)
    assert read_view(fresh.pk, now=front.cast.now) == "landed"
    assert (front.ids(), pieces(front)) == ([1, 2, 3, 4], 1)


def test_values_that_do_not_fit_and_keys_that_are_not_unique_land_nothing(front: FrontDatabase) -> None:
    front.put(1, 3)
    front.choose()
    front.raw.execute("UPDATE held SET born = 'infinity', sum = 'NaN' WHERE id > 1")
    run = front.turn()
    assert (run.state, run.error, run.misfits) == ("failed", "misfits", {"born": 2, "sum": 2})
    front.raw.execute('DROP VIEW "低保"; CREATE VIEW "低保" AS SELECT * FROM held UNION ALL SELECT * FROM held')
    assert front.turn().error == "double_keys"
    assert not snapshots_of("front.low_income", {"source": "low_income"})


def test_a_view_of_more_rows_than_a_turn_may_read_lands_nothing(front: FrontDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    front.put(1, 3)
    front.choose()
    monkeypatch.setattr("shuren.datahub.services.front_views.front.MOST_ROWS", 2)
    assert front.turn().error == "too_much"
    assert not snapshots_of("front.low_income", {"source": "low_income"})


def test_a_code_set_of_the_element_is_held_to(front: FrontDatabase) -> None:
    front.put(1, 2)
    front.choose()
    front.raw.execute("UPDATE held SET \"姓名\" = CASE id WHEN 1 THEN '1' ELSE 'x' END")
    words = ColumnWords(lake="sex", element="person.sex", title_zh="", title_en="", grade="L3", mask="all")
    officer = front.cast.actor("province_officer")
    describe_view_column(actor=officer, source_id=front.source.pk, name="姓名", words=words, now=front.cast.now)
    assert front.turn().misfits == {"姓名": 1}


def test_a_view_that_cannot_be_read_says_why_and_the_third_time_tells_its_owner(front: FrontDatabase) -> None:
    front.put(1, 1)
    front.choose()
    front.raw.execute('DROP VIEW "低保"')
    runs = [front.turn() for _one in range(3)]
    assert {(run.state, run.error) for run in runs} == {("failed", "no_view")}
    for keeper in ("county_officer", "province_officer"):
        assert told_to(front, keeper) == ["视图“低保对象”连续三次没有读成"]
    ViewSource.objects.update(port=1)
    assert front.turn().error == "no_connection"
    told = " ".join(str(entry.details) for entry in AuditEntry.objects.filter(target=f"view_source:{front.source.pk}"))
    assert "none-is-asked" not in told


def test_the_view_is_read_only_and_may_not_write_even_where_the_user_may(front: FrontDatabase) -> None:
    front.put(1, 1)
    front.choose()
    front.raw.execute(
        "CREATE FUNCTION spoil() RETURNS int LANGUAGE sql AS 'INSERT INTO held (id) VALUES (77) RETURNING id'; "
        'DROP VIEW "低保"; CREATE VIEW "低保" AS SELECT h.*, spoil() AS more FROM held h'
    )
    assert front.turn().error == "not_read_only"
    assert front.raw.execute("SELECT count(*) FROM held WHERE id = 77").fetchone() == (0,)


def test_what_is_stopped_meanwhile_lands_nothing_and_what_is_due_is_begun_once(front: FrontDatabase, settings: Any) -> None:
    front.put(1, 1)
    front.choose()
    later = front.cast.now + timedelta(hours=2)
    assert queue_views(now=later) == 1
    assert queue_views(now=later) == 0
    run = ViewRun.objects.get(state=ViewRunState.OPEN.value)
    stop_view_source(actor=front.cast.actor("province_officer"), source_id=front.source.pk, now=later)
    assert read_view(run.pk, now=later) == "dropped"
    assert not snapshots_of("front.low_income", {"source": "low_income"})
    settings.SHUREN_PRIVATE_TARGETS = []
    assert front.turn(ViewRunKind.TRIAL).error == "address"
