"""Apply, approve, use, revoke: nothing before the grant, masked and scoped rows under it, nothing after it."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuren.datahub.api import write_partition
from shuren.datahub.data import ApplicationState, SharingAttribute, SharingWay
from shuren.datahub.models import SharingApplication, SharingGrant, SharingUse
from shuren.datahub.selectors.sharing import applications_to_decide, grants_seen, own_applications
from shuren.datahub.services.sharing.apply import withdraw_application
from shuren.datahub.services.sharing.decide import approve_application, refuse_application, revoke_sharing
from shuren.datahub.services.sharing.read import ask_shared, read_shared_rows, write_shared_file
from shuren.datahub.services.sharing.tell import tell_ends
from shuren.datahub.services.sharing.terms import set_terms
from shuren.datahub.tests.sharing.conftest import OPEN, SPEC, Play
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused, ShurenError
from shuren.kernel.models import AuditEntry, Event
from shuren.messaging.api import notices_of

pytestmark = [pytest.mark.django_db, pytest.mark.tables]
LAW = "未成年人保护法第七十二条"


def by_api(play: Play, grant: SharingGrant, who: Actor, **when: Any) -> pa.Table:
    return read_shared_rows(actor=who, grant_id=grant.pk, number=1, size=100, now=when.get("now", play.cast.now)).table


def by_file(play: Play, grant: SharingGrant, who: Actor, **when: Any) -> pa.Table:
    file = io.BytesIO()
    write_shared_file(actor=who, grant_id=grant.pk, target=file, format="parquet", now=when.get("now", play.cast.now))
    return pq.read_table(io.BytesIO(file.getvalue()))


def by_query(play: Play, grant: SharingGrant, who: Actor, **when: Any) -> pa.Table:
    return ask_shared(actor=who, grant_id=grant.pk, sql="SELECT * FROM probe_shared", now=when.get("now", play.cast.now))


Way = Callable[..., pa.Table]
WAYS: tuple[Way, ...] = (by_api, by_file, by_query)


def lines(table: pa.Table) -> list[dict[str, Any]]:
    return sorted(table.to_pylist(), key=str)


def test_the_county_gets_its_own_rows_masked_and_every_use_is_written_down(play: Play) -> None:
    grant = play.granted("name:name phone:phone born:year number:id mark")
    officer = play.cast.actor("county_officer")
    wanted = [{"name": "甲**", "phone": "138****0000", "born": date(2015, 1, 1), "number": "G110****0010", "mark": 71}]
    for way in WAYS:
        assert lines(way(play, grant, officer)) == wanted
    uses = SharingUse.objects.filter(grant=grant).order_by("pk")
    columns = ["born", "mark", "name", "number", "phone"]
    assert [(use.way, use.rows, use.columns) for use in uses] == [(way, 1, columns) for way in ("api", "file", "query")]
    assert {use.person_id for use in uses} == {officer.person_id}
    assert SharingGrant.objects.get().uses == 3
    assert AuditEntry.objects.filter(action="datahub.sharing_used", target=f"sharing_grant:{grant.pk}").count() == 3
    news = set(Event.objects.filter(name__startswith="datahub.sharing").values_list("name", flat=True))
    assert news == {"datahub.sharing_applied", "datahub.sharing_granted"}


def test_there_is_nothing_to_read_before_the_owner_approves(play: Play) -> None:
    row = play.apply(play.wish("name mark"))
    officer, owner = play.cast.actor("county_officer"), play.cast.actor("province_officer")
    assert list(grants_seen(actor=officer, now=play.cast.now)) == []
    assert list(own_applications(actor=officer, now=play.cast.now)) == [row]
    assert list(applications_to_decide(actor=owner, now=play.cast.now)) == [row]
    assert list(applications_to_decide(actor=play.cast.actor("city_officer"), now=play.cast.now)) == []
    for reading in (by_api, by_query):
        with pytest.raises(NotFound):
            reading(play, SharingGrant(pk=row.pk), officer)
    refuse_application(actor=owner, application_id=row.pk, reason="用途不清", now=play.cast.now)
    assert not SharingGrant.objects.exists()
    with pytest.raises(Conflict):
        approve_application(actor=owner, application_id=row.pk, given=play.wish("mark"), now=play.cast.now)


def test_a_grant_ends_by_revoking_by_its_day_and_with_the_sharing_itself(play: Play) -> None:
    grant = play.granted("mark", days=3)
    officer, owner = play.cast.actor("county_officer"), play.cast.actor("province_officer")
    after = grant.ends_at
    assert by_api(play, grant, officer, now=after - timedelta(seconds=1)).num_rows == 1

    def refused(now: Any = play.cast.now) -> None:
        for way in WAYS:
            with pytest.raises(Refused):
                way(play, grant, officer, now=now)

    refused(after)
    set_terms(actor=owner, dataset=SPEC.name, attribute=SharingAttribute.NONE, ground=LAW, now=play.cast.now)
    refused()
    set_terms(actor=owner, dataset=SPEC.name, attribute=SharingAttribute.CONDITIONAL, ground="按职责", now=play.cast.now)
    assert by_query(play, grant, officer).num_rows == 1
    revoke_sharing(actor=owner, grant_id=grant.pk, reason="用途已完成", now=play.cast.now)
    refused()
    with pytest.raises(Conflict):
        revoke_sharing(actor=owner, grant_id=grant.pk, reason="再来", now=play.cast.now)
    assert SharingUse.objects.count() == 2


def test_what_is_revoked_while_an_answer_is_made_is_not_handed_out(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    grant = play.granted("mark")
    reads = "shuren.datahub.services.sharing.read.ask_lake"

    def slow(*_args: Any, **_told: Any) -> pa.Table:
        owner = play.cast.actor("province_officer")
        revoke_sharing(actor=owner, grant_id=grant.pk, reason="立即收回", now=play.cast.now)
        return pa.table({"mark": [71]})

    monkeypatch.setattr(reads, slow)
    with pytest.raises(Refused):
        by_query(play, grant, play.cast.actor("county_officer"))


def test_nobody_else_reads_through_a_grant_or_decides_it(play: Play) -> None:
    grant = play.granted("name:name mark")
    others = ("city_officer", "province_officer", "head", "school_admin", "far_head", "class_teacher", "pupil", "system_admin")
    for key in others:
        for way in WAYS:
            with pytest.raises(NotFound):
                way(play, grant, play.cast.actor(key))
        if key != "province_officer":
            with pytest.raises(NotFound):
                revoke_sharing(actor=play.cast.actor(key), grant_id=grant.pk, reason="x", now=play.cast.now)
    for key in ("class_teacher", "city_officer"):
        with pytest.raises(NotFound):
            play.apply(play.wish("mark"), who=key, unit="county")


def test_more_than_was_asked_for_is_not_given(play: Play) -> None:
    row = play.apply(play.wish("name mark number", ways="file"))
    owner = play.cast.actor("province_officer")
    fewer = play.wish("mark", ways="file", orgs="school", days=5)
    for too_much in (
        play.wish("mark phone:all", ways="file"),
        play.wish("mark", ways="file api"),
        play.wish("mark", ways="file", orgs="city"),
        play.wish("mark", ways="file", days=31),
        play.wish("mark number", ways="file"),
        replace(fewer, masks={}),
    ):
        with pytest.raises(Invalid):
            approve_application(actor=owner, application_id=row.pk, given=too_much, now=play.cast.now)
    grant = approve_application(actor=owner, application_id=row.pk, given=fewer, now=play.cast.now)
    officer = play.cast.actor("county_officer")
    assert lines(by_file(play, grant, officer)) == [{"mark": 71}]
    for way in (by_api, by_query):
        with pytest.raises(Refused):
            way(play, grant, officer)


def test_a_unit_applies_once_and_takes_it_back(play: Play) -> None:
    row = play.apply(play.wish("mark"))
    with pytest.raises(Conflict):
        play.apply(play.wish("name"))
    with pytest.raises(NotFound):
        withdraw_application(actor=play.cast.actor("city_officer"), application_id=row.pk, now=play.cast.now)
    withdraw_application(actor=play.cast.actor("county_officer"), application_id=row.pk, now=play.cast.now)
    assert SharingApplication.objects.get().state == ApplicationState.WITHDRAWN
    assert play.apply(play.wish("name")).state == ApplicationState.OPEN


def test_what_cannot_be_applied_for(play: Play) -> None:
    for wish in (play.wish(""), play.wish("nothing"), play.wish("mark", ways=""), play.wish("mark", orgs="")):
        with pytest.raises(Invalid):
            play.apply(wish)
    for days in (-1, 1000):
        with pytest.raises(Invalid):
            play.apply(play.wish("mark", days=days))
    with pytest.raises(Invalid):
        play.apply(play.wish("mark"), who="province_officer")
    with pytest.raises(Invalid):
        play.apply(play.wish("mark"), dataset=OPEN.name)
    owner = play.cast.actor("province_officer")
    set_terms(actor=owner, dataset=SPEC.name, attribute=SharingAttribute.NONE, ground=LAW, now=play.cast.now)
    with pytest.raises(Refused, match=LAW):
        play.apply(play.wish("mark"))
    with pytest.raises(NotFound):
        set_terms(
            actor=play.cast.actor("county_officer"),
            dataset=SPEC.name,
            attribute=SharingAttribute.CONDITIONAL,
            ground="x",
            now=play.cast.now,
        )


def test_what_is_shared_unconditionally_is_granted_at_once(play: Play) -> None:
    row = play.apply(play.wish("mark", orgs="province"), dataset=OPEN.name)
    grant = SharingGrant.objects.get(application=row)
    assert (row.state, grant.masks) == (ApplicationState.APPROVED, {"mark": "none"})
    assert by_api(play, grant, play.cast.actor("county_officer")).column("mark").to_pylist() == [71, 72, 73]


def test_pages_of_one_moment_fit_together(play: Play) -> None:
    grant = play.granted("mark", orgs="province")
    officer, found = play.cast.actor("county_officer"), []
    moment = None
    for number in count(1):
        page = read_shared_rows(actor=officer, grant_id=grant.pk, number=number, size=2, as_of=moment, now=play.cast.now)
        moment = page.as_of
        found += page.table.column("mark").to_pylist()
        if not page.has_more:
            break
    assert found == [71, 72, 73]
    for moment in (grant.begins_at - timedelta(seconds=1), play.cast.now + timedelta(days=1)):
        with pytest.raises(Invalid):
            read_shared_rows(actor=officer, grant_id=grant.pk, number=1, size=2, as_of=moment, now=play.cast.now)


def test_a_file_of_no_rows_still_has_its_columns(play: Play) -> None:
    grant = play.granted("name:all mark", orgs="other_school")
    file = io.BytesIO()
    officer = play.cast.actor("county_officer")
    assert write_shared_file(actor=officer, grant_id=grant.pk, target=file, format="csv", now=play.cast.now) == 0
    assert pa_csv.read_csv(io.BytesIO(file.getvalue())).column_names == ["mark", "name"]


def test_no_spreadsheet_runs_what_stands_in_a_shared_file(play: Play) -> None:
    texts = ["=1+1", " @SUM(A1)", "＝1", "-3", "a=1", None]
    path = play.cast.orgs["school"].path
    rows = pa.table({"org_path": [path] * len(texts), "name": texts, "mark": pa.array([1] * len(texts), pa.int16())})
    write_partition(SPEC.name, {"year": 2026}, rows, actor=SYSTEM, now=play.cast.now)
    grant, officer = play.granted("name mark"), play.cast.actor("county_officer")
    found = {}
    for form in ("csv", "parquet"):
        file = io.BytesIO()
        write_shared_file(actor=officer, grant_id=grant.pk, target=file, format=form, now=play.cast.now)
        file.seek(0)
        found[form] = (pa_csv.read_csv(file) if form == "csv" else pq.read_table(file)).column("name").to_pylist()
    assert sorted(found["csv"]) == sorted(["'=1+1", "' @SUM(A1)", "'＝1", "'-3", "a=1", ""])
    assert {*found["parquet"]} == {*texts}


def test_both_sides_hear_of_it(play: Play) -> None:
    def heard(key: str) -> list[str]:
        return [notice.title for notice in notices_of(play.cast.people[key].id).rows]

    grant = play.granted("mark", days=10)
    assert heard("province_officer") == ["数据共享申请已获同意", "有单位申请共享数据，等待决定"]
    assert heard("county_officer") == ["数据共享申请已获同意"]
    assert (tell_ends(now=play.cast.now), tell_ends(now=play.cast.now)) == (1, 1)
    assert heard("county_officer")[0] == "数据共享授权即将到期"
    tell_ends(now=grant.ends_at)
    assert sorted(heard("county_officer")) == sorted(["数据共享申请已获同意", "数据共享授权即将到期", "数据共享授权已到期"])
    revoked = SharingGrant.objects.get()
    revoke_sharing(actor=play.cast.actor("province_officer"), grant_id=revoked.pk, reason="不再需要", now=play.cast.now)
    assert "数据共享授权已收回" in heard("county_officer")


RAW = {"name": "名姓氏", "phone": "13800000000", "number": "G110101201605040010", "born": "2015-03-04"}
STYLES = {"name": "name", "phone": "phone", "born": "year", "number": "id"}
granted_masks = st.dictionaries(st.sampled_from([*STYLES, "mark", "year"]), st.booleans(), min_size=1)
TEXTS = (
    "SELECT * FROM probe_shared",
    "SELECT {one} FROM probe_shared",
    "SELECT 1 AS n FROM probe_shared WHERE {one} IS NOT NULL",
    "SELECT count(*) AS n FROM probe_shared GROUP BY {one}",
    "SELECT n FROM (SELECT {one} AS n FROM probe_shared) t",
    "WITH t AS (SELECT * FROM probe_shared) SELECT {one} FROM t",
    "SELECT a.{one} FROM probe_shared a JOIN probe_shared b ON a.{one} = b.{one}",
    "SELECT {one} FROM directory_member",
    "SELECT mark FROM probe_freely",
)


@given(granted_masks, st.sampled_from(TEXTS), st.sampled_from([*STYLES, "mark", "year", "org_path"]))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_column_outside_the_grant_ever_leaves(play: Play, plain: dict[str, bool], text: str, one: str) -> None:
    """Through none of the three ways: no name of it, no value, not even an answer that depends on it."""
    masks = {name: "none" if is_plain and name != "number" else STYLES.get(name, "none") for name, is_plain in plain.items()}
    grant = _written(play, masks)
    officer = play.cast.actor("county_officer")
    for way in WAYS:
        _holds_only(way(play, grant, officer), masks)
    try:
        answer = ask_shared(actor=officer, grant_id=grant.pk, sql=text.format(one=one), now=play.cast.now)
    except ShurenError as error:
        told = [raw for raw in RAW.values() if raw in str(error)]
        assert told == []  # most of these questions are answered
        assert one not in masks or "probe_shared" not in text
    else:
        assert "probe_shared" in text
        assert one in masks or "{one}" not in text
        assert "72" not in str(answer.to_pylist())


def _written(play: Play, masks: dict[str, str]) -> SharingGrant:
    """A grant as it stands in the database, whatever the services would have let through."""
    told = {"dataset": SPEC.name, "applicant_org_id": play.branch("county"), "owner_org_id": play.branch("province")}
    SharingUse.objects.all().delete()
    SharingGrant.objects.all().delete()
    ends, orgs = play.cast.now + timedelta(days=3), [play.branch("county")]
    row = SharingApplication.objects.create(
        **told, state="approved", purpose="核对", org_ids=orgs, ends_on=ends.date(), applied_at=play.cast.now
    )
    ways = [way.value for way in SharingWay]
    return SharingGrant.objects.create(
        **told, application=row, masks=masks, org_ids=orgs, ways=ways, begins_at=play.cast.now, ends_at=ends
    )


def _holds_only(table: pa.Table, masks: dict[str, str]) -> None:
    assert set(table.column_names) == set(masks)
    assert table.num_rows == 1
    shown = {name: str(table.column(name)[0].as_py()) for name in masks}
    for name, raw in RAW.items():
        assert any(raw in value for value in shown.values()) == (masks.get(name) == "none")
