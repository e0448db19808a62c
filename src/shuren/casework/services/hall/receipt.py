"""The receipt of an application, on paper: its number, query code and a QR code that leads to its progress."""

from datetime import datetime

import segno
from django.template.loader import render_to_string
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from shuren.casework.models import Case, WindowApplicant
from shuren.casework.rules.hall import masked_name
from shuren.casework.selectors.hall import query_code


def receipt_html(case: Case, *, site: str, now: datetime) -> str:
    """The page to be printed; the applicant stands on it masked, the query code in full. `site` is where the pages are found."""
    applicant = WindowApplicant.objects.filter(case=case).first()
    name = applicant.name_masked if applicant else masked_name(case.filer.name) if case.filer else ""
    address = f"{site}/hall/progress/?number={case.number}"
    lines = [
        (_("办件编号"), case.number),
        (_("查询码"), query_code(case.number)),
        (_("事项"), case.item.title if case.item else case.definition.title),
        (_("申请人"), name),
        (_("联系电话"), applicant.phone_masked if applicant else ""),
        (_("办理单位"), case.org.name),
        (_("收到时间"), _moment(case.submitted_at)),
        (_("承诺办结"), _moment(case.due_at)),
        (_("打印时间"), _moment(now)),
    ]
    context = {
        "title": _("受理回执"),
        "lines": [line for line in lines if line[1]],
        "qr": segno.make(address, error="m").svg_data_uri(border=0, dark="#1b2a30"),
        "address": address,
        "office": case.org.name,
        "day": localtime(now),
    }
    return render_to_string("casework/hall_receipt.html", context)


def _moment(at: datetime | None) -> str:
    return f"{localtime(at):%Y-%m-%d %H:%M}" if at else ""
