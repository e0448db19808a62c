"""Boundaries of the orgs below one: a GeoJSON file in and out."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from shuren.directory.data import OrgData, Permission
from shuren.directory.forms import BoundariesForm
from shuren.directory.rules.boundaries import BoundaryFault
from shuren.directory.selectors.boundaries import check_boundaries, children_with_boundaries
from shuren.directory.selectors.orgs import access_org, ancestors_of
from shuren.directory.services.set_boundaries import set_boundaries
from shuren.directory.views.asked import actor_in, now, org_id_in
from shuren.directory.views.form_pages import form_page
from shuren.directory.views.org_pages import org_url
from shuren.kernel.errors import Invalid
from shuren.pages.api import boundaries_svg


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    url: str
    code: str
    has_boundary: bool


def boundaries(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """What is drawn now, and a file that replaces it; a file with any fault changes nothing."""
    org = _org(request, public_id)
    form = BoundariesForm(request.POST, request.FILES) if request.method == "POST" else BoundariesForm()
    faults: list[BoundaryFault] = []

    def save() -> str:
        checked = check_boundaries(org.id, form.cleaned_data["file"])
        if checked.faults:
            faults.extend(checked.faults)
            raise Invalid(_("文件里有 %(count)s 处要改，没有保存任何边界。") % {"count": len(faults)})
        count = set_boundaries(actor=actor_in(request), org_id=org.id, boundaries=checked.boundaries, now=now())
        said = ngettext("已保存 %(count)s 个机构的边界。", "已保存 %(count)s 个机构的边界。", count) % {"count": count}
        messages.success(request, said if count else _("这些边界和现在的一样，没有改动。"))
        if checked.missing:
            names = "、".join(child.name for child in checked.missing)
            messages.warning(request, _("还没有边界：%(names)s。全部齐了，报告里才画地图。") % {"names": names})
        return org_url(org, "boundaries")

    shown = children_with_boundaries(org.id)
    more: dict[str, object] = {
        "is_multipart": True,
        "faults": faults,
        "children": [_Child(child.name, org_url(child), child.division_code, boundary is not None) for child, boundary in shown],
        "drawing": _drawing(org, shown),
        "file_url": org_url(org, "boundaries_file"),
        "clear_url": org_url(org, "clear_boundaries"),
    }
    return form_page(
        request,
        form,
        save,
        title=_("“%(name)s”下级机构的边界") % {"name": org.name},
        submit=_("检查并保存"),
        lead=_("有了边界，本级报告按地图画出下级机构；没有边界时画成方格。"),
        back=org_url(org),
        chain=[*ancestors_of(org.id), org],
        template="directory/boundaries.html",
        more=more,
    )


@require_GET
def boundaries_file(request: HttpRequest, public_id: str) -> HttpResponse:
    """The boundaries as they are kept, in the form that can be uploaded again."""
    org = _org(request, public_id)
    features = [
        {"type": "Feature", "properties": {"name": child.name, "adcode": child.division_code}, "geometry": boundary}
        for child, boundary in children_with_boundaries(org.id)
        if boundary is not None
    ]
    response = JsonResponse({"type": "FeatureCollection", "features": features}, json_dumps_params={"ensure_ascii": False})
    response["Content-Type"] = "application/geo+json"
    response["Content-Disposition"] = f'attachment; filename="boundaries-{org.public_id}.geojson"'
    return response


@require_POST
def clear_boundaries(request: HttpRequest, public_id: str) -> HttpResponse:
    org = _org(request, public_id)
    nothing = {child.id: None for child, boundary in children_with_boundaries(org.id) if boundary is not None}
    set_boundaries(actor=actor_in(request), org_id=org.id, boundaries=nothing, now=now())
    messages.success(request, _("已清除边界，报告画成方格。"))
    return redirect(org_url(org, "boundaries"))


def _org(request: HttpRequest, public_id: str) -> OrgData:
    return access_org(actor=actor_in(request), id=org_id_in(public_id), permission=Permission.MANAGE_ORGS, now=now())


def _drawing(org: OrgData, shown: Sequence[tuple[OrgData, dict[str, object] | None]]) -> SafeString | None:
    drawn = [(child.short_name or child.name, boundary) for child, boundary in shown if boundary is not None]
    if not drawn:
        return None
    return mark_safe(
        boundaries_svg(drawn, title=_("%(name)s下级机构的边界") % {"name": org.name})
    )  # names are escaped where drawn
