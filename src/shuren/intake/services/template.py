"""The empty workbook of an import that is one table: a heading, a width, and a list to choose from where there is one."""

import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from shuren.intake.data import TemplateColumn

_REQUIRED, _OPTIONAL = "B42318", "1B2A30"


def table_template(*, title: str, columns: Sequence[TemplateColumn], rows: int = 5_000) -> bytes:
    """An .xlsx with one sheet; the choices of a column reach over `rows` lines."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    sheet.append([column.name for column in columns])
    for place, column in enumerate(columns, start=1):
        letter = get_column_letter(place)
        sheet.cell(1, place).font = Font(bold=True, color=_REQUIRED if column.is_required else _OPTIONAL)
        sheet.column_dimensions[letter].width = column.width
        if column.choices:
            choice = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"', allow_blank=False)
            choice.add(f"{letter}2:{letter}{rows + 1}")
            sheet.add_data_validation(choice)
    sheet.freeze_panes = "A2"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
