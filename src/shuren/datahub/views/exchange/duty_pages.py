"""Duties to report: which dataset goes to the level above, by which law."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.datahub.models import ReportDuty
from shuren.datahub.selectors.catalogue import titles_of_datasets
from shuren.datahub.selectors.exchange.nodes import access_exchange, duties
from shuren.datahub.selectors.shared_datasets import SharedDataset, columns_of_shared, shared_dataset, shared_datasets
from shuren.datahub.selectors.sharing import decides_for
from shuren.datahub.services.exchange.duty import end_report_duty, set_report_duty
from shuren.datahub.views.exchange.forms import DutyForm
from shuren.datahub.views.exchange.frame import crumbs, tabs
from shuren.datahub.views.sharing_forms import year_from
from shuren.datahub.views.words import MASKS
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.clock import day_of
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import page_of, page_of_rows, stream_of
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Column, EmptyState, ListSpec
from shuren.standards.data import MaskStyle


@never_cache
@require_safe
def report_duties(request: HttpRequest) -> HttpResponseBase:
    """The duties that hold now."""
    now = clock.now()
    access_exchange(actor=actor_of(request), now=now)
    title = _("上报义务")
    add = Action(label=_("登记上报义务"), url=reverse("datahub:choose_report_duty"), icon="plus")
    titles = titles_of_datasets()
    spec: ListSpec[ReportDuty] = ListSpec(
        name="report_duties",
        title=title,
        columns=(
            Column(key="dataset", title=_("数据集"), value=lambda row: titles.get(row.dataset, row.dataset), url=_address),
            Column(key="ground", title=_("依据"), value=lambda row: row.ground),
            Column(key="columns", title=_("列"), value=_columns),
            Column(key="ends", title=_("到期"), value=lambda row: row.ends_at, kind=CellKind.DATETIME),
        ),
        rows=lambda query: page_of(duties(now=now), lambda row: row, number=query.number, size=query.size),
        stream=lambda query: stream_of(duties(now=now), lambda rows: rows),
        row_actions=lambda row: (
            Action(
                label=_("结束"),
                url=reverse("datahub:end_report_duty", args=[ids.encode("report_duty", row.pk)]),
                icon="x",
                is_post=True,
                is_danger=True,
                confirm=_("结束后，依据它的数据立即停止上报。要结束吗？"),
            ),
        ),
        empty=EmptyState(
            title=_("还没有上报义务"), text=_("法规要求上报的数据，在这里写明依据和列，不需要上级申请。"), icon="report"
        ),
    )
    context = {"title": title, "tabs": tabs("report_duties"), "actions": [add], "breadcrumbs": crumbs(title)}
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_safe
def choose(request: HttpRequest) -> HttpResponseBase:
    """Which dataset is reported: those for which the actor decides."""
    actor, now = actor_of(request), clock.now()
    access_exchange(actor=actor, now=now)
    title = _("登记上报义务")

    def found(words: str) -> list[SharedDataset]:
        return [one for one in shared_datasets(words=words) if decides_for(one.owner.id, actor=actor, now=now)]

    spec: ListSpec[SharedDataset] = ListSpec(
        name="choose_report_duty",
        title=title,
        columns=(
            Column(
                key="title",
                title=_("数据集"),
                value=lambda row: row.title,
                url=lambda row: reverse("datahub:report_duty", args=[row.spec.name]),
            ),
            Column(key="name", title=_("技术名称"), value=lambda row: row.spec.name),
            Column(key="owner", title=_("提供单位"), value=lambda row: row.owner.name),
        ),
        rows=lambda query: page_of_rows(found(query.search), number=query.number, size=query.size),
        stream=lambda query: found(query.search),
        search_label=_("名称、说明或提供单位"),
        empty=EmptyState(title=_("没有这样的数据集"), text=_("换一个词再查。"), icon="database"),
    )
    between = ((_("上报义务"), reverse("datahub:report_duties")),)
    context = {"title": title, "lead": _("选择要上报的数据集。"), "breadcrumbs": crumbs(title, between=between)}
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_http_methods(["GET", "POST"])
def report_duty(request: HttpRequest, dataset: str) -> HttpResponseBase:
    """State the law and the columns; what stood before ends."""
    actor, now = actor_of(request), clock.now()
    access_exchange(actor=actor, now=now)
    found = shared_dataset(dataset)
    if not decides_for(found.owner.id, actor=actor, now=now):
        raise NotFound(_("没有找到这个数据集。"))
    held = {name: one for name, one in columns_of_shared(found.spec).items() if name not in found.spec.partition_keys}
    form = DutyForm(posted(request), held=held, initial={"ends_on": year_from(day_of(now))})

    def save() -> str:
        data = form.cleaned_data
        set_report_duty(actor=actor, dataset=dataset, ground=data["ground"], masks=form.masks(), ends_on=data["ends_on"], now=now)
        return reverse("datahub:report_duties")

    title = _("“%(name)s”的上报义务") % {"name": found.title}
    between = ((_("上报义务"), reverse("datahub:report_duties")),)
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("保存"),
        back=reverse("datahub:report_duties"),
        lead=_("只向上级节点发送；够用就好，敏感个人信息一律脱敏。"),
        done=_("已保存。"),
        breadcrumbs=crumbs(title, between=between),
    )


@require_POST
def end(request: HttpRequest, duty_id: str) -> HttpResponseBase:
    """End a duty at once."""
    end_report_duty(actor=actor_of(request), duty_id=ids.decode("report_duty", duty_id), now=clock.now())
    return redirect("datahub:report_duties")


def _address(row: ReportDuty) -> str:
    return reverse("datahub:report_duty", args=[row.dataset])


def _columns(row: ReportDuty) -> str:
    return "、".join(f"{name}（{MASKS[MaskStyle(mask)]}）" for name, mask in sorted(row.masks.items()))
