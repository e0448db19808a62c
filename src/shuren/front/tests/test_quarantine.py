"""The quarantine as an officer and a school walk it: part the file, mend a row in place, send it in, give another up."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.cast import Cast

from shuren.directory import api as directory
from shuren.front.tests.test_imports import column, roster, send  # noqa: F401  # a fixture
from shuren.intake.data import ImportStatus
from shuren.kernel.models import AuditEntry
from shuren.work import api as work

Change = Callable[[openpyxl.Workbook], None]


def spoil(book: openpyxl.Workbook) -> None:
    names, dates = column(book, "学生", "姓名"), column(book, "学生", "出生日期")
    for row in book["学生"].iter_rows(min_row=2):
        if row[names - 1].value in ("张小雨", "刘洋"):
            row[dates - 1].value = "2031-02-30"
        if row[names - 1].value == "张三":
            row[names - 1].value = "张叁"


@pytest.fixture
def parted(cast: Cast, roster: Callable[[Change], SimpleUploadedFile]) -> str:  # noqa: F811  # the fixture
    """The address of an import whose good rows are in; two pupils of the school wait."""
    client = cast.client("county_officer")
    address = send(client, roster(spoil))
    work.run_pending()
    assert "只取合格的行" in client.get(address).content.decode()
    client.post(f"{address}set-aside/")
    work.run_pending()
    review = client.get(address)
    assert review.context["state"].status is ImportStatus.READY
    assert "2 行，不会写入" in review.content.decode()
    client.post(f"{address}apply/")
    work.run_pending()
    done = client.get(address).content.decode()
    assert "2 行放进了隔离区" in done
    return address


def test_a_row_is_mended_in_place_and_comes_in(cast: Cast, parted: str) -> None:
    people = {key: cast.people[key].id for key in ("pupil", "classmate")}
    assert directory.people_by_ids([people["pupil"]])[people["pupil"]].name == "张叁"
    client = cast.client("school_admin")
    page = client.get("/imports/quarantine/?state=waiting")
    assert "不是有效日期" in page.content.decode()
    assert "张小雨" not in page.content.decode()
    rows = sorted(set(re.findall(r"/imports/quarantine/([0-9a-z]{13})/", page.content.decode())))
    assert len(rows) == 2
    first = client.get(f"/imports/quarantine/{rows[0]}/")
    fields = {field.label: field for field in first.context["form"]}
    assert fields["出生日期"].help_text.startswith("不是有效日期")
    told = {field.html_name: field.value() or "" for field in first.context["form"] if field.html_name != "send"}
    told[fields["出生日期"].html_name] = "2016-05-06"
    answer = client.post(f"/imports/quarantine/{rows[0]}/", {**told, "send": "on"})
    address = answer.headers["Location"]
    work.run_pending()
    client.post(f"{address}apply/")
    work.run_pending()
    assert client.get(address).context["state"].status is ImportStatus.APPLIED
    left = client.get("/imports/quarantine/?state=waiting").content.decode()
    assert rows[0] not in left
    assert rows[1] in left
    ask = client.post("/imports/quarantine/discard/", {"ids": rows[1]})
    assert "不能恢复" in ask.content.decode()
    assert client.post("/imports/quarantine/discard/", {"ids": rows[1], "reason": "已经转走"}).status_code == 302
    assert rows[1] not in client.get("/imports/quarantine/?state=waiting").content.decode()
    assert {"intake.row_read", "intake.row_corrected", "intake.rows_discarded"} <= set(
        AuditEntry.objects.values_list("action", flat=True)
    )


def test_others_see_nothing_of_it(cast: Cast, parted: str) -> None:
    rows = cast.client("county_officer").get(f"{parted}quarantine/").content.decode()
    (row, *_more) = re.findall(r"/imports/quarantine/([0-9a-z]{13})/", rows)
    for stranger in ("far_head", "teacher", "parent"):
        client = cast.client(stranger)
        assert client.get(f"/imports/quarantine/{row}/").status_code == 404
        assert client.get(f"{parted}quarantine/file/").status_code == 404
        assert client.post("/imports/quarantine/send/", {"ids": row}).status_code == 404


def test_the_rows_go_out_as_a_workbook_and_come_back_mended(cast: Cast, parted: str, tmp_path: Path) -> None:
    client = cast.client("county_officer")
    file = client.get(f"{parted}quarantine/file/")
    book = openpyxl.load_workbook(io.BytesIO(file.content))
    dates = column(book, "学生", "出生日期")
    for row in book["学生"].iter_rows(min_row=2):
        row[dates - 1].value = "2016-05-06"
    kept = io.BytesIO()
    book.save(kept)
    answer = client.post(f"{parted}quarantine/upload/", {"file": SimpleUploadedFile("改好.xlsx", kept.getvalue())})
    work.run_pending()
    review = client.get(answer.headers["Location"])
    assert review.context["state"].status is ImportStatus.READY, review.content.decode()
    client.post(f"{answer.headers['Location']}apply/")
    work.run_pending()
    waiting = client.get(f"{parted}quarantine/?state=waiting").content.decode()
    assert re.findall(r"/imports/quarantine/[0-9a-z]{13}/", waiting) == []
