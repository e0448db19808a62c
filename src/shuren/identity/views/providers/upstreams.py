"""Pages of identity providers: list, add, correct, try, switch on and off."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose
from shuren.identity.forms.services import UpstreamForm
from shuren.identity.models import Upstream
from shuren.identity.selectors.upstreams import access_upstream, page_of_upstreams
from shuren.identity.services.upstream.register import (
    NewUpstream,
    correct_upstream,
    register_upstream,
    switch_upstream,
    try_upstream,
)
from shuren.identity.views.providers.frame import Kind, code_of_org, form_answer, managed_scope, org_id_of_code, state, tabs
from shuren.kernel import clock, ids
from shuren.kernel.errors import Invalid
from shuren.kernel.scope import Scope
from shuren.pages.api import render_list
from shuren.pages.data import Action, Column, EmptyState, ListSpec

UPSTREAM = Kind(list_name="upstreams", add_name="add_upstream", correct_name="correct_upstream", switch_name="switch_upstream")
_FIELDS = ("name", "kind", "address", "client_id", "matching", "claim", "base_dn", "user_attribute")


def upstreams(request: HttpRequest) -> HttpResponseBase:
    scope = managed_scope(actor_of(request))
    add = UPSTREAM.add(_("登记登录来源"))
    spec = ListSpec(
        name="upstreams",
        title=_("上级和学校的登录"),
        columns=(
            Column(key="name", title=_("名称"), value=lambda row: row.name, url=_url),
            Column(key="kind", title=_("种类"), value=lambda row: row.kind.upper()),
            Column(key="address", title=_("对方的地址"), value=lambda row: row.address),
            Column(key="org", title=_("对谁开放"), value=lambda row: row.org.name),
            Column(key="state", title=_("状态"), value=lambda row: state(row.is_enabled)),
        ),
        rows=lambda query: page_of_upstreams(scope=scope, search=query.search, number=query.number, size=query.size),
        search_label=_("名称或网址"),
        actions=(add,),
        row_actions=_row_actions,
        empty=EmptyState(
            title=_("还没有别处的登录"), text=_("上级平台或学校已有账号的，登记后就能在这里直接用，不必另记密码。"), action=add
        ),
    )
    lead = _("只认名册里的人，而且只认所选机构以内的人。")
    return render_list(request, spec, template="identity/providers.html", context={"tabs": tabs("upstreams"), "lead": lead})


@require_step_up(Purpose.CONNECTIONS)
def add_upstream(request: HttpRequest) -> HttpResponseBase:
    actor = actor_of(request)
    scope = managed_scope(actor)
    form = UpstreamForm(request.POST if request.method == "POST" else None)

    def save() -> str:
        pk = register_upstream(actor=actor, upstream=_facts(form, scope), now=clock.now())
        messages.success(request, _("已登记。"))
        return UPSTREAM.url_of(ids.encode("upstream", pk))

    return form_answer(request, form, save, title=_("登记登录来源"), submit=_("登记"), back=UPSTREAM.list_url)


@require_step_up(Purpose.CONNECTIONS)
def correct(request: HttpRequest, upstream_id: str) -> HttpResponseBase:
    actor = actor_of(request)
    row = access_upstream(actor=actor, id=ids.decode("upstream", upstream_id), now=clock.now())
    scope = managed_scope(actor)
    known = {name: getattr(row, name) for name in _FIELDS} | {"org_code": code_of_org(row.org_id)}
    form = UpstreamForm(request.POST if request.method == "POST" else None, initial=known)

    def save() -> None:
        correct_upstream(actor=actor, upstream_id=row.pk, upstream=_facts(form, scope), now=clock.now())
        messages.success(request, _("已保存。"))

    back_at = request.build_absolute_uri(reverse("identity:upstream_back", args=[upstream_id]))
    told_at = request.build_absolute_uri(reverse("identity:upstream_backchannel", args=[upstream_id]))
    lead = _("在对方那里登记：返回地址 %(back)s，退出通知 %(told)s") % {"back": back_at, "told": told_at}
    return form_answer(request, form, save, title=row.name, submit=_("保存"), back=UPSTREAM.list_url, lead=lead)


@require_step_up(Purpose.CONNECTIONS)
@require_POST
def switch(request: HttpRequest, upstream_id: str, turn: str) -> HttpResponseBase:
    actor = actor_of(request)
    switch_upstream(actor=actor, upstream_id=ids.decode("upstream", upstream_id), is_enabled=turn == "on", now=clock.now())
    return UPSTREAM.turned(request, turn)


@require_POST
def try_it(request: HttpRequest, upstream_id: str) -> HttpResponseBase:
    """Ask the provider whether it is there."""
    try:
        try_upstream(actor=actor_of(request), upstream_id=ids.decode("upstream", upstream_id), now=clock.now())
        messages.success(request, _("连上了，对方有回答。"))
    except Invalid as fault:
        messages.error(request, str(fault))
    return redirect("identity:upstreams")


def _facts(form: UpstreamForm, scope: Scope) -> NewUpstream:
    said = form.cleaned_data
    return NewUpstream(
        org_id=org_id_of_code(said["org_code"], scope), secret=said["secret"], **{name: said[name] for name in _FIELDS}
    )


def _url(row: Upstream) -> str:
    return UPSTREAM.url_of(ids.encode("upstream", row.pk))


def _row_actions(row: Upstream) -> tuple[Action, ...]:
    public_id = ids.encode("upstream", row.pk)
    tried = Action(label=_("试连"), url=reverse("identity:try_upstream", args=[public_id]), icon="search", is_post=True)
    confirm = _("停用后，谁也不能再从那里登录。要停用吗？")
    return tried, UPSTREAM.turn(public_id, is_enabled=row.is_enabled, confirm=confirm)
