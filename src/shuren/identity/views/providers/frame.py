"""What the pages of services and providers share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.identity.forms.services import USER_NAMES, ReleaseForm
from shuren.identity.selectors.cas import CasServiceData, sign_in_scope
from shuren.identity.selectors.saml import SamlServiceData
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound, Refused, ShurenError
from shuren.kernel.paging import Page
from shuren.kernel.scope import Scope
from shuren.pages.api import render_list
from shuren.pages.data import Action, Column, EmptyState, ListQuery, ListSpec, Status, Tab

ServiceData = CasServiceData | SamlServiceData


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of service or provider, by the names of its addresses."""

    list_name: str
    add_name: str
    correct_name: str
    switch_name: str

    @property
    def list_url(self) -> str:
        return reverse(f"identity:{self.list_name}")

    def add(self, label: str) -> Action:
        return Action(label=label, url=reverse(f"identity:{self.add_name}"), icon="plus", is_primary=True)

    def url_of(self, public_id: str) -> str:
        return reverse(f"identity:{self.correct_name}", args=[public_id])

    def turn(self, public_id: str, *, is_enabled: bool, confirm: str) -> Action:
        """The button that switches one off, after a question, or on."""
        url = reverse(f"identity:{self.switch_name}", args=[public_id, "off" if is_enabled else "on"])
        if is_enabled:
            return Action(label=_("停用"), url=url, icon="x", is_post=True, is_danger=True, confirm=confirm)
        return Action(label=_("启用"), url=url, icon="check", is_post=True)

    def turned(self, request: HttpRequest, turn: str) -> HttpResponse:
        messages.success(request, _("已启用。") if turn == "on" else _("已停用。"))
        return redirect(self.list_url)


def managed_scope(actor: Actor) -> Scope:
    """The branches whose sign-in the actor manages; raises `Refused` where there are none."""
    scope = sign_in_scope(actor=actor, now=clock.now())
    if not scope.paths:
        raise Refused(_("您当前的身份不能管理登录方式。"), remedy=_("请联系系统管理员或安全管理员。"))
    return scope


def org_id_of_code(code: str, scope: Scope) -> int:
    """The org with this code, or the top of what the actor manages where none is given."""
    if not code.strip():
        return int(scope.paths[0].rstrip("/").rsplit("/", 1)[-1])
    found = directory.org_ids_by_code([code.strip()]).get(code.strip())
    if found is None:
        raise Invalid(_("没有找到代码为“%(code)s”的机构。") % {"code": code.strip()}, remedy=_("请核对机构代码。"))
    return found


def code_of_org(org_id: int) -> str:
    return directory.orgs_by_ids([org_id])[org_id].code


def tabs(current: str) -> tuple[Tab, ...]:
    names = {"cas_services": _("CAS 服务"), "saml_services": _("SAML 服务"), "upstreams": _("上级和学校的登录")}
    return tuple(Tab(label=name, url=reverse(f"identity:{key}"), is_current=key == current) for key, name in names.items())


def state(is_enabled: bool) -> Status:
    return Status(text=_("使用中"), tone="good") if is_enabled else Status(text=_("已停用"), tone="bad")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceList:
    """What the list of one kind of service says; `address` is the column that tells the services apart."""

    title: str
    lead: str
    address: Column[Any]
    rows: Callable[[ListQuery], Page[Any]]
    search_label: str
    empty_title: str
    empty_text: str
    actions: tuple[Action, ...] = ()


def service_list(request: HttpRequest, kind: Kind, shown: ServiceList) -> HttpResponseBase:
    add = kind.add(_("登记服务"))
    spec = ListSpec(
        name=kind.list_name,
        title=shown.title,
        columns=(
            Column(key="name", title=_("名称"), value=lambda row: row.name, url=lambda row: kind.url_of(row.public_id)),
            shown.address,
            Column(key="owner", title=_("谁的"), value=lambda row: row.app_name or _("本单位")),
            Column(key="org", title=_("对谁开放"), value=lambda row: row.org_name),
            Column(key="user", title=_("怎样称呼登录的人"), value=lambda row: str(USER_NAMES[row.user])),
            Column(key="state", title=_("状态"), value=lambda row: state(row.is_enabled)),
        ),
        rows=shown.rows,
        search_label=shown.search_label,
        actions=(*shown.actions, add),
        row_actions=lambda row: (kind.turn(row.public_id, is_enabled=row.is_enabled, confirm=_confirm()),),
        empty=EmptyState(title=shown.empty_title, text=shown.empty_text, action=add),
    )
    return render_list(
        request, spec, template="identity/providers.html", context={"tabs": tabs(kind.list_name), "lead": shown.lead}
    )


def _confirm() -> str:
    return _("停用后，这个服务马上不能再用本平台的账号登录。要停用吗？")


def known_of(service: ServiceData) -> dict[str, object]:
    """What the form of a service begins with, in the fields that services share."""
    return {
        "name": service.name,
        "org_code": code_of_org(service.org_id),
        "user": service.user,
        "attributes": list(service.attributes),
        "is_first_party": service.is_first_party,
        "client_id": service.client_id,
    }


def said_in(form: ReleaseForm, scope: Scope) -> dict[str, Any]:
    """What was written about a service, in the fields that services share."""
    said = form.cleaned_data
    return {
        "name": said["name"],
        "org_id": org_id_of_code(said["org_code"], scope),
        "user": said["user"],
        "attributes": tuple(said["attributes"]),
        "is_first_party": said["is_first_party"],
        "client_id": said["client_id"],
    }


def form_answer(
    request: HttpRequest,
    form: Form,
    save: Callable[[], str | None],
    *,
    title: str,
    submit: str,
    back: str,
    lead: str = "",
    **more: object,
) -> HttpResponse:
    """Show a form; on a good POST save it and go where `save` says, else back. What a rule refuses is said above the form."""
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(save() or back)
        except NotFound:
            raise
        except ShurenError as error:
            form.add_error(None, str(error))
            status = error.status
    context: Mapping[str, object] = {
        "title": title,
        "form": form,
        "submit_label": submit,
        "cancel_url": back,
        "lead": lead,
        "breadcrumbs": [{"label": _("返回列表"), "url": back}, {"label": title, "url": ""}],
        **more,
    }
    return render(request, "front/form.html", dict(context), status=status)
