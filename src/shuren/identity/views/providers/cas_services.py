"""Pages of CAS services: list, add, correct, try an address, switch on and off."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose
from shuren.identity.forms.services import AddressForm, CasServiceForm
from shuren.identity.rules import addresses
from shuren.identity.selectors.cas import access_cas_service, cas_service_of, page_of_cas_services
from shuren.identity.services.cas.register import (
    NewCasService,
    correct_cas_service,
    register_cas_service,
    switch_cas_service,
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
from shuren.kernel.errors import Invalid
from shuren.kernel.scope import Scope
from shuren.pages.data import Action, Column

CAS = Kind(list_name="cas_services", add_name="add_cas_service", correct_name="correct_cas", switch_name="switch_cas")
_OWN_FIELDS = ("address", "may_proxy", "signs_out")


def cas_services(request: HttpRequest) -> HttpResponseBase:
    scope = managed_scope(actor_of(request))
    shown = ServiceList(
        title=_("CAS 服务"),
        lead=_("这里登记的软件把登录交给本平台。服务器地址填 %(url)s") % {"url": request.build_absolute_uri("/cas/")},
        address=Column(key="address", title=_("服务地址"), value=lambda row: row.address),
        rows=lambda query: page_of_cas_services(scope=scope, search=query.search, number=query.number, size=query.size),
        search_label=_("名称或网址"),
        empty_title=_("还没有 CAS 服务"),
        empty_text=_("图书馆、教务等校园软件多用 CAS 登录；登记它的网址就能用本平台的账号。"),
        actions=(Action(label=_("试一个网址"), url=reverse("identity:try_cas_address"), icon="search"),),
    )
    return service_list(request, CAS, shown)


@require_step_up(Purpose.CONNECTIONS)
def add_cas_service(request: HttpRequest) -> HttpResponseBase:
    actor = actor_of(request)
    scope = managed_scope(actor)
    form = CasServiceForm(request.POST if request.method == "POST" else None)

    def save() -> None:
        register_cas_service(actor=actor, service=_facts(form, scope), now=clock.now())
        messages.success(request, _("已登记。"))

    return form_answer(request, form, save, title=_("登记 CAS 服务"), submit=_("登记"), back=CAS.list_url)


@require_step_up(Purpose.CONNECTIONS)
def correct_cas(request: HttpRequest, service_id: str) -> HttpResponseBase:
    actor = actor_of(request)
    service = access_cas_service(actor=actor, id=ids.decode("cas_service", service_id), now=clock.now())
    scope = managed_scope(actor)
    known = known_of(service) | {name: getattr(service, name) for name in _OWN_FIELDS}
    form = CasServiceForm(request.POST if request.method == "POST" else None, initial=known)

    def save() -> None:
        correct_cas_service(actor=actor, service_id=service.id, service=_facts(form, scope), now=clock.now())
        messages.success(request, _("已保存。"))

    return form_answer(request, form, save, title=service.name, submit=_("保存"), back=CAS.list_url)


@require_step_up(Purpose.CONNECTIONS)
@require_POST
def switch_cas(request: HttpRequest, service_id: str, turn: str) -> HttpResponseBase:
    actor = actor_of(request)
    switch_cas_service(actor=actor, service_id=ids.decode("cas_service", service_id), is_enabled=turn == "on", now=clock.now())
    return CAS.turned(request, turn)


def try_cas_address(request: HttpRequest) -> HttpResponseBase:
    """Say to which service an address belongs, the way a sign-in would find it."""
    scope = managed_scope(actor_of(request))
    form = AddressForm(request.POST if request.method == "POST" else None)

    def save() -> str:
        address = addresses.normal_address(form.cleaned_data["address"])
        row = cas_service_of(address) if address else None
        if row is None or not scope.covers(row.org.path):
            raise Invalid(
                _("这个网址不属于任何启用的服务，会被拒绝。"), remedy=_("请核对协议、主机、端口和路径，大小写也要一致。")
            )
        messages.success(request, _("这个网址属于“%(name)s”，可以登录。") % {"name": row.name})
        return reverse("identity:try_cas_address")

    return form_answer(request, form, save, title=_("试一个网址"), submit=_("试一下"), back=CAS.list_url)


def _facts(form: CasServiceForm, scope: Scope) -> NewCasService:
    return NewCasService(**said_in(form, scope), **{name: form.cleaned_data[name] for name in _OWN_FIELDS})
