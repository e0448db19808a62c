"""The Excel template of a results file: every sheet with its headings, notes, drop-downs and a few sample rows."""

import io
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from shuren.assessment.rules.words import (
    BOOKLET_WORD,
    CODEBOOK_WORDS,
    INFO_WORDS,
    ITEM_WORDS,
    PUPIL_WORD,
    TABLE_NAMES,
    WEIGHT_WORDS,
    TableKind,
    Word,
)

_HEAD = PatternFill("solid", fgColor="DCE6F5")
_REQUIRED = Font(bold=True, color="B42318")
_TEXT_ROWS = 2_000
_SAMPLE_INFO: Mapping[str, str] = {
    "is_simulated": "否",
    "pupil_id": "sourcedId",
    "scoring": "得分",
    "omitted": "9",
    "not_reached": "8",
    "not_administered": "空",
    "scale_mean": "500",
    "scale_sd": "100",
    "cuts": "400,475,550,625",
}
_CHOICES: Mapping[str, str] = {"is_simulated": "是,否", "pupil_id": "sourcedId,学号", "scoring": "得分,选项"}


def results_template() -> bytes:
    """The workbook as bytes. Sample rows use people and items that exist nowhere, so they are reported if left in."""
    book = Workbook()
    book.remove(book.worksheets[0])
    _info_sheet(book.create_sheet(TABLE_NAMES[TableKind.INFO]))
    sample = [["M01", "两位数加法", "1", "", "", "数学", "数与代数", "知道", "整数加法"]]
    _table(book.create_sheet(TABLE_NAMES[TableKind.ITEMS]), list(ITEM_WORDS.values()), sample)
    answers = [PUPIL_WORD, BOOKLET_WORD, Word("M01", note=_("每道题一列，列名是题号"))]
    _table(book.create_sheet(TABLE_NAMES[TableKind.RESPONSES]), answers, [["示例学生", "1", "1"]])
    question = Word("Q1", note=_("每个变量一列，填数字；没有值请留空"))
    _table(book.create_sheet(TABLE_NAMES[TableKind.QUESTIONNAIRE]), [PUPIL_WORD, question], [])
    _table(book.create_sheet(TABLE_NAMES[TableKind.WEIGHTS]), [PUPIL_WORD, *WEIGHT_WORDS.values()], [])
    _table(book.create_sheet(TABLE_NAMES[TableKind.CODEBOOK]), list(CODEBOOK_WORDS.values()), [])
    for kind in (TableKind.QUESTIONNAIRE, TableKind.WEIGHTS, TableKind.CODEBOOK):
        book[TABLE_NAMES[kind]].sheet_properties.tabColor = "98A2B3"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _info_sheet(sheet: Worksheet) -> None:
    sheet.append([_("项目"), _("内容"), _("说明")])
    for key, word in INFO_WORDS.items():
        sheet.append([word.title, _SAMPLE_INFO.get(key, ""), word.note])
        row = sheet.max_row
        sheet.cell(row, 2).number_format = "@"
        if word.is_required:
            sheet.cell(row, 1).font = _REQUIRED
        if key in _CHOICES:
            choice = DataValidation(type="list", formula1=f'"{_CHOICES[key]}"', allow_blank=True)
            sheet.add_data_validation(choice)
            choice.add(sheet.cell(row, 2))
    _dress(sheet, [18, 40, 70])


def _table(sheet: Worksheet, words: Sequence[Word], rows: Sequence[Sequence[str]]) -> None:
    sheet.append([word.title for word in words])
    for place, word in enumerate(words, start=1):
        head = sheet.cell(1, place)
        if word.note:
            head.comment = Comment(word.note, "Shuren")
        if word.is_required:
            head.font = _REQUIRED
    for row in rows:
        sheet.append(list(row))
    for number in range(2, _TEXT_ROWS):
        sheet.cell(number, 1).number_format = "@"
    _dress(sheet, [22] + [14] * (len(words) - 1))


def _dress(sheet: Worksheet, widths: Sequence[int]) -> None:
    sheet.freeze_panes = "A2"
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
        sheet.cell(1, place).fill = _HEAD
