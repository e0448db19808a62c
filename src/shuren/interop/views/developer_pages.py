"""A vendor's own pages: apps, entries, tests, submissions."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.identity.api import actor_of, require_step_up, role_name
from shuren.identity.data import Purpose
from shuren.interop.data import AppData, AppStatus, Decision, Entry, VersionStatus
from shuren.interop.forms import CATEGORIES, KINDS, BranchForm, EntryForm, LeaveForm, WishRows
from shuren.interop.models import App, Sandbox
from shuren.interop.selectors.apps import (
    access_own_app,
    app_data,
    entry_of,
    latest_test,
    newest_version,
    page_of_own_apps,
    submissions_of,
)
from shuren.interop.selectors.vendors import branches_to_ask, own_vendor
from shuren.interop.services.clients import draw_secret
from shuren.interop.services.conformity.service import start_conformity
from shuren.interop.services.govern import announce_leave
from shuren.interop.services.review import submit_version, withdraw_submission
from shuren.interop.services.sandbox import make_sandbox
from shuren.interop.services.write_entry import add_app, revise_entry
from shuren.interop.views.asked import app_id_in, form_page, issuer_of, posted
from shuren.interop.views.words import GRADES, STEPS, app_status, run_status, version_status
from shuren.kernel import clock, ids
from shuren.kernel.announced import purpose_words
from shuren.kernel.errors import Refused
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Column, EmptyState, Fact, HistoryEntry, ListSpec, Status, Tab
from shuren.standards.api import elements

_DECISIONS = {Decision.APPROVE: "good", Decision.RETURN: "warn", Decision.REFUSE: "bad"}


def app_url(app: AppData, page: str = "own_app") -> str:
    return reverse(f"interop:{page}", args=[app.public_id])


@never_cache
@require_safe
def developer(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    vendor = own_vendor(actor=actor, now=now)
    if vendor is None:
        raise Refused(_("您不是登记的应用服务商。"), remedy=_("请先申请成为服务商，通过后用领到的账号登录。"))
    spec = ListSpec(
        name="own-apps",
        title=_("我的应用"),
        columns=(
            Column(key="name", title=_("应用"), value=lambda row: row.name, url=app_url),
            Column(key="category", title=_("类别"), value=lambda row: str(CATEGORIES[row.category])),
            Column(key="kind", title=_("登录方式"), value=lambda row: KINDS[row.kind]),
            Column(key="status", title=_("状态"), value=app_status, kind=CellKind.STATUS),
        ),
        rows=lambda query: page_of_own_apps(actor=actor, now=now, number=query.number, size=query.size),
        actions=(
            Action(label=_("登记应用"), url=reverse("interop:add_app"), icon="plus", is_primary=True),
            Action(label=_("登记 LTI 工具"), url=reverse("interop:add_tool"), icon="school"),
        ),
        empty=EmptyState(
            title=_("还没有应用"),
            text=_("登记以后，先在沙箱里用合成数据试，再做符合性测试，然后交给教育局审核。"),
            icon="layout-grid",
            action=Action(label=_("登记第一个应用"), url=reverse("interop:add_app"), icon="plus", is_primary=True),
        ),
    )
    return render_list(request, spec, context={"lead": vendor.name})


@never_cache
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    if own_vendor(actor=actor, now=now) is None:
        raise Refused(_("您不是登记的应用服务商。"))

    def write(entry: Entry) -> int:
        return add_app(actor=actor, entry=entry, now=now)

    crumbs = [{"label": _("我的应用"), "url": reverse("interop:developer")}, {"label": _("登记应用"), "url": ""}]
    return _entry_page(request, None, write, title=_("登记应用"), crumbs=crumbs)


@never_cache
@require_http_methods(["GET", "POST"])
def revise(request: HttpRequest, app_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_own_app(actor=actor, id=app_id_in(app_id), now=now)
    version = newest_version(row)
    held = entry_of(version) if version else None

    def write(entry: Entry) -> int:
        revise_entry(actor=actor, app_id=row.pk, entry=entry, now=now)
        return row.pk

    title = _("修改“%(name)s”的登记内容") % {"name": row.name}
    return _entry_page(request, held, write, title=title, crumbs=trail(app_data(row), _("登记内容")))


def _entry_page(
    request: HttpRequest, held: Entry | None, write: object, *, title: str, crumbs: list[dict[str, str]]
) -> HttpResponseBase:
    initial = None
    if held is not None:
        initial = {name: getattr(held, name) for name in held.__slots__ if name not in ("icon", "wishes", "redirect_uris")}
        initial["redirect_uris"] = "\n".join(held.redirect_uris)
    form = EntryForm(posted(request), request.FILES if request.method == "POST" else None, initial=initial)
    rows = WishRows(posted(request), elements(), held.wishes if held else ())
    is_valid = request.method != "POST" or rows.is_valid()

    def save() -> str:
        entry = form.entry(rows.wishes(), icon=held.icon if held else b"")
        app_id: int = write(entry)  # type: ignore[operator]  # a function of this module's two views
        messages.success(request, _("已保存。"))
        return reverse("interop:own_app", args=[ids.encode("app", app_id)])

    lead = _("教育局审核的、学校和家长看到的，就是这里写的。要的数据越少，越容易被选用。")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("保存登记内容"),
        back=reverse("interop:developer"),
        lead=lead,
        breadcrumbs=crumbs,
        template="interop/entry.html",
        more={"wishes": rows.rows, "grades": GRADES, "is_multipart": True},
        is_valid=is_valid,
    )


def trail(app: AppData, here: str = "") -> list[dict[str, str]]:
    crumbs = [{"label": _("我的应用"), "url": reverse("interop:developer")}, {"label": app.name, "url": app_url(app)}]
    return [*crumbs, {"label": here, "url": ""}] if here else crumbs


def tabs(app: AppData, here: str) -> list[Tab]:
    pages = (
        ("own_app", _("登记")),
        ("conformity", _("符合性测试")),
        ("own_messages", _("消息")),
        ("own_usage", _("使用情况")),
    )
    return [Tab(label=label, url=app_url(app, name), is_current=name == here) for name, label in pages]


@never_cache
@require_safe
def own_app(request: HttpRequest, app_id: str) -> HttpResponseBase:
    row = access_own_app(actor=actor_of(request), id=app_id_in(app_id), now=clock.now())
    app = app_data(row)
    version = newest_version(row)
    entry = entry_of(version) if version else None
    state = version_status(VersionStatus(version.status)) if version else None
    context = {
        "title": app.name,
        "state": app_status(app),
        "lead": entry.description if entry else "",
        "breadcrumbs": trail(app),
        "tabs": tabs(app, "own_app"),
        "facts": entry_facts(entry, state) if entry else [],
        "wishes": wish_rows(entry) if entry else [],
        "actions": _actions(row, app),
        "history": _history(row),
        "app": app,
        "secret_url": app_url(app, "secret"),
        "sandbox_secret_url": app_url(app, "sandbox_secret"),
        "scopes": " ".join(entry.scopes) if entry else "",
        "client_id": row.client_id,
        "sandbox_client_id": row.sandbox_client_id,
    }
    return render(request, "interop/app.html", context)


def entry_facts(entry: Entry, state: Status | None = None) -> list[Fact]:
    facts = [Fact(label=_("这个版本"), value=state)] if state else []
    return [
        *facts,
        Fact(label=_("英文名称"), value=entry.name_en),
        Fact(label=_("类别"), value=str(CATEGORIES[entry.category])),
        Fact(label=_("登录方式"), value=KINDS[entry.kind]),
        Fact(label=_("打开应用的网址"), value=entry.launch_url),
        Fact(label=_("登录后回到的网址"), value="\n".join(entry.redirect_uris) or None),
        Fact(label=_("公钥网址"), value=entry.jwks_uri or None),
        Fact(label=_("消息通知网址"), value=entry.webhook_url or None),
        Fact(label=_("隐私政策网址"), value=entry.privacy_url or None, url=entry.privacy_url),
        Fact(label=_("怎样使用和保护数据"), value=entry.privacy_text or None),
        Fact(label=_("未成年人会使用"), value=_("是") if entry.serves_minors else _("否")),
    ]


def wish_rows(entry: Entry) -> list[dict[str, object]]:
    """What is asked for, in the words of the registry."""
    names = {element.code: element for element in elements()}
    return [
        {
            "name": names[wish.element].name_zh if wish.element in names else wish.element,
            "name_en": names[wish.element].name_en if wish.element in names else wish.element,
            "grade": GRADES[wish.grade],
            "is_personal": wish.grade.value >= "L3",
            "purpose": purpose_words(wish.purpose),
            "reason": wish.reason,
        }
        for wish in entry.wishes
    ]


def _actions(row: App, app: AppData) -> list[Action]:
    newest = newest_version(row)
    actions = []
    if newest is not None and newest.status == VersionStatus.SUBMITTED:
        confirm = _("撤回后可以修改，再提交要重新排队。要撤回吗？")
        actions.append(Action(label=_("撤回"), url=app_url(app, "withdraw"), icon="arrow-back-up", is_post=True, confirm=confirm))
    else:
        actions.append(Action(label=_("提交审核"), url=app_url(app, "submit"), icon="send", is_primary=True))
        actions.append(Action(label=_("修改"), url=app_url(app, "revise"), icon="pencil"))
    if row.current_id and app.status is not AppStatus.DELISTED:
        actions.append(Action(label=_("通知下架"), url=app_url(app, "leave"), icon="logout", is_danger=True))
    return actions


def _history(row: App) -> list[HistoryEntry]:
    words = {Decision.APPROVE: _("同意上架"), Decision.RETURN: _("退回修改"), Decision.REFUSE: _("不同意")}
    lines = []
    for item in submissions_of(row):
        if item.decision and item.decided_at:
            what = words[Decision(item.decision)] + (f"：{item.reason}" if item.reason else "")
            lines.append(HistoryEntry(who=item.org.name, what=what, at=item.decided_at))
        what = _("第 %(number)d 版提交审核") % {"number": item.version.number}
        lines.append(HistoryEntry(who=item.org.name, what=what, at=item.submitted_at))
    return lines


@never_cache
@require_http_methods(["GET", "POST"])
def conformity(request: HttpRequest, app_id: str) -> HttpResponseBase:
    """What the last test found; a POST starts another."""
    actor, now = actor_of(request), clock.now()
    row = access_own_app(actor=actor, id=app_id_in(app_id), now=now)
    app = app_data(row)
    if request.method == "POST":
        start_conformity(actor=actor, app_id=row.pk, issuer=issuer_of(request), now=now)
        messages.success(request, _("测试已开始，几秒后就有结果。"))
        return redirect(app_url(app, "conformity"))
    version = newest_version(row)
    test = latest_test(version.pk) if version else None
    is_stale = test is not None and version is not None and test.content_hash != version.content_hash
    context = {
        "title": app.name,
        "state": run_status(test.status) if test else None,
        "breadcrumbs": trail(app, _("符合性测试")),
        "tabs": tabs(app, "conformity"),
        "test": test,
        "is_stale": is_stale,
        "steps": [{"step": step, "name": STEPS.get(step.key, step.key)} for step in test.steps] if test else [],
        "is_waiting": test is not None and test.finished_at is None,
        "poll_url": app_url(app, "conformity"),
        "app": app,
    }
    return render(request, "interop/conformity.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def submit(request: HttpRequest, app_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_own_app(actor=actor, id=app_id_in(app_id), now=now)
    app = app_data(row)
    form = BranchForm(posted(request), orgs=branches_to_ask())

    def save() -> str:
        submit_version(actor=actor, app_id=row.pk, org_id=form.org_id, now=now)
        messages.success(request, _("已提交，审核结果会在这里通知您。"))
        return app_url(app)

    title = _("提交“%(name)s”") % {"name": app.name}
    crumbs = trail(app, _("提交审核"))
    return form_page(request, form, save, title=title, submit=_("提交审核"), back=app_url(app), breadcrumbs=crumbs)


@require_POST
def withdraw(request: HttpRequest, app_id: str) -> HttpResponseBase:
    withdraw_submission(actor=actor_of(request), app_id=app_id_in(app_id), now=clock.now())
    messages.success(request, _("已撤回。"))
    return redirect("interop:own_app", app_id=app_id)


@never_cache
@require_http_methods(["GET", "POST"])
def leave(request: HttpRequest, app_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    app = app_data(access_own_app(actor=actor, id=app_id_in(app_id), now=now))
    form = LeaveForm(posted(request))

    def save() -> str:
        announce_leave(actor=actor, app_id=app.id, leaves_on=form.day, reason=form.cleaned_data["reason"], now=now)
        messages.success(request, _("已通知选用的学校。"))
        return app_url(app)

    return form_page(
        request,
        form,
        save,
        title=_("“%(name)s”下架") % {"name": app.name},
        submit=_("通知学校并下架"),
        back=app_url(app),
        lead=_("到这一天，所有学校都不能再打开这个应用，也不再提供数据。"),
        is_danger=True,
        breadcrumbs=trail(app, _("下架")),
    )


@require_step_up(Purpose.CONNECTIONS)
@never_cache
@require_POST
def secret(request: HttpRequest, app_id: str, *, is_sandbox: bool = False) -> HttpResponseBase:
    """Draw a secret of the app's client and show it, this once."""
    actor, now = actor_of(request), clock.now()
    app = app_data(access_own_app(actor=actor, id=app_id_in(app_id), now=now))
    drawn = draw_secret(actor=actor, app_id=app.id, is_sandbox=is_sandbox, now=now)
    context = {
        "title": _("“%(name)s”的接口密钥") % {"name": app.name},
        "secrets": [pair for pair in (("client_id", drawn.client_id), ("client_secret", drawn.client_secret)) if pair[1]],
        "back": app_url(app),
        "breadcrumbs": trail(app, _("接口密钥")),
    }
    response = render(request, "interop/secret.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def sandbox(request: HttpRequest) -> HttpResponseBase:
    """The synthetic school; a POST builds it, or gives its people new passwords."""
    actor, now = actor_of(request), clock.now()
    vendor = own_vendor(actor=actor, now=now)
    if vendor is None:
        raise Refused(_("您不是登记的应用服务商。"))
    accounts = make_sandbox(actor=actor, now=now) if request.method == "POST" else []
    context = {
        "title": _("沙箱"),
        "accounts": [{"account": account, "role": role_name(account.role)} for account in accounts],
        "has_sandbox": Sandbox.objects.filter(vendor=vendor).exists(),
        "breadcrumbs": [{"label": _("我的应用"), "url": reverse("interop:developer")}, {"label": _("沙箱"), "url": ""}],
    }
    response = render(request, "interop/sandbox.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response
