"""What issuers and fillers see of a collection in the browser."""

import io
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook
from tests.cast import Cast

from shuren.casework.models import Collection, CollectionTarget, WorkItem
from shuren.casework.tests.collection_play import FLOW, FORM, Define, decided, handed_in, issued, target_of
from shuren.kernel import ids
from shuren.work.api import run_pending


@pytest.fixture(autouse=True)
def lake(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def address(row: Collection, page: str = "") -> str:
    return f"/collections/{ids.encode('collection', row.pk)}/{page}"


def org_address(target: CollectionTarget, page: str = "") -> str:
    return f"/collections/orgs/{ids.encode('target', target.pk)}/{page}"


def text_of(client: Client, url: str, **headers: Any) -> str:
    answer = client.get(url, headers=headers)
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def asked(cast: Cast, **changes: Any) -> dict[str, Any]:
    due = timezone.localtime(cast.now + timedelta(days=10))
    told = {
        "source": "form:collect.basics",
        "title": "一张表",
        "branch": cast.orgs["county"].public_id,
        "types": ["school"],
        "filled_by": ["school_admin", "head"],
        "due_at": due.strftime("%Y-%m-%dT%H:%M"),
        "flow": "",
    }
    return told | changes


def test_a_form_is_issued_from_the_page(cast: Cast, define: Define) -> None:
    define("form", FORM)
    define("flow", FLOW)
    client = cast.client("county_officer")
    assert "学校基本情况" in text_of(client, "/collections/new/")
    assert "将发给 2 所学校。" in text_of(
        client, f"/collections/new/preview/?branch={cast.orgs['county'].public_id}&types=school"
    )

    answer = client.post("/collections/new/", asked(cast, flow="collect.review"))
    row = Collection.objects.get()
    assert answer.headers["Location"] == address(row)
    assert "正在下发" in text_of(client, address(row))
    run_pending()
    shown = text_of(client, address(row))
    assert "填报中" in shown
    assert "已提交 0 / 2 · 0.0%" in shown
    assert "东湖区第二小学 未填报" in shown


def test_codes_narrow_and_exempt_and_unknown_ones_are_named(cast: Cast, define: Define) -> None:
    define("form", FORM)
    client = cast.client("county_officer")
    refused = client.post("/collections/new/", asked(cast, only="9990000001"))
    assert refused.status_code == 200
    assert "没有找到这些单位代码：9990000001。" in refused.content.decode()
    late = client.post("/collections/new/", asked(cast, due_at="2020-01-01T00:00"))
    assert "截止时间已经过去。" in late.content.decode()
    assert not Collection.objects.exists()


def test_a_collection_that_comes_again_fills_the_form_by_itself(cast: Cast, define: Define) -> None:
    define("form", FORM)
    define("flow", FLOW)
    spec = {"key": "collect.yearly", "title": "年度一张表", "form": "collect.basics", "flow": "collect.review", "to": ["school"]}
    define("collection", {**spec, "filled_by": ["head"], "every": "year", "due": {"working_days": 5}})
    client = cast.client("county_officer")
    page = client.get("/collections/new/?source=collection:collect.yearly")
    assert page.context["form"].initial["title"] == "年度一张表"
    assert page.context["form"].initial["filled_by"] == ["head"]
    client.post("/collections/new/", asked(cast, source="collection:collect.yearly", flow="collect.review", filled_by=["head"]))
    row = Collection.objects.get()
    assert row.definition is not None
    assert (row.definition.key, row.filled_by) == ("collect.yearly", ["head"])


def test_the_list_says_how_far_each_is(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    handed_in(cast, row, {"pupils": 3})
    shown = text_of(cast.client("county_officer"), "/collections/")
    assert "学校基本情况一张表" in shown
    assert "50.0" in shown
    assert "还没有采集" in text_of(cast.client("far_head"), "/collections/")


def test_progress_drills_down_and_refreshes_alone(cast: Cast, define: Define) -> None:
    row = issued(cast, define, by="province_officer", org_id=cast.orgs["province"].id)
    client = cast.client("province_officer")
    top = client.get(address(row)).content.decode()
    assert 'hx-trigger="every 3s"' in top
    city = f"{address(row)}?at={cast.orgs['city'].public_id}"
    assert city in top
    assert "东湖区" in text_of(client, city)
    part = client.get(city, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="collection-progress"')
    assert "<html" not in part
    # A county sees its own branch at once, and nothing beside it.
    county = cast.client("county_officer")
    assert "东湖区实验小学" in text_of(county, address(row))
    assert county.get(city).status_code == 404


def test_single_orgs_are_shown_in_words_and_branches_in_figures(cast: Cast, define: Define) -> None:
    row = issued(cast, define, by="province_officer", org_id=cast.orgs["province"].id)
    handed_in(cast, row, {"pupils": 3})
    late = target_of(cast, row, "other_school")
    row.targets.filter(pk=late.pk).update(due_at=cast.now - timedelta(days=3), urges=2)
    county = cast.client("county_officer").get(address(row)).content.decode()
    for target, words in ((target_of(cast, row), "已通过"), (late, "未填报 · 逾期 3 天")):
        (line,) = re.findall(rf'<tr>\s*<th scope="row"><a href="{org_address(target)}">.*?</tr>', county, re.DOTALL)
        assert words in line
    assert "<progress" not in county.split("各级进度", 1)[1]
    city = cast.client("province_officer").get(f"{address(row)}?at={cast.orgs['city'].public_id}").content.decode()
    assert city.split("各级进度", 1)[1].count("<progress") == 2
    assert "逾期 3 天" not in city


def test_the_page_is_loaded_anew_when_it_may_be_urged(cast: Cast, define: Define) -> None:
    define("form", FORM)
    client = cast.client("county_officer")
    page = client.post("/collections/new/", asked(cast)).headers["Location"]
    polled = re.search(r'hx-get="(\?[^"]+)"', client.get(page).content.decode())
    assert polled is not None
    again = page + unescape(polled[1])
    assert "HX-Refresh" not in client.get(again, headers={"HX-Request": "true"}).headers
    run_pending()
    assert client.get(again, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    assert "一键催办" in text_of(client, page)


def test_late_and_missing_lists_are_shown_and_exported(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    handed_in(cast, row, {"pupils": 3})
    row.targets.filter(org_id=cast.orgs["other_school"].id).update(due_at=cast.now - timedelta(days=3))
    client = cast.client("county_officer")
    late = text_of(client, address(row, "orgs/?state=late"))
    assert "东湖区第二小学" in late
    assert "逾期 3 天" in late
    assert "东湖区实验小学" not in late
    exported = client.get(address(row, "orgs/?state=missing&export=csv"))
    lines = b"".join(exported.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]  # a stream
    assert len(lines) == 2
    assert "东湖区第二小学" in lines[1]


def test_one_key_urges_from_the_page(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    client = cast.client("county_officer")
    assert "现在可以催 2 个单位" in text_of(client, address(row, "urge/"))
    answer = client.post(address(row, "urge/"), {"channels": ["sms", "dingtalk"]})
    assert answer.headers["Location"] == address(row)
    run_pending()
    assert "催办 2 次" in text_of(client, address(row))
    assert "现在可以催 0 个单位" in text_of(client, address(row, "urge/"))


def test_fillers_find_begin_and_hand_in(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    client = cast.client("head")
    assert "1 张表等您填报" in text_of(client, "/work/")
    assert "有 1 张表等您填报" in text_of(client, "/collections/mine/")
    fill = f"/collections/{ids.encode('target', target_of(cast, row).pk)}/fill/"
    assert "平台已经有的内容会自动填好" in text_of(client, fill)
    assert target_of(cast, row).case_id is None
    begun = client.post(fill)
    case = target_of(cast, row).case
    assert case is not None
    assert begun.headers["Location"] == f"/cases/{ids.encode('case', case.pk)}/fill/"
    assert client.get(fill).headers["Location"] == begun.headers["Location"]
    handed_in(cast, row, {"pupils": 3}, by="head")
    shown = text_of(client, "/collections/mine/")
    assert "没有等您填报的表。" in shown
    assert "已通过" in shown


def test_what_came_back_is_corrected_without_a_page_between(cast: Cast, define: Define) -> None:
    row = issued(cast, define, is_reviewed=True)
    case, client = handed_in(cast, row, {"pupils": 3}, by="head"), cast.client("head")
    work = f"/work/{ids.encode('work', WorkItem.objects.get(case=case).pk)}/"
    offered = cast.client("county_officer").get(work).content.decode()
    assert 'value="back"' in offered
    assert f"{work}return/" not in offered, "giving it back is offered once"
    decided(cast, case, "back")
    link = re.search(r'<a class="btn" href="([^"]+)">更正</a>', client.get("/collections/mine/").content.decode())
    assert link is not None
    assert "退回的原因：请核对。" in text_of(client, client.get(link[1]).headers["Location"])


def test_single_orgs_are_extended_exempted_and_asked_again(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    client, target = cast.client("county_officer"), target_of(cast, row)
    later = timezone.localtime(cast.now + timedelta(days=40)).strftime("%Y-%m-%dT%H:%M")
    assert client.post(org_address(target, "extend/"), {"due_at": later, "reason": "停电"}).status_code == 302
    assert client.post(org_address(target, "exempt/"), {"reason": "停办"}).status_code == 302
    assert "免报" in text_of(client, org_address(target))
    assert client.post(org_address(target, "exempt/"), {"reason": "停办"}).status_code == 409
    assert client.post(org_address(target, "again/"), {"reason": "恢复"}).status_code == 302
    assert target_of(cast, row).state == "missing"


def test_frozen_the_data_page_names_the_dataset(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    handed_in(cast, row, {"pupils": 3})
    client = cast.client("county_officer")
    lead = text_of(client, address(row, "freeze/"))
    assert "已通过 1 个，待审核 0 个，没有报的 1 个不再收" in lead
    assert client.post(address(row, "freeze/"), {"frozen_with": "accepted"}).status_code == 302
    run_pending()
    assert "casework.collect_basics" in text_of(client, address(row, "data/"))
    shown = text_of(client, address(row))
    assert "不再变化" in shown
    assert "一键催办" not in shown
    assert 'hx-trigger="every 3s"' not in client.get(address(row)).content.decode()


def test_answers_are_downloaded(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    handed_in(cast, row, {"pupils": 321})
    client = cast.client("county_officer")
    text = b"".join(client.get(address(row, "data/csv/")).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]  # a stream
    assert "321" in text.splitlines()[1]
    whole = b"".join(client.get(address(row, "data/parquet/")).streaming_content)  # type: ignore[attr-defined]  # a stream
    assert pq.read_table(io.BytesIO(whole))["pupils"].to_pylist() == [321]


def test_the_comparison_flags_what_jumped(cast: Cast, define: Define) -> None:
    before = issued(cast, define)
    client = cast.client("county_officer")
    assert "以前没有在这个范围采集过" in text_of(client, address(before, "compare/"))
    handed_in(cast, before, {"pupils": 100})
    row = issued(cast, define, title="第二次")
    handed_in(cast, row, {"pupils": 500})
    shown = text_of(client, address(row, "compare/?factor=2&flagged=1"))
    assert "东湖区实验小学" in shown
    assert "学生数 合计：上一次 100，本次 500。" in shown
    assert "东湖区实验小学" not in text_of(client, address(row, "compare/?factor=10&flagged=1"))
    assert "相差超过 1.5 倍" in text_of(client, org_address(target_of(cast, row)))


def test_called_off_from_the_page(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    client = cast.client("county_officer")
    assert "2 个单位不再填报" in text_of(client, address(row, "cancel/"))
    assert client.post(address(row, "cancel/"), {"reason": "改用新表"}).status_code == 302
    assert "已取消" in text_of(client, address(row))
    later = timezone.localtime(cast.now + timedelta(days=40)).strftime("%Y-%m-%dT%H:%M")
    assert client.post(address(row, "extend/"), {"due_at": later}).status_code == 409


def test_pages_of_twenty_five_orgs_cost_a_few_queries(cast: Cast, define: Define, django_assert_max_num_queries: Any) -> None:
    row = issued(cast, define, by="province_officer", org_id=cast.orgs["province"].id)
    client = cast.client("province_officer")
    client.get(address(row))
    with django_assert_max_num_queries(24):
        client.get(address(row))
    with django_assert_max_num_queries(24):
        client.get(address(row, "orgs/"))


def test_a_branch_fills_in_by_workbook(cast: Cast, define: Define) -> None:
    """Out with a row per school, back with one good and one bad: the good one is kept, the bad one named, nothing of it kept."""
    row = issued(cast, define)
    client = cast.client("county_officer")
    book = load_workbook(io.BytesIO(client.get(address(row, "workbook/")).content))
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    names = [str(sheet.cell(line, 2).value) for line in (2, 3)]
    assert [name.split(" ")[0] for name in names] == ["东湖区实验小学", "东湖区第二小学"]
    column = heads.index("学生数") + 1
    sheet.cell(2, column, 320)
    sheet.cell(3, column, "很多")
    kept = io.BytesIO()
    book.save(kept)

    def back() -> dict[str, Any]:
        file = SimpleUploadedFile("回收.xlsx", kept.getvalue())
        answer = client.post(address(row, "workbook/back/"), {"workbook": file, "is_handed_in": "on"})
        assert answer.status_code == 302, answer.content.decode()
        run_pending()
        return {"text": text_of(client, answer.headers["Location"])}

    shown = back()["text"]
    assert "已提交 1" in shown
    assert "有错误，没有改动 1" in shown
    assert "学生数" in shown
    case = target_of(cast, row).case
    assert case is not None
    assert (case.state, case.data["pupils"]) == ("closed", 320)
    assert target_of(cast, row, "other_school").case_id is None
    # The same file once more: the school that handed in is left as it is.
    assert "没有找到这个单位，或者它已经提交。" in back()["text"]
