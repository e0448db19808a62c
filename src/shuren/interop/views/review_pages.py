"""What officers do: decide about versions, watch the listed apps, stop them."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose
from shuren.interop.data import AppData, AppStatus, Decision
from shuren.interop.forms import CATEGORIES, KINDS, DecisionForm, LeaveForm, QuotaForm, ReasonForm
from shuren.interop.models import App, Submission
from shuren.interop.rules.entries import asks_for_more
from shuren.interop.selectors.apps import (
    access_app,
    access_submission,
    app_data,
    apps_in_scope,
    entry_of,
    latest_test,
    page_of_apps,
    submissions_in_scope,
)
from shuren.interop.services.govern import announce_leave, resume_app, set_quota, suspend_app
from shuren.interop.services.review import decide_submission
from shuren.interop.views.asked import app_id_in, form_page, posted
from shuren.interop.views.developer_pages import entry_facts, wish_rows
from shuren.interop.views.message_pages import usage_spec
from shuren.interop.views.words import STEPS, app_status, run_status
from shuren.kernel import clock, ids
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import page_of
from shuren.pages.api import list_page, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListSpec, Status

_WORDS = {Decision.APPROVE: "good", Decision.RETURN: "warn", Decision.REFUSE: "bad"}


def _decision_words() -> dict[str, str]:
    return {"approve": _("同意上架"), "return": _("退回修改"), "refuse": _("不同意")}


def _submission_status(row: Submission) -> Status:
    if not row.decision:
        return Status(text=_("等待审核"), tone="busy")
    return Status(text=_decision_words()[row.decision], tone=_WORDS[Decision(row.decision)])


@never_cache
@require_safe
def submissions(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()

    def url(row: Submission) -> str:
        return reverse("interop:submission", args=[ids.encode("submission", row.pk)])

    spec: ListSpec[Submission] = ListSpec(
        name="submissions",
        title=_("应用审核"),
        columns=(
            Column(key="name", title=_("应用"), value=lambda row: row.version.name, url=url),
            Column(key="vendor", title=_("服务商"), value=lambda row: row.version.app.vendor.name),
            Column(key="number", title=_("第几版"), value=lambda row: row.version.number, kind=CellKind.NUMBER),
            Column(key="org", title=_("地区"), value=lambda row: row.org.name),
            Column(key="at", title=_("提交时间"), value=lambda row: row.submitted_at, kind=CellKind.DATETIME),
            Column(key="status", title=_("状态"), value=_submission_status, kind=CellKind.STATUS),
        ),
        rows=lambda query: page_of(
            submissions_in_scope(actor=actor, decision=query.filters.get("decision", ""), now=now),
            lambda row: row,
            number=query.number,
            size=query.size,
        ),
        filters=(Filter(key="decision", label=_("已处理"), choices=(Choice(value="all", label=_("一并显示")),)),),
        actions=(
            Action(label=_("应用管理"), url=reverse("interop:governed_apps"), icon="layout-grid"),
            Action(label=_("应用服务商"), url=reverse("interop:vendors"), icon="briefcase"),
        ),
        empty=EmptyState(title=_("没有等待审核的应用"), text=_("服务商提交后会出现在这里。"), icon="checklist"),
    )
    return render_list(request, spec)


@require_step_up(Purpose.CONNECTIONS)
@never_cache
@require_http_methods(["GET", "POST"])
def submission(request: HttpRequest, submission_id: str) -> HttpResponseBase:
    """What the app says, what it asks for, what its test found, and the decision."""
    actor, now = actor_of(request), clock.now()
    row = access_submission(actor=actor, id=ids.decode("submission", submission_id), now=now)
    entry = entry_of(row.version)
    older = row.version.app.current
    test = latest_test(row.version_id)
    crumbs = [{"label": _("应用审核"), "url": reverse("interop:submissions")}, {"label": row.version.name, "url": ""}]
    shown = {
        "facts": [Fact(label=_("服务商"), value=row.version.app.vendor.name), *entry_facts(entry)],
        "wishes": wish_rows(entry),
        "asks_more": older is not None and older.pk != row.version_id and asks_for_more(entry, entry_of(older)),
        "test": test,
        "test_status": run_status(test.status) if test else None,
        "steps": [{"step": step, "name": STEPS.get(step.key, step.key)} for step in test.steps] if test else [],
        "breadcrumbs": crumbs,
        "description": entry.description,
    }
    if row.decision:
        if request.method == "POST":
            raise NotFound(_("这份申请已经处理过。"))
        context = {"title": row.version.name, "state": _submission_status(row), "lead": row.reason, **shown}
        return render(request, "interop/decided.html", context)
    form = DecisionForm(posted(request))

    def save() -> str:
        decision = Decision(form.cleaned_data["decision"])
        decide_submission(actor=actor, submission_id=row.pk, decision=decision, reason=form.cleaned_data["reason"], now=now)
        messages.success(request, _("已处理。"))
        return reverse("interop:submissions")

    return form_page(
        request,
        form,
        save,
        title=row.version.name,
        submit=_("提交决定"),
        back=reverse("interop:submissions"),
        template="interop/decide.html",
        more=shown,
    )


@never_cache
@require_safe
def governed_apps(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    spec = ListSpec(
        name="governed-apps",
        title=_("应用管理"),
        columns=(
            Column(key="name", title=_("应用"), value=lambda row: row.name, url=governed_url),
            Column(key="vendor", title=_("服务商"), value=lambda row: row.vendor_name),
            Column(key="category", title=_("类别"), value=lambda row: str(CATEGORIES[row.category])),
            Column(key="kind", title=_("登录方式"), value=lambda row: KINDS[row.kind]),
            Column(key="status", title=_("状态"), value=app_status, kind=CellKind.STATUS),
        ),
        rows=lambda query: page_of_apps(
            apps_in_scope(actor=actor, status=query.filters.get("status", ""), search=query.search, now=now),
            number=query.number,
            size=query.size,
        ),
        filters=(
            Filter(
                key="status",
                label=_("状态"),
                choices=(
                    Choice(value="active", label=_("可用")),
                    Choice(value="suspended", label=_("已停用")),
                    Choice(value="leaving", label=_("即将下架")),
                    Choice(value="delisted", label=_("已下架")),
                ),
            ),
        ),
        search_label=_("应用名称开头"),
        empty=EmptyState(title=_("这个地区还没有上架的应用"), text=_("审核通过后应用会出现在这里。"), icon="layout-grid"),
    )
    return render_list(request, spec)


def governed_url(app: AppData, page: str = "governed_app") -> str:
    return reverse(f"interop:{page}", args=[app.public_id])


def _governed(request: HttpRequest, app_id: str) -> App:
    return access_app(actor=actor_of(request), id=app_id_in(app_id), permission=Permission.APPROVE_APPS, now=clock.now())


def _trail(app: AppData, here: str = "") -> list[dict[str, str]]:
    crumbs = [{"label": _("应用管理"), "url": reverse("interop:governed_apps")}, {"label": app.name, "url": governed_url(app)}]
    return [*crumbs, {"label": here, "url": ""}] if here else crumbs


@never_cache
@require_safe
def governed_app(request: HttpRequest, app_id: str) -> HttpResponseBase:
    """How an app is used, and the means to stop it."""
    row = _governed(request, app_id)
    app = app_data(row)
    orgs = directory.orgs_by_ids(row.listings.filter(ended_at__isnull=True).values_list("org_id", flat=True))
    context = {
        "title": app.name,
        "state": app_status(app),
        "lead": app.status_reason,
        "breadcrumbs": _trail(app),
        "facts": [
            Fact(label=_("服务商"), value=app.vendor_name),
            Fact(label=_("上架地区"), value="、".join(org.name for org in orgs.values()) or None),
            Fact(label=_("选用的学校"), value=row.installations.filter(ended_at__isnull=True).count()),
            Fact(label=_("每分钟最多"), value=app.quota_per_minute),
            Fact(label=_("每天最多"), value=app.quota_per_day),
            Fact(label=_("下架日期"), value=app.leaves_on),
        ],
        "actions": _actions(app),
        "list": list_page(request, usage_spec(row)),
    }
    return render(request, "front/detail.html", context)


def _actions(app: AppData) -> list[Action]:
    if app.status is AppStatus.DELISTED:
        return []
    actions = [
        Action(label=_("消息"), url=governed_url(app, "messages_of_app"), icon="send"),
        Action(label=_("配额"), url=governed_url(app, "quota"), icon="adjustments-horizontal"),
    ]
    if app.status is AppStatus.SUSPENDED:
        actions.append(Action(label=_("恢复使用"), url=governed_url(app, "resume"), icon="player-play", is_post=True))
    else:
        actions.append(Action(label=_("通知下架"), url=governed_url(app, "announce_leave"), icon="logout"))
        actions.append(Action(label=_("立即停用"), url=governed_url(app, "suspend"), icon="player-pause", is_danger=True))
    return actions


@never_cache
@require_http_methods(["GET", "POST"])
def suspend(request: HttpRequest, app_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = _governed(request, app_id)
    app = app_data(row)
    form = ReasonForm(posted(request))
    schools = row.installations.filter(ended_at__isnull=True).count()

    def save() -> str:
        suspend_app(actor=actor, app_id=app.id, reason=form.cleaned_data["reason"], now=now)
        messages.success(request, _("已停用。"))
        return governed_url(app)

    return form_page(
        request,
        form,
        save,
        title=_("立即停用“%(name)s”") % {"name": app.name},
        submit=_("立即停用"),
        back=governed_url(app),
        lead=_("马上生效：%(count)d 个单位的人都打不开它，它读不到任何数据，也收不到消息。") % {"count": schools},
        is_danger=True,
        breadcrumbs=_trail(app, _("立即停用")),
    )


@require_step_up(Purpose.CONNECTIONS)
@require_POST
def resume(request: HttpRequest, app_id: str) -> HttpResponseBase:
    resume_app(actor=actor_of(request), app_id=_governed(request, app_id).pk, now=clock.now())
    messages.success(request, _("已恢复。"))
    return redirect("interop:governed_app", app_id=app_id)


@require_step_up(Purpose.CONNECTIONS)
@never_cache
@require_http_methods(["GET", "POST"])
def quota(request: HttpRequest, app_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    app = app_data(_governed(request, app_id))
    form = QuotaForm(posted(request), initial={"per_minute": app.quota_per_minute, "per_day": app.quota_per_day})

    def save() -> str:
        set_quota(actor=actor, app_id=app.id, now=now, **form.cleaned_data)
        messages.success(request, _("已保存。"))
        return governed_url(app)

    title = _("“%(name)s”的配额") % {"name": app.name}
    crumbs = _trail(app, _("配额"))
    return form_page(request, form, save, title=title, submit=_("保存配额"), back=governed_url(app), breadcrumbs=crumbs)


@never_cache
@require_http_methods(["GET", "POST"])
def announce(request: HttpRequest, app_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    app = app_data(_governed(request, app_id))
    form = LeaveForm(posted(request))

    def save() -> str:
        announce_leave(actor=actor, app_id=app.id, leaves_on=form.day, reason=form.cleaned_data["reason"], now=now)
        messages.success(request, _("已通知选用的学校。"))
        return governed_url(app)

    title = _("“%(name)s”下架") % {"name": app.name}
    crumbs = _trail(app, _("下架"))
    submit = _("通知学校并下架")
    return form_page(request, form, save, title=title, submit=submit, back=governed_url(app), is_danger=True, breadcrumbs=crumbs)
