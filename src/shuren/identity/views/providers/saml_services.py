"""Pages of SAML services: list, add, correct, switch on and off."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose
from shuren.identity.forms.services import SamlServiceForm
from shuren.identity.selectors.saml import access_saml_service, page_of_saml_services
from shuren.identity.services.saml.keys import ANNOUNCED_FOR, rotate_saml_key, xmlsec_path
from shuren.identity.services.saml.register import (
    NewSamlService,
    correct_saml_service,
    fetch_metadata,
    register_saml_service,
    switch_saml_service,
)
from shuren.identity.views.providers.frame import (
    Kind,
    ServiceList,
    form_answer,
    known_of,
    managed_scope,
    said_in,
    service_list,
)
from shuren.kernel import clock, ids
from shuren.kernel.scope import Scope
from shuren.pages.data import Action, Column

SAML = Kind(list_name="saml_services", add_name="add_saml_service", correct_name="correct_saml", switch_name="switch_saml")


def saml_services(request: HttpRequest) -> HttpResponseBase:
    scope = managed_scope(actor_of(request))
    url = request.build_absolute_uri("/saml/metadata")
    is_off = xmlsec_path() is None
    shown = ServiceList(
        title=_("SAML 服务"),
        lead=_("这台服务器没有安装 xmlsec1，SAML 登录暂时关闭。")
        if is_off
        else _("这里登记的服务把登录交给本平台。把本平台的元数据交给它：%(url)s") % {"url": url},
        address=Column(key="entity_id", title=_("实体编号"), value=lambda row: row.entity_id),
        rows=lambda query: page_of_saml_services(scope=scope, search=query.search, number=query.number, size=query.size),
        search_label=_("名称或实体编号"),
        empty_title=_("还没有 SAML 服务"),
        empty_text=_("论文库、科研平台等多用 SAML 登录；登记它的元数据就能用本平台的账号。"),
        actions=() if is_off else (_turn_action(),),
    )
    return service_list(request, SAML, shown)


@require_step_up(Purpose.CONNECTIONS)
@require_POST
def turn_saml_key(request: HttpRequest) -> HttpResponseBase:
    """Announce the next signing key; it signs once services had time to read our metadata again."""
    managed_scope(actor_of(request))
    rotate_saml_key(actor=actor_of(request), now=clock.now())
    messages.success(request, _("新证书已写进元数据，%(days)d 天后开始用它签名。") % {"days": ANNOUNCED_FOR.days})
    return redirect(SAML.list_url)


def _turn_action() -> Action:
    confirm = _("新证书马上写进元数据，%(days)d 天后开始用它签名；不会自动读元数据的服务要在这以前收到新的元数据。要换吗？") % {
        "days": ANNOUNCED_FOR.days
    }
    return Action(label=_("更换签名密钥"), url=reverse("identity:turn_saml_key"), icon="refresh", is_post=True, confirm=confirm)


@require_step_up(Purpose.CONNECTIONS)
def add_saml_service(request: HttpRequest) -> HttpResponseBase:
    actor = actor_of(request)
    scope = managed_scope(actor)
    form = SamlServiceForm(request.POST if request.method == "POST" else None)

    def save() -> None:
        register_saml_service(actor=actor, service=_facts(form, scope), now=clock.now())
        messages.success(request, _("已登记。"))

    return form_answer(request, form, save, title=_("登记 SAML 服务"), submit=_("登记"), back=SAML.list_url)


@require_step_up(Purpose.CONNECTIONS)
def correct_saml(request: HttpRequest, service_id: str) -> HttpResponseBase:
    actor = actor_of(request)
    service = access_saml_service(actor=actor, id=ids.decode("saml_service", service_id), now=clock.now())
    scope = managed_scope(actor)
    known = known_of(service) | {"metadata": service.metadata}
    form = SamlServiceForm(request.POST if request.method == "POST" else None, initial=known)

    def save() -> None:
        correct_saml_service(actor=actor, service_id=service.id, service=_facts(form, scope), now=clock.now())
        messages.success(request, _("已保存。"))

    return form_answer(request, form, save, title=service.name, submit=_("保存"), back=SAML.list_url)


@require_step_up(Purpose.CONNECTIONS)
@require_POST
def switch_saml(request: HttpRequest, service_id: str, turn: str) -> HttpResponseBase:
    actor = actor_of(request)
    switch_saml_service(actor=actor, service_id=ids.decode("saml_service", service_id), is_enabled=turn == "on", now=clock.now())
    return SAML.turned(request, turn)


def _facts(form: SamlServiceForm, scope: Scope) -> NewSamlService:
    url = form.cleaned_data["metadata_url"]
    return NewSamlService(**said_in(form, scope), metadata=fetch_metadata(url) if url else form.cleaned_data["metadata"])
