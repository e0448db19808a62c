"""Admission to schools: which of them have registrations that wait, whole groups by rank, the rest by a public draw."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.casework.data import DrawState
from shuren.casework.models import Draw
from shuren.casework.selectors.admission import SchoolWaiting, schools_waiting
from shuren.casework.selectors.draws import access_draw, draws_of
from shuren.casework.selectors.hall import coming_year, places_of_school
from shuren.casework.selectors.window import is_clerk, may_clerk
from shuren.casework.services.hall.admit import admit_by_draw, admit_by_rank, prepare_admission_draw, wishes_of
from shuren.casework.views.hall_forms import PlacesForm
from shuren.casework.views.hall_parts import trail
from shuren.directory import api as directory
from shuren.directory.data import OrgType, Permission
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.errors import NotFound
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import CellKind, Column, EmptyState, ListSpec

_SCHOOLS = (OrgType.SCHOOL, OrgType.CAMPUS, OrgType.TEACHING_POINT)


@never_cache
@require_safe
def admissions(request: HttpRequest) -> HttpResponseBase:
    """The schools where registrations wait for admission."""
    actor, now = actor_of(request), clock.now()
    if not is_clerk(actor, now=now):
        raise NotFound(_("没有找到这个页面。"))
    spec: ListSpec[SchoolWaiting] = ListSpec(
        name="admissions",
        title=_("学校录取"),
        columns=(
            Column(
                key="school",
                title=_("学校"),
                value=lambda row: row.name,
                url=lambda row: reverse("casework:hall_admission", args=[row.public_id]),
            ),
            Column(key="waiting", title=_("等待录取"), value=lambda row: row.waiting, kind=CellKind.NUMBER),
        ),
        rows=lambda query: schools_waiting(actor=actor, search=query.search, number=query.number, size=query.size, now=now),
        search_label=_("学校名称"),
        empty=EmptyState(
            title=_("没有学校等待录取"), text=_("入学报名经学校和教育局核对后，学校会出现在这里。"), icon="building"
        ),
    )
    return render_list(request, spec, context={"breadcrumbs": trail((_("学校录取"), ""))})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def admission(request: HttpRequest, org_id: str) -> HttpResponseBase:
    """Admit to a school: whole groups while they fit; where the next one does not, a public draw."""
    actor, now = actor_of(request), clock.now()
    org = directory.access_org(actor=actor, id=ids.decode("org", org_id), permission=Permission.VIEW_CASES, now=now)
    if org.type not in _SCHOOLS or not may_clerk(actor, org.path, now=now):
        raise NotFound(_("没有找到这个机构。"))
    year = coming_year(clock.day_of(now))
    planned = places_of_school(org_id=org.id, year=year, stage="primary")
    form = PlacesForm(posted(request), initial={"places": planned})
    back = reverse("casework:hall_admission", args=[org_id])

    def save() -> str:
        places = form.cleaned_data["places"]
        if request.POST.get("act") == "draw":
            draw = prepare_admission_draw(actor=actor, org_id=org.id, left=places, now=now)
            return reverse("casework:draw", args=[ids.encode("draw", draw.pk)])
        found = admit_by_rank(actor=actor, org_id=org.id, places=places, now=now)
        words = {
            "admitted": len(found.admitted),
            "elsewhere": len(found.elsewhere),
            "draw": len(found.to_draw),
            "left": found.left,
        }
        messages.success(request, _("录取 %(admitted)d 人，统筹安排 %(elsewhere)d 人。") % words)
        if found.to_draw:
            messages.warning(request, _("还有 %(draw)d 人报名、%(left)d 个学位，请摇号。") % words)
        return back

    groups: dict[int, int] = {}
    for wish in wishes_of(org):
        groups[wish.group] = groups.get(wish.group, 0) + 1
    lead = _("等待录取：") + "，".join(
        _("第 %(group)s 类 %(count)d 人") % {"group": key, "count": count} for key, count in sorted(groups.items())
    )
    return form_page(
        request,
        form,
        save,
        shows_missing=True,
        title=_("%(school)s 录取") % {"school": org.name},
        submit=_("按类别录取"),
        back=reverse("casework:hall_admissions"),
        lead=lead if groups else _("没有等待录取的报名。"),
        breadcrumbs=trail((_("学校录取"), reverse("casework:hall_admissions")), (org.name, "")),
        template="casework/hall_admission.html",
        more={
            "draws": [_draw_line(draw) for draw in draws_of(actor=actor, now=now).filter(org_id=org.id, purpose="lottery")[:10]]
        },
    )


def _draw_line(draw: Draw) -> dict[str, str]:
    public_id, is_made = ids.encode("draw", draw.pk), draw.state in (DrawState.DRAWN.value, DrawState.PUBLISHED.value)
    url = reverse("casework:hall_admit_drawn", args=[public_id]) if is_made else ""
    return {"title": draw.title, "url": reverse("casework:draw", args=[public_id]), "apply_url": url}


@never_cache
@require_POST
def admit_drawn(request: HttpRequest, draw_id: str) -> HttpResponseBase:
    """Decide the registrations as their draw came out."""
    actor, now = actor_of(request), clock.now()
    draw = access_draw(actor=actor, id=ids.decode("draw", draw_id), now=now)
    admitted, elsewhere = admit_by_draw(actor=actor, draw_id=draw.pk, now=now)
    words = {"admitted": admitted, "elsewhere": elsewhere}
    messages.success(request, _("按摇号结果录取 %(admitted)d 人，统筹安排 %(elsewhere)d 人。") % words)
    return redirect("casework:draw", draw_id=draw_id)
