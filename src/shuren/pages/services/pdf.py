"""Printed pages: HTML turned into PDF with the Chinese typeface that travels with the program."""

import importlib
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.http import content_disposition_header

from shuren.pages.data import PdfUnavailable
from shuren.pages.rules.cells import file_name

FONT_DIR = Path(__file__).resolve().parent.parent / "fonts"
FONTS = {"normal": FONT_DIR / "NotoSansSC_400Regular.ttf", "bold": FONT_DIR / "NotoSansSC_700Bold.ttf"}
PANGO_PACKAGE = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


@cache
def weasyprint() -> ModuleType:
    """The PDF library, loaded on first use: it needs Pango, which is a part of the operating system."""
    try:
        return importlib.import_module("weasyprint")
    except OSError as error:
        raise PdfUnavailable(PANGO_PACKAGE) from error


def pdf_bytes(html: str, *, base_url: str | None = None) -> bytes:
    """Turn one HTML document into PDF with the house print style; raises `PdfUnavailable`.

    Charts in it must be SVG. `base_url` completes the links; nothing is fetched but `data:` addresses and the
    typeface, so a report can neither reach the network nor read a file of the server.
    """
    library = weasyprint()
    configuration = importlib.import_module("weasyprint.text.fonts").FontConfiguration()
    style = render_to_string("pages/print.css", {"fonts": {key: path.as_uri() for key, path in FONTS.items()}})
    fetch = local_fetcher()
    sheet = library.CSS(string=style, font_config=configuration, url_fetcher=fetch)
    document = library.HTML(string=html, base_url=base_url, url_fetcher=fetch)
    return bytes(document.write_pdf(stylesheets=[sheet], font_config=configuration))


def local_fetcher() -> Any:
    """A fetcher that knows `data:` addresses and the typeface and refuses everything else."""
    base = importlib.import_module("weasyprint.urls").URLFetcher

    class LocalFetcher(base):  # type: ignore[misc, valid-type]  # known only once the library is loaded
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> object:
            if not url.startswith("data:") and url not in {path.as_uri() for path in FONTS.values()}:
                raise ValueError(f"printing does not fetch {url}")
            return super().fetch(url, headers)

    return LocalFetcher(allowed_protocols=("data", "file"))


def pdf_response(html: str, name: str) -> HttpResponse:
    """Send the HTML as `<name>.pdf`; raises `PdfUnavailable`."""
    response = HttpResponse(pdf_bytes(html), content_type="application/pdf")
    response.headers["Content-Disposition"] = content_disposition_header(True, file_name(name, "pdf")) or ""
    return response
