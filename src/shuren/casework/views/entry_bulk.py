"""One change for many entries: which ones, what, how many it touches, then done or handed to a job."""

from itertools import islice

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shuren.casework.forms import posted_data
from shuren.casework.rules.codes import offered
from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.selectors.entries import Register
from shuren.casework.selectors.entry_lists import entry_ids
from shuren.casework.services.registers.bulk import (
    AT_ONCE,
    STATE,
    Edit,
    edit_entries,
    editable_fields,
    enqueue_edit,
    preview_edit,
    read_edit,
)
from shuren.casework.views.register_parts import entry_query, list_spec, register_in, register_url, trail
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.errors import Invalid, NotFound, Refused
from shuren.pages.api import list_query

MOST = 50_000
_PREVIEWED = 5_000
_CHOICES = 200


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit_many(request: HttpRequest, key: str) -> HttpResponseBase:
    """Ticked rows come as `ids`, all that a filter leaves by the address of the list; `step` says how far we are."""
    register = register_in(request, key)
    if not register.access.write_paths or register.spec.change_by:
        raise Refused(_("这个台账不能批量修改。"))
    wanted = _wanted(request, register)
    if not wanted:
        messages.warning(request, _("没有选中任何记录。"))
        return redirect(register_url(register))
    page = _page(request, register, wanted)
    step, what = request.POST.get("step", ""), request.POST.get("what", "")
    if step not in ("preview", "do"):
        return render(request, "casework/entry_bulk.html", page)
    try:
        edit = read_edit(register.spec, what, _told(request, register, what))
    except Invalid as error:
        return render(request, "casework/entry_bulk.html", {**page, "error": str(error)}, status=400)
    if step == "do":
        return _done(request, register, wanted, edit)
    counts = preview_edit(register, wanted[:_PREVIEWED], edit)
    context = {**page, "counts": counts, "is_part": len(wanted) > _PREVIEWED, "part": f"{_PREVIEWED:,}"}
    return render(request, "casework/entry_bulk.html", context)


def _wanted(request: HttpRequest, register: Register) -> list[int]:
    if request.method == "POST" and request.POST.get("ids"):
        found = []
        for public_ids in request.POST.getlist("ids"):
            for one in public_ids.split(","):
                try:
                    found.append(ids.decode("entry", one))
                except NotFound:
                    continue
        return sorted(set(found))[:MOST]
    query = list_query(request, list_spec(register, name="asked", actor=actor_of(request)))
    return list(islice(entry_ids(register, entry_query(register, query)), MOST))


def _told(request: HttpRequest, register: Register, what: str) -> object:
    if what == STATE:
        return request.POST.get("state", "")
    key = what.removeprefix("field:")
    return posted_data(register.spec, request.POST).get(key)


def _page(request: HttpRequest, register: Register, wanted: list[int]) -> dict[str, object]:
    fields = editable_fields(register.spec)
    what = request.POST.get("what", "")
    chosen = next((one for one in fields if f"field:{one.key}" == what), None)
    is_ticked = request.method == "POST" and bool(request.POST.get("ids"))
    return {
        "title": _("批量修改“%(register)s”") % {"register": register.title},
        "lead": ngettext("选中 %(count)s 条记录。", "选中 %(count)s 条记录。", len(wanted)) % {"count": f"{len(wanted):,}"},
        "ids": ",".join(ids.encode("entry", pk) for pk in wanted) if is_ticked else "",
        "kept": [] if is_ticked else [(name, value) for name, value in request.GET.items()],
        "action": "" if is_ticked else f"?{request.GET.urlencode()}",
        "whats": [("state", _("状态"))] * bool(register.spec.states) + [(f"field:{one.key}", str(one.title)) for one in fields],
        "what": what,
        "states": [(state.key, str(state.title)) for state in register.spec.states] if what == STATE else [],
        "field": _field(chosen, request) if chosen is not None else None,
        "state": request.POST.get("state", ""),
        "reason": request.POST.get("_reason", ""),
        "will_wait": len(wanted) > AT_ONCE,
        "cancel_url": register_url(register),
        "breadcrumbs": trail(register, (_("批量修改"), "")),
    }


def _field(one: FieldSpec, request: HttpRequest) -> dict[str, object]:
    kinds = {FieldType.DATE: "date", FieldType.INTEGER: "number", FieldType.DECIMAL: "number"}
    choices: list[tuple[str, str]] = []
    if one.type in (FieldType.CODE, FieldType.CODES):
        choices = [(code, str(title)) for code, title in list(offered(one).items())[:_CHOICES]]
    elif one.type is FieldType.BOOLEAN:
        choices = [("true", _("是")), ("false", _("否"))]
    return {
        "key": one.key,
        "title": str(one.title),
        "choices": choices,
        "is_many": one.type is FieldType.CODES,
        "kind": kinds.get(one.type, "text") if one.type else "text",
        "values": request.POST.getlist(one.key),
        "value": request.POST.get(one.key, ""),
    }


def _done(request: HttpRequest, register: Register, wanted: list[int], edit: Edit) -> HttpResponseBase:
    actor, reason = actor_of(request), request.POST.get("_reason", "").strip()[:500]
    if len(wanted) > AT_ONCE:
        job_id = enqueue_edit(actor=actor, register=register, entry_ids=wanted, edit=edit, reason=reason)
        messages.success(request, _("已开始修改，可以离开这一页，在“任务”里看进度。"))
        return redirect(reverse("front:job", args=[ids.encode("job", job_id)]))
    counts = edit_entries(actor=actor, register=register, entry_ids=wanted, edit=edit, reason=reason, now=clock.now())
    said = ngettext("已修改 %(count)d 条。", "已修改 %(count)d 条。", counts.changed) % {"count": counts.changed}
    messages.success(request, said)
    for label, why in counts.refused:
        messages.warning(request, _("“%(label)s”没有修改：%(why)s") % {"label": label, "why": why})
    return redirect(register_url(register))
