"""Checking a results file: every planted error is told at its cell, everything else passes."""

import io
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

from shuren.assessment import api
from shuren.assessment.data import Missing
from shuren.assessment.models import Assessment
from shuren.assessment.selectors import files
from shuren.assessment.tests.conftest import (
    ITEMS,
    PUPILS_PER_CLASS,
    Cast,
    Sheets,
    answer_of,
    apply,
    findings_of,
    long_of,
    number_of,
    package_of,
    sheets_of,
    spot,
    start,
    workbook_of,
)

pytestmark = pytest.mark.django_db
Plant = Callable[[Sheets], None]


def test_a_faultless_file_becomes_arrays(stored: tuple[Cast, int]) -> None:
    cast, _import = stored
    data = api.responses_of(api.assessment_id_of_code("math-2026") or 0)
    assert data.person_ids.tolist() == sorted(cast.people[key] for key in cast.pupils)
    place = {cast.people[key]: number for number, key in enumerate(cast.pupils)}
    words = {"9": Missing.OMITTED, "8": Missing.NOT_REACHED, "": Missing.NOT_ADMINISTERED}
    for row, person in enumerate(data.person_ids):
        expected = [answer_of(place[int(person)], item) for item in range(4)]
        assert data.scores[row].tolist() == [words[cell] if cell in words else int(cell) for cell in expected]
        assert data.class_paths[int(data.class_ids[row])].endswith(f"/{data.class_ids[row]}/")
    assert data.scores.dtype == np.int8
    assert data.max_scores.tolist() == [1, 1, 2, 3]
    assert data.booklet_names == ("1", "2")
    assert (data.zones.min(), data.zones.max(), set(data.reps.tolist())) == (1, 4, {0, 1})
    assert data.extra_weights["SENWGT"].tolist() == [0.5] * data.pupils
    assert data.context_names == ("Q1", "Q2")
    assert np.isnan(data.context[:, 1]).all()
    assert int(np.isnan(data.context[:, 0]).sum()) == data.pupils - 40
    assert data.references[0, 0] == 500.25
    assert set(data.district_ids.tolist()) == {cast.orgs["east"], cast.orgs["west"]}
    assert {cast.orgs["s1"], cast.orgs["s2"], cast.orgs["s3"]} == set(data.school_ids.tolist())


def test_what_is_said_about_the_test_is_kept(stored: tuple[Cast, int]) -> None:
    state = api.assessment_state(api.assessment_id_of_code("math-2026") or 0)
    assert (state.name, state.source_note, state.is_simulated) == ("四年级数学监测", "测试数据", False)
    assert state.scale.cuts == (400, 475, 550, 625)
    assert state.context[0].label == "家里的书"
    assert [item.knowledge_units for item in api.items_of(state.id)][1] == ("整数减法", "验算")
    counts = {(one.level, one.pupils) for one in api.participation_of(state.id)}
    assert counts == {("county", 36), ("county", 12), ("school", 24), ("school", 12), ("class", 12)}


@pytest.mark.parametrize("form", ["workbook", "long", "long workbook", "gb18030", "quick"])
def test_every_form_of_the_same_file_says_the_same(cast: Cast, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sheets = sheets_of(cast)
    apply(start(package_of(sheets)))
    if form == "quick":
        monkeypatch.setattr(files, "QUICK_FROM_BYTES", 0)
    content = {
        "workbook": lambda: workbook_of(sheets),
        "long": lambda: package_of(long_of(sheets)),
        "long workbook": lambda: workbook_of(long_of(sheets)),
        "gb18030": lambda: package_of(sheets, "gb18030"),
        "quick": lambda: package_of(sheets),
    }[form]()
    state = start(content, name="results.xlsx" if "workbook" in form else "results.zip")
    assert findings_of(state) == []
    assert state.difference == {"added": 0, "removed": 0, "changed": 0, "unchanged": 48, "is_described_anew": False}


def test_both_readers_give_the_same_blocks(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    sheets = sheets_of(cast)
    sheets["作答"].insert(5, [""] * 6)
    sheets["作答"][9][0] = "nobody"
    sheets["作答"][20][3] = "7"
    careful = [spot(finding) for finding in findings_of(start(package_of(sheets)))]
    monkeypatch.setattr(files, "QUICK_FROM_BYTES", 0)
    quick = [spot(finding) for finding in findings_of(start(package_of(sheets)))]
    assert quick == careful
    assert {found[2:5] for found in careful if found[0] == "responses.csv"} == {(10, "学生", "nobody"), (21, "M2", "7")}


def put(table: str, row: int, column: int, value: str) -> Plant:
    def plant(sheets: Sheets) -> None:
        sheets[table][row - 1][column] = value

    return plant


def setting(title: str, value: str) -> Plant:
    def plant(sheets: Sheets) -> None:
        next(row for row in sheets["测验信息"] if row[0] == title)[1] = value

    return plant


def again(table: str, row: int) -> Plant:
    return lambda sheets: sheets[table].append(list(sheets[table][row - 1]))


def without(table: str, row: int) -> Plant:
    def plant(sheets: Sheets) -> None:
        del sheets[table][row - 1]

    return plant


PLANTED: list[tuple[Plant, tuple[object, ...]]] = [
    (put("作答", 5, 3, "2"), ("responses.csv", 5, "M2", "2", "得分超出范围")),
    (put("作答", 7, 2, "1.5"), ("responses.csv", 7, "M1", "1.5", "不是得分，也不是缺失代码")),
    (put("作答", 8, 4, "A"), ("responses.csv", 8, "M3", "A", "不是得分，也不是缺失代码")),
    (again("作答", 3), ("responses.csv", 50, "学生", "c1-02", "学生重复出现")),
    (put("作答", 1, 5, "M9"), ("responses.csv", 1, "M9", "M9", "题目表中没有这道题")),
    (put("题目表", 2, 2, "200"), ("items.csv", 2, "满分", "200", "不是满分或得分范围")),
    (put("题目表", 3, 3, ""), ("items.csv", 3, "学科", "", "没有填学科")),
    (put("题目表", 4, 0, "M1"), ("items.csv", 4, "题号", "M1", "题号重复")),
    (put("题目表", 5, 0, "题 四"), ("items.csv", 5, "题号", "题 四", "题号为空或写法不合规")),
    (put("权重", 6, 1, "0"), ("weights.csv", 6, "权重", "0", "权重必须大于 0")),
    (put("权重", 6, 1, "很大"), ("weights.csv", 6, "权重", "很大", "不是数")),
    (put("权重", 6, 2, "1.5"), ("weights.csv", 6, "分区", "1.5", "不是范围内的整数")),
    (put("权重", 6, 3, "2"), ("weights.csv", 6, "复本", "2", "不是范围内的整数")),
    (without("权重", 6), ("weights.csv", 0, "学生", "c1-05", "有作答的学生在这张表中没有一行")),
    (again("权重", 6), ("weights.csv", 50, "学生", "c1-05", "学生重复出现")),
    (put("问卷", 3, 1, "nan"), ("questionnaire.csv", 3, "Q1", "nan", "不是数")),
    (put("问卷", 3, 0, "c9-99"), ("questionnaire.csv", 3, "学生", "c9-99", "作答表中没有这名学生")),
    (put("参考值", 3, 1, "--"), ("references.csv", 3, "PV1", "--", "不是数")),
    (put("变量说明", 2, 0, ""), ("codebook.csv", 2, "变量", "", "变量名为空或重复")),
    (setting("测验日期", "去年夏天"), ("info.csv", 5, "内容", "去年夏天", "测验日期：不是日期")),
    (setting("测验代码", "数学 一"), ("info.csv", 2, "内容", "数学 一", "测验代码：写法不合规")),
    (setting("组织编号", "nowhere"), ("info.csv", 6, "内容", "nowhere", "组织编号：没有找到这个机构")),
    (setting("是否模拟数据", "也许"), ("info.csv", 7, "内容", "也许", "是否模拟数据：不是可选的内容")),
    (setting("未到达代码", "9"), ("info.csv", 10, "内容", "9", "未到达代码：同一个代码有两种含义")),
    (setting("未作答代码", "3"), ("info.csv", 9, "内容", "3", "未作答代码：缺失代码与可能的作答相同")),
    (setting("划界分数", "500,400"), ("info.csv", 12, "内容", "500,400", "划界分数：划界分数没有由低到高")),
    (setting("测验名称", ""), ("info.csv", 3, "内容", "", "测验名称：缺少“测验名称”")),
]


@pytest.mark.parametrize(("plant", "expected"), PLANTED, ids=[f"{found[0]}-{found[4]}" for _plant, found in PLANTED])
def test_a_planted_error_is_told_at_its_cell(cast: Cast, plant: Plant, expected: tuple[object, ...]) -> None:
    sheets = sheets_of(cast)
    plant(sheets)
    state = start(package_of(sheets))
    found = [(one.file, one.row, one.column, one.value, one.reason) for one in findings_of(state)]
    assert expected in found
    assert all(one.remedy for one in findings_of(state))
    assert state.status == "rejected"
    assert Assessment.objects.count() == 0


def test_pupils_are_told_apart(cast: Cast) -> None:
    sheets = sheets_of(cast)
    sheets["作答"][1][0] = "c9-99"
    sheets["作答"][2][0] = "head1"
    sheets["作答"][3][0] = ""
    found = {(one.row, one.reason) for one in findings_of(start(package_of(sheets))) if one.file == "responses.csv"}
    assert found == {(2, "查无此学生"), (3, "测验当天不在参测范围的任何班级"), (4, "没有填学生")}


def test_who_was_not_yet_enrolled_has_no_class(cast: Cast) -> None:
    state = start(package_of(sheets_of(cast, 测验日期="2025-06-01")))
    reasons = {one.reason for one in findings_of(state)}
    assert reasons == {"测验当天不在参测范围的任何班级"}
    assert state.error_count == 4 * PUPILS_PER_CLASS


def test_pupils_are_found_by_their_numbers(cast: Cast) -> None:
    apply(start(package_of(sheets_of(cast))))
    sheets = sheets_of(cast, 学生标识="学籍号")
    for table in ("作答", "问卷", "权重", "参考值"):
        for row in sheets[table][1:]:
            row[0] = number_of(row[0])
    state = start(package_of(sheets))
    assert findings_of(state) == []
    assert state.difference["unchanged"] == 48


def test_the_same_cell_twice_in_a_long_file(cast: Cast) -> None:
    sheets = long_of(sheets_of(cast))
    sheets["作答"].append(list(sheets["作答"][4]))
    sheets["作答"].append(["c1-01", "2", "M1", "1"])
    sheets["作答"].append(["c1-01", "1", "M77", "1"])
    last = len(sheets["作答"])
    found = {(one.row, one.column, one.reason) for one in findings_of(start(package_of(sheets)))}
    assert found == {
        (last - 2, "题号", "同一学生的同一题出现多次"),
        (last - 1, "题号", "同一学生的同一题出现多次"),
        (last - 1, "题本", "同一学生的题本前后不一致"),
        (last, "题号", "题目表中没有这道题"),
    }


def test_options_are_scored_against_the_key(cast: Cast) -> None:
    sheets = sheets_of(cast, 作答内容="选项", 未作答代码="9", 未到达代码="8")
    sheets["题目表"] = [
        ["题号", "满分", "答案", "选项", "学科"],
        ["M1", "1", "B", "", "数学"],
        ["M2", "1", "A|C", "", "数学"],
        ["M3", "2", "A=2|B=1", "A,B,C", "数学"],
    ]
    marked = [["b", "A", "B"], ["C", "c", "a"], ["9", "B", "C"], ["D", "8", ""]]
    sheets["作答"] = [["学生", "M1", "M2", "M3"], *([key, *marked[n % 4]] for n, key in enumerate(cast.pupils))]
    state = apply(start(package_of(sheets)))
    assert state.status == "applied", findings_of(state)
    data = api.responses_of(api.assessment_id_of_code("math-2026") or 0)
    assert data.scores[:4].tolist() == [[1, 1, 1], [0, 1, 2], [-2, 0, 0], [0, -3, -1]]
    assert (data.booklet_names, set(data.booklets.tolist())) == ((), {-1})


def test_an_option_that_the_item_does_not_have(cast: Cast) -> None:
    sheets = sheets_of(cast, 作答内容="选项")
    sheets["题目表"] = [["题号", "答案", "学科"], ["M1", "B", "数学"], ["M2", "E", "数学"]]
    sheets["作答"] = [["学生", "M1", "M2"], ["c1-01", "F", "A"]]
    found = {(one.file, one.row, one.column, one.reason) for one in findings_of(start(package_of(sheets)))}
    assert found == {("items.csv", 3, "答案", "答案无法用于判分")}
    sheets["题目表"][2][1] = "D"
    found = {(one.row, one.column, one.reason) for one in findings_of(start(package_of(sheets))) if one.file == "responses.csv"}
    assert found == {(2, "M1", "不是这道题的选项，也不是缺失代码")}


def test_a_declared_code_goes_before_a_score_and_a_default_after(cast: Cast) -> None:
    sheets = sheets_of(cast, 未作答代码="", 未到达代码="", 未施测代码="")
    sheets["题目表"][4][2] = "9"
    sheets["作答"][1][5] = "9"
    sheets["作答"][2][5] = "8"
    sheets["作答"][3][2] = "9"
    state = apply(start(package_of(sheets)))
    assert state.status == "applied", findings_of(state)
    data = api.responses_of(api.assessment_id_of_code("math-2026") or 0)
    assert data.scores[:3, 3].tolist()[:2] == [9, 8]
    assert data.scores[2, 0] == Missing.OMITTED


@pytest.mark.parametrize("missing", ["测验信息", "题目表", "作答"])
def test_a_missing_table_is_named(cast: Cast, missing: str) -> None:
    sheets = sheets_of(cast)
    del sheets[missing]
    assert [one.reason for one in findings_of(start(package_of(sheets))) if one.row == 0] == [f"缺少“{missing}”表"]


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04 broken", b"\x00" * 4000, b"a,b\n1,2\n", b"%PDF-1.7 x"],
    ids=["empty", "zip", "zeros", "csv", "pdf"],
)
def test_what_is_no_results_file_is_refused_in_words(cast: Cast, content: bytes) -> None:
    if not content:
        with zipfile.ZipFile(stream := io.BytesIO(), "w"):
            content = b""
        content = stream.getvalue()
    state = start(content)
    assert state.status == "rejected"
    assert [one.is_error for one in findings_of(state)] == [True]


def test_only_within_the_right_to_import(cast: Cast) -> None:
    refused = start(package_of(sheets_of(cast)), actor=cast.actor("east_officer"))
    assert [one.reason for one in findings_of(refused)] == ["组织编号：没有找到这个机构"]
    allowed = start(package_of(sheets_of(cast)), actor=cast.actor("officer"))
    assert allowed.status == "ready"
    apply(allowed)
    taken = start(package_of(sheets_of(cast, 组织编号="east")), actor=cast.actor("east_officer"))
    assert "测验代码：测验代码已被使用" in [one.reason for one in findings_of(taken)]


def test_items_of_the_file_keep_their_order(stored: tuple[Cast, int]) -> None:
    items = api.items_of(api.assessment_id_of_code("math-2026") or 0)
    assert [(item.code, item.position) for item in items] == [(row[0], place) for place, row in enumerate(ITEMS, start=1)]
