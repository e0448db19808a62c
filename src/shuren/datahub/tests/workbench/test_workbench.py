"""Whatever an officer writes they find their own rows, masked; what is saved and scheduled goes by who asks, and when."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shuren.datahub.data import ScheduleEvery, SharingAttribute
from shuren.datahub.models import QuestionAnswer, QuestionSchedule, SavedQuestion, SharingUse
from shuren.datahub.rules.workbench.answers import unpacked
from shuren.datahub.selectors.workbench import access_answer, access_question, access_workbench, answer_before, datasets_asked
from shuren.datahub.services.sharing.decide import revoke_sharing
from shuren.datahub.services.sharing.terms import set_terms
from shuren.datahub.services.workbench import ask as asking
from shuren.datahub.services.workbench.ask import Asked, ask_question, sweep_answers
from shuren.datahub.services.workbench.export import export_question
from shuren.datahub.services.workbench.follow_people import follow_merge_of_owner, forget_owner
from shuren.datahub.services.workbench.save import (
    copy_question,
    delete_question,
    keep_version,
    restore_question,
    save_question,
    sweep_questions,
)
from shuren.datahub.services.workbench.schedule import Timing, queue_due, run_question, schedule_question
from shuren.datahub.tests.sharing.conftest import SPEC, Play
from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, NotFound, Refused, ShurenError
from shuren.kernel.models import AuditEntry
from shuren.messaging.api import notices_of
from shuren.work.api import run_pending

pytestmark = [pytest.mark.django_db, pytest.mark.tables]
T = "probe_shared"
EVERY_WAY = (
    f"SELECT * FROM {T}",
    f"SELECT * FROM {T} AS x WHERE 1 = 1 OR org_path <> ''",
    f"WITH probe AS (SELECT * FROM {T}) SELECT a.* FROM probe AS a CROSS JOIN {T} AS b",
    f"SELECT * FROM (SELECT * FROM {T} UNION ALL SELECT * FROM {T}) AS both_of_them",
    f"SELECT * FROM {T} WHERE mark IN (SELECT max(mark) OVER () FROM {T}) OR EXISTS (SELECT 1 FROM {T})",
    f"SELECT min(name) AS a, max(phone) AS b, min(number) AS c, max(born) AS d, median(mark) AS e FROM {T}",
    f"SELECT lag(name) OVER (ORDER BY mark DESC) AS a, lead(number) OVER (ORDER BY mark) AS b, name FROM {T}",
    f"SELECT coalesce(name, number) || phone AS a, CAST(born AS VARCHAR) AS b FROM {T} ORDER BY name",
)
FORBIDDEN = {
    f"SELECT string_agg(name, ',') FROM {T}": "第 1 行第 19 列",
    "SELECT 1\nFROM read_parquet('x')": "第 2 行",
    f"SELECT mark / mark FROM {T}": "nullif",
    f"DELETE FROM {T}": "只接受一条 SELECT",
    f"SELECT 1; SELECT * FROM {T}": "只接受一条 SELECT",
    "SELECT * FROM duckdb_settings": "没有这份数据",
}


def ask(play: Play, sql: str, who: str = "county_officer", **options: Any) -> QuestionAnswer:
    asked = Asked(sql, SPEC.name, **options)
    return ask_question(actor=play.cast.actor(who), asked=asked, purpose="核对体质健康", now=play.cast.now)


def seen(answer: QuestionAnswer) -> str:
    """All that an answer holds, as one text."""
    return str(unpacked(bytes(answer.content)).to_pylist())


def saved(play: Play, sql: str = f"SELECT name, mark FROM {T}", **options: Any) -> SavedQuestion:
    told = {"title": "各校体质", "note": "", "is_shared": True, **options}
    answer = ask(play, sql)
    return save_question(actor=play.cast.actor("county_officer"), answer_id=answer.pk, now=play.cast.now, **told)


def scheduled(play: Play, **options: Any) -> QuestionSchedule:
    row = saved(play, **options)
    timing = Timing(ScheduleEvery.DAY, 1, 7, "每天核对", 2)
    actor = play.cast.actor("county_officer")
    return schedule_question(actor=actor, question_id=row.pk, timing=timing, now=play.cast.now)


@pytest.mark.parametrize("sql", EVERY_WAY)
def test_whatever_a_county_writes_it_finds_its_own_rows_masked(play: Play, sql: str) -> None:
    told = seen(ask(play, sql))
    assert "乙" not in told
    assert "丙" not in told
    for clear in ("甲名", "13800000000", "G11010120160504", "2015, 3, 4", "2015-03-04", "72", "73"):
        assert clear not in told
    assert "甲**" in told or "a': None" in told or "71" in told


@pytest.mark.parametrize(("sql", "words"), FORBIDDEN.items())
def test_what_may_not_be_asked_is_told_with_its_place(play: Play, sql: str, words: str) -> None:
    with pytest.raises(ShurenError, match=words):
        ask(play, sql)
    assert not QuestionAnswer.objects.exists()


def test_an_answer_is_cut_plainly_and_stopped_in_time(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = ask(play, f"SELECT name FROM {T}", who="province_officer")
    assert (answer.rows, answer.is_cut) == (3, False)
    monkeypatch.setattr(asking, "ANSWER_ROWS", 2)
    answer = ask(play, f"SELECT name FROM {T}", who="province_officer")
    assert (answer.rows, answer.is_cut) == (2, True)
    monkeypatch.setattr(asking, "SECONDS", 0.3)
    many = " CROSS JOIN ".join(f"{T} AS t{at}" for at in range(20))
    with pytest.raises(Invalid, match="已停止"):
        ask(play, f"SELECT sum(t0.mark * t19.mark) AS n FROM {many}", who="province_officer")


def test_a_purpose_is_written_and_stands_in_the_audit(play: Play) -> None:
    actor = play.cast.actor("county_officer")
    with pytest.raises(Invalid, match="用途"):
        ask_question(actor=actor, asked=Asked(f"SELECT mark FROM {T}"), purpose=" ", now=play.cast.now)
    ask(play, f"SELECT mark FROM {T}")
    entry = AuditEntry.objects.filter(action="datahub.lake_asked").latest("pk")
    assert (entry.details["purpose"], entry.details["datasets"]) == ("核对体质健康", [SPEC.name])


def test_nobody_else_has_a_desk(play: Play) -> None:
    for key in ("class_teacher", "pupil", "parent", "system_admin"):
        with pytest.raises(NotFound):
            access_workbench(actor=play.cast.actor(key), now=play.cast.now)


def test_a_shared_question_answers_with_the_rows_of_who_opens_it(play: Play) -> None:
    row = saved(play)
    head, now = play.cast.actor("head"), play.cast.now
    desk = access_workbench(actor=head, now=now)
    found = access_question(desk, actor=head, id=row.pk)
    assert (
        unpacked(bytes(ask_question(actor=head, asked=Asked.of_question(found), purpose="自查", now=now).content))
    ).num_rows == 1
    for key in ("far_head", "city_officer"):
        other = play.cast.actor(key)
        with pytest.raises(NotFound):
            access_question(access_workbench(actor=other, now=now), actor=other, id=row.pk)
    with pytest.raises(NotFound):
        delete_question(actor=head, question_id=row.pk, now=now)
    copied = copy_question(actor=head, question_id=row.pk, now=now)
    assert (copied.owner_id, copied.is_shared, copied.sql) == (head.person_id, False, row.sql)


def test_an_answer_is_found_by_who_asked_while_the_rows_are_theirs(play: Play) -> None:
    answer, now = ask(play, f"SELECT mark FROM {T}"), play.cast.now
    officer, head = play.cast.actor("county_officer"), play.cast.actor("head")
    desk = access_workbench(actor=officer, now=now)
    assert access_answer(desk, actor=officer, id=answer.pk, now=now) == answer
    with pytest.raises(NotFound):
        access_answer(access_workbench(actor=head, now=now), actor=head, id=answer.pk, now=now)
    with pytest.raises(NotFound, match="数据范围"):
        access_answer(replace(desk, paths=(play.cast.orgs["school"].path,)), actor=officer, id=answer.pk, now=now)


def test_versions_are_kept_and_what_is_deleted_comes_back(play: Play) -> None:
    row, officer, now = saved(play), play.cast.actor("county_officer"), play.cast.now
    other = ask(play, f"SELECT count(*) AS n FROM {T}")
    keep_version(actor=officer, question_id=row.pk, answer_id=other.pk, now=now)
    assert list(row.versions.order_by("number").values_list("number", "sql")) == [(1, row.sql), (2, other.sql)]
    assert keep_version(actor=officer, question_id=row.pk, answer_id=other.pk, now=now).version == 2
    delete_question(actor=officer, question_id=row.pk, now=now)
    with pytest.raises(NotFound):
        access_question(access_workbench(actor=officer, now=now), actor=officer, id=row.pk)
    assert sweep_questions(now=now + timedelta(days=29)) == 0
    restore_question(actor=officer, question_id=row.pk, now=now)
    delete_question(actor=officer, question_id=row.pk, now=now)
    assert sweep_questions(now=now + timedelta(days=31)) == 1


def test_a_grant_is_a_dataset_of_the_desk_until_it_is_revoked(play: Play) -> None:
    grant, now = play.granted("name:name mark", orgs="far_school"), play.cast.now
    county = play.cast.actor("county_officer")
    desk = access_workbench(actor=county, now=now)
    assert [one.grant for one in datasets_asked(desk, actor=county, now=now, words=SPEC.name)] == [None, grant]
    answer = ask(play, f"SELECT name, mark FROM {T}", grant_id=grant.pk)
    assert seen(answer) == "[{'name': '丙**', 'mark': 73}]"
    assert SharingUse.objects.get().columns == ["mark", "name"]
    with pytest.raises(Refused, match="不从这里导出"):
        export_question(actor=county, answer_id=answer.pk, form="csv", now=now)
    revoke_sharing(actor=play.cast.actor("province_officer"), grant_id=grant.pk, reason="用途已完成", now=now)
    with pytest.raises(Refused):
        ask(play, f"SELECT name FROM {T}", grant_id=grant.pk)
    with pytest.raises(Refused):
        access_answer(desk, actor=county, id=answer.pk, now=now)


def test_once_a_dataset_is_shared_no_more_what_was_answered_through_a_grant_is_not_read_again(play: Play) -> None:
    grant, now = play.granted("name:name mark", orgs="far_school"), play.cast.now
    county = play.cast.actor("county_officer")
    answer = ask(play, f"SELECT name, mark FROM {T}", grant_id=grant.pk)
    ground = "《中华人民共和国个人信息保护法》第二十三条"
    province = play.cast.actor("province_officer")
    set_terms(actor=province, dataset=SPEC.name, attribute=SharingAttribute.NONE, ground=ground, now=now)
    with pytest.raises(Refused, match="不予共享"):
        access_answer(access_workbench(actor=county, now=now), actor=county, id=answer.pk, now=now)


def test_a_difference_is_not_made_with_rows_that_are_the_askers_no_more(play: Play) -> None:
    row = scheduled(play)
    for days in (0, 1):
        moment = row.next_at + timedelta(days=days)
        run_question(schedule_id=row.pk, due_at=moment, now=moment)
    before, answer = row.answers.order_by("due_at")
    officer, now = play.cast.actor("county_officer"), play.cast.now
    desk = access_workbench(actor=officer, now=now)
    assert answer_before(desk, answer, actor=officer, now=now) == before
    # The officer kept a wider branch when the first was asked.
    before.scope = [play.cast.orgs["city"].path]
    before.save()
    assert answer_before(desk, answer, actor=officer, now=now) is None
    client = play.cast.client("county_officer")
    assert "少了的行" not in client.get(f"/data/workbench/answers/{ids.encode('question_answer', answer.pk)}/").content.decode()


def test_a_due_question_is_asked_once_however_often_its_job_runs(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    row = scheduled(play)
    due, later = row.next_at, row.next_at + timedelta(minutes=3)
    assert queue_due(now=due - timedelta(seconds=1)) == 0
    assert [queue_due(now=later), queue_due(now=later)] == [1, 0]

    def killed(**_told: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("shuren.datahub.services.workbench.schedule.notify", killed)
        with pytest.raises(KeyboardInterrupt):
            run_question(schedule_id=row.pk, due_at=due, now=later)
    assert not row.answers.exists()
    assert run_pending() == 1
    assert run_question(schedule_id=row.pk, due_at=due, now=later) == 0
    (answer,) = row.answers.all()
    assert (answer.due_at, answer.person_id, answer.added) == (due, row.question.owner_id, None)
    (notice,) = [one for one in notices_of(person_id=answer.person_id).rows if "定时" in one.title]
    assert "甲" not in f"{notice.title}{notice.body}"
    for days in (1, 2):
        moment = due + timedelta(days=days)
        run_question(schedule_id=row.pk, due_at=moment, now=moment)
    assert list(row.answers.order_by("due_at").values_list("added", "removed")) == [(0, 0), (0, 0)]


def test_an_owner_who_lost_the_office_is_told_and_gets_nothing(play: Play) -> None:
    row, now = scheduled(play), play.cast.now
    person_id = row.question.owner_id
    told = {"person_id": person_id, "org_id": play.branch("county"), "role": Role.COUNTY_OFFICER, "day": day_of(now)}
    (held,) = directory.affiliation_ids(**told)
    directory.end_affiliation(actor=SYSTEM, affiliation_id=held, now=now)
    assert run_question(schedule_id=row.pk, due_at=row.next_at, now=now + timedelta(days=2)) == 0
    row.refresh_from_db()
    assert row.ended_at is not None
    assert not row.answers.exists()
    assert [one.title for one in notices_of(person_id=person_id).rows][:1] == ["定时查询已停止"]
    assert queue_due(now=now + timedelta(days=3)) == 0


def test_a_question_that_fails_tells_so_and_is_asked_again(play: Play) -> None:
    row = scheduled(play)
    SavedQuestion.objects.filter(pk=row.question_id).update(sql="SELECT nothing FROM probe_shared")
    run_question(schedule_id=row.pk, due_at=row.next_at, now=row.next_at)
    assert "查询无法执行" in row.answers.get().fault
    row.refresh_from_db()
    assert row.ended_at is None


def test_what_is_asked_by_hand_is_forgotten_and_follows_its_owner(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "KEPT", 2)
    for _again in range(3):
        ask(play, f"SELECT mark FROM {T}")
    assert QuestionAnswer.objects.count() == 2
    assert sweep_answers(now=play.cast.now + timedelta(days=8)) == 2
    row, head = saved(play), play.cast.people["head"].id
    assert follow_merge_of_owner(kept_id=head, dropped_id=row.owner_id, now=play.cast.now) == 1
    assert not QuestionAnswer.objects.exists()
    assert forget_owner(person_id=head, now=play.cast.now) == 1
    assert not SavedQuestion.objects.exists()
