"""Where certificates are given: the desk of an org, one person, a class, a batch on its way, and what was given."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.certificates.data import CertificateKind, CertificateStatus, Recipient
from shuren.certificates.forms.giving import KINDS, ClassForm, GiveForm
from shuren.certificates.models import Certificate, Template
from shuren.certificates.rules.numbers import grouped
from shuren.certificates.selectors.certificates import access_batch, certificates_in_scope, status_of
from shuren.certificates.selectors.templates import current_of, template_for_giving, usable_templates
from shuren.certificates.services.give import give_certificate
from shuren.certificates.services.give_batch import give_batch
from shuren.certificates.views.form_pages import desk_url, form_page, org_in, posted, status_word, trail
from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, OrgData, OrgType, Permission
from shuren.identity.api import actor_of
from shuren.kernel import audit, clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import Invalid, NotFound, Refused
from shuren.kernel.paging import page_of
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Filter, ListQuery, ListSpec
from shuren.work import api as work

_CLASSES_SHOWN = 300


def certificate_url(row: Certificate, page: str = "certificate") -> str:
    return reverse(f"certificates:{page}", args=[ids.encode("certificate", row.pk)])


@never_cache
@require_safe
def start(request: HttpRequest) -> HttpResponseBase:
    """Start at the first org for which the reader gives certificates."""
    scope = directory.scope_of(actor=actor_of(request), permission=Permission.ISSUE_CERTIFICATES, now=clock.now())
    if not scope.paths:
        raise Refused(_("您当前的身份不能发放证书。"), remedy=_("您自己的证书在“我的证书”里。"))
    top = int(scope.paths[0].rstrip("/").rsplit("/", 1)[-1])
    return redirect("certificates:desk", org_id=ids.encode("org", top))


@never_cache
@require_safe
def desk(request: HttpRequest, org_id: str) -> HttpResponseBase:
    org = org_in(request, org_id)
    templates = usable_templates(org)
    lines = [
        {
            "name": row.name,
            "kind": KINDS[CertificateKind(row.kind)],
            "owner": "" if row.org_id == org.id else row.org.name,
            "criteria": current_of(row).criteria,
            "give_url": _give_url(org, row, "give"),
            "class_url": _give_url(org, row, "give_class"),
            "template_url": reverse("certificates:template", args=[ids.encode("template", row.pk)])
            if row.org_id == org.id
            else "",
        }
        for row in templates
    ]
    below = [
        {"name": child.name, "url": desk_url(child)}
        for child in directory.children_of(org.id)
        if child.type not in (OrgType.CLASS, OrgType.GRADE, OrgType.DEPARTMENT)
    ]
    context = {
        "title": _("发放证书"),
        "org": org,
        "lines": lines,
        "below": below[:60],
        "actions": (
            Action(label=_("用名单发证"), url=reverse("front:new_import", args=["certificates"]), icon="file-import"),
            Action(label=_("已发的证书"), url=reverse("certificates:given"), icon="list"),
            Action(label=_("证书模板"), url=reverse("certificates:templates"), icon="notes"),
            Action(
                label=_("新建模板"),
                url=reverse("certificates:add_template", args=[org.public_id]),
                icon="plus",
                is_primary=not lines,
            ),
        ),
    }
    return render(request, "certificates/desk.html", context)


def _give_url(org: OrgData, row: Template, page: str) -> str:
    return reverse(f"certificates:{page}", args=[org.public_id, ids.encode("template", row.pk)])


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: HttpRequest, org_id: str, template_id: str) -> HttpResponseBase:
    org = org_in(request, org_id)
    row = template_for_giving(org=org, id=ids.decode("template", template_id))
    form = GiveForm(posted(request), names=current_of(row).fields, initial={"number": request.GET.get("number", "")[:20]})

    def save() -> str:
        number = form.cleaned_data["number"].strip()
        person_id = directory.person_ids_by_number([number]).get(number)
        if person_id is None:
            raise Invalid(_("没有找到编号为“%(number)s”的人。") % {"number": number}, remedy=_("请核对编号。"))
        actor, now = actor_of(request), clock.now()
        if not directory.people_within(actor=actor, person_ids=[person_id], permission=Permission.ISSUE_CERTIFICATES, now=now):
            raise Invalid(_("没有找到编号为“%(number)s”的人。") % {"number": number}, remedy=_("请核对编号。"))
        recipient = Recipient(person_id, form.values)
        made = give_certificate(actor=actor, org_id=org.id, template_id=row.pk, recipient=recipient, now=now)
        messages.success(request, _("证书已发，本人和家长会收到通知。"))
        return reverse("certificates:certificate", args=[ids.encode("certificate", made)])

    title = _("发“%(name)s”") % {"name": row.name}
    lead = _("以“%(org)s”的名义。发出后，本人和家长马上能看到，任何人都能查验。") % {"org": org.name}
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("发出证书"),
        back=desk_url(org),
        lead=lead,
        breadcrumbs=trail((org.name, desk_url(org)), (row.name, "")),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def give_class(request: HttpRequest, org_id: str, template_id: str) -> HttpResponseBase:
    """First a class, then its pupils with a tick each."""
    org = org_in(request, org_id)
    row = template_for_giving(org=org, id=ids.decode("template", template_id))
    steps = trail((org.name, desk_url(org)), (row.name, ""))
    asked = request.GET.get("class", "")
    if not asked:
        classes = directory.subtree(org.path, types={OrgType.CLASS})[:_CLASSES_SHOWN]
        schools = directory.orgs_by_ids({one.parent_id for one in classes if one.parent_id})
        links = [
            {
                "name": one.name,
                "school": schools[one.parent_id].name if one.parent_id in schools else "",
                "url": f"?class={one.public_id}",
            }
            for one in classes
        ]
        context = {"title": _("选择班级"), "classes": links, "breadcrumbs": steps, "lead": row.name, "cancel_url": desk_url(org)}
        return render(request, "certificates/classes.html", context)
    place = org_in(request, asked)
    if not place.path.startswith(org.path):
        raise NotFound(_("没有找到这个班级。"))
    pupils = [
        one.person_id
        for one in directory.enrollments_of_paths([place.path], role=EnrollmentRole.STUDENT, day=clock.day_of(clock.now()))
    ]
    people = directory.people_by_ids(pupils)
    choices = [(one.public_id, f"{one.name}　{one.number}") for one in sorted(people.values(), key=lambda one: one.number)]
    form = ClassForm(posted(request), names=current_of(row).fields, people=choices)

    def save() -> str:
        recipients = [Recipient(ids.decode("person", chosen), form.values) for chosen in form.cleaned_data["people"]]
        made = give_batch(actor=actor_of(request), org_id=org.id, template_id=row.pk, recipients=recipients, now=clock.now())
        return reverse("certificates:batch", args=[ids.encode("batch", made)])

    title = _("给%(place)s发“%(name)s”") % {"place": place.name, "name": row.name}
    lead = _("勾选要发的学生；自填项对勾选的人都一样。")
    return form_page(
        request, form, save, title=title, submit=_("发给勾选的学生"), back=desk_url(org), lead=lead, breadcrumbs=steps
    )


@never_cache
@require_safe
def batch(request: HttpRequest, batch_id: str) -> HttpResponseBase:
    row = access_batch(actor=actor_of(request), id=ids.decode("batch", batch_id), now=clock.now())
    if row.done_at is None and row.job_id is not None and work.job_state(row.job_id).is_live:
        return redirect("front:job", job_id=ids.encode("job", row.job_id))
    if row.missed:
        words = {"total": row.total, "missed": row.missed}
        text = _("这批共 %(total)s 人，其中 %(missed)s 人已不在人员库中，没有发给。") % words
        messages.warning(request, text)
    return redirect(f"{reverse('certificates:given')}?batch={batch_id}")


@sensitive_files(asked_by="export")
@never_cache
@require_safe
def given(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()

    def rows(query: ListQuery):  # type: ignore[no-untyped-def]  # a QuerySet of Certificate
        batch_id = query.filters.get("batch", "")
        return certificates_in_scope(
            actor=actor,
            search=query.search,
            status=query.filters.get("status", ""),
            batch_id=ids.decode("batch", batch_id) if batch_id else None,
            now=now,
        )

    def exported(query: ListQuery, form: str) -> None:
        details = {"form": form, "search": query.search, "filters": dict(query.filters)}
        audit.record(actor=actor, action="certificates.exported", target="list:certificates", details=details, now=now)

    statuses = tuple(Choice(value=status.value, label=status_word(status).text) for status in CertificateStatus)
    spec: ListSpec[Certificate] = ListSpec(
        name="given-certificates",
        title=_("已发的证书"),
        columns=(
            Column(key="number", title=_("证书编号"), value=lambda row: grouped(row.number), url=certificate_url),
            Column(key="name", title=_("证书"), value=lambda row: row.version.name),
            Column(key="holder", title=_("得证人"), value=lambda row: row.holder_name),
            Column(key="issuer", title=_("颁发机构"), value=lambda row: row.issuer_name),
            Column(key="at", title=_("颁发时间"), value=lambda row: row.given_at, kind=CellKind.DATETIME),
            Column(key="until", title=_("有效期至"), value=lambda row: row.valid_until, kind=CellKind.DATE),
            Column(key="status", title=_("状态"), value=lambda row: status_word(status_of(row, now=now)), kind=CellKind.STATUS),
        ),
        rows=lambda query: page_of(rows(query), lambda row: row, number=query.number, size=query.size),
        stream=lambda query: rows(query).iterator(chunk_size=2_000),
        filters=(Filter(key="status", label=_("状态"), choices=statuses), Filter(key="batch", label=_("批次"))),
        search_label=_("姓名或证书编号"),
        empty=EmptyState(title=_("没有证书"), text=_("发出的证书会列在这里。"), icon="award"),
        on_export=exported,
    )
    return render_list(request, spec, context={"breadcrumbs": trail((_("已发的证书"), ""))})
