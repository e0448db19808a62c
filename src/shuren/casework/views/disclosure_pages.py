"""信息公开与参与: published answers, and consultations open for comment, for anybody."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from shuren.casework.models import Entry
from shuren.casework.selectors.disclosure import (
    ANSWERS,
    CONSULTATIONS,
    Consultation,
    access_published,
    answers_page,
    consultation_of,
    consultations_shown,
    public_id,
)
from shuren.casework.views.hall_parts import trail
from shuren.kernel import clock, ids
from shuren.kernel.doors import open_door
from shuren.pages.api import number_in
from shuren.pages.data import Fact

_OPINION = "gov.opinion"


@open_door
@require_safe
def open_pages(request: HttpRequest) -> HttpResponse:
    """What is open for comment now, and questions that were answered."""
    search = request.GET.get("q", "")[:40]
    number = number_in(request.GET.get("page", "")) or 1
    page = answers_page(search=search, number=number)
    plans = consultations_shown(today=clock.day_of(clock.now()))
    context = {
        "title": _("信息公开与参与"),
        "search": search,
        "page": page,
        "answers": [_answer_line(entry) for entry in page.rows],
        "open": [_plan_line(one) for one in plans if one.is_open],
        "ended": [_plan_line(one) for one in plans if not one.is_open][:10],
        "asks": [
            {"title": _("我要咨询"), "url": reverse("casework:hall_item", args=["gov.consultation"])},
            {"title": _("投诉建议"), "url": reverse("casework:hall_item", args=["gov.complaint"])},
            {"title": _("申请公开信息"), "url": reverse("casework:hall_item", args=["gov.disclosure"])},
        ],
        "newer": _turn(search, page.number - 1) if page.number > 1 else "",
        "older": _turn(search, page.number + 1) if page.has_next else "",
        "breadcrumbs": trail((_("信息公开与参与"), "")),
    }
    return render(request, "casework/hall_open.html", context)


def _turn(search: str, number: int) -> str:
    return f"?{urlencode({'q': search, 'page': str(number)})}"


def _answer_line(entry: Entry) -> dict[str, str]:
    data, url = entry.data, reverse("casework:hall_answer", args=[public_id(entry)])
    return {"title": data.get("title", ""), "url": url, "answered": data.get("answered", ""), "unit": entry.org.name}


def _plan_line(one: Consultation) -> dict[str, object]:
    data = one.entry.data
    return {
        "title": data.get("title", ""),
        "url": reverse("casework:hall_consultation", args=[public_id(one.entry)]),
        "opens": data.get("opens", ""),
        "closes": data.get("closes", ""),
        "unit": one.entry.org.name,
        "opinions": one.opinions,
        "has_conclusion": bool(data.get("conclusion")),
    }


@open_door
@require_safe
def answer(request: HttpRequest, entry_id: str) -> HttpResponse:
    entry = access_published(ANSWERS, ids.decode("entry", entry_id))
    context = {
        "title": entry.data.get("title", ""),
        "data": entry.data,
        "unit": entry.org.name,
        "breadcrumbs": trail((_("信息公开与参与"), reverse("casework:hall_open")), (entry.data.get("title", ""), "")),
    }
    return render(request, "casework/hall_answer.html", context)


@open_door
@require_safe
def consultation(request: HttpRequest, entry_id: str) -> HttpResponse:
    entry = access_published(CONSULTATIONS, ids.decode("entry", entry_id))
    found = consultation_of(entry, today=clock.day_of(clock.now()))
    title = entry.data.get("title", "")
    asked = urlencode({"on": public_id(entry), "subject": title})
    context = {
        "title": title,
        "found": found,
        "data": entry.data,
        "facts": [
            Fact(label=_("征集单位"), value=entry.org.name),
            Fact(
                label=_("征集时间"),
                value=_("%(first)s 至 %(last)s") % {"first": entry.data.get("opens"), "last": entry.data.get("closes")},
            ),
            Fact(label=_("收到意见"), value=_("%(count)d 条") % {"count": found.opinions}),
        ],
        "stances": [(label, found.by_stance.get(key, 0)) for key, label in _stances().items()],
        "comment_url": f"{reverse('casework:hall_apply', args=[_OPINION])}?{asked}",
        "breadcrumbs": trail((_("信息公开与参与"), reverse("casework:hall_open")), (title, "")),
    }
    return render(request, "casework/hall_consultation.html", context)


def _stances() -> dict[str, str]:
    return {"agree": _("赞成"), "mend": _("赞成但建议修改"), "against": _("不赞成")}
