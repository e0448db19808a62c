"""The face of pages: draw a list, send it as CSV or Excel, draw a chart for print, make a PDF, read what an address says."""

from shuren.pages.rules.charts import boundaries_svg, chart_svg, chart_table
from shuren.pages.rules.numbers import estimate_text, interval_text, number_text
from shuren.pages.rules.told import holds_unfit, number_in
from shuren.pages.services.exports import Sheet, csv_response, workbook_response, zip_parts
from shuren.pages.services.pdf import pdf_bytes, pdf_response
from shuren.pages.views.forms import form_page, posted
from shuren.pages.views.lists import ListPage, is_partial, list_page, list_query, render_list

__all__ = [
    "ListPage",
    "Sheet",
    "boundaries_svg",
    "chart_svg",
    "chart_table",
    "csv_response",
    "estimate_text",
    "form_page",
    "holds_unfit",
    "interval_text",
    "is_partial",
    "list_page",
    "list_query",
    "number_in",
    "number_text",
    "pdf_bytes",
    "pdf_response",
    "posted",
    "render_list",
    "workbook_response",
    "zip_parts",
]
