import csv
import io
import unicodedata
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import openpyxl
import pypdf
import pypdfium2
import pytest

from shuren.pages.data import Chart, ChartKind, PdfUnavailable, Status, TooManyRows
from shuren.pages.rules.charts import chart_svg
from shuren.pages.services import exports, pdf


def text_of(response: object) -> str:
    return b"".join(response.streaming_content).decode("utf-8")  # type: ignore[attr-defined]


def test_csv_streams_with_a_mark_for_excel() -> None:
    read: list[int] = []

    def rows() -> Iterator[tuple[str, float]]:
        for number in range(2000):
            read.append(number)
            yield (f"学生{number}", number / 2)

    lines = exports.csv_lines(["姓名", "成绩"], rows())
    first = next(lines)
    assert first.startswith("\ufeff姓名,成绩\r\n学生0,0.0\r\n")
    assert len(read) < 1000
    assert len((first + "".join(lines)).splitlines()) == 2001


def test_csv_response_names_the_file_and_guards_formulas() -> None:
    response = exports.csv_response("人员/名单", ["姓名"], [["=cmd"], ["a,b\n"], [None]])
    assert response.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    table = list(csv.reader(io.StringIO(text_of(response).removeprefix("\ufeff"))))
    assert table == [["姓名"], ["'=cmd"], ["a,b\n"], [""]]


def test_workbook_keeps_types_and_guards_formulas() -> None:
    rows = [["=1+1", 12, date(2026, 9, 1), Status(text="在籍"), None]]
    response = exports.workbook_response("名单", [exports.Sheet("人:员", ["姓名", "数", "日期", "状态", "空"], rows)])
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))  # type: ignore[arg-type]
    sheet = book.worksheets[0]
    assert sheet.title == "人 员"
    assert sheet.freeze_panes == "A2"
    head, row = sheet.iter_rows()
    assert head[0].font.bold
    assert [cell.data_type for cell in row] == ["s", "n", "d", "s", "n"]
    assert row[0].value == "'=1+1"
    assert row[1].value == 12


def test_workbook_stops_at_its_limit() -> None:
    sheet = exports.Sheet("x", ["数"], ([number] for number in range(11)))
    with pytest.raises(TooManyRows) as caught:
        exports.write_workbook(io.BytesIO(), [sheet], limit=10)
    assert caught.value.limit == 10
    assert exports.write_workbook(io.BytesIO(), [exports.Sheet("x", ["数"], [[1]])], limit=1) == 1


HTML = """<!doctype html><html lang="zh-Hans"><head><title>报告</title></head><body>
<p class="report-owner">云州市</p><h1 class="report-title">青川区四年级数学</h1><p><b>骨直令</b>与复门</p>{svg}
<img src="http://example.invalid/x.png"><img src="file:///etc/passwd"></body></html>"""


@pytest.fixture(scope="module")
def printed(request: pytest.FixtureRequest) -> bytes:
    return pdf.pdf_bytes(HTML.format(svg="<h2 class='new-page'>第二页</h2>"))


def test_pdf_text_reads_back_in_the_house_typeface(printed: bytes) -> None:
    reader = pypdf.PdfReader(io.BytesIO(printed))
    text = unicodedata.normalize("NFKC", "".join(page.extract_text() for page in reader.pages))
    for words in ("青川区四年级数学", "骨直令", "与复门", "第二页", "1 / 2", "云州市"):
        assert words in text
    fonts = {str(font.get_object()["/BaseFont"]) for page in reader.pages for font in page["/Resources"]["/Font"].values()}
    assert fonts
    assert all("Noto-Sans-SC" in name.replace(" ", "-") or "NotoSansSC" in name for name in fonts)
    assert reader.pages[0].mediabox.width == pytest.approx(595, abs=1)


def test_pdf_picture_has_ink(charts: dict[ChartKind, Chart]) -> None:
    document = pypdfium2.PdfDocument(pdf.pdf_bytes(HTML.format(svg=chart_svg(charts[ChartKind.LEVELS]))))
    image = document[0].render(scale=1).to_pil().convert("L")
    histogram = image.histogram()
    share = sum(histogram[:200]) / sum(histogram)
    assert 0.01 < share < 0.3


def test_pdf_fetches_neither_network_nor_files() -> None:
    fetch = pdf.local_fetcher().fetch
    for url in ("http://example.invalid/x.png", "file:///etc/passwd", f"{pdf.FONT_DIR.as_uri()}/../data.py"):
        with pytest.raises(ValueError, match="printing does not fetch"):
            fetch(url)


def test_pdf_without_pango_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise OSError("cannot load library 'pango'")

    pdf.weasyprint.cache_clear()
    monkeypatch.setattr(pdf.importlib, "import_module", refuse)
    with pytest.raises(PdfUnavailable) as caught:
        pdf.pdf_bytes("<p>x</p>")
    assert "libpango" in caught.value.package
    monkeypatch.undo()
    pdf.weasyprint.cache_clear()


def test_the_typeface_came_with_its_licence() -> None:
    assert all(path.is_file() for path in pdf.FONTS.values())
    assert "SIL Open Font License" in Path(pdf.FONT_DIR / "LICENSE").read_text("utf-8")
