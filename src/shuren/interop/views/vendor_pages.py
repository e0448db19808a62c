"""Becoming a vendor, and the officer's side of it."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.directory import api as directory
from shuren.identity.api import accounts_of_people, actor_of
from shuren.interop.data import VendorData, VendorStatus
from shuren.interop.forms import RegistrationForm, VendorDecisionForm
from shuren.interop.models import VendorMember
from shuren.interop.selectors.vendors import (
    access_vendor,
    branches_to_ask,
    page_of_vendors,
    vendor_data,
    vendor_row_of_token,
)
from shuren.interop.services.register_vendor import check_email, decide_vendor, open_vendor_account, register_vendor
from shuren.interop.views.asked import form_page, posted
from shuren.interop.views.words import vendor_status
from shuren.kernel import clock, ids
from shuren.kernel.doors import open_door
from shuren.kernel.errors import NotFound
from shuren.pages.api import render_list
from shuren.pages.data import CellKind, Choice, Column, EmptyState, Fact, Filter, ListSpec
from shuren.standards.api import credit_code_fault


@open_door
@never_cache
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponseBase:
    """The public application; what it answers with is the only way back to it."""
    form = RegistrationForm(posted(request), orgs=branches_to_ask())

    def save() -> str:
        address = request.META.get("REMOTE_ADDR", "")
        token = register_vendor(applicant=form.applicant(), org_id=form.org_id, address=address, now=clock.now())
        return reverse("interop:registration", args=[token])

    lead = _("填写后由所选地区的教育局审核。通过后就可以登记应用、在沙箱里试用合成数据、自己做符合性测试。")
    return form_page(request, form, save, title=_("申请成为应用服务商"), submit=_("提交申请"), lead=lead)


@open_door
@never_cache
@require_http_methods(["GET", "POST"])
def registration(request: HttpRequest, token: str) -> HttpResponseBase:
    """Where an application stands; a POST hands out the account once it is approved."""
    row = vendor_row_of_token(token)
    if request.method == "POST" and "code" in request.POST:
        check_email(token=token, code=request.POST["code"], now=clock.now())
        messages.success(request, _("邮箱已核实。"))
        return redirect("interop:registration", token=token)
    secret = open_vendor_account(token=token, now=clock.now()) if request.method == "POST" else None
    vendor = vendor_data(row)
    member = VendorMember.objects.filter(vendor=row).order_by("id").first()
    accounts = accounts_of_people([member.person_id]) if member else {}
    is_open = any(account.is_usable for account in accounts.values())
    context = {
        "title": vendor.name,
        "state": vendor_status(vendor.status),
        "vendor": vendor,
        "facts": _facts(vendor),
        "secret": secret,
        "may_check": not vendor.is_email_checked and vendor.status is VendorStatus.PENDING,
        "may_open": vendor.status is VendorStatus.APPROVED and not is_open and secret is None,
        "address": request.build_absolute_uri(reverse("interop:registration", args=[token])),
    }
    return render(request, "interop/registration.html", context)


def _facts(vendor: VendorData) -> list[Fact]:
    orgs = directory.orgs_by_ids([vendor.org_id])
    return [
        Fact(label=_("申请的地区"), value=orgs[vendor.org_id].name if vendor.org_id in orgs else None),
        Fact(label=_("统一社会信用代码"), value=vendor.credit_code),
        Fact(label=_("联系人"), value=vendor.contact_name),
        Fact(label=_("联系邮箱"), value=vendor.email, help=_("已核实") if vendor.is_email_checked else _("还没有核实")),
        Fact(label=_("申请时间"), value=vendor.registered_at),
        Fact(label=_("审核意见"), value=vendor.reason or None),
    ]


@never_cache
@require_safe
def vendors(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    words = [(status.value, vendor_status(status).text) for status in VendorStatus]
    spec = ListSpec(
        name="vendors",
        title=_("应用服务商"),
        columns=(
            Column(key="name", title=_("单位名称"), value=lambda row: row.name, url=_vendor_url),
            Column(key="code", title=_("统一社会信用代码"), value=lambda row: row.credit_code),
            Column(key="contact", title=_("联系人"), value=lambda row: row.contact_name),
            Column(key="at", title=_("申请时间"), value=lambda row: row.registered_at, kind=CellKind.DATETIME),
            Column(key="status", title=_("状态"), value=lambda row: vendor_status(row.status), kind=CellKind.STATUS),
        ),
        rows=lambda query: page_of_vendors(
            actor=actor,
            status=query.filters.get("status", ""),
            search=query.search,
            number=query.number,
            size=query.size,
            now=now,
        ),
        filters=(Filter(key="status", label=_("状态"), choices=tuple(Choice(value=v, label=w) for v, w in words)),),
        search_label=_("单位名称开头"),
        empty=EmptyState(title=_("还没有服务商申请"), text=_("服务商在登录页的“应用服务商”里自己申请。"), icon="briefcase"),
    )
    return render_list(request, spec)


def _vendor_url(row: VendorData) -> str:
    return reverse("interop:vendor", args=[row.public_id])


@never_cache
@require_http_methods(["GET", "POST"])
def vendor(request: HttpRequest, vendor_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    found = vendor_data(access_vendor(actor=actor, id=ids.decode("vendor", vendor_id), now=now))
    crumbs = [{"label": _("应用服务商"), "url": reverse("interop:vendors")}, {"label": found.name, "url": ""}]
    facts = _facts(found)
    if fault := credit_code_fault(found.credit_code):
        facts.append(Fact(label=_("请核对"), value=fault))
    if found.status is not VendorStatus.PENDING:
        if request.method == "POST":
            raise NotFound(_("这份申请已经处理过。"))
        context = {"title": found.name, "state": vendor_status(found.status), "facts": facts, "breadcrumbs": crumbs}
        return render(request, "front/detail.html", context)
    form = VendorDecisionForm(posted(request))

    def save() -> str:
        is_approved = form.cleaned_data["decision"] == "approve"
        decide_vendor(actor=actor, vendor_id=found.id, is_approved=is_approved, reason=form.cleaned_data["reason"], now=now)
        messages.success(request, _("已处理。"))
        return reverse("interop:vendors")

    return form_page(
        request,
        form,
        save,
        title=found.name,
        submit=_("提交决定"),
        back=reverse("interop:vendors"),
        breadcrumbs=crumbs,
        template="interop/decide.html",
        more={"facts": facts},
    )
