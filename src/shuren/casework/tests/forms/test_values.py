"""Values: what is understood, what is refused and in which words, how it is shown."""

from datetime import date, datetime
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from shuren.casework.rules.values import read_value, value_text
from shuren.casework.tests.forms.drawn import SIMPLE, field, form_of, forms, told


def one(kind: str, **more: Any) -> Any:
    return form_of(field("x", kind, title="甲", **more)).fields[0]


@pytest.mark.parametrize(
    ("spec", "said", "value"),
    [
        (one("text"), "  东湖 区\n实验 ", "东湖 区 实验"),
        (one("text"), 5, "5"),
        (one("text"), "   ", None),
        (one("paragraph"), "一\r\n二\n", "一\n二"),
        (one("integer"), "１,２００", 1200),
        (one("integer"), "12.0", 12),
        (one("integer"), 12.0, 12),
        (one("integer", minimum=0), "0", 0),
        (one("decimal"), "3.14159", 3.14),
        (one("decimal"), "2.345", 2.35),
        (one("decimal", places=0), "2.5", 3.0),
        (one("decimal"), "-.5", -0.5),
        (one("boolean"), "是", True),
        (one("boolean"), "off", False),
        (one("boolean"), False, False),
        (one("date"), "2026年9月1日", "2026-09-01"),
        (one("date"), "2026/9/1", "2026-09-01"),
        (one("date"), "20260901", "2026-09-01"),
        (one("date"), "2026-09-01 00:00:00", "2026-09-01"),
        (one("date"), datetime(2026, 9, 1, 8), "2026-09-01"),
        (one("date"), date(2026, 9, 1), "2026-09-01"),
        (one("code"), "乙等", "b"),
        (one("code"), "first", "a"),
        (one("code"), "b-乙等", "b"),
        (one("codes"), "丙等；甲等；丙等", ["a", "c"]),
        (one("codes"), ["c", "a"], ["a", "c"]),
        (one("code", code_set="sex"), "女", "2"),
        (one("place"), "116.4，39.9", {"lon": 116.4, "lat": 39.9}),
        (one("place"), {"lon": "116.40", "lat": "39.9"}, {"lon": 116.4, "lat": 39.9}),
        (one("place"), {"lon": "", "lat": ""}, None),
        (one("person"), "0123456789abc|王芳", {"id": "0123456789abc", "name": "王芳"}),
        (one("file"), [], None),
    ],
)
def test_what_is_told_in_many_ways_is_kept_in_one(spec: Any, said: object, value: object) -> None:
    found, faults = read_value(spec, said, on=date(2026, 9, 1))
    assert (found, faults) == (value, [])
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("spec", "said", "reason", "remedy"),
    [
        (one("integer", minimum=0, maximum=100), "120", "大于 100", "应填 0 到 100 之间的整数。"),
        (one("integer", minimum=1), "0", "小于 1", "应填不小于 1 的整数。"),
        (one("decimal", maximum="99.5"), "99.51", "大于 99.5", "应填不大于 99.5 的数。"),
        (one("integer"), "一百", "不是数", "应填整数，如 12。"),
        (one("integer"), "1.5", "不是整数", "应填整数，如 12。"),
        (one("integer"), True, "不是数", "应填整数，如 12。"),
        (one("decimal"), float("nan"), "不是数", "应填数，如 12.5。"),
        (one("integer"), "9" * 30, "数太大", "应填整数，如 12。"),
        (one("integer"), "9" * 300, "不是数", "应填整数，如 12。"),
        (one("text", length=3), "一二三四", "有 4 个字，超过了 3 个字", "请缩短到 3 个字以内。"),
        (one("text", pattern="[0-9]{6}", pattern_help="邮编是 6 位数字。"), "12345", "格式不对", "邮编是 6 位数字。"),
        (one("text"), "a\x07b", "含有看不见的特殊字符", "请删除后重新输入。"),
        (one("text"), ["a"], "这里要填文字", "请填文字。"),
        (one("date"), "2026-02-30", "没有这一天", "请检查年、月、日，写成 2026-09-01 的样子。"),
        (one("date"), "明天", "不是日期", "请写成 2026-09-01 的样子。"),
        (one("date"), "0026-09-01", "年份不对", "请检查年份，写成 2026-09-01 的样子。"),
        (one("boolean"), "也许", "不是“是”或“否”", "请填“是”或“否”。"),
        (one("code"), "丁等", "不在可选的范围内", "请从中选择：甲等、乙等、丙等。"),
        (one("codes"), "甲等、丁等", "不在可选的范围内", "请从中选择：甲等、乙等、丙等。"),
        (one("place"), "116.4", "位置不完整", "请填经度（73 到 136）和纬度（3 到 54），如 116.40 和 39.90。"),
        (one("person"), {"name": "王芳"}, "没有找到", "请从搜索结果中选择。"),
        (one("file"), "C:\\图.png", "文件没有传上来", "请重新选择文件上传。"),
        (one("signature"), "王芳", "还没有签名", "请核对填写的内容后点“签名确认”。"),
    ],
)
def test_what_is_wrong_is_told_with_how_to_mend_it(spec: Any, said: object, reason: str, remedy: str) -> None:
    value, (fault,) = read_value(spec, said, on=date(2026, 9, 1))
    assert value is None
    assert (fault.path, fault.title, fault.reason, fault.remedy) == ("x", "甲", reason, remedy)


def test_a_cell_of_a_table_is_told_by_its_row() -> None:
    table = one("table", columns=[field("n", "integer", title="人数")], maximum_rows=2)
    value, faults = read_value(table, [{"n": "1"}, {"n": ""}, {"n": "x"}])
    assert value == [{"n": 1}, {}]
    assert [(fault.path, fault.title) for fault in faults] == [("x[1].n", "人数")]
    _value, (fault,) = read_value(table, [{"n": 1}] * 3)
    assert (fault.path, fault.reason) == ("x", "有 3 行，超过了 2 行")


@given(st.data())
def test_a_value_read_reads_again_to_itself(data: st.DataObject) -> None:
    for spec in data.draw(forms()).fields:
        value, faults = read_value(spec, data.draw(told(spec)))
        if not faults:
            assert read_value(spec, value) == (value, [])


@given(st.sampled_from(SIMPLE), st.recursive(st.none() | st.booleans() | st.text() | st.floats() | st.integers(), st.lists))
def test_anything_is_read_or_refused(kind: str, said: object) -> None:
    value, faults = read_value(one(kind), said)
    assert value is None or not faults


@pytest.mark.parametrize(
    ("spec", "value", "text"),
    [
        (one("text"), None, ""),
        (one("boolean"), False, "否"),
        (one("code"), "b", "乙等"),
        (one("codes"), ["a", "c"], "甲等、丙等"),
        (one("code"), "gone", "gone"),
        (one("integer", unit="人"), 12000, "12,000"),
        (one("integer"), 2026, "2026"),
        (one("decimal"), 3.5, "3.50"),
        (one("person"), {"id": "x", "name": "王芳"}, "王芳"),
        (one("file"), [{"id": "x", "name": "图.png", "size": 1, "sha256": ""}], "图.png"),
        (one("table", columns=[field("n", "integer")]), [{"n": 1}, {"n": 2}], "2 行"),
        (
            one("signature"),
            {"person": "x", "name": "王芳", "at": "2026-09-01T10:20:30+08:00", "digest": ""},
            "王芳 2026-09-01 10:20",
        ),
        (one("place"), {"lon": 116.4, "lat": 39.9}, "116.4, 39.9"),
    ],
)
def test_a_value_as_people_read_it(spec: Any, value: object, text: str) -> None:
    assert value_text(spec, value, "zh-hans") == text


def test_a_code_is_told_in_the_readers_language() -> None:
    with translation.override("en"):
        assert value_text(one("code"), "a", "en") == "First"
