"""Forms of others: an XLSForm workbook becomes a draft that can be put into force, or is refused place by place."""

import io
import random
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from openpyxl import Workbook, load_workbook
from tests.cast import Cast

from shuren.casework.models import Definition, DefinitionDraft, Pack
from shuren.kernel import ids

pytestmark = pytest.mark.database

HEAD = ("type", "name", "label::中文 (zh)", "label::English (en)", "required", "relevant", "constraint", "constraint_message")
MORE = ("hint", "calculation", "default", "appearance", "repeat_count", "choice_filter")
SURVEY: list[Mapping[str, Any]] = [
    {"type": "start", "name": "start"},
    {"type": "text", "name": "school_name", "label": "校名", "required": "yes", "hint": "写全称"},
    {"type": "note", "name": "n1", "label": "下面写食堂的情况。"},
    {"type": "begin group", "name": "kitchen", "label": "食堂", "en": "Canteen"},
    {"type": "note", "name": "n2", "label": "按实际情况写"},
    {"type": "select_one yn", "name": "Has-Canteen", "label": "有没有食堂", "required": "true"},
    {
        "type": "integer",
        "name": "seats",
        "label": "座位数",
        "relevant": "${Has-Canteen} = 'y'",
        "constraint": ". >= 1 and . <= 9000",
    },
    {"type": "select_multiple meals", "name": "meals", "label": "供几餐", "default": "a b"},
    {"type": "begin_group", "name": "inner", "label": "卫生", "relevant": "selected(${meals}, 'a')"},
    {"type": "date", "name": "checked", "label": "上次检查", "constraint": ". <= today()", "constraint_message": "不能晚于今天"},
    {"type": "end_group"},
    {"type": "text", "name": "memo", "label": "备注", "appearance": "multiline", "required": "${seats} > 100"},
    {"type": "end group"},
    {"type": "begin repeat", "name": "cook", "label": "厨师"},
    {"type": "text", "name": "cook_name", "label": "厨师叫什么", "required": "1"},
    {"type": "decimal", "name": "hours", "label": "工时", "constraint": ".>=0"},
    {"type": "decimal", "name": "pay", "label": "工资", "calculation": "${hours} * 30"},
    {"type": "end repeat"},
    {"type": "calculate", "name": "total", "calculation": "sum(${pay}) div 2"},
    {"type": "calculate", "name": "size", "label": "规模", "calculation": "if(${seats} > 100, '大', '小')"},
    {
        "type": "text",
        "name": "phone",
        "label": "电话",
        "constraint": "regex(., '[0-9]{11}')",
        "constraint_message": "写 11 位数字",
    },
]
CHOICES = [("list_name", "name", "label"), ("yn", "y", "有"), ("yn", "n", "没有"), ("meals", "a", "早"), ("meals", "b", "中")]


def workbook(survey: Sequence[Mapping[str, Any]], choices: Sequence[Sequence[Any]] = CHOICES, **settings: str) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "survey"
    columns = (*HEAD, *MORE)
    sheet.append(columns)
    short = {"label::中文 (zh)": "label", "label::English (en)": "en"}
    for row in survey:
        sheet.append([row.get(short.get(column, column)) for column in columns])
    listed = book.create_sheet("choices")
    for line in choices:
        listed.append(line)
    told = book.create_sheet("settings")
    told.append(list(settings))
    told.append(list(settings.values()))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def bring(cast: Cast, content: bytes, **changes: Any) -> HttpResponse:
    file = SimpleUploadedFile("kitchen.xlsx", content)
    told = {"file": file, "org": cast.orgs["school"].public_id} | changes
    return cast.client("school_admin").post("/definitions/import/", told)  # type: ignore[return-value]  # Django's own answer


def fields_of(body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {field["key"]: field for section in body["sections"] for field in section["fields"]}


def test_a_workbook_becomes_a_draft_that_can_be_put_into_force(cast: Cast) -> None:
    answer = bring(cast, workbook(SURVEY, form_title="食堂普查", form_id="kitchen"), leaves_out="on")
    assert answer.status_code == 302, answer.content.decode()
    draft = DefinitionDraft.objects.get()
    assert draft.title == "食堂普查"
    shown = cast.client("school_admin").get(answer.headers["Location"]).content.decode()
    assert "没有写" not in shown
    enforced = cast.client("school_admin").post(f"{answer.headers['Location']}enforce/")
    assert enforced.status_code == 302, enforced.content.decode()
    assert Definition.objects.get().title_zh == "食堂普查"


def test_what_a_workbook_says_is_said_in_our_words(cast: Cast) -> None:
    bring(cast, workbook(SURVEY), leaves_out="on")
    body = DefinitionDraft.objects.get().body
    assert body["title"] == {"zh": "kitchen"}
    told = [(section["title"]["zh"], section.get("shown_if"), section.get("note")) for section in body["sections"]]
    assert told == [
        ("基本情况", None, {"zh": "下面写食堂的情况。"}),
        ("食堂", None, {"zh": "按实际情况写"}),
        ("卫生", "'a' in meals", None),
        ("食堂", None, None),
        ("基本情况", None, None),
    ]
    assert body["sections"][1]["title"] == {"zh": "食堂", "en": "Canteen"}
    fields = fields_of(body)
    assert fields["school_name"] == {
        "key": "school_name",
        "title": {"zh": "校名"},
        "type": "text",
        "help": {"zh": "写全称"},
        "required": True,
    }
    assert fields["has_canteen"]["options"] == [{"code": "y", "title": {"zh": "有"}}, {"code": "n", "title": {"zh": "没有"}}]
    assert fields["seats"]["shown_if"] == "has_canteen == 'y'"
    assert (fields["seats"]["minimum"], fields["seats"]["maximum"]) == (1, 9000)
    assert (fields["meals"]["type"], fields["meals"]["default"]) == ("codes", ["a", "b"])
    assert (fields["memo"]["type"], fields["memo"]["required"]) == ("paragraph", "seats > 100")
    assert [column["key"] for column in fields["cook"]["columns"]] == ["cook_name", "hours", "pay"]
    assert fields["cook"]["columns"][2]["calculated"] == "hours * 30"
    assert (fields["total"]["calculated"], fields["total"]["type"]) == ("sum(cook.pay) / 2", "decimal")
    assert fields["size"]["type"] == "text"
    assert (fields["phone"]["pattern"], fields["phone"]["pattern_help"]) == ("[0-9]{11}", {"zh": "写 11 位数字"})
    assert body["rules"] == [{"check": "checked <= today()", "message": {"zh": "不能晚于今天"}, "at": "checked"}]


def test_what_does_not_matter_much_is_told_and_waits_for_a_yes(cast: Cast) -> None:
    answer = bring(cast, workbook([{"type": "start", "name": "start"}, *SURVEY[1:2]]))
    shown = answer.content.decode()
    assert answer.status_code == 400
    assert "这一项由平台自己记录" in shown
    assert "其余照样带入" in shown
    assert not DefinitionDraft.objects.exists()
    assert bring(cast, workbook(SURVEY[1:2])).status_code == 302


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ({"type": "barcode", "name": "b", "label": "码"}, "type", "没有这种题型"),
        ({"type": "rank yn", "name": "b", "label": "排"}, "type", "没有这种题型"),
        ({"type": "select_one_from_file a.csv", "name": "b", "label": "选"}, "type", "没有这种题型"),
        ({"type": "select_one gone", "name": "b", "label": "选"}, "type", "choices 表里没有这一组选项"),
        ({"type": "select_one yn or_other", "name": "b", "label": "选"}, "type", "其他，请填写"),
        ({"type": "text", "name": "SCHOOL_NAME", "label": "校名"}, "name", "名称与第 2 行的重复"),
        ({"type": "text", "label": "无名"}, "name", "没有写名称"),
        ({"type": "text", "name": "b"}, "label", "没有写题目"),
        ({"name": "b", "label": "无型"}, "type", "没有写类型"),
        ({"type": "end group"}, "type", "没有可以结束的分组"),
        ({"type": "begin repeat", "name": "b", "label": "没完"}, "type", "没有结束"),
        ({"type": "text", "name": "b", "label": "x", "relevant": "position(..) > 1"}, "relevant", "position()"),
        ({"type": "text", "name": "b", "label": "x", "relevant": "${gone} = 1"}, "relevant", "gone"),
        ({"type": "calculate", "name": "b", "calculation": "concat('a', 'b')"}, "calculation", "concat()"),
        ({"type": "calculate", "name": "b"}, "calculation", "没有写公式"),
        ({"type": "text", "name": "b", "label": "x", "constraint": "string-length(.) > 1"}, "constraint", "string-length()"),
        ({"type": "text", "name": "b", "label": "x", "constraint": "regex(., '[')"}, "constraint", "正则表达式"),
        ({"type": "text", "name": "b", "label": "x", "constraint": "regex(., '(a+)+$')"}, "constraint", "太复杂"),
        ({"type": "text", "name": "b", "label": "x", "relevant": "-" * 20_000 + "1"}, "relevant", "公式超过 2000 个字"),
        ({"type": "calculate", "name": "b", "calculation": "1" + "+1" * 900}, "calculation", "公式"),
        ({"type": "calculate", "name": "b", "calculation": "-(" * 29 + "${gone}" + ")" * 29}, "calculation", "gone"),
        ({"type": "calculate", "name": "b", "calculation": "(" * 59 + "${gone}" + ")" * 59}, "calculation", "gone"),
        ({"type": "text", "name": "b", "label": "x", "choice_filter": "a=1"}, "choice_filter", "联动"),
        ({"type": "integer", "name": "b", "label": "x", "default": "many"}, "default", "默认值不是数字"),
        ({"type": "text", "name": "b", "label": "x", "required": "maybe"}, "required", "读不懂“maybe”"),
    ],
)
def test_what_changes_the_meaning_is_refused_with_its_place(cast: Cast, row: Mapping[str, Any], column: str, reason: str) -> None:
    answer = bring(cast, workbook([SURVEY[1], row]), leaves_out="on")
    assert answer.status_code == 400
    shown = " ".join(answer.content.decode().split())
    place = f'<tr><td>survey</td><td class="num">3</td><td>{column}</td>'
    assert place in shown
    assert reason in shown.partition(place)[2].partition("</tr>")[0].replace("&#x27;", "'")
    assert not DefinitionDraft.objects.exists()


def test_repeats_do_not_lie_in_repeats_and_check_only_what_a_cell_can(cast: Cast) -> None:
    rows = [
        {"type": "begin repeat", "name": "one", "label": "外"},
        {"type": "text", "name": "a", "label": "甲", "constraint": ". != ${b}"},
        {"type": "text", "name": "b", "label": "乙"},
        {"type": "begin repeat", "name": "two", "label": "内"},
        {"type": "text", "name": "c", "label": "丙"},
        {"type": "end repeat"},
        {"type": "end repeat"},
        {"type": "begin repeat", "name": "three", "label": "空", "repeat_count": "${a}"},
        {"type": "end repeat"},
    ]
    shown = bring(cast, workbook(rows)).content.decode()
    for reason in ("表格里的一格只能限上下限", "不能再套重复的一组", "重复的一组里没有题", "重复的次数只能是固定的数"):
        assert reason in shown


@pytest.mark.parametrize(
    ("choices", "reason"),
    [
        ([*CHOICES, ("yn", "y", "又一个")], "同一组选项里代码重复"),
        ([*CHOICES, ("yn", None, "无码")], "选项要写 list_name 和 name"),
        ([*CHOICES, ("yn", "y" * 41, "长")], "选项代码超过 40 个字符"),
    ],
)
def test_choices_are_checked_too(cast: Cast, choices: Sequence[Sequence[Any]], reason: str) -> None:
    shown = " ".join(bring(cast, workbook(SURVEY[1:2], choices)).content.decode().split())
    assert '<td>choices</td><td class="num">6</td>' in shown
    assert reason in shown


@pytest.mark.parametrize("content", [b"", b"type,name\ntext,a\n", b"PK\x03\x04broken", b"\x00\xff" * 99])
def test_what_is_no_workbook_is_refused(cast: Cast, content: bytes) -> None:
    assert bring(cast, content).status_code in (200, 400)
    assert not DefinitionDraft.objects.exists()


def test_a_workbook_without_a_survey_is_told_so(cast: Cast) -> None:
    out = io.BytesIO()
    Workbook().save(out)
    assert "没有名为 survey 的工作表" in bring(cast, out.getvalue()).content.decode()


def test_a_workbook_that_unpacks_too_large_is_refused(cast: Cast) -> None:
    out = io.BytesIO(workbook(SURVEY[1:2]))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/picture.bin", random.Random(1).randbytes(300_000) + b"\x00" * 50_000_000)
    assert "文件展开后太大" in bring(cast, out.getvalue()).content.decode()


def test_columns_and_lines_have_limits(cast: Cast) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "survey"
    sheet.append(["type", "name", "label", *(f"media::{number}" for number in range(200)), *["hint::x"] * 97])
    sheet.append(["text", "a", "甲", "picture.png"])
    out = io.BytesIO()
    book.save(out)
    shown = bring(cast, out.getvalue()).content.decode()
    assert shown.count("这一列没有带入") == 1
    sheet.cell(1, 301, "label::y")
    out = io.BytesIO()
    book.save(out)
    assert "工作表超过 100 列" in bring(cast, out.getvalue()).content.decode()
    assert "工作表超过 5,000 行" in bring(cast, workbook([SURVEY[1]] * 5_001)).content.decode()


def test_after_many_errors_no_more_are_looked_for(cast: Cast) -> None:
    shown = bring(cast, workbook([{"type": "barcode", "name": "b", "label": "码"}] * 4_000)).content.decode()
    assert "错误超过 200 处" in shown
    assert 190 <= shown.count("没有这种题型") <= 200


def test_groups_do_not_lie_in_groups_without_end(cast: Cast) -> None:
    rows = [{"type": "begin group", "name": "g", "label": "组"}] * 2_000
    assert "分组套得太深" in bring(cast, workbook(rows)).content.decode()


def test_an_empty_survey_makes_no_draft(cast: Cast) -> None:
    assert "没有一道题" in bring(cast, workbook([])).content.decode()
    assert not DefinitionDraft.objects.exists()


def test_other_languages_stand_in_where_ours_are_missing(cast: Cast) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Survey"
    sheet.append(["Type", "Name", "Label::English (en)", "Label::Français (fr)"])
    sheet.append(["text", "a", "Name", "Nom"])
    sheet.append(["text", "b", None, "Ville"])
    out = io.BytesIO()
    book.save(out)
    assert bring(cast, out.getvalue(), title="Kept").status_code == 302
    draft = DefinitionDraft.objects.get()
    assert draft.title == "Kept"
    assert [field["title"] for field in fields_of(draft.body).values()] == [{"zh": "Name"}, {"zh": "Ville"}]


def test_a_form_goes_out_and_comes_back_the_same(cast: Cast) -> None:
    client = cast.client("school_admin")
    draft_url = bring(cast, workbook(SURVEY, form_title="食堂普查"), leaves_out="on").headers["Location"]
    first = DefinitionDraft.objects.get().body
    first_url = client.post(f"{draft_url}enforce/").headers["Location"]
    answer = client.get(f"{first_url}xlsform/")
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]  # a file
    book = load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["survey", "choices", "settings"]
    assert bring(cast, content, leaves_out="on").status_code == 302
    again = DefinitionDraft.objects.get().body
    assert again["title"] == {"zh": "食堂普查"}
    assert again["rules"] == first["rules"]
    before, after = fields_of(first), fields_of(again)
    assert list(after) == list(before)
    for key, field in before.items():
        kept = {part: value for part, value in field.items() if part not in ("default", "pattern_help")}
        assert {part: value for part, value in after[key].items() if part in kept} == kept


def test_what_others_cannot_say_is_listed(cast: Cast, define: Any) -> None:
    asked = {"key": "has", "title": "有没有", "type": "boolean"}
    told = {"key": "age", "title": "年龄", "type": "integer", "calculated": "years(born, today())"}
    fields = [asked, {"key": "born", "title": "出生", "type": "date", "shown_if": "has"}, told]
    form = define("form", {"key": "own.ages", "title": "年龄表", "sections": [{"key": "s1", "title": "一", "fields": fields}]})
    form.pack = Pack.objects.create(key="own", title_zh="自", version="1.0.0", digest="", installed_at=cast.now)
    form.save()
    answer = cast.client("school_admin").get(f"/definitions/{ids.encode('definition', form.pk)}/xlsform/")
    book = load_workbook(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]  # a file
    assert [row[0].value for row in book["survey"].iter_rows(min_row=3, max_row=4)] == ["select_one yes_no", "date"]
    heading = [cell.value for cell in book["survey"][1]]
    assert book["survey"][4][heading.index("relevant")].value == "(${has} = 'true')"
    assert [cell.value for cell in book["未写出"][2]] == ["age", "calculation", "years(born, today())"]
