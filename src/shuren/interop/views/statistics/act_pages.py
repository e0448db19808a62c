"""What is done with a form once it was submitted: given back, corrected, frozen."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from shuren.identity.api import actor_of
from shuren.interop.models import StatisticsReport
from shuren.interop.selectors.statistics.reports import access_report, may_act_above
from shuren.interop.services.statistics.freeze import freeze_report
from shuren.interop.services.statistics.submit import correct_report, return_report
from shuren.interop.views.statistics.words import crumbs, report_url
from shuren.kernel import clock, ids
from shuren.kernel.errors import NotFound
from shuren.pages.api import form_page, posted


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=gettext_lazy("原因"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


@never_cache
@require_http_methods(["GET", "POST"])
def give_back(request: HttpRequest, report_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_report(actor=actor, id=ids.decode("statistics_report", report_id), now=now)
    if not may_act_above(row, actor=actor, now=now):
        raise NotFound(_("没有找到这份统计报表。"))

    def act(reason: str) -> str:
        return_report(actor=actor, report_id=row.pk, reason=reason, now=now)
        return report_url(row)

    title, submit = _("退回统计报表"), _("退回")
    lead = _("填报人会收到通知，改好以后重新提交。")
    return _reason_page(request, act, row, title=title, submit=submit, lead=lead, done=_("已退回。"))


@never_cache
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, report_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_report(actor=actor, id=ids.decode("statistics_report", report_id), now=now)

    def act(reason: str) -> str:
        return report_url(correct_report(actor=actor, report_id=row.pk, reason=reason, now=now))

    title, submit = _("更正统计报表"), _("开始更正")
    lead = _("更正是新的一版：提交以前，上级仍用现在这一版；旧版一直保留。")
    return _reason_page(request, act, row, title=title, submit=submit, lead=lead, done=_("可以更正了。改好以后请提交。"))


@require_POST
def freeze(request: HttpRequest, report_id: str) -> HttpResponseBase:
    freeze_report(actor=actor_of(request), report_id=ids.decode("statistics_report", report_id), now=clock.now())
    messages.success(request, _("正在冻结，过一会儿刷新页面。"))
    return redirect("interop:statistics_report", report_id=report_id)


def _reason_page(
    request: HttpRequest, act: Callable[[str], str], row: StatisticsReport, *, title: str, submit: str, lead: str, done: str
) -> HttpResponseBase:
    """Ask for the reason and `act` on it, which says where to go on."""
    form = ReasonForm(posted(request))

    def save() -> str:
        return act(form.cleaned_data["reason"])

    back, way = report_url(row), crumbs(row, title)
    return form_page(request, form, save, title=title, submit=submit, back=back, lead=lead, done=done, breadcrumbs=way)
