"""Forms as people meet them: on pages in both languages, as workbooks, as files of a county, over REST."""

import csv
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from shuren.interop.models import StatisticsReport
from shuren.interop.services.statistics.prepare import prepare_report
from shuren.interop.services.statistics.submit import submit_report
from shuren.kernel import ids
from shuren.kernel.models import AuditEntry
from shuren.work.models import Job
from tests.cast import Cast, build_cast
from tests.statistics_forms.forms import PUPILS, STAFF, YEAR, settle


@pytest.fixture
def cast(db: None) -> Cast:
    made = build_cast()
    settle(made)
    return made


def prepared(cast: Cast, key: str, who: str = "school_admin", org: str = "school") -> StatisticsReport:
    pk = prepare_report(actor=cast.actor(who), org_id=cast.orgs[org].id, key=key, year=YEAR, now=cast.now)
    return StatisticsReport.objects.get(pk=pk)


def url_of(row: StatisticsReport, page: str = "statistics_report") -> str:
    return reverse(f"interop:{page}", args=[ids.encode("statistics_report", row.pk)])


def test_a_school_generates_fills_in_and_submits(cast: Cast) -> None:
    client = cast.client("school_admin")
    listed = client.get("/statistics/", {"year": YEAR}).content.decode()
    assert "中小学教职工数" in listed
    assert "没有生成" in listed
    unit = cast.orgs["school"].public_id
    answer = client.post(reverse("interop:prepare_statistics", args=[unit, STAFF, YEAR]), follow=True)
    page = answer.content.decode()
    assert "还有 4 个没有填" in page
    assert 'name="cell:l01:outside"' in page
    row = StatisticsReport.objects.get()
    refused = client.post(url_of(row), {"cell:l01:outside": "两个", "revision": row.revision})
    assert refused.status_code == 400
    assert "请填不小于 0 的整数" in refused.content.decode()
    assert 'value="两个"' in refused.content.decode()
    fields = {"cell:l01:outside": "2", "rest_zero": "1", "submit": "1", "revision": row.revision}
    done = client.post(url_of(row), fields, follow=True).content.decode()
    assert "已提交" in done
    assert 'name="cell:l01:outside"' not in done


def test_pages_speak_english(cast: Cast) -> None:
    row = prepared(cast, PUPILS)
    client = cast.client("school_admin")
    client.post("/language/", {"language": "en", "next": "/"})
    page = client.get(url_of(row)).content.decode()
    assert "Primary pupils" in page
    assert "By grade" in page
    assert "Reference day" in page


def test_a_figure_names_the_people_to_whoever_may_see_them(cast: Cast) -> None:
    row = prepared(cast, PUPILS)
    where = f"{url_of(row, 'trace_statistics')}?line=l02&column=all"
    assert where.replace("&", "&amp;") in cast.client("head").get(url_of(row)).content.decode()
    page = cast.client("head").get(where).content.decode()
    assert "张小雨" in page
    assert "刘洋" not in page
    assert cast.client("far_head").get(where).status_code == 404


def test_a_county_sees_how_far_its_schools_are_and_prepares_all(cast: Cast) -> None:
    row = prepared(cast, PUPILS)
    submit_report(actor=cast.actor("school_admin"), report_id=row.pk, now=cast.now)
    client, unit = cast.client("county_officer"), cast.orgs["county"].public_id
    page = client.get(reverse("interop:statistics_progress", args=[unit, PUPILS, YEAR])).content.decode()
    assert "东湖区实验小学" in page
    assert "东湖区第二小学" not in page
    answer = client.post(reverse("interop:prepare_statistics_branch", args=[unit, PUPILS, YEAR]))
    assert answer.status_code == 302
    assert Job.objects.get(name="shuren.interop.jobs.prepare_statistics").args["key"] == PUPILS


def test_what_changed_within_a_year_is_listed(cast: Cast) -> None:
    row = prepared(cast, PUPILS)
    values = {"l01": {"all": 2}}
    StatisticsReport.objects.create(
        template=row.template, key=row.key, org_id=row.org_id, year=YEAR - 1, state="submitted", is_counted=True,
        values=values, prepared_at=cast.now,
    )  # fmt: skip
    page = cast.client("school_admin").get(url_of(row, "statistics_differences")).content.decode()
    assert "总计" in page
    assert "50" in page


def workbook_of(cast: Cast, row: StatisticsReport) -> Workbook:
    answer = cast.client("school_admin").get(url_of(row, "statistics_workbook"))
    assert answer.status_code == 200
    return load_workbook(io.BytesIO(answer.content))


def sent(cast: Cast, row: StatisticsReport, book: Workbook) -> str:
    stream = io.BytesIO()
    book.save(stream)
    file = SimpleUploadedFile("staff.xlsx", stream.getvalue())
    answer = cast.client("school_admin").post(url_of(row, "upload_statistics"), {"file": file}, follow=True)
    return answer.content.decode()


def test_a_form_lies_on_its_sheet_as_it_is_printed(cast: Cast) -> None:
    book = workbook_of(cast, prepared(cast, STAFF))
    sheet = book["教基4148"]
    texts = [str(cell.value) for row in sheet.iter_rows(max_row=7) for cell in row if cell.value]
    assert {"中小学教职工数", "表号：教基4148", "制定机关：教育部", "填报单位：东湖区实验小学", "学年：2025-2026"} <= set(texts)
    assert "D7:F7" in {str(one) for one in sheet.merged_cells.ranges}
    assert [cell.value for cell in sheet[9]] == ["甲", "乙", "1", "2", "3", "4", "5", "6"]
    assert (sheet["D10"].value, sheet["G10"].value, sheet["G12"].value) == (0, None, "×")
    assert sheet["G10"].protection.locked is False
    assert sheet["D10"].protection.locked is True


def test_a_workbook_comes_back_whole_or_not_at_all(cast: Cast) -> None:
    row = prepared(cast, STAFF)
    book = workbook_of(cast, row)
    sheet = book["教基4148"]
    sheet["G10"], sheet["H10"], sheet["C11"] = 3, "十", 99
    page = sent(cast, row, book)
    assert "有 2 处错误" in page
    assert "请填不小于 0 的整数" in page
    assert "这个数由平台计算" in page
    assert '<td class="num">11</td>' in page
    row.refresh_from_db()
    assert row.typed == {}
    sheet["H10"], sheet["C11"] = 5, row.values["l02"]["all"]
    sheet["G11"] = sheet["H11"] = 0
    sent(cast, row, book)
    row.refresh_from_db()
    assert (row.values["l01"]["outside"], row.values["l01"]["retired"], row.unknown_count) == (3, 5, 0)
    other = prepared(cast, PUPILS)
    assert "这不是这张表下载的文件" in sent(cast, other, book)


def test_a_county_takes_everything_out_as_csv_and_json(cast: Cast) -> None:
    row = prepared(cast, PUPILS)
    submit_report(actor=cast.actor("school_admin"), report_id=row.pk, now=cast.now)
    client, unit = cast.client("county_officer"), cast.orgs["county"].public_id
    answer = client.get(reverse("interop:statistics_csv", args=[unit, PUPILS, YEAR]))
    lines = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert len(lines) == 1 + 13 * 8
    assert ["教基3112", "", "东湖区实验小学", "2025", "1", "submitted", "0", "01", "总计", "1", "合计", "3"] in lines
    told = json.loads(client.get(reverse("interop:statistics_json", args=[unit, PUPILS, YEAR])).getvalue())
    assert [one["values"]["l01"]["all"] for one in told] == [3]
    assert AuditEntry.objects.filter(action="interop.statistics_exported").count() == 2


def test_programs_prepare_fill_and_submit(cast: Cast) -> None:
    client, unit = cast.client("school_admin"), cast.orgs["school"].public_id

    def ask(method: str, place: str, body: object = None) -> dict[str, object]:
        told = client.generic(method, f"/api/v1/statistics/{place}", json.dumps(body), content_type="application/json")
        answer: dict[str, object] = told.json()
        return answer

    made = ask("POST", "reports/prepare", {"org_id": unit, "key": STAFF, "year": YEAR})
    cells = {line: {"outside": "1", "retired": "0"} for line in ("l01", "l02")}
    kept = ask("PUT", f"reports/{made['id']}/cells", {"cells": cells, "revision": made["revision"]})
    assert kept["unknown_count"] == 0
    assert ask("POST", f"reports/{made['id']}/submit")["state"] == "submitted"
    assert [one["id"] for one in ask("GET", f"reports?year={YEAR}")["rows"]] == [made["id"]]  # type: ignore[attr-defined]
    assert len(ask("GET", "templates")) == 6
