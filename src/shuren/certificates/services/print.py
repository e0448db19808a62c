"""Certificates on paper: a page with its QR code, sealed as PAdES, with the credential itself inside the file."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import segno
from django.template.loader import render_to_string
from django.utils import translation

from shuren.certificates.models import Certificate, TemplateVersion
from shuren.certificates.rules.credentials import as_json
from shuren.certificates.rules.numbers import grouped
from shuren.certificates.rules.wording import day_in_words
from shuren.certificates.selectors.certificates import credential_of
from shuren.certificates.selectors.issuer import base_url
from shuren.certificates.services.seal import seal_pdf
from shuren.directory import api as directory
from shuren.kernel.clock import day_of
from shuren.pages.api import pdf_bytes


def printed(row: Certificate, *, now: datetime) -> bytes:
    """The PDF of a certificate; raises `PdfUnavailable` where the system cannot print."""
    url = f"{base_url()}/verify/{row.number}/"
    html = page_html(
        row.version,
        narrative=row.narrative,
        holder_name=row.holder_name,
        issuer_name=row.issuer_name,
        number=row.number,
        url=url,
        given_at=row.given_at,
        valid_until=day_in_words(row.valid_until) if row.valid_until else "",
    )
    return seal_pdf(pdf_bytes(html), attachment=as_json(credential_of(row)).encode(), name=row.issuer_name, now=now)


def printed_record(rows: Sequence[Certificate], *, document: Mapping[str, Any], now: datetime) -> bytes:
    """A person's certificates on one list, sealed, with the signed record inside."""
    root = directory.root_org()
    lines = [
        {"row": row, "number": grouped(row.number), "day": day_in_words(day_of(row.given_at)), "qr": _qr(row)} for row in rows
    ]
    words = {"title": document["name"], "lines": lines, "owner": root.name if root else "", "day": day_in_words(day_of(now))}
    html = _rendered("certificates/print_record.html", words)
    return seal_pdf(pdf_bytes(html), attachment=as_json(document).encode(), name=str(words["owner"]), now=now)


def _qr(row: Certificate) -> str:
    return str(segno.make(f"{base_url()}/verify/{row.number}/", error="m").svg_data_uri(border=0, dark="#1b2a30"))


def page_html(
    version: TemplateVersion,
    *,
    narrative: str,
    holder_name: str,
    issuer_name: str,
    number: str,
    url: str,
    given_at: datetime,
    valid_until: str,
    is_sample: bool = False,
) -> str:
    image = base64.b64encode(bytes(version.image)).decode() if version.image else ""
    words = {
        "version": version,
        "narrative": narrative,
        "holder_name": holder_name,
        "issuer_name": issuer_name,
        "number": number if is_sample else grouped(number),
        "is_sample": is_sample,
        "url": f"{base_url()}/verify/",
        "qr": segno.make(url, error="m").svg_data_uri(border=0, dark="#1b2a30", scale=4),
        "day": day_in_words(day_of(given_at)),
        "valid_until": valid_until,
        "image": f"data:image/png;base64,{image}" if image else "",
    }
    return _rendered("certificates/print.html", words)


def _rendered(template: str, words: Mapping[str, object]) -> str:
    """In Chinese, whoever downloads it: a certificate is one document, not one per reader."""
    with translation.override("zh-hans"):
        return render_to_string(template, dict(words))
