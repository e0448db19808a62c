"""Registers as pages: which there are, one as a list, its map, its files, and what everybody may read of it."""

from datetime import datetime
from typing import Any, BinaryIO, cast
from urllib.parse import urlencode

from django.http import FileResponse, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.casework.selectors.entries import Register, RegisterRow, counted, public_register, registers_open_to
from shuren.casework.selectors.entry_lists import EntryRow, entries_stream, placed_entries, whole_register
from shuren.casework.services.registers.columns import only_on_pages, table_sheets
from shuren.casework.services.registers.give_out import feature_collection, parquet_file
from shuren.casework.services.registers.take_in import KIND
from shuren.casework.services.registers.workbook import register_workbook, seen_whole
from shuren.casework.views.register_parts import (
    REMOVED,
    base_url,
    entry_query,
    entry_url,
    list_spec,
    note_export,
    register_in,
    register_url,
    trail,
    view_query,
)
from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType
from shuren.identity.api import actor_of
from shuren.intake import api as intake
from shuren.kernel import clock, ids
from shuren.kernel.doors import open_door, sensitive_files
from shuren.kernel.errors import Invalid, NotFound, Refused
from shuren.kernel.paging import Page
from shuren.pages.api import boundaries_svg, list_query, render_list
from shuren.pages.data import Action, CellKind, Column, EmptyState, ListQuery, ListSpec, MapDot

_DOTS = 2_000
_FEATURES = 200_000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@never_cache
@require_safe
def registers(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    found = registers_open_to(actor=actor, now=now)

    def rows(query: ListQuery) -> Page[RegisterRow]:
        wanted = [one for one in found if query.search in one.title]
        start = (query.number - 1) * query.size
        return Page(counted(wanted[start : start + query.size]), len(wanted), True, query.number, query.size)

    spec: ListSpec[RegisterRow] = ListSpec(
        name="registers",
        title=_("台账"),
        columns=(
            Column(
                key="title", title=_("台账"), value=lambda row: row.register.title, url=lambda row: register_url(row.register)
            ),
            Column(key="count", title=_("您能看到的条数"), value=_count_text, kind=CellKind.NUMBER),
            Column(key="right", title=_("您可以"), value=lambda row: _right_word(row.register)),
            Column(key="note", title=_("说明"), value=lambda row: str(row.register.spec.note or "")),
        ),
        rows=rows,
        search_label=_("台账名称"),
        empty=EmptyState(title=_("没有您可以看的台账"), text=_("台账由上级单位建立，建好后会出现在这里。"), icon="list-details"),
    )
    return render_list(request, spec)


def _count_text(row: RegisterRow) -> str | int:
    return row.count if row.count_is_exact else _("超过 %(count)s") % {"count": f"{row.count:,}"}


def _right_word(register: Register) -> str:
    if not register.access.write_paths:
        return _("查看")
    return _("查看、申请变更") if register.spec.change_by else _("查看、登记、修改")


@sensitive_files(asked_by="export")
@never_cache
@require_safe
def register(request: HttpRequest, key: str) -> HttpResponseBase:
    """One register: its views as chips, then the list."""
    found = register_in(request, key)
    is_removed = request.GET.get("removed", "") == REMOVED
    may_write = bool(found.access.write_paths) and not found.spec.change_by and not is_removed
    more: dict[str, object] = {"actions": _actions(found), "empty": _empty(found)}
    if may_write:
        bulk = Action(label=_("批量修改"), url=register_url(found, "edit_entries"), icon="edit")
        more |= {"row_id": lambda row: ids.encode("entry", row.entry.pk), "bulk": (bulk,)}
    spec = list_spec(
        found,
        name=f"register-{found.key.replace('.', '-')}",
        actor=actor_of(request),
        url=lambda row: entry_url(row.entry),
        more=more,
    )
    query = urlencode({key: value for key, value in request.GET.items() if key not in ("page", "export")})
    context = {
        "breadcrumbs": trail(found),
        "views": [
            {
                "title": str(view.title),
                "url": f"?{urlencode(view_query(view))}",
                "is_current": _is_current(request, view_query(view)),
            }
            for view in found.spec.views
        ],
        "more": _files_of(found, query, may_write),
    }
    return render_list(request, spec, template="casework/register.html", context=context)


def _is_current(request: HttpRequest, asked: dict[str, str]) -> bool:
    return {key: value for key, value in request.GET.items() if value and key not in ("page", "size", "columns")} == asked


def _empty(found: Register) -> EmptyState:
    if found.spec.change_by or not found.access.write_paths:
        return EmptyState(title=_("还没有登记"), text=_("登记之后会出现在这里。"), icon="list-details")
    action = Action(label=_("登记第一条"), url=register_url(found, "new_entry"), icon="plus", is_primary=True)
    return EmptyState(
        title=_("还没有登记"), text=_("可以一条一条登记，也可以下载模板填好后导入。"), action=action, icon="list-details"
    )


def _actions(found: Register) -> tuple[Action, ...]:
    actions = []
    if found.spec.place:
        actions.append(Action(label=_("地图"), url=register_url(found, "register_map"), icon="map-pin"))
    if found.spec.has_labels:
        actions.append(Action(label=_("标签"), url=register_url(found, "register_labels"), icon="qrcode"))
    if found.access.write_paths and found.spec.change_by:
        actions.append(Action(label=_("申请登记"), url=register_url(found, "ask_entry"), icon="send", is_primary=True))
    elif found.access.write_paths:
        actions.append(Action(label=_("导入"), url=register_url(found, "import_register"), icon="file-import"))
        actions.append(Action(label=_("登记"), url=register_url(found, "new_entry"), icon="plus", is_primary=True))
    return tuple(actions)


def _files_of(found: Register, query: str, may_write: bool) -> list[dict[str, str]]:
    """What else is done with all the list leaves."""
    links = [{"label": _("Parquet（数据分析用）"), "url": f"{register_url(found, 'register_parquet')}?{query}"}]
    if found.spec.place:
        links.append({"label": _("GeoJSON（地图用）"), "url": f"{register_url(found, 'register_geojson')}?{query}"})
    if may_write:
        links.append({"label": _("Excel（改好可以再导入）"), "url": f"{register_url(found, 'register_workbook')}?{query}"})
        links.append({"label": _("批量修改筛选出的全部"), "url": f"{register_url(found, 'edit_entries')}?{query}"})
    if found.spec.is_public:
        links.append({"label": _("公开页"), "url": register_url(found, "open_register")})
    return links


def _asked(request: HttpRequest, found: Register) -> ListQuery:
    """What the address of the list asks, for a file of all it leaves."""
    return list_query(request, list_spec(found, name="asked", actor=actor_of(request)))


@sensitive_files()
@require_safe
def register_parquet(request: HttpRequest, key: str) -> HttpResponseBase:
    found = register_in(request, key)
    query = _asked(request, found)
    note_export(actor_of(request), found, query, "parquet")
    file = parquet_file(found, entries_stream(found, entry_query(found, query)))
    return FileResponse(
        file, as_attachment=True, filename=f"{found.title}.parquet", content_type="application/vnd.apache.parquet"
    )


@require_safe
def register_geojson(request: HttpRequest, key: str) -> HttpResponseBase:
    found = register_in(request, key)
    query = _asked(request, found)
    note_export(actor_of(request), found, query, "geojson")
    rows = placed_entries(found, entry_query(found, query), limit=_FEATURES)
    response = JsonResponse(feature_collection(rows, base_url=base_url(request)), content_type="application/geo+json")
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{found.title}.geojson") or ""
    return response


@never_cache
@require_safe
def register_map(request: HttpRequest, key: str) -> HttpResponseBase:
    """Where things lie within the reader's city or district; the outlines are those the region has put in."""
    found = register_in(request, key)
    query = entry_query(found, _asked(request, found))
    rows = placed_entries(found, query, limit=_DOTS + 1)
    outlines = _outlines(found)
    context = {
        "title": _("%(register)s：位置") % {"register": found.title},
        "breadcrumbs": trail(found, (_("地图"), "")),
        "map": mark_safe(_drawn(found, rows[:_DOTS], outlines)) if rows or outlines else "",  # drawn here, every word escaped
        "rows": [_place_line(row) for row in rows[:_DOTS]],
        "is_cut": len(rows) > _DOTS,
        "limit": f"{_DOTS:,}",
        "has_outlines": bool(outlines),
        "actions": (
            Action(label=_("GeoJSON"), url=register_url(found, "register_geojson"), icon="download"),
            Action(label=_("返回列表"), url=register_url(found), icon="list"),
        ),
    }
    return render(request, "casework/register_map.html", context)


def _place_line(row: EntryRow) -> dict[str, Any]:
    entry = row.entry
    return {"label": entry.label, "url": entry_url(entry), "org": row.org_name, "lon": entry.longitude, "lat": entry.latitude}


def _drawn(found: Register, rows: list[EntryRow], outlines: list[tuple[str, dict[str, object]]]) -> str:
    dots = [
        MapDot(
            label=f"{row.entry.label} · {row.org_name}",
            longitude=row.entry.longitude or 0.0,
            latitude=row.entry.latitude or 0.0,
            url=entry_url(row.entry),
        )
        for row in rows
    ]
    return boundaries_svg(outlines, title=_("%(register)s的位置") % {"register": found.title}, dots=dots)


def _outlines(found: Register) -> list[tuple[str, dict[str, object]]]:
    """The districts of the reader's city, or the district itself; of a province its cities, never more."""
    paths = found.access.read_paths
    if not paths:
        return []
    tops = directory.orgs_above(paths[:1])
    placed = [org for org in tops.values() if org.type in (OrgType.PROVINCE, OrgType.CITY, OrgType.COUNTY)]
    if not placed:
        return []
    inner = max(placed, key=lambda org: org.depth)
    wanted: list[OrgData] = [inner] if inner.type is OrgType.COUNTY else directory.children_of(inner.id)
    shapes = directory.geometries_of([org.id for org in wanted])
    return [(org.short_name or org.name, shapes[org.id]) for org in wanted if org.id in shapes]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def import_register(request: HttpRequest, key: str) -> HttpResponseBase:
    """The template to download and the file to send; from there the wizard of imports goes on."""
    found = _to_import(request, key)
    context: dict[str, object] = {
        "title": _("导入“%(register)s”") % {"register": found.title},
        "breadcrumbs": trail(found, (_("导入"), "")),
        "template_url": register_url(found, "register_template"),
        "cancel_url": register_url(found),
        "is_single": len(found.access.write_paths) == 1,
        "tables": [sheet.title for sheet in table_sheets(found.spec)],
        "only_on_pages": only_on_pages(found.spec),
    }
    status = 200
    if request.method == "POST":
        try:
            return redirect("front:import", import_id=ids.encode("import", _start_import(request, found, clock.now())))
        except Invalid as error:
            context["error"], status = str(error), 400
    return render(request, "casework/register_import.html", context, status=status)


def _start_import(request: HttpRequest, found: Register, now: datetime) -> int:
    file = request.FILES.get("file")
    if file is None or isinstance(file, list):
        raise Invalid(_("还没有选择文件。"), remedy=_("请选择填好的表格。"))
    options = {"register": found.key}
    return intake.start_import(
        actor=actor_of(request),
        kind=KIND,
        file_name=file.name or "file",
        content=cast("BinaryIO", file),
        options=options,
        now=now,
    )


@require_safe
def register_template_file(request: HttpRequest, key: str) -> HttpResponseBase:
    found = _to_import(request, key)
    name = _("%(register)s导入模板.xlsx") % {"register": found.title}
    return FileResponse(register_workbook(found.spec), as_attachment=True, filename=name, content_type=_XLSX)


@sensitive_files()
@require_safe
def register_workbook_file(request: HttpRequest, key: str) -> HttpResponseBase:
    """All that the list leaves, as it can be sent in again."""
    found = _to_import(request, key)
    query = _asked(request, found)
    note_export(actor_of(request), found, query, "workbook")
    file = register_workbook(seen_whole(found), entries_stream(found, entry_query(found, query)))
    return FileResponse(file, as_attachment=True, filename=f"{found.title}.xlsx", content_type=_XLSX)


def _to_import(request: HttpRequest, key: str) -> Register:
    found = register_in(request, key)
    if not found.access.write_paths:
        raise Refused(_("您只能查看这个台账，不能导入。"))
    if found.spec.change_by:
        raise Refused(_("这个台账只能通过申请来变更，不能导入。"))
    return found


@open_door
@never_cache
@require_safe
def open_register(request: HttpRequest, key: str) -> HttpResponseBase:
    """What everybody may read of a register, and download."""
    found = whole_register(public_register(key))
    spec = list_spec(
        found,
        name=f"open-{found.key.replace('.', '-')}",
        actor=actor_of(request),
        is_public=True,
        more={"empty": EmptyState(title=_("还没有公开的记录"), icon="list-details")},
    )
    if not directory.root_org():
        raise NotFound(_("没有找到这个台账。"))
    lead = _("公开数据，只含可以公开的栏目。可以下载 CSV 和 Excel。")
    return render_list(request, spec, context={"lead": lead})
