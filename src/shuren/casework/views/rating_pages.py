"""好差评: giving a rating with or without an account, the published figures, and what becomes of bad ones."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.casework.data import Satisfaction
from shuren.casework.models import Rating
from shuren.casework.rules.ratings import FEWEST, REASONS, is_bad
from shuren.casework.selectors.hall import access_own_case
from shuren.casework.selectors.ratings import (
    Counted,
    access_rating,
    is_reader,
    ratings_in_scope,
    tallies_by_item,
    tallies_by_unit,
    whole,
)
from shuren.casework.services.cases.trail import address_of
from shuren.casework.services.hall.rate import exclude_rating, may_exclude, rate_by_code, rate_case
from shuren.casework.views.hall_forms import ExcludeForm, RateByCodeForm, RateForm
from shuren.casework.views.hall_parts import (
    case_url,
    forgive,
    grade_status,
    may_follow,
    rectified_status,
    trail,
)
from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.doors import open_door, sensitive_files
from shuren.kernel.errors import NotFound, Refused
from shuren.kernel.paging import page_of
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListSpec

_SHOWN = (OrgType.PROVINCE, OrgType.CITY, OrgType.COUNTY)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HttpRequest, case_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    case = access_own_case(actor=actor, id=ids.decode("case", case_id), now=now)
    form = RateForm(posted(request))

    def save() -> str:
        given = form.cleaned_data
        rate_case(actor=actor, case_id=case.pk, now=now, **given)
        messages.success(request, _thanks(given["satisfaction"]))
        return case_url(case)

    return form_page(
        request,
        form,
        save,
        shows_missing=True,
        title=_("评价这次办理"),
        submit=_("提交评价"),
        back=case_url(case),
        lead=case.title,
        breadcrumbs=trail((case.title, case_url(case)), (_("评价"), "")),
    )


def _thanks(grade: Satisfaction) -> str:
    if is_bad(grade):
        return _("谢谢。办理单位会在 15 个工作日内整改并联系您。")
    return _("谢谢您的评价。")


@open_door
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rate_by_receipt(request: HttpRequest) -> HttpResponseBase:
    form = RateByCodeForm(posted(request), initial={"number": request.GET.get("number", "")[:30]})

    def save() -> str:
        given = form.cleaned_data
        if not may_follow(request, given["number"]):
            raise Refused(_("试得太快了，或者这个编号试错的次数太多。"), remedy=_("请稍后再试。"))
        rate_by_code(now=clock.now(), **given)
        forgive(given["number"])
        messages.success(request, _thanks(given["satisfaction"]))
        return reverse("casework:hall")

    return form_page(
        request,
        form,
        save,
        shows_missing=True,
        title=_("评价办理服务"),
        submit=_("提交评价"),
        back=reverse("casework:hall"),
        lead=_("不用登录，凭受理回执评价。一件只能评价一次。"),
        breadcrumbs=trail((_("评价"), "")),
    )


@open_door
@require_safe
def public_ratings(request: HttpRequest) -> HttpResponse:
    """Figures of the last year, by item and by unit; of few ratings nothing is told."""
    now = clock.now()
    org = _shown_org(request.GET.get("unit", ""))
    items, units = tallies_by_item(org=org, now=now), tallies_by_unit(org=org, now=now)
    context = {
        "title": _("好差评公示"),
        "org": org,
        "above": [one for one in directory.ancestors_of(org.id) if one.type in _SHOWN],
        "total": whole(units),
        "items": items,
        "units": [{"row": row, "url": _unit_url(row, org)} for row in units],
        "fewest": FEWEST,
        "has_few": any(row.tally.is_suppressed for row in (*items, *units)),
        "breadcrumbs": trail((_("好差评公示"), "")),
    }
    return render(request, "casework/rating_public.html", context)


def _shown_org(public_id: str) -> OrgData:
    root = directory.root_org()
    if root is None:
        raise NotFound(_("还没有机构。"))
    if not public_id:
        return root
    found = directory.orgs_by_ids([ids.decode("org", public_id)])
    org = next(iter(found.values()), None)
    if org is None or org.type not in _SHOWN:
        raise NotFound(_("没有找到这个机构。"))
    return org


def _unit_url(row: Counted, org: OrgData) -> str:
    if row.key == org.public_id or org.type is OrgType.COUNTY:
        return ""
    return f"{reverse('casework:hall_ratings')}?unit={row.key}"


@sensitive_files(asked_by="export")
@never_cache
@require_safe
def ratings(request: HttpRequest) -> HttpResponseBase:
    """Ratings of the branches one looks after, bad ones that wait on top of what one asks for."""
    actor, now = actor_of(request), clock.now()
    if not is_reader(actor, now=now):
        raise NotFound(_("没有找到这个页面。"))

    def url(row: Rating) -> str:
        return reverse("casework:hall_rating", args=[ids.encode("rating", row.pk)])

    spec: ListSpec[Rating] = ListSpec(
        name="ratings",
        title=_("服务评价"),
        columns=(
            Column(key="case", title=_("办件"), value=lambda row: row.case.number, url=url),
            Column(key="item", title=_("事项"), value=lambda row: row.item.title if row.item else ""),
            Column(key="org", title=_("单位"), value=lambda row: row.case.org.name),
            Column(key="grade", title=_("评价"), value=grade_status, kind=CellKind.STATUS),
            Column(key="at", title=_("评价时间"), value=lambda row: row.rated_at, kind=CellKind.DATETIME),
            Column(key="state", title=_("整改"), value=rectified_status, kind=CellKind.STATUS),
        ),
        rows=lambda query: page_of(
            ratings_in_scope(actor=actor, which=query.filters.get("which", ""), now=now),
            lambda row: row,
            number=query.number,
            size=query.size,
        ),
        filters=(
            Filter(
                key="which",
                label=_("哪些"),
                choices=(
                    Choice(value="bad", label=_("差评")),
                    Choice(value="open", label=_("等待整改")),
                    Choice(value="late", label=_("超过整改期限")),
                    Choice(value="excluded", label=_("不计入统计")),
                ),
            ),
        ),
        actions=(Action(label=_("公示页"), url=reverse("casework:hall_ratings"), icon="eye"),),
        empty=EmptyState(title=_("还没有评价"), text=_("办结的事项由申请人评价，评价会出现在这里。"), icon="star"),
    )
    return render_list(request, spec, context={"breadcrumbs": trail((_("服务评价"), ""))})


@never_cache
@require_safe
def rating(request: HttpRequest, rating_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_rating(actor=actor, id=ids.decode("rating", rating_id), now=now)
    facts = [
        Fact(label=_("办件"), value=row.case.number, url=address_of(row.case)),
        Fact(label=_("事项"), value=row.item.title if row.item else None),
        Fact(label=_("单位"), value=row.case.org.name),
        Fact(label=_("评价时间"), value=row.rated_at),
        Fact(label=_("原因"), value=_reasons_text(row.reasons) or None),
        Fact(label=_("想说的话"), value=row.comment or None),
        Fact(label=_("整改期限"), value=row.rectify_by),
        Fact(label=_("整改"), value=rectified_status(row).text if row.rectify_by else None),
        Fact(label=_("回访时间"), value=row.called_back_at),
        Fact(label=_("回访记录"), value=row.callback_note or None),
        Fact(label=_("不计入统计"), value=row.exclusion_reason or None),
    ]
    if row.rectification is not None:
        facts.insert(8, Fact(label=_("整改办件"), value=row.rectification.number, url=address_of(row.rectification)))
    actions = []
    if row.excluded_at is None and may_exclude(actor, row, now=now):
        url = reverse("casework:hall_exclude_rating", args=[rating_id])
        actions.append(Action(label=_("不计入统计"), url=url, icon="flag", is_danger=True))
    context = {
        "title": _("评价 %(number)s") % {"number": row.case.number},
        "state": grade_status(row),
        "facts": [fact for fact in facts if fact.value is not None],
        "actions": actions,
        "breadcrumbs": trail((_("服务评价"), reverse("casework:hall_manage_ratings")), (row.case.number, "")),
    }
    return render(request, "front/detail.html", context)


def _reasons_text(reasons: Sequence[str]) -> str:
    return "、".join(str(REASONS[reason]) for reason in reasons if reason in REASONS)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def exclude(request: HttpRequest, rating_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_rating(actor=actor, id=ids.decode("rating", rating_id), now=now)
    if not may_exclude(actor, row, now=now):
        raise NotFound(_("没有找到这条评价。"))
    form = ExcludeForm(posted(request))
    back = reverse("casework:hall_rating", args=[rating_id])

    def save() -> str:
        exclude_rating(actor=actor, rating_id=row.pk, reason=form.cleaned_data["reason"], now=now)
        messages.success(request, _("已不计入统计。"))
        return back

    return form_page(
        request,
        form,
        save,
        shows_missing=True,
        title=_("评价不计入统计"),
        submit=_("不计入统计"),
        back=back,
        lead=_("只用于核实为恶意的差评。评价本身保留，理由写入审计记录。"),
        is_danger=True,
        breadcrumbs=trail(
            (_("服务评价"), reverse("casework:hall_manage_ratings")), (row.case.number, back), (_("不计入统计"), "")
        ),
    )
