"""The 264 tables of JY/T 1001 to 1007, mended, beside the code sets that the house names in both languages."""

import csv
import subprocess
import sys
from collections import Counter

import pytest

from shuren.kernel.errors import NotFound
from shuren.standards import api
from shuren.standards.data import Authority, Parents
from shuren.standards.rules.registry import SHIPPED
from shuren.standards.rules.tables import tables, tables_led_elsewhere


def listed() -> list[dict[str, str]]:
    with (SHIPPED / "jyt_tables.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class TestTables:
    def test_all_264_are_there_and_as_long_as_the_index_says(self) -> None:
        assert len(listed()) == 264
        assert len(tables()) + len(tables_led_elsewhere()) == 264
        for row in listed():
            found = api.code_set(f"jyt.{row['table']}")
            own = [code for code in found.codes if not found.codes[code].begin] if row["same_as"] else list(found.codes)
            assert len(own) == int(row["rows"]) == len([code for code in own if found.codes[code].name_zh]), row["table"]

    def test_of_8892_rows_24_were_empty_and_two_stood_there_twice(self) -> None:
        assert sum(int(row["rows"]) for row in listed()) == 8892 - 24 - 2

    def test_every_table_has_a_name_of_its_own(self) -> None:
        for language in ("name", "name_en"):
            assert [name for name, count in Counter(row[language] for row in listed()).items() if count > 1 or not name] == []

    @pytest.mark.parametrize(
        ("table", "code", "name"),
        [
            ("hkxz", "4", "农业集体户口"),
            ("hkxz", "2", "农业家庭户口"),
            ("xl", "73", "初中肄业"),
            ("xl", "63", "普通高中肄业"),
            ("gljb", "9", "其他"),
            ("gljb", "4", "学校级"),
            ("gxjzgly", "59", "其他社会招聘人员"),
            ("gxjzgly", "52", "社会招聘工勤人员"),
            ("gxjzgly", "122", "外校应届硕士生"),
            ("syzlb", "4", "教师"),
            ("syzlb", "5", "工程与实验技术人员"),
            ("jtgx", "28", "女婿"),
            ("mz", "36", "毛南族"),
            ("bxlx", "513", "培智学校"),
        ],
    )
    def test_slips_are_mended_and_noted(self, table: str, code: str, name: str) -> None:
        assert api.code_label(f"jyt.{table}", code, "zh-hans") == name
        assert next(row for row in listed() if row["table"] == table)["note"]

    def test_no_code_or_name_is_empty_or_worn(self) -> None:
        for code_set in tables().values():
            for code, one in code_set.codes.items():
                assert code == code.strip() != ""
                assert one.name_zh == one.name_zh.strip() != ""
                assert one.name_zh != code

    def test_there_is_one_truth(self) -> None:
        assert api.code_set("jyt.xb") is api.code_set("sex")
        assert api.code_set("jyt.zxxkc") is api.code_set("subject")
        with pytest.raises(NotFound):
            api.code_set("jyt.nothing")

    def test_a_set_that_is_part_of_a_table_says_the_same(self) -> None:
        parts = [one for one in api.code_sets() if one.part_of]
        assert [one.code for one in parts] == ["school_type"]
        for part in parts:
            wider = api.code_set(part.part_of)
            assert {code: one.name_zh for code, one in part.codes.items()}.items() <= {
                code: one.name_zh for code, one in wider.codes.items()
            }.items()

    def test_authorities(self) -> None:
        told = Counter(one.authority for one in tables().values())
        assert told[Authority.LOCAL] == 1
        assert told[Authority.NATIONAL] > 10
        assert api.code_set("jyt.hyzt").reference == "GB/T 2261.2-2003"

    def test_english_readers_get_the_chinese_name_where_there_is_no_other(self) -> None:
        assert api.code_label("jyt.be", "1", "en") == api.code_label("jyt.be", "1", "zh")


class TestHierarchy:
    @pytest.mark.parametrize(
        ("code_set", "code", "above"),
        [
            ("jyt.bxlx", "111", "11"),
            ("jyt.bxlx", "211", "21"),
            ("jyt.xl", "12", "10"),
            ("jyt.xl", "10", ""),
            ("jyt.gxjzgly", "331", "33"),
            ("jyt.xzqh", "440103", "440100"),
            ("jyt.xzqh", "440100", "440000"),
            ("jyt.xzqh", "621102", "621100"),
            ("jyt.bzkzy", "080101", "0801"),
            ("urban_rural", "210", "2"),
            ("sex", "1", ""),
        ],
    )
    def test_a_code_finds_the_one_above(self, code_set: str, code: str, above: str) -> None:
        assert code in api.code_set(code_set).codes
        assert api.code_above(code_set, code) == above

    def test_every_layered_set_has_a_top_and_no_circle(self) -> None:
        for one in api.code_sets():
            deep = api.depths(one)
            assert len(deep) == len(one.codes)
            assert not deep or min(deep.values()) == 0
            assert (max(deep.values(), default=0) > 0) == (one.parents is not Parents.NONE), one.code


def test_nothing_is_read_before_a_code_of_a_table_is_asked_for() -> None:
    told = (
        "import django,os;os.environ['DJANGO_SETTINGS_MODULE']='shuren.conf.settings';django.setup()\n"
        "from shuren.standards import api\n"
        "from shuren.standards.rules import tables\n"
        "api.code_label('sex','1','zh');api.known_elements()\n"
        "print(tables._heads.cache_info().currsize, tables._lines.cache_info().currsize)\n"
        "len(api.code_sets())\n"
        "print(tables._lines.cache_info().currsize)\n"
    )
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["0", "0", "0"]
