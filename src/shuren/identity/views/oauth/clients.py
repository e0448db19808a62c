"""The installation's own list of apps that may ask for tokens, for whoever manages sign-in."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.directory import api as directory
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import ClientAuth, ClientData, ClientStatus, NewClient, Purpose
from shuren.identity.forms.clients import CLIENT_SCOPES, ClientForm, client_initial
from shuren.identity.selectors.clients import access_client, may_manage_clients, page_of_clients, secrets_of
from shuren.identity.services.oauth import register
from shuren.identity.views.oauth.words import scope_choices, scope_lines
from shuren.kernel import clock, ids
from shuren.kernel.errors import Invalid, NotFound
from shuren.kernel.paging import Page
from shuren.pages import api as pages
from shuren.pages.data import Action, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status


@never_cache
@require_GET
def clients(request: HttpRequest) -> HttpResponseBase:
    _check(request)
    return pages.render_list(request, _spec(), template="front/list.html", context={"lead": _lead()})


@require_step_up(Purpose.CONNECTIONS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add_client(request: HttpRequest) -> HttpResponse:
    _check(request)
    initial = {
        "auth": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
        "scopes": ["openid", "profile"],
    }
    form = _form(request, initial)
    if request.method == "POST" and form.is_valid():
        root = directory.root_org()
        try:
            added = register.register_client(
                actor=actor_of(request), client=form.new_client(org_id=root.id if root else None), now=clock.now()
            )
        except Invalid as fault:
            form.add_error(None, fault.message)
        else:
            return _shown_once(request, access_client(actor=actor_of(request), id=added.id, now=clock.now()), added.client_secret)
    return render(request, "front/form.html", _form_context(form, _("登记应用"), _("登记"), reverse("identity:clients")))


@never_cache
@require_GET
def client(request: HttpRequest, client_id: str) -> HttpResponse:
    found = _access(request, client_id)
    context = {
        "title": found.name,
        "state": _state(found),
        "lead": found.client_id,
        "facts": _facts(found),
        "actions": _actions(found),
        "breadcrumbs": [{"label": _("应用登记"), "url": reverse("identity:clients")}],
    }
    return render(request, "front/detail.html", context)


@require_step_up(Purpose.CONNECTIONS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_client(request: HttpRequest, client_id: str) -> HttpResponse:
    found = _access(request, client_id)
    form = _form(request, client_initial(found))
    if request.method == "POST" and form.is_valid():
        try:
            wanted = form.new_client(org_id=found.org_id)
            register.change_client(
                actor=actor_of(request), client_id=found.client_id, client=_kept(wanted, found), now=clock.now()
            )
        except Invalid as fault:
            form.add_error(None, fault.message)
        else:
            messages.success(request, _("已保存。"))
            return redirect("identity:client", client_id=found.public_id)
    back = reverse("identity:client", args=[found.public_id])
    return render(request, "front/form.html", _form_context(form, _("修改“%(app)s”") % {"app": found.name}, _("保存"), back))


@require_step_up(Purpose.CONNECTIONS)
@never_cache
@require_POST
def add_secret(request: HttpRequest, client_id: str) -> HttpResponse:
    found = _access(request, client_id)
    secret = register.add_client_secret(actor=actor_of(request), client_id=found.client_id, now=clock.now())
    return _shown_once(request, found, secret)


@require_step_up(Purpose.CONNECTIONS)
@require_POST
def drop_secrets(request: HttpRequest, client_id: str) -> HttpResponse:
    found = _access(request, client_id)
    register.drop_old_secrets(actor=actor_of(request), client_id=found.client_id, now=clock.now())
    messages.success(request, _("旧的密钥已停用。"))
    return redirect("identity:client", client_id=found.public_id)


@require_POST
def disable_client(request: HttpRequest, client_id: str) -> HttpResponse:
    found = _access(request, client_id)
    register.disable_client(actor=actor_of(request), client_id=found.client_id, now=clock.now())
    messages.success(request, _("已停用，这个应用的令牌从现在起全部失效。"))
    return redirect("identity:client", client_id=found.public_id)


@require_step_up(Purpose.CONNECTIONS)
@require_POST
def enable_client(request: HttpRequest, client_id: str) -> HttpResponse:
    found = _access(request, client_id)
    register.enable_client(actor=actor_of(request), client_id=found.client_id, now=clock.now())
    messages.success(request, _("已启用。"))
    return redirect("identity:client", client_id=found.public_id)


def _check(request: HttpRequest) -> None:
    if not may_manage_clients(actor=actor_of(request), now=clock.now()):
        raise NotFound(_("没有这个页面，或者它不在您的管辖范围内。"))


def _access(request: HttpRequest, client_id: str) -> ClientData:
    return access_client(actor=actor_of(request), id=ids.decode("client", client_id), now=clock.now())


def _kept(wanted: NewClient, found: ClientData) -> NewClient:
    """What the form does not show stays as it is."""
    others = found.scopes - set(CLIENT_SCOPES)
    return replace(wanted, purpose=found.purpose, sector=found.sector, scopes=wanted.scopes | others)


def _shown_once(request: HttpRequest, found: ClientData, secret: str) -> HttpResponse:
    context = {
        "client": found,
        "secret": secret,
        "discovery": request.build_absolute_uri(reverse("identity:openid_configuration")),
    }
    response = render(request, "identity/clients/secret.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _form(request: HttpRequest, initial: dict[str, Any]) -> ClientForm:
    form = ClientForm(request.POST if request.method == "POST" else None, initial=initial)
    form.fields["scopes"].choices = scope_choices(CLIENT_SCOPES)  # type: ignore[attr-defined]  # a field of choices
    return form


def _form_context(form: ClientForm, title: str, submit: str, cancel: str) -> dict[str, object]:
    return {"form": form, "title": title, "submit_label": submit, "cancel_url": cancel, "breadcrumbs": _trail()}


def _trail() -> list[dict[str, str]]:
    return [{"label": _("应用登记"), "url": reverse("identity:clients")}]


def _lead() -> str:
    return _("这些应用可以让用户用本平台账号登录，或者自己调用接口。停用一个应用，它的令牌马上全部失效。")


def _spec() -> ListSpec[ClientData]:
    return ListSpec(
        name="clients",
        title=_("应用登记"),
        columns=(
            Column(
                key="name",
                title=_("应用"),
                value=lambda row: row.name,
                url=lambda row: reverse("identity:client", args=[row.public_id]),
            ),
            Column(key="client_id", title="client_id", value=lambda row: row.client_id),
            Column(key="state", title=_("状态"), value=_state),
            Column(key="party", title=_("归属"), value=lambda row: _("本平台") if row.is_first_party else _("第三方")),
            Column(key="added", title=_("登记时间"), value=lambda row: row.created_at),
        ),
        rows=_rows,
        filters=(
            Filter(
                key="status",
                label=_("状态"),
                choices=(Choice(value="active", label=_("使用中")), Choice(value="disabled", label=_("已停用"))),
            ),
        ),
        search_label=_("应用名称或 client_id"),
        actions=(Action(label=_("登记应用"), url=reverse("identity:add_client"), icon="plus", is_primary=True),),
        empty=EmptyState(
            title=_("还没有登记应用"),
            text=_("登记后，应用就能让用户用本平台账号登录。"),
            action=Action(label=_("登记应用"), url=reverse("identity:add_client"), icon="plus", is_primary=True),
        ),
    )


def _rows(query: ListQuery) -> Page[ClientData]:
    return page_of_clients(search=query.search, status=query.filters.get("status", ""), number=query.number, size=query.size)


def _state(row: ClientData) -> Status:
    if row.status is ClientStatus.ACTIVE:
        return Status(text=_("使用中"), tone="good")
    return Status(text=_("已停用"), tone="bad")


def _facts(found: ClientData) -> list[Fact]:
    kept = [f"…{secret.hint}" for secret in secrets_of(found.id)]
    org = directory.orgs_by_ids([found.org_id]).get(found.org_id) if found.org_id is not None else None
    facts = [
        Fact(label="client_id", value=found.client_id),
        Fact(label=_("证明方式"), value=found.auth.value),
        Fact(label=_("取得令牌的方式"), value=", ".join(sorted(found.grant_types))),
        Fact(label=_("能得到的信息"), value="、".join(str(line.text) for line in scope_lines(found.scopes))),
        Fact(label=_("登录后返回的网址"), value="\n".join(found.redirect_uris)),
        Fact(label=_("退出后返回的网址"), value="\n".join(found.post_logout_redirect_uris)),
        Fact(label=_("退出通知网址"), value=found.backchannel_logout_uri),
        Fact(label=_("用户编号"), value=found.subject_type.value, help=found.sector),
        Fact(label=_("归属"), value=_("本平台") if found.is_first_party else _("第三方")),
        Fact(label=_("自己调用接口的范围"), value=org.name if org else ""),
        Fact(label=_("密钥末四位"), value="、".join(kept), help=_("密钥本身不保存，只在生成时显示一次。")),
        Fact(label=_("登记时间"), value=found.created_at),
    ]
    return [fact for fact in facts if fact.value != ""]


def _actions(found: ClientData) -> list[Action]:
    def url(name: str) -> str:
        return reverse(f"identity:{name}", args=[found.public_id])

    actions = [Action(label=_("修改"), url=url("change_client"), icon="pencil")]
    if found.auth in (ClientAuth.BASIC, ClientAuth.POST):
        confirm = _("生成一个新密钥？原来的密钥七天后失效，请在这之前换上新的。")
        actions.append(Action(label=_("换密钥"), url=url("add_client_secret"), icon="key", is_post=True, confirm=confirm))
        if len(secrets_of(found.id)) > 1:
            confirm = _("马上停用旧的密钥？还在用旧密钥的程序会连不上。")
            actions.append(Action(label=_("停用旧密钥"), url=url("drop_client_secrets"), is_post=True, confirm=confirm))
    if found.status is ClientStatus.ACTIVE:
        confirm = _("停用这个应用？它的令牌马上全部失效，用户不能再从它登录。")
        actions.append(Action(label=_("停用"), url=url("disable_client"), is_post=True, is_danger=True, confirm=confirm))
    else:
        actions.append(Action(label=_("启用"), url=url("enable_client"), is_post=True))
    return actions
