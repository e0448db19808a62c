"""Filing and filling in: what one may start, the draft saved while typing, its files, handing in."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate, localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from shuren.casework.data import CaseState, DefinitionKind, FieldFault
from shuren.casework.models import Case, Definition
from shuren.casework.rules.forms import check_form
from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.rules.values import value_text
from shuren.casework.selectors.attachments import files_of
from shuren.casework.selectors.cases import form_of_case, may_fill, orgs_to_file_for, startable_flows
from shuren.casework.selectors.definitions import definition_named, flow_of
from shuren.casework.selectors.prefill import Prefill
from shuren.casework.services.attachments import add_attachment
from shuren.casework.services.cases.file import FILLABLE, file_case, held_values, save_draft
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.form_refused import FormRefused
from shuren.casework.views.case_forms import FileForm
from shuren.casework.views.case_pages import case_in
from shuren.casework.views.case_parts import case_url
from shuren.casework.views.form_parts import Worked, form_context, worked_patch, worked_post
from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused, ShurenError
from shuren.pages.api import form_page


@never_cache
@require_http_methods(["GET", "POST"])
def new_case(request: HttpRequest) -> HttpResponseBase:
    """What one may start; with a flow chosen, for which org and about whom."""
    actor, now, key = actor_of(request), clock.now(), request.GET.get("flow", "")
    offered = startable_flows(actor=actor, now=now)
    if not key:
        if request.method == "POST":
            return redirect("casework:new_case")
        context = {"title": _("发起"), "flows": [_offered(row) for row in offered], "breadcrumbs": _trail()}
        return render(request, "casework/case_new.html", context)
    definition = definition_named(DefinitionKind.FLOW, key)
    if definition.pk not in {row.pk for row in offered}:
        raise NotFound(_("没有找到这个事项。"))
    spec = flow_of(definition.current_id or 0)
    orgs = [(org.public_id, org.name) for org in orgs_to_file_for(actor=actor, filed_by=spec.filed_by, now=now)]
    form = FileForm(request.POST if request.method == "POST" else None, orgs=orgs, subjects=_subjects(actor))

    def save() -> str:
        told = form.cleaned_data
        row = file_case(
            actor=actor,
            flow=spec.key,
            org_id=ids.decode("org", told["org"]),
            subject_person_id=ids.decode("person", told["subject"]) if told.get("subject") else None,
            now=now,
        )
        return case_url(row, "fill_case")

    return form_page(
        request,
        form,
        save,
        title=str(spec.title),
        submit=_("开始填写"),
        back=reverse("casework:new_case"),
        lead=str(spec.note or ""),
        breadcrumbs=[*_trail(), {"label": str(spec.title), "url": ""}],
    )


def _trail() -> list[dict[str, str]]:
    return [
        {"label": _("我发起的"), "url": reverse("casework:own_cases")},
        {"label": _("发起"), "url": reverse("casework:new_case")},
    ]


def _offered(row: Definition) -> dict[str, Any]:
    spec = flow_of(row.current_id or 0)
    return {
        "title": spec.title,
        "note": spec.note or "",
        "steps": [stage.title for stage in spec.stages],
        "url": f"{reverse('casework:new_case')}?flow={spec.key}",
    }


def _subjects(actor: Actor) -> list[tuple[str, str]]:
    """Wards, and oneself where one is a pupil; officers name whom it is about in the form itself."""
    if actor.person_id is None:
        return []
    wards = [link.ward_id for link in directory.wards_of([actor.person_id])]
    found = directory.people_by_ids(wards)
    return [(person.public_id, person.name) for person in found.values()]


@never_cache
@require_http_methods(["GET", "POST", "PATCH"])
def fill_case(request: HttpRequest, case_id: str) -> HttpResponseBase:
    """The draft: PATCH keeps what was typed, POST keeps it too and hands it in where that was the button."""
    row = case_in(request, case_id)
    actor, now = actor_of(request), clock.now()
    if not may_fill(row, actor, now):
        raise NotFound(_("没有找到这个办件。"))
    if row.state not in FILLABLE:
        if request.method == "PATCH":
            return _told(Conflict(_("这个办件已经提交，不能再改。")))
        return redirect("casework:case", case_id=case_id)
    if request.method == "PATCH":
        return _kept(request, row, actor)
    return _posted(request, row, actor) if request.method == "POST" else _shown(request, row)


def _kept(request: HttpRequest, row: Case, actor: Actor) -> HttpResponseBase:
    now = clock.now()
    locked = held_values(row, now)
    try:
        revision, data = worked_patch(
            form_of_case(row),
            request,
            kept=_standing(row, locked),
            actor=actor,
            now=now,
            files=files_of(case_id=row.pk),
            locked=locked,
        )
        saved = save_draft(actor=actor, case_id=row.pk, data=data, base_revision=revision, now=now)
    except Conflict:
        row.refresh_from_db()
        return JsonResponse({"data": row.data, "revision": row.revision}, status=409)
    except Invalid as error:
        return _told(error)
    return JsonResponse({"revision": saved, "saved_at": localtime(now).isoformat(timespec="seconds")})


def _standing(row: Case, held: Mapping[str, Prefill]) -> dict[str, Any]:
    """What the case holds as it will be handed in: what the region holds by now stands over what was kept."""
    return {**row.data, **{key: one.value for key, one in held.items()}}


def _posted(request: HttpRequest, row: Case, actor: Actor) -> HttpResponseBase:
    """Without the script a page sends everything at once, over the revision from which it was drawn."""
    work = _worked(request, row, actor)
    now, drawn_from = clock.now(), row.revision if work.revision is None else work.revision
    try:
        save_draft(actor=actor, case_id=row.pk, data=work.data, base_revision=drawn_from, now=now)
    except Conflict as error:
        return _clashed(request, row, work, error)
    if work.is_submit:
        return _handed_in(request, row, actor)
    row.refresh_from_db()
    if work.faults or work.blank_rows:
        return _shown(request, row, faults=work.faults, status=400 if work.faults else 200, blank_rows=work.blank_rows)
    return redirect(f"{case_url(row, 'fill_case')}#{work.place}")


def _worked(request: HttpRequest, row: Case, actor: Actor) -> Worked:
    now, form = clock.now(), form_of_case(row)
    locked = held_values(row, now)

    def add_file(path: str, upload: "UploadedFile[bytes]") -> dict[str, Any]:
        return add_attachment(actor=actor, form=form, path=path, upload=upload, case_id=row.pk, now=now)

    return worked_post(
        form,
        request,
        kept=_standing(row, locked),
        actor=actor,
        now=now,
        files=files_of(case_id=row.pk),
        add_file=add_file,
        locked=locked,
    )


def _handed_in(request: HttpRequest, row: Case, actor: Actor) -> HttpResponseBase:
    try:
        done = submit_case(actor=actor, case_id=row.pk, now=clock.now())
    except FormRefused as refused:
        row.refresh_from_db()
        return _shown(request, row, faults=refused.faults, status=400)
    except (Invalid, Conflict, Refused) as error:
        messages.error(request, str(error))
        return redirect("casework:fill_case", case_id=ids.encode("case", row.pk))
    messages.success(request, _("已提交，编号 %(number)s。") % {"number": done.number})
    return redirect("casework:hall_case" if done.item_id else "casework:case", case_id=ids.encode("case", row.pk))


def _clashed(request: HttpRequest, row: Case, work: Worked, error: Conflict) -> HttpResponseBase:
    """Somebody saved since the page was drawn: what was typed, and at every field that differs what they saved."""
    row.refresh_from_db()
    if row.state not in FILLABLE:
        messages.error(request, str(error))
        return redirect("casework:case", case_id=ids.encode("case", row.pk))
    form, held = form_of_case(row), held_values(row, clock.now())
    signatures = [field.key for field in form.fields if field.type == FieldType.SIGNATURE]
    typed = {**work.data, **{key: row.data.get(key) for key in signatures}}
    mine, theirs = (check_form(form, data, today=localdate(), is_draft=True).data for data in (typed, _standing(row, held)))
    faults = [_clash(field, theirs.get(field.key)) for field in form.fields if mine.get(field.key) != theirs.get(field.key)]
    if not faults:
        return redirect("casework:fill_case", case_id=ids.encode("case", row.pk))
    messages.warning(request, _("别人刚刚保存过这份表，您这次填的还没有保存。请对照标出的几项，改好后再保存。"))
    return _shown(request, row, data=typed, faults=faults, status=409)


def _clash(field: FieldSpec, theirs: Any) -> FieldFault:
    text = value_text(field, theirs, get_language() or "zh-hans") or _("（空）")
    reason = _("别人保存的是：%(value)s") % {"value": text}
    return FieldFault(path=field.key, title=str(field.title), reason=reason, remedy=_("再次保存会换成您填的。"))


def _shown(
    request: HttpRequest, row: Case, *, data: Mapping[str, Any] | None = None, status: int = 200, **more: Any
) -> HttpResponseBase:
    now, public_id = clock.now(), ids.encode("case", row.pk)
    sheet = form_context(
        form_of_case(row),
        row.data if data is None else data,
        now=now,
        prefilled=held_values(row, now),
        revision=row.revision,
        saved_at=row.changed_at if row.revision > 1 else None,
        save_url=case_url(row, "fill_case"),
        upload_url=case_url(row, "add_case_file"),
        objection_url=reverse("casework:object_to", args=[public_id]),
        **more,
    )
    returned = row.events.filter(act="returned").order_by("-id").first() if row.state == CaseState.RETURNED.value else None
    context = {
        "title": row.title,
        "lead": f"{row.number} · {row.org.name}",
        "returned": returned.comment if returned else "",
        "submit_label": _("重新提交") if returned else _("提交"),
        "discard_url": case_url(row, "withdraw_case"),
        "breadcrumbs": [*_trail()[:1], {"label": row.title, "url": ""}],
        **sheet,
    }
    return render(request, "casework/case_fill.html", context, status=status)


@require_POST
def add_case_file(request: HttpRequest, case_id: str) -> HttpResponseBase:
    """One file for the field `path` of a draft, as the browser sends it."""
    row, actor, now = case_in(request, case_id), actor_of(request), clock.now()
    if not may_fill(row, actor, now) or row.state not in FILLABLE:
        raise NotFound(_("没有找到这个办件。"))
    upload = next((file for file in request.FILES.values() if isinstance(file, UploadedFile)), None)
    if upload is None:
        return _told(Invalid(_("没有收到文件。"), remedy=_("请重新选择文件上传。")))
    path = request.POST.get("path", "")
    try:
        value = add_attachment(actor=actor, form=form_of_case(row), path=path, upload=upload, case_id=row.pk, now=now)
    except Invalid as error:
        return _told(error)
    return JsonResponse(value, status=201)


def _told(error: ShurenError) -> JsonResponse:
    """An error in the shape in which the API tells it, for the script of the form."""
    told = {"status": error.status, "message": error.message, "remedy": error.remedy}
    return JsonResponse({"error": told}, status=error.status)
