"""The registry of standards as everybody reads it, and a new edition as an officer of the region brings it."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.cast import Cast

from shuren.intake import api as intake
from shuren.intake.data import ImportStatus
from shuren.kernel import ids
from shuren.kernel.models import AuditEntry, Event
from shuren.standards import api as standards
from shuren.work import api as work


@pytest.fixture
def words(cast: Cast, tmp_path: Path, settings: Any) -> Iterator[Cast]:
    settings.DATA_DIR = tmp_path
    (tmp_path / "standards").mkdir()
    standards.forget_registry()
    standards.load_registry()
    yield cast
    standards.forget_registry()


def edition(*rows: tuple[str, ...], head: str = "table,code,name,begin,end,replaced_by,former_name") -> SimpleUploadedFile:
    text = io.StringIO()
    columns = head.split(",")
    csv.writer(text).writerows([columns, *[[*row, *[""] * (len(columns) - len(row))] for row in rows]])
    return SimpleUploadedFile("学期2026.csv", text.getvalue().encode())


def sent(client: Client, file: SimpleUploadedFile) -> str:
    answer = client.post("/imports/new/edition/", {"file": file})
    assert answer.status_code == 302, answer.content.decode()
    work.run_pending()
    return str(answer.headers["Location"])


def taken(client: Client, file: SimpleUploadedFile) -> str:
    address = sent(client, file)
    assert client.get(address).context["state"].status is ImportStatus.READY, client.get(address).context["groups"]
    client.post(f"{address}apply/", {"confirm": "1"})
    work.run_pending()
    assert client.get(address).context["state"].status is ImportStatus.APPLIED
    return address


def reasons(client: Client, address: str) -> list[tuple[str, str, int, bool]]:
    import_id = ids.decode("import", address.rstrip("/").rpartition("/")[2])
    return [(one.column, one.reason, one.row, one.is_error) for one in intake.findings(import_id).rows]


class TestReading:
    def test_everybody_finds_code_sets_by_name_pinyin_and_what_is_in_them(self, words: Cast) -> None:
        client = words.client("parent")
        for typed, code in [("户口类别", "jyt.hkxz"), ("hklb", "jyt.hkxz"), ("JYT.HKXZ", "jyt.hkxz"), ("自理口粮", "jyt.hkxz")]:
            page = client.get("/standards/", {"q": typed})
            assert code in [row.code for row in page.context["list"].page.rows], typed
        page = client.get("/standards/", {"authority": "national", "size": "100"})
        assert {str(row.authority) for row in page.context["list"].page.rows} == {"national"}
        assert client.get("/standards/").context["list"].page.total > 264

    def test_codes_are_shown_as_valid_on_a_day_with_what_lies_above(self, words: Cast) -> None:
        client = words.client("teacher")
        before = client.get("/standards/sets/subject/", {"on": "2022-08-31", "size": "100"})
        after = client.get("/standards/sets/subject/", {"on": "2022-09-01", "size": "100"})
        codes = [{row.code.code for row in page.context["list"].page.rows} for page in (before, after)]
        assert ("12" in codes[0], "71" in codes[0], "12" in codes[1], "71" in codes[1]) == (True, False, False, True)
        assert "课程" in after.content.decode()
        tree = client.get("/standards/sets/jyt.xzqh/", {"q": "440103"}).context["list"].page.rows
        assert (tree[0].above, tree[0].depth) == ("440100", 2)
        assert client.get("/standards/sets/jyt.xb/").context["title"] == client.get("/standards/sets/sex/").context["title"]
        assert client.get("/standards/sets/nothing/").status_code == 404

    def test_an_export_is_complete_and_leaves_an_entry(self, words: Cast) -> None:
        client = words.client("staff")
        told = b"".join(client.get("/standards/sets/jyt.bxlx/", {"export": "csv"}).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        rows = list(csv.reader(io.StringIO(told)))
        assert len(rows) == 77
        assert AuditEntry.objects.filter(action="pages.list_exported").count() == 1

    def test_an_element_tells_who_answers_and_where_it_is_used(self, words: Cast) -> None:
        page = words.client("head").get("/standards/elements/person.sex/")
        told = {fact.label: fact.value for fact in page.context["facts"]}
        assert (told["JY/T"], told["代码集"]) == ("XBM", "性别")
        assert any("demographics" in use.place for use in page.context["list"].page.rows)
        assert words.client("head").get("/standards/elements/person.nothing/").status_code == 404

    def test_a_format_is_a_json_schema(self, words: Cast) -> None:
        client = words.client("vendor")
        assert client.get("/standards/formats/oneroster.users/").status_code == 200
        told = json.loads(client.get("/standards/formats/oneroster.users/schema.json").content)
        assert told["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert told["properties"]["familyName"]["x-element"] == "person.family_name"
        assert {"givenName", "familyName", "username"} <= set(told["required"])


class TestEditions:
    def test_an_edition_is_checked_taken_seen_and_undone(self, words: Cast) -> None:
        client = words.client("province_officer")
        address = sent(client, edition(("xq", "1", "冬季学期")))
        review = client.get(address)
        assert review.context["state"].status is ImportStatus.REJECTED
        assert {one[1] for one in reasons(client, address) if one[3]} == {"代码换了意思"}
        names = {code.code: code.name_zh for code in standards.codes("jyt.xq")}
        rows = [("xq", code, name) for code, name in names.items()]
        taken(client, edition(*rows, ("xq", "7", "寒假学期", "2026-09-01")))
        assert standards.code_label("jyt.xq", "7", "zh") == "寒假学期"
        listed = client.get("/standards/editions/").context["list"].page.rows
        assert [(row.number, row.code_sets, row.is_in_force) for row in listed] == [(1, ("jyt.xq",), True)]
        changes = client.get("/standards/editions/1/").context["list"].page.rows
        assert [(row.code, row.change) for row in changes] == [("7", "added")]
        assert words.client("head").post("/standards/editions/1/undo/").status_code == 403
        assert client.post("/standards/editions/1/undo/").status_code == 302
        assert not standards.is_code("jyt.xq", "7")
        assert list(AuditEntry.objects.filter(action__startswith="standards.edition").values_list("action", flat=True)) == [
            "standards.edition_taken",
            "standards.edition_undone",
        ]
        assert set(Event.objects.filter(name__startswith="standards.edition").values_list("name", flat=True)) == {
            "standards.edition_taken",
            "standards.edition_undone",
        }

    def test_what_is_in_use_is_shown_before_it_breaks(self, words: Cast) -> None:
        client = words.client("province_officer")
        address = sent(client, edition(("xb", "1", "男"), ("xb", "2", "女")))
        told = intake.findings(ids.decode("import", address.rstrip("/").rpartition("/")[2])).rows
        gone = {one.value for one in told if one.reason == "新版本里没有这个代码，还在有效期内"}
        assert any(value.startswith("sex 0 未知 × ") and "person.sex" in value for value in gone)
        assert client.get(address).context["state"].status is ImportStatus.READY
        client.post(f"{address}apply/")
        assert client.get(address).context["state"].status is ImportStatus.READY
        client.post(f"{address}apply/", {"confirm": "1"})
        work.run_pending()
        assert standards.code_label("sex", "0", "zh") == "未知"
        assert not standards.is_code("sex", "0", on=words.now.date().replace(year=words.now.year + 1))

    def test_every_fault_names_row_column_and_reason(self, words: Cast) -> None:
        client = words.client("province_officer")
        rows = (
            ("Not A Table", "1", "一"),
            ("brand_new", "1", "一"),
            ("xq", "1 2", "一"),
            ("xq", "9", ""),
            ("xq", "9", "九", "soon"),
            ("xq", "10", "十", "2026-09-01", "2026-09-01"),
            ("xq", "", ""),
            ("xq", "11", "十一"),
            ("xq", "11", "十一"),
        )
        address = sent(client, edition(*rows))
        assert client.get(address).context["state"].status is ImportStatus.REJECTED
        assert sorted(reasons(client, address), key=lambda one: one[2]) == [
            ("代码表", "没有代码表，或写法不对", 2, True),
            ("代码表名称", "没有这个代码表；新的代码表要有名称", 3, True),
            ("代码", "代码只能用字母、数字、点、横线和下划线，至多 40 位", 4, True),
            ("名称", "必填，没有值", 5, True),
            ("开始日期", "应为 2026-09-01 这样的日期", 6, True),
            ("结束日期", "结束日期不晚于开始日期", 7, True),
            ("代码", "必填，没有值", 8, True),
            ("代码", "同一个代码表里重复出现", 10, True),
        ]
        address = sent(client, edition(("role", "head", "校长"), ("xb", "", "", "", "2027-01-01")))
        assert {one[1] for one in reasons(client, address) if one[3]} == {
            "这是平台自己的代码集，不能由标准版本改变",
            "代码表要停用，还有数据项在用",
        }

    def test_a_new_set_comes_with_a_workbook_of_several_sheets(self, words: Cast) -> None:
        book = openpyxl.Workbook()
        book.worksheets[0].append(["代码表", "代码表名称", "代码", "名称", "性质", "依据"])
        book.worksheets[0].append(["bus_line", "校车线路", "A", "甲线", "地方", "某市标准"])
        book.create_sheet("乙").append(["table", "table_name", "code", "name"])
        book["乙"].append(["bus_stop", "站点", "1", "东门"])
        kept = io.BytesIO()
        book.save(kept)
        taken(words.client("province_officer"), SimpleUploadedFile("本地.xlsx", kept.getvalue()))
        assert standards.code_set("bus_line").authority == "local"
        assert standards.code_label("bus_stop", "1", "zh") == "东门"

    def test_files_of_the_region_keep_the_last_word(self, words: Cast, settings: Any) -> None:
        told = "- {code: jyt.xq, name_zh: 学期, name_en: Term, authority: local, codes: {A: [全年, Year]}}\n"
        (settings.DATA_DIR / "standards" / "own.yaml").write_text(told, encoding="utf-8")
        standards.forget_registry()
        client = words.client("province_officer")
        address = sent(client, edition(("xq", "A", "全年"), ("xq", "B", "半年")))
        assert [one[1] for one in reasons(client, address)] == ["本地区的文件里有这个代码集，以它为准"]
        client.post(f"{address}apply/")
        work.run_pending()
        assert not standards.is_code("jyt.xq", "B")

    def test_only_officers_of_the_region_bring_editions(self, words: Cast) -> None:
        for who in ("county_officer", "head", "parent"):
            client = words.client(who)
            assert client.get("/imports/new/edition/").status_code == 403
            assert "/imports/new/edition/" not in client.get("/standards/").content.decode()
        client = words.client("province_officer")
        assert "/imports/new/edition/" in client.get("/standards/").content.decode()
        assert client.get("/imports/new/edition/template/").status_code == 200

    def test_an_edition_checked_against_other_words_is_not_taken(self, words: Cast) -> None:
        client = words.client("province_officer")
        first, second = (sent(client, edition(("jkzk", code, "某项", "2026-09-01"))) for code in ("8", "9"))
        for address in (first, second):
            client.post(f"{address}apply/", {"confirm": "1"})
            work.run_pending()
        assert client.get(first).context["state"].status is ImportStatus.APPLIED
        refused = client.get(second).context["state"]
        assert (refused.status, "又有别的版本生效了" in refused.error) == (ImportStatus.FAILED, True)
        assert [one.number for one in standards.editions()] == [1]

    def test_a_code_of_an_edition_that_is_stored_keeps_it_in_force(self, words: Cast) -> None:
        client = words.client("province_officer")
        names = [("sex", one.code, one.name_zh) for one in standards.codes("sex")]
        taken(client, edition(*names, ("sex", "5", "某项", "2026-09-01")))
        apps.get_model("directory.Person").objects.filter(pk=words.people["pupil"].id).update(sex="5")
        answer = client.post("/standards/editions/1/undo/")
        assert answer.status_code == 409
        assert "5 (1)" in answer.content.decode()
        assert standards.is_code("sex", "5")
