"""Templates: the list, what one says, making the next version, and how it looks printed."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.certificates.data import CertificateKind, Layout, TemplateStatus
from shuren.certificates.forms.giving import KINDS, LAYOUTS, LEVELS, TemplateForm
from shuren.certificates.models import Template
from shuren.certificates.rules.wording import day_in_words, filled, months_after
from shuren.certificates.selectors.issuer import base_url
from shuren.certificates.selectors.templates import access_template, current_of, templates_in_scope, versions_of
from shuren.certificates.services import write_template
from shuren.certificates.services.print import page_html
from shuren.certificates.views.form_pages import desk_url, form_page, org_in, posted, trail
from shuren.directory.data import OrgType
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import page_of
from shuren.pages.api import pdf_response, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, HistoryEntry, ListSpec, Status


def template_url(template_id: int, page: str = "template") -> str:
    return reverse(f"certificates:{page}", args=[ids.encode("template", template_id)])


def _status(row: Template) -> Status:
    return Status(text=_("在用"), tone="good") if row.status == TemplateStatus.ACTIVE else Status(text=_("已停用"))


@never_cache
@require_safe
def templates(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    spec: ListSpec[Template] = ListSpec(
        name="certificate-templates",
        title=_("证书模板"),
        columns=(
            Column(key="name", title=_("证书"), value=lambda row: row.name, url=lambda row: template_url(row.pk)),
            Column(key="kind", title=_("类别"), value=lambda row: str(KINDS[CertificateKind(row.kind)])),
            Column(key="org", title=_("所属机构"), value=lambda row: row.org.name),
            Column(key="version", title=_("第几版"), value=lambda row: current_of(row).number, kind=CellKind.NUMBER),
            Column(key="changed", title=_("最近修改"), value=lambda row: row.changed_at, kind=CellKind.DATETIME),
            Column(key="status", title=_("状态"), value=_status, kind=CellKind.STATUS),
        ),
        rows=lambda query: page_of(
            templates_in_scope(actor=actor, status=query.filters.get("status", ""), search=query.search, now=now),
            lambda row: row,
            number=query.number,
            size=query.size,
        ),
        filters=(
            Filter(
                key="status",
                label=_("状态"),
                choices=(Choice(value="active", label=_("在用")), Choice(value="retired", label=_("已停用"))),
            ),
        ),
        search_label=_("证书名称"),
        empty=EmptyState(title=_("还没有模板"), text=_("在“发放证书”里新建一个模板，就可以用它发证。"), icon="award"),
    )
    return render_list(request, spec, context={"breadcrumbs": trail((_("证书模板"), ""))})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add_template(request: HttpRequest, org_id: str) -> HttpResponseBase:
    org = org_in(request, org_id)
    name = request.GET.get("name", "")[:60]
    wording = _("{name} 同学在本学年中表现突出，被评为……，特发此证。")
    initial = {"name": name, "seal_text": org.name[:30], "wording": wording}
    form = TemplateForm(posted(request), request.FILES if request.method == "POST" else None, initial=initial)

    def save() -> str:
        made = write_template.add_template(actor=actor_of(request), org_id=org.id, template=form.template, now=clock.now())
        messages.success(request, _("模板已建好。"))
        return template_url(made)

    title = _("新建证书模板")
    lead = _("属于“%(org)s”。") % {"org": org.name}
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=title,
        back=desk_url(org),
        lead=lead,
        breadcrumbs=trail((org.name, desk_url(org)), (title, "")),
    )


@never_cache
@require_safe
def template(request: HttpRequest, template_id: str) -> HttpResponseBase:
    row = access_template(actor=actor_of(request), id=ids.decode("template", template_id), now=clock.now())
    version = current_of(row)
    months = _("%(count)s 个月") % {"count": version.valid_months} if version.valid_months else _("长期有效")
    facts = [
        Fact(label=_("类别"), value=str(KINDS[CertificateKind(row.kind)])),
        Fact(label=_("英文名称"), value=version.name_en or None),
        Fact(label=_("所属机构"), value=row.org.name),
        Fact(label=_("下级也可以发"), value="、".join(str(LEVELS[OrgType(level)]) for level in version.levels) or _("不可以")),
        Fact(label=_("有效期"), value=months),
        Fact(label=_("版式"), value=str(LAYOUTS[Layout(version.layout)])),
        Fact(label=_("落款"), value=version.seal_text or _("颁发机构的名称")),
        Fact(label=_("自填项"), value="、".join(version.fields) or None),
        Fact(label=_("颁发条件"), value=version.criteria),
        Fact(label=_("正文"), value=version.wording),
    ]
    actions = [Action(label=_("预览"), url=template_url(row.pk, "preview"), icon="eye")]
    if row.status == TemplateStatus.ACTIVE:
        actions += [
            Action(label=_("修改"), url=template_url(row.pk, "change_template"), icon="pencil"),
            Action(
                label=_("停用"),
                url=template_url(row.pk, "retire_template"),
                icon="x",
                is_post=True,
                is_danger=True,
                confirm=_("停用后不能再用它发证；已发的证书不变。要停用吗？"),
            ),
        ]
    context = {
        "title": row.name,
        "state": _status(row),
        "facts": facts,
        "actions": actions,
        "history": [
            HistoryEntry(who=one.made_by_name, what=_("写成第 %(number)s 版") % {"number": one.number}, at=one.made_at)
            for one in versions_of(row)
        ],
        "breadcrumbs": trail((_("证书模板"), reverse("certificates:templates")), (row.name, "")),
    }
    return render(request, "front/detail.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_template(request: HttpRequest, template_id: str) -> HttpResponseBase:
    row = access_template(actor=actor_of(request), id=ids.decode("template", template_id), now=clock.now())
    version = current_of(row)
    names = ("name", "name_en", "criteria", "wording", "layout", "seal_text", "valid_months", "levels")
    initial = {"kind": row.kind, "fields_text": "，".join(version.fields), **{name: getattr(version, name) for name in names}}
    form = TemplateForm(posted(request), request.FILES if request.method == "POST" else None, initial=initial)
    form.fields["kind"].disabled = True

    def save() -> str:
        wanted = replace(form.template, kind=CertificateKind(row.kind))
        write_template.change_template(actor=actor_of(request), template_id=row.pk, template=wanted, now=clock.now())
        messages.success(request, _("新的一版已写好，以后发的证书用它；已发的不变。"))
        return template_url(row.pk)

    title = _("修改“%(name)s”") % {"name": row.name}
    back = template_url(row.pk)
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("写成新的一版"),
        back=back,
        breadcrumbs=trail((row.name, back), (_("修改"), "")),
    )


@require_POST
def retire_template(request: HttpRequest, template_id: str) -> HttpResponseBase:
    row_id = ids.decode("template", template_id)
    write_template.retire_template(actor=actor_of(request), template_id=row_id, now=clock.now())
    messages.success(request, _("模板已停用。"))
    return redirect(template_url(row_id))


@never_cache
@require_safe
def preview(request: HttpRequest, template_id: str) -> HttpResponse:
    """The page with invented words and without a seal: nobody can take it for a certificate."""
    now = clock.now()
    row = access_template(actor=actor_of(request), id=ids.decode("template", template_id), now=now)
    version, day = current_of(row), clock.day_of(now)
    words = {"name": _("示例姓名"), "school": _("示例学校"), "class": _("示例班级"), "date": day_in_words(day)}
    html = page_html(
        version,
        narrative=filled(version.wording, words | {name: name for name in version.fields}),
        holder_name=words["name"],
        issuer_name=row.org.name,
        number=_("样张无编号"),
        url=f"{base_url()}/verify/",
        given_at=now,
        valid_until=day_in_words(months_after(day, version.valid_months)) if version.valid_months else "",
        is_sample=True,
    )
    return pdf_response(html, row.name)
