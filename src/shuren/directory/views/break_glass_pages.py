"""Pages of emergencies: open, see, give up, look into."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shuren.directory.data import BreakGlassData, Permission
from shuren.directory.forms import BreakGlassForm, BreakGlassReviewForm
from shuren.directory.selectors.break_glass import (
    access_break_glass,
    account_of,
    may_review,
    page_of_glass,
    page_of_seen,
    targets_named,
)
from shuren.directory.selectors.people import person_ids_by_number
from shuren.directory.selectors.reach import permissions_of
from shuren.directory.services.break_glass import close_break_glass, open_break_glass, review_break_glass
from shuren.directory.views.asked import actor_in, break_glass_id_in, now, posted
from shuren.directory.views.form_pages import form_page
from shuren.directory.views.words import ROLES
from shuren.kernel.announced import action_words
from shuren.kernel.doors import sensitive, sensitive_files
from shuren.kernel.errors import Invalid, NotFound
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListSpec, Status


def state_of(glass: BreakGlassData) -> Status:
    moment = now()
    if glass.closed_at is None and glass.end_at > moment:
        return Status(text=_("进行中"), tone="busy")
    if glass.reviewed_at is None:
        is_late = glass.review_by <= moment
        return Status(text=_("复核超期") if is_late else _("等待复核"), tone="bad" if is_late else "warn")
    return Status(text=_("理由成立"), tone="good") if glass.is_justified else Status(text=_("理由不成立"), tone="bad")


@sensitive_files(asked_by="export")
def break_glass_list(request: HttpRequest) -> HttpResponseBase:
    actor, moment = actor_in(request), now()
    may_open = Permission.BREAK_GLASS in permissions_of(actor=actor, now=moment)
    new = Action(label=_("启用紧急查看"), url=reverse("directory:open_break_glass"), icon="alert-triangle", is_danger=True)
    spec = ListSpec(
        name="break_glass",
        title=_("紧急查看"),
        columns=(
            Column(key="holder", title=_("查看人"), value=lambda row: row.holder_name, url=_url),
            Column(key="role", title=_("角色"), value=lambda row: str(ROLES[row.role])),
            Column(key="what", title=_("看了谁"), value=lambda row: row.subject_name or row.org_name),
            Column(key="reason", title=_("原因"), value=lambda row: row.reason),
            Column(key="begin", title=_("开始"), value=lambda row: row.begin_at, kind=CellKind.DATETIME),
            Column(key="state", title=_("状态"), value=state_of, kind=CellKind.STATUS),
        ),
        rows=lambda query: page_of_glass(
            actor=actor, now=moment, is_open=query.filters.get("state") == "open", number=query.number, size=query.size
        ),
        filters=(Filter(key="state", label=_("状态"), choices=(Choice(value="open", label=_("还没有复核")),)),),
        actions=(new,) if may_open else (),
        empty=EmptyState(
            title=_("没有紧急查看"), text=_("紧急情况下，校长和管理员可以短时间查看平时看不到的人。"), icon="shield-check"
        ),
    )
    return render_list(request, spec, context={"lead": _("最长 4 小时，马上通知安全管理员、校长和监护人，3 天内复核。")})


def _url(glass: BreakGlassData) -> str:
    return reverse("directory:break_glass", args=[glass.public_id])


@sensitive("grant")
def open_glass(request: HttpRequest) -> HttpResponseBase:
    actor, moment = actor_in(request), now()
    if Permission.BREAK_GLASS not in permissions_of(actor=actor, now=moment):
        raise NotFound(_("没有找到这个页面。"))
    form = BreakGlassForm(posted(request))

    def save() -> str:
        number = form.cleaned_data["number"].strip()
        person_id = person_ids_by_number([number]).get(number)
        if person_id is None:
            raise Invalid(_("没有找到编号为“%(number)s”的人。") % {"number": number}, remedy=_("请核对编号。"))
        try:
            open_break_glass(
                actor=actor,
                person_id=person_id,
                reason=form.cleaned_data["reason"],
                hours=int(form.cleaned_data["hours"]),
                now=moment,
            )
        except NotFound:
            raise Invalid(_("没有找到编号为“%(number)s”的人。") % {"number": number}, remedy=_("请核对编号。")) from None
        messages.warning(request, _("紧急查看已启用。您看的每一页都会记下来，已通知有关人员。"))
        return reverse("directory:break_glass_list")

    return form_page(
        request,
        form,
        save,
        title=_("启用紧急查看"),
        submit=_("启用并通知有关人员"),
        back=reverse("directory:break_glass_list"),
        lead=_("只用于人身安全等紧急情况。安全管理员、校长和监护人会马上收到通知。"),
        is_danger=True,
    )


@sensitive("grant")
def break_glass(request: HttpRequest, glass_id: str) -> HttpResponseBase:
    """What was opened and why, everything that was looked at, and the review."""
    actor, moment = actor_in(request), now()
    glass = access_break_glass(actor=actor, id=break_glass_id_in(glass_id), now=moment)
    reviewing = may_review(actor=actor, glass=glass, now=moment)
    form = BreakGlassReviewForm(posted(request))

    def save() -> str:
        review_break_glass(
            actor=actor,
            id=glass.id,
            is_justified=form.cleaned_data["verdict"] == "yes",
            finding=form.cleaned_data["finding"],
            now=moment,
        )
        messages.success(request, _("已复核，并通知了查看人。"))
        return _url(glass)

    number = int(text) if (text := request.GET.get("page", "1")).isdecimal() else 1
    seen = page_of_seen(glass, account_id=account_of(glass), number=number, size=50)
    named = targets_named(seen.rows)
    more = {
        "state": state_of(glass),
        "facts": [
            Fact(label=_("查看人"), value=f"{glass.holder_name} {ROLES[glass.role]}"),
            Fact(label=_("看了谁"), value=glass.subject_name or glass.org_name),
            Fact(label=_("原因"), value=glass.reason),
            Fact(label=_("开始"), value=glass.begin_at),
            Fact(label=_("结束"), value=glass.closed_at or glass.end_at),
            Fact(label=_("复核期限"), value=glass.review_by),
            Fact(label=_("复核意见"), value=glass.finding or None),
        ],
        "seen": seen,
        "done": [(entry.at, action_words(entry.action), named[entry.target]) for entry in seen.rows],
        "may_review": reviewing,
        "may_close": glass.holder_id == actor.person_id and glass.closed_at is None and glass.end_at > moment,
        "glass": glass,
    }
    return form_page(
        request,
        form,
        save,
        title=_("紧急查看"),
        submit=_("提交复核"),
        back=reverse("directory:break_glass_list"),
        template="directory/break_glass.html",
        more=more,
    )


@require_POST
def close(request: HttpRequest, glass_id: str) -> HttpResponseBase:
    close_break_glass(actor=actor_in(request), id=break_glass_id_in(glass_id), now=now())
    messages.success(request, _("紧急查看已结束。"))
    return redirect("directory:break_glass_list")
