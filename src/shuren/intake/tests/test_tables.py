import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuren.intake.api import UnreadableFile, open_table, sheet_names
from shuren.intake.data import Row, Table

Write = Callable[[str, bytes | str], Path]


def values(table: Table) -> list[list[str]]:
    return [row.values for row in table.rows]


def reasons(rows: list[Row]) -> list[str]:
    return [finding.reason for row in rows for finding in row.findings]


class TestText:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    def test_every_encoding_of_chinese_offices_is_read(self, written: Write, encoding: str) -> None:
        table = open_table(written("a.csv", "姓名,班级\n张小树,三年级1班\n".encode(encoding)))
        assert table.header == ["姓名", "班级"]
        assert values(table) == [["张小树", "三年级1班"]]
        assert not table.findings

    @pytest.mark.parametrize("separator", [",", "\t", ";"])
    def test_the_separator_is_found_out(self, written: Write, separator: str) -> None:
        table = open_table(written("a.csv", f"a{separator}b\n1{separator}2\n"))
        assert values(table) == [["1", "2"]]

    def test_rows_are_numbered_as_excel_does(self, written: Write) -> None:
        table = open_table(written("a.csv", 'a,b\r\n1,"two\nlines\nthree"\r\n\r\n4,5\r\n,\r\n6,7'))
        assert [(row.number, row.values[0]) for row in table.rows] == [(2, "1"), (4, "4"), (6, "6")]

    def test_a_late_byte_of_gb18030_is_still_seen(self, written: Write) -> None:
        body = b"a,b\n" + (b"x" * 60 + b",y\n") * 20_000 + "张,李\n".encode("gb18030")
        rows = list(open_table(written("a.csv", body)).rows)
        assert rows[-1].values == ["张", "李"]

    def test_short_and_long_rows_are_findings_of_their_row(self, written: Write) -> None:
        rows = list(open_table(written("a.csv", "a,b,c\n1,2\n1,2,3,4\n1,2,3,,\n1,2,3\n")).rows)
        assert [(row.number, len(row.values), len(row.findings)) for row in rows] == [
            (2, 3, 1),
            (3, 3, 1),
            (4, 3, 0),
            (5, 3, 0),
        ]
        assert rows[0].findings[0].row == 2
        assert rows[1].findings[0].value == "4"

    def test_text_after_a_quote_spoils_its_row_only(self, written: Write) -> None:
        rows = list(open_table(written("a.csv", 'a,b\n"x"y,1\n3,4\n')).rows)
        assert [row.number for row in rows] == [2, 3]
        assert "引号" in reasons(rows)[0]
        assert rows[1].values == ["3", "4"]

    def test_a_quote_that_is_never_closed_is_told_with_its_lines(self, written: Write) -> None:
        rows = list(open_table(written("a.csv", 'a,b\n1,2\n"3,4\n5,6\n')).rows)
        assert rows[0].values == ["1", "2"]
        assert "第 3 至 4 行" in rows[1].findings[0].reason

    def test_nul_and_broken_characters_are_findings(self, written: Write) -> None:
        rows = list(open_table(written("a.csv", "姓名,b\n张\x00三,1\n".encode() + b"\xe5\xbc,2\n" + "李,3\n".encode())).rows)
        assert [len(row.findings) for row in rows] == [1, 1, 0]

    def test_a_huge_cell_is_a_finding(self, written: Write) -> None:
        rows = list(open_table(written("a.csv", "a,b\n" + "x" * 40_000 + ",1\n2,3\n")).rows)
        assert len(rows[0].findings) == 1
        assert rows[1].values == ["2", "3"]

    def test_repeated_headings_are_told(self, written: Write) -> None:
        table = open_table(written("a.csv", "a,b,a\n1,2,3\n"))
        assert [finding.reason for finding in table.findings] == ["列名重复"]

    def test_the_heading_is_found_below_a_title(self, written: Write) -> None:
        table = open_table(written("a.csv", "三年级学生名单,,\n,,\n姓名,性别,班级\n张,男,1\n"), expected={"姓名", "性别"})
        assert (table.header, table.header_row) == (["姓名", "性别", "班级"], 3)
        assert [(row.number, row.values) for row in table.rows] == [(4, ["张", "男", "1"])]

    @given(
        rows=st.lists(
            st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12), min_size=3, max_size=3),
            min_size=1,
            max_size=20,
        )
    )
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
    def test_what_a_csv_writer_writes_is_read_back(self, tmp_path: Path, rows: list[list[str]]) -> None:
        lines = ["甲,乙,丙"] + [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
        path = tmp_path / "a.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        stripped = [[cell.strip() for cell in row] for row in rows]
        assert [row.values for row in open_table(path, expected={"甲", "乙", "丙"}).rows] == [r for r in stripped if any(r)]


class TestWorkbook:
    def test_cells_become_the_text_that_people_see(self, written: Write, workbook_bytes: Any) -> None:
        body = workbook_bytes(
            [
                ["整数", "小数", "日期", "时刻", "时间", "真", "空", "文"],
                [12.0, 0.1, date(2015, 9, 1), datetime(2015, 9, 1, 8, 30), time(8, 30), True, None, " 张 "],
            ]
        )
        table = open_table(written("a.xlsx", body))
        assert table.sheet == "学生"
        assert values(table) == [["12", "0.1", "2015-09-01", "2015-09-01 08:30:00", "08:30:00", "TRUE", "", "张"]]

    def test_an_id_number_kept_as_a_number_is_a_finding(self, written: Write, workbook_bytes: Any) -> None:
        table = open_table(written("a.xlsx", workbook_bytes([["证件号"], [440103201501011234], [13800001234]])))
        rows = list(table.rows)
        assert "长号码" in rows[0].findings[0].reason
        assert (rows[1].values, rows[1].findings) == (["13800001234"], ())

    def test_a_formula_in_error_is_an_empty_cell(self, written: Write, workbook_bytes: Any) -> None:
        assert values(open_table(written("a.xlsx", workbook_bytes([["a", "b"], ["#N/A", 1]])))) == [["", "1"]]

    def test_rows_and_columns_keep_their_numbers_when_the_table_begins_in_the_middle(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        sheet = book.active
        sheet["B3"], sheet["C3"], sheet["B4"], sheet["C6"] = "姓名", "班级", "张", "二班"
        book.save(tmp_path / "a.xlsx")
        table = open_table(tmp_path / "a.xlsx", expected={"姓名"})
        assert (table.header, table.header_row) == (["", "姓名", "班级"], 3)
        assert [(row.number, row.values) for row in table.rows] == [(4, ["", "张", ""]), (6, ["", "", "二班"])]

    def test_cells_merged_downwards_are_filled(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        sheet = book.active
        for row in (["学校", "学生"], ["一小", "张"], [None, "李"], [None, "王"], ["二小", "赵"]):
            sheet.append(row)
        sheet.merge_cells("A2:A4")
        book.save(tmp_path / "a.xlsx")
        assert [row[0] for row in values(open_table(tmp_path / "a.xlsx"))] == ["一小", "一小", "一小", "二小"]

    def test_a_sheet_is_opened_by_name_and_hidden_ones_are_not_offered(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        book.active.append(["x"])
        book.create_sheet("隐藏").sheet_state = "hidden"
        other = book.create_sheet("教师")
        other.append(["姓名"])
        other.append(["王"])
        book.save(tmp_path / "a.xlsx")
        assert sheet_names(tmp_path / "a.xlsx") == ["Sheet", "教师"]
        assert values(open_table(tmp_path / "a.xlsx", sheet="教师")) == [["王"]]
        with pytest.raises(UnreadableFile, match="没有名为"):
            open_table(tmp_path / "a.xlsx", sheet="隐藏")

    def test_a_value_in_a_far_corner_is_refused_before_it_takes_the_memory(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        book.active["A1"] = "a"
        book.active["XFD1048576"] = "far"
        book.save(tmp_path / "a.xlsx")
        with pytest.raises(UnreadableFile, match="范围过大"):
            list(open_table(tmp_path / "a.xlsx").rows)


class TestUnreadable:
    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (b"%PDF-1.7 ...", "不是表格"),
            (b"<html><table><tr><td>1</td></tr></table></html>", "网页"),
            (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "不是表格"),
            (bytes(range(256)) * 20 + b"\x00" * 5000, "不是表格"),
            (b"PK\x03\x04 not a zip", "已损坏"),
            (b"\n\n  \n,,\n", "没有内容"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "已损坏"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "密码"),
        ],
    )
    def test_a_clerk_is_told_what_it_is_and_what_to_do(self, written: Write, body: bytes, told: str) -> None:
        with pytest.raises(UnreadableFile, match=told) as caught:
            list(open_table(written("a.xlsx", body)).rows)
        assert caught.value.remedy
        assert caught.value.finding.row == 0

    def test_a_zip_of_tables_is_not_a_table(self, written: Write, package_bytes: Any) -> None:
        with pytest.raises(UnreadableFile, match="压缩包"):
            open_table(written("a.csv", package_bytes({"a.csv": "x"})))

    def test_a_csv_called_xlsx_and_a_workbook_called_csv_are_read(self, written: Write, workbook_bytes: Any) -> None:
        assert values(open_table(written("a.xlsx", "a\n1\n"))) == [["1"]]
        assert values(open_table(written("a.csv", workbook_bytes([["a"], [1]])))) == [["1"]]

    def test_an_optional_table_may_be_empty(self, written: Write) -> None:
        table = open_table(written("a.csv", "\n"), is_optional=True)
        assert (table.header, values(table)) == ([], [])


class TestOpenDocument:
    """Cells and rows of an ODS may stand for any number of their like."""

    NAMES = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    REST = '<table:table-row table:number-rows-repeated="1048573"><table:table-cell table:number-columns-repeated="16384"/>'

    def sheet(self, written: Write, rows: str) -> Path:
        body = f'<office:spreadsheet><table:table table:name="名册">{rows}</table:table></office:spreadsheet>'
        path = written("a.ods", b"")
        with zipfile.ZipFile(path, "w") as book:
            book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            book.writestr("META-INF/manifest.xml", "<manifest/>")
            words = f"<office:document-content {self.NAMES}><office:body>{body}</office:body></office:document-content>"
            book.writestr("content.xml", words)
        return path

    def row(self, *cells: str, times: int = 1, repeated: int = 1) -> str:
        begin = f'<table:table-cell office:value-type="string" table:number-columns-repeated="{repeated}">'
        inside = "".join(f"{begin}<text:p>{cell}</text:p></table:table-cell>" for cell in cells)
        return f'<table:table-row table:number-rows-repeated="{times}">{inside}</table:table-row>'

    def test_the_empty_rest_of_a_sheet_costs_nothing(self, written: Write) -> None:
        table = open_table(
            self.sheet(written, self.row("姓名", "班级") + self.row("张小树", "一班", times=2) + self.REST + "</table:table-row>")
        )
        assert table.header == ["姓名", "班级"]
        assert values(table) == [["张小树", "一班"]] * 2

    @pytest.mark.parametrize(
        ("times", "repeated"), [(1, 1_000_000_000), (1_000_000_000, 1), (40_000, 1_000)], ids=["cells", "rows", "both"]
    )
    def test_a_cell_that_stands_for_too_many_is_refused(self, written: Write, times: int, repeated: int) -> None:
        path = self.sheet(written, self.row("姓名") + self.row("张", times=times, repeated=repeated))
        with pytest.raises(UnreadableFile, match="过大"):
            open_table(path)
