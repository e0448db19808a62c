"""The pages of the workbench: tick, look, write on, save, have it asked again, take the file."""

import io
from typing import Any
from urllib.parse import unquote

import openpyxl
import pytest
from django.test import Client

from shuren.datahub.models import QuestionAnswer, QuestionSchedule, SavedQuestion
from shuren.datahub.tests.sharing.conftest import SPEC, Play
from shuren.kernel import ids
from shuren.kernel.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.tables]
DESK = "/data/workbench/"
COMPOSE = f"{DESK}datasets/{SPEC.name}/"
# The columns in the order in which the snapshot has them.
PLACES = ("org_path", "name", "phone", "born", "number", "mark", "year")


def page(client: Client, path: str, **query: str) -> str:
    response = client.get(path, query)
    assert response.status_code == 200, (path, response.status_code)
    return str(response.content.decode())


def sent(client: Client, path: str, **told: Any) -> str:
    response = client.post(path, told)
    assert response.status_code == 302, response.content.decode()
    return str(response.headers["Location"])


def field(name: str, column: str) -> str:
    return f"{name}-{PLACES.index(column)}"


def composed(client: Client, **told: str) -> str:
    ticked = {field("use", "name"): "show", field("use", "mark"): "avg", field("sort", "mark"): "down", "count": "on"}
    return sent(client, COMPOSE, **{**ticked, "limit": "100", "purpose": "核对体质健康", "action": "run", **told})


def test_from_ticks_to_a_picture_a_text_and_a_saved_question(play: Play) -> None:
    province = play.cast.client("province_officer")
    assert COMPOSE in page(province, DESK)
    form = page(province, COMPOSE)
    assert "姓名" in form
    assert "只留姓" in form
    assert "这一列不提供" not in form
    place = composed(province)
    shown = page(province, place)
    assert [f"{word}**" in shown for word in "甲乙丙"] == [True] * 3
    assert 'data-kind="item_bars"' in shown
    assert "共 3 行" in shown
    assert "已脱敏：姓名（只留姓）" in shown
    assert 'data-kind="histogram"' in page(province, place, chart="histogram", value="1")
    assert "画不成图" in page(province, place, chart="bar", label="1", value="0")
    again = page(province, COMPOSE, answer=place.rstrip("/").rpartition("/")[2])
    assert '<option value="avg" selected>' in again

    answer = QuestionAnswer.objects.get()
    number = ids.encode("question_answer", answer.pk)
    text = page(province, f"{DESK}sql/", answer=number)
    assert "AVG" in text
    assert 'value="核对体质健康"' in text
    sql = "SELECT year, name, mark FROM probe_shared ORDER BY mark"
    other = sent(province, f"{DESK}sql/?answer={number}", sql=sql, purpose="核对体质健康")
    place = sent(province, f"{other}save/", title="各校体质", note="每学期一次", is_shared="on")
    question = SavedQuestion.objects.get()
    assert (question.sql, question.composition, place) == (sql, {}, f"{DESK}questions/{number_of(question)}/")
    assert "每学期一次" in page(province, place)
    assert "核对体质健康" in page(province, sent(province, place, purpose="核对体质健康"))


def number_of(question: SavedQuestion) -> str:
    return ids.encode("saved_question", question.pk)


def test_what_is_wrong_stands_beside_it_and_nothing_is_lost(play: Play) -> None:
    county = play.cast.client("county_officer")
    faulty = county.post(COMPOSE, {field("use", "name"): "sum", field("value", "mark"): "七十", "purpose": "核对"})
    assert faulty.status_code == 400
    assert "“name”不是数" in faulty.content.decode()
    assert 'value="七十"' in faulty.content.decode()
    faults = {"SELECT mark /\n mark FROM probe_shared": "nullif", "SELEC": "查询", "SELECT a FROM probe_shared": "无法执行"}
    for sql, words in faults.items():
        refused = county.post(f"{DESK}sql/", {"sql": sql, "purpose": "核对"})
        assert refused.status_code == 400
        assert words in refused.content.decode()
        assert 'aria-invalid="true"' in refused.content.decode()
    assert 'role="alert"' in county.post(COMPOSE, {field("use", "name"): "show"}).content.decode()
    assert not QuestionAnswer.objects.exists()


def test_files_are_whole_named_and_written_down(play: Play) -> None:
    county = play.cast.client("county_officer")
    place = composed(county)
    csv = county.get(f"{place}file/", {"form": "csv"})
    assert b"".join(csv).decode("utf-8-sig").splitlines() == ["name,mark_avg,row_count", "甲**,71.0,1"]
    assert play.cast.orgs["county"].name in unquote(csv.headers["Content-Disposition"])
    book = openpyxl.load_workbook(io.BytesIO(b"".join(county.get(f"{place}file/", {"form": "xlsx"}))))
    rows, origin = book.worksheets
    assert [list(row) for row in rows.values] == [["name", "mark_avg", "row_count"], ["甲**", 71, 1]]
    told = dict(list(row) for row in origin.values)
    assert (told["来源"], told["数据范围"], told["用途"]) == (SPEC.name, play.cast.orgs["county"].name, "核对体质健康")
    entries = AuditEntry.objects.filter(action="datahub.question_exported").order_by("pk")
    assert [(one.details["form"], one.details["purpose"]) for one in entries] == [
        (form, "核对体质健康") for form in ("csv", "xlsx")
    ]
    assert county.get(f"{place}file/", {"form": "pdf"}).status_code == 400


def test_long_answers_are_turned_over_on_the_server(play: Play) -> None:
    province = play.cast.client("province_officer")
    sql = "SELECT a.mark, b.name FROM " + ", ".join(f"probe_shared AS {one}" for one in "abcde")
    place = sent(province, f"{DESK}sql/", sql=sql.replace(", probe", " CROSS JOIN probe"), purpose="核对")
    first, last = (page(province, place, chart="none", page=number) for number in ("1", "99"))
    assert ("第 1 页，共 5 页" in first, "第 5 页，共 5 页" in last) == (True, True)
    assert (first.count("<td"), last.count("<td")) == (100, 86)


def test_a_saved_question_is_scheduled_stopped_deleted_and_brought_back(play: Play) -> None:
    county = play.cast.client("county_officer")
    place = sent(county, f"{composed(county)}save/", title="各校体质", note="")
    told = {"every": "week", "day": "1", "hour": "7", "keeps": "4", "purpose": "每周核对"}
    assert county.post(f"{place}schedule/", {**told, "day": "9"}).status_code == 400
    assert sent(county, f"{place}schedule/", **told) == place
    assert "每周 7 点" in page(county, place)
    assert "停止定时" in page(county, f"{place}schedule/")
    sent(county, f"{place}unschedule/")
    assert QuestionSchedule.objects.get().end_reason == "已停止定时。"
    sent(county, f"{place}change/", title="各校体质健康", note="", is_shared="on")
    assert "各校体质健康" in page(play.cast.client("head"), f"{DESK}questions/")
    where = sent(county, f"{place}delete/")
    assert f"{place}restore/" in page(county, where)
    assert county.get(place).status_code == 404
    sent(county, f"{place}restore/")
    assert "各校体质健康" in page(county, place)
    sent(play.cast.client("head"), f"{place}copy/")
    assert SavedQuestion.objects.count() == 2


@pytest.mark.parametrize("key", ["pupil", "parent", "class_teacher", "system_admin"])
def test_others_find_no_desk(play: Play, key: str) -> None:
    client = play.cast.client(key)
    places = (DESK, COMPOSE, f"{DESK}sql/", f"{DESK}answers/", f"{DESK}questions/")
    assert [client.get(place).status_code for place in places] == [404] * 5
