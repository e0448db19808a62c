"""Files coming in: choose, check, mend, look at the difference, apply, undo."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.casework import api as casework
from shuren.directory import api as directory
from shuren.front import selectors
from shuren.front.forms import UploadForm
from shuren.front.selectors import KindOfImport
from shuren.front.services.take_edition import edition_template, undo_edition_import
from shuren.identity.api import actor_of
from shuren.intake import api as intake
from shuren.intake.data import Finding, ImportState, ImportStatus, QuarantineQuery
from shuren.kernel import audit, clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import Conflict, NotFound, Refused
from shuren.pages import api as pages
from shuren.pages.data import CellKind, Choice, Column, EmptyState, Filter, ListQuery, ListSpec, Status
from shuren.work import api as work

_EXAMPLES = 5
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
STATUS_WORDS = {
    ImportStatus.UPLOADED: (gettext_lazy("等待检查"), "busy"),
    ImportStatus.CHECKING: (gettext_lazy("正在检查"), "busy"),
    ImportStatus.REJECTED: (gettext_lazy("有错误，没有写入"), "bad"),
    ImportStatus.READY: (gettext_lazy("检查通过，等待写入"), "warn"),
    ImportStatus.APPLYING: (gettext_lazy("正在写入"), "busy"),
    ImportStatus.APPLIED: (gettext_lazy("已写入"), "good"),
    ImportStatus.FAILED: (gettext_lazy("没有成功"), "bad"),
    ImportStatus.UNDONE: (gettext_lazy("已撤销"), "plain"),
}


@never_cache
@require_GET
def imports(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    kinds = selectors.kinds_open_to(actor, now=now)
    if not kinds:
        raise Refused(_("您当前的身份不能导入数据。"))
    sees_all = all(selectors.holds_everywhere(actor, kind.permission, now=now) for kind in selectors.KINDS.values())
    owner = None if sees_all else actor
    spec = ListSpec(
        name="imports",
        title=_("数据导入"),
        columns=_columns(),
        rows=lambda query: intake.imports(
            query.filters.get("kind"), owner, status=_status(query), number=query.number, size=query.size
        ),
        filters=(
            Filter(
                key="kind",
                label=_("内容"),
                choices=tuple(Choice(value=kind.name, label=str(kind.title)) for kind in selectors.KINDS.values()),
            ),
            Filter(
                key="status",
                label=_("状态"),
                choices=tuple(Choice(value=status.value, label=str(word)) for status, (word, _tone) in STATUS_WORDS.items()),
            ),
        ),
        empty=EmptyState(title=_("还没有导入过文件"), text=_("在上面选一类内容，下载模板，填好后上传。"), icon="file-import"),
    )
    cards = [{"title": kind.title, "text": kind.text, "icon": kind.icon, "url": _start_url(kind)} for kind in kinds]
    if selectors.ROSTER in kinds:
        text = _("让学校或区县的教务系统（OneRoster）按时把名册送来。")
        cards.append({"title": _("名册来源"), "text": text, "icon": "refresh", "url": reverse("interop:roster_sources")})
    waiting = intake.quarantined_rows(QuarantineQuery(), reach=selectors.quarantine_reach(actor=actor, now=now), size=1).total
    if waiting:
        text = _("%(count)s 行没有写入，等待改正。") % {"count": f"{waiting:,}"}
        cards.append({"title": _("隔离区"), "text": text, "icon": "alert-circle", "url": selectors.waiting_url()})
    return pages.render_list(request, spec, template="front/imports.html", context={"kinds": cards})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_import(request: HttpRequest, kind_name: str) -> HttpResponse:
    """Step 1: the template to download and the file to send."""
    actor, now = actor_of(request), clock.now()
    kind = selectors.access_kind(actor=actor, name=kind_name, now=now)
    if kind.start_url:
        return redirect(kind.start_url)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        import_id = intake.start_import(actor=actor, kind=kind.name, file_name=file.name, content=file, options={}, now=now)
        return redirect("front:import", import_id=ids.encode("import", import_id))
    context = {
        "title": _("导入%(kind)s") % {"kind": kind.title},
        "step": 1,
        "form": form,
        "template_url": reverse("front:import_template", args=[kind.name]),
        "template_notes": kind.notes,
        "forms_note": kind.forms_note,
        "breadcrumbs": _trail(_("导入%(kind)s") % {"kind": kind.title}),
    }
    return render(request, "front/wizard.html", context, status=400 if form.errors else 200)


@require_GET
def import_template(request: HttpRequest, kind_name: str) -> HttpResponse:
    kind = selectors.access_kind(actor=actor_of(request), name=kind_name, now=clock.now())
    template = edition_template if kind is selectors.EDITION else kind.template
    if template is None:
        raise NotFound(_("请先打开要导入的台账，在那里下载模板。"))
    name = _("%(kind)s导入模板.xlsx") % {"kind": kind.title}
    disposition = content_disposition_header(True, name) or ""
    return HttpResponse(template(), content_type=_XLSX, headers={"Content-Disposition": disposition})


@never_cache
@require_GET
def import_page(request: HttpRequest, import_id: str) -> HttpResponse:
    """Steps 2 to 5: whatever the import has come to."""
    state, kind = selectors.access_import(actor=actor_of(request), id=import_id, now=clock.now())
    title = _("导入%(kind)s") % {"kind": kind.title}
    context: dict[str, object] = {"title": title, "state": state, "breadcrumbs": _trail(state.file_name)}
    if state.is_busy:
        context |= _progress_context(state)
    elif state.status in (ImportStatus.REJECTED, ImportStatus.READY):
        context |= _review_context(state, kind)
    else:
        context |= _done_context(state, kind)
    return render(request, "front/wizard.html", context)


@never_cache
@require_GET
def import_progress(request: HttpRequest, import_id: str) -> HttpResponse:
    """The progress bar alone; once the step is over the page is told to come anew."""
    state, _kind = selectors.access_import(actor=actor_of(request), id=import_id, now=clock.now())
    context = _progress_context(state)
    response = render(request, "front/_progress.html", context)
    if not state.is_busy:
        response.headers["HX-Refresh"] = "true"
    return response


@sensitive_files(asked_by="export")
@never_cache
@require_GET
def import_findings(request: HttpRequest, import_id: str) -> HttpResponseBase:
    """Every kept finding, group by group, to read or to export."""
    state, _kind = selectors.access_import(actor=actor_of(request), id=import_id, now=clock.now())
    groups = intake.finding_groups(state.id)
    choices = tuple(
        Choice(value=str(group.number), label=" ".join(filter(None, [group.column, group.reason]))) for group in groups
    )
    spec: ListSpec[Finding] = ListSpec(
        name="findings",
        title=_("检查发现的问题"),
        columns=_finding_columns(),
        rows=lambda query: intake.findings(
            state.id, query.number, group=int(query.filters["group"]) if query.filters.get("group") else None, size=query.size
        ),
        filters=(Filter(key="group", label=_("问题"), choices=choices),),
        on_export=lambda query, form: audit.record(
            actor=actor_of(request), action="front.findings_exported", target=f"import:{state.id}", details={"form": form}
        ),
        empty=EmptyState(title=_("没有发现问题"), icon="circle-check"),
    )
    return pages.render_list(request, spec, context={"breadcrumbs": _trail(state.file_name, import_id, spec.title)})


@sensitive_files()
@require_GET
def import_workbook(request: HttpRequest, import_id: str) -> HttpResponseBase:
    """The submitted file as Excel with the wrong cells coloured."""
    actor, now = actor_of(request), clock.now()
    state, _kind = selectors.access_import(actor=actor, id=import_id, now=now)
    if not (state.error_count or state.warning_count):
        raise NotFound(_("这次导入没有发现问题，所以没有错误标注表。"))
    if not intake.has_error_workbook(state.id):
        raise Conflict(_("错误标注表还在制作。"), remedy=_("请过一分钟再下载；可以在“任务”里看进度。"))
    audit.record(actor=actor, action="front.workbook_downloaded", target=f"import:{state.id}", now=now)
    name = f"{state.file_name.rsplit('.', 1)[0]}-{_('错误标注')}.xlsx"
    return FileResponse(intake.error_workbook(state.id).open("rb"), as_attachment=True, filename=name)


@require_POST
def apply_import(request: HttpRequest, import_id: str) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    state, kind = selectors.access_import(actor=actor, id=import_id, now=now)
    if state.difference.get("needs_confirmation"):
        if not request.POST.get("confirm"):
            messages.error(request, _("请先勾选“我已核对”，再写入。"))
            return redirect("front:import", import_id=import_id)
        if kind is selectors.ROSTER:
            directory.confirm_roster(actor=actor, import_id=state.id, now=now)
    intake.request_apply(actor=actor, import_id=state.id, now=now)
    return redirect("front:import", import_id=import_id)


@require_POST
def undo_import(request: HttpRequest, import_id: str) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    state, kind = selectors.access_import(actor=actor, id=import_id, now=now)
    if kind is selectors.ROSTER:
        directory.undo_roster(actor=actor, import_id=state.id, now=now)
    elif kind is selectors.REGISTER:
        casework.undo_register_import(actor=actor, import_id=state.id, now=now)
    elif kind is selectors.EDITION:
        undo_edition_import(actor=actor, import_id=state.id, now=now)
    else:
        raise NotFound(_("这类导入不能撤销。"))
    messages.success(request, _("已撤销，数据回到了导入之前。"))
    return redirect("front:import", import_id=import_id)


def _columns() -> tuple[Column[ImportState], ...]:
    return (
        Column(
            key="file",
            title=_("文件"),
            value=lambda row: row.file_name,
            url=lambda row: reverse("front:import", args=[ids.encode("import", row.id)]),
        ),
        Column(key="kind", title=_("内容"), value=lambda row: row.title),
        Column(key="status", title=_("状态"), value=status_of),
        Column(key="errors", title=_("错误"), value=lambda row: row.error_count, kind=CellKind.NUMBER),
        Column(key="owner", title=_("导入人"), value=lambda row: row.owner_name),
        Column(key="at", title=_("时间"), value=lambda row: row.created_at, kind=CellKind.DATETIME),
    )


def status_of(state: ImportState) -> Status:
    word, tone = STATUS_WORDS[state.status]
    return Status(text=str(word), tone=tone)


def _status(query: ListQuery) -> ImportStatus | None:
    wanted = query.filters.get("status")
    return ImportStatus(wanted) if wanted in {status.value for status in ImportStatus} else None


def _finding_columns() -> tuple[Column[Finding], ...]:
    return (
        Column(key="level", title=_("程度"), value=_level),
        Column(key="file", title=_("文件"), value=lambda row: row.file),
        Column(key="sheet", title=_("工作表"), value=lambda row: row.sheet),
        Column(key="row", title=_("行"), value=lambda row: row.row or None, kind=CellKind.NUMBER),
        Column(key="column", title=_("列"), value=lambda row: row.column),
        Column(key="value", title=_("文件里写的"), value=lambda row: row.value),
        Column(key="reason", title=_("问题"), value=lambda row: row.reason),
        Column(key="remedy", title=_("怎么改"), value=lambda row: row.remedy),
    )


def _level(finding: Finding) -> Status:
    return Status(text=_("错误"), tone="bad") if finding.is_error else Status(text=_("提醒"), tone="warn")


def _trail(last: str, import_id: str = "", below: str = "") -> list[dict[str, str]]:
    trail = [
        {"label": _("数据导入"), "url": reverse("front:imports")},
        {"label": last, "url": reverse("front:import", args=[import_id]) if import_id else ""},
    ]
    return [*trail, {"label": below, "url": ""}] if below else trail


def _progress_context(state: ImportState) -> dict[str, object]:
    return {
        "step": 4 if state.status is ImportStatus.APPLYING else 2,
        "job": work.job_state(state.job_id) if state.job_id else None,
        "poll_url": reverse("front:import_progress", args=[ids.encode("import", state.id)]),
    }


def _review_context(state: ImportState, kind: KindOfImport) -> dict[str, object]:
    public_id = ids.encode("import", state.id)
    has_findings = bool(state.error_count or state.warning_count)
    context: dict[str, object] = {
        "step": 3,
        "counts": _counts(state, kind),
        "groups": _groups(state, public_id) if has_findings else [],
        "workbook_url": reverse("front:import_workbook", args=[public_id]) if has_findings else "",
        "retry_url": _retry_url(state, kind),
        "set_aside_url": reverse("front:quarantine_import", args=[public_id]) if selectors.may_quarantine(state) else "",
        "set_aside": state.counts.get("quarantined", 0),
        "is_unparted": state.quarantines and state.status is ImportStatus.REJECTED,
    }
    if state.status is not ImportStatus.READY:
        return context
    rows = _difference(state.difference, kind)
    total = sum(row["added"] + row["changed"] + row["ended"] for row in rows)
    return context | {
        "difference": rows,
        "examples": _examples(state.difference, kind),
        "apply_url": reverse("front:apply_import", args=[public_id]),
        "apply_label": _("写入 %(count)s 处变化") % {"count": f"{total:,}"} if total else _("没有变化，直接完成"),
        "consequence": _consequence(state) if total else "",
        "confirm_text": _confirm_text(state.difference, kind),
    }


def _done_context(state: ImportState, kind: KindOfImport) -> dict[str, object]:
    public_id = ids.encode("import", state.id)
    context: dict[str, object] = {
        "step": 5,
        "counts": _counts(state, kind) if state.status is ImportStatus.APPLIED else [],
        "retry_url": _retry_url(state, kind),
    }
    if state.status is ImportStatus.APPLIED:
        context |= {"result_url": kind.result_url, "result_label": kind.result_label}
        context |= {"set_aside": state.counts.get("quarantined", 0)}
        context |= {"quarantine_url": reverse("front:quarantine_of_import", args=[public_id])}
    if state.status is ImportStatus.UNDONE:
        return context | {"failure": _("这次导入已经撤销，数据回到了导入之前。")}
    if state.status is ImportStatus.FAILED:
        return context | {"failure": state.error or _("导入没有成功，没有写入任何数据。请再试一次。")}
    return context | {
        "undo_url": reverse("front:undo_import", args=[public_id])
        if selectors.may_undo_import(state, kind, now=clock.now())
        else ""
    }


def _consequence(state: ImportState) -> str:
    if state.counts.get("quarantined"):
        return _("合格的行要么全部写入，要么一条也不写；其余的行同时进入隔离区。")
    return _("要么全部写入，要么一条也不写。")


def _start_url(kind: KindOfImport) -> str:
    return kind.start_url or reverse("front:new_import", args=[kind.name])


def _retry_url(state: ImportState, kind: KindOfImport) -> str:
    """Where the mended file is sent: a register's to its register again."""
    if kind is selectors.REGISTER:
        return reverse("casework:import_register", args=[state.options["register"]])
    return _start_url(kind)


def _counts(state: ImportState, kind: KindOfImport) -> list[dict[str, object]]:
    shown: list[dict[str, object]] = [
        {"label": word, "value": state.counts[name], "is_bad": False}
        for name, word in {**kind.words, "items": _("题目"), "classes": _("班级"), "schools": _("学校")}.items()
        if isinstance(state.counts.get(name), int)
    ]
    if isinstance(state.counts.get("quarantined"), int):
        shown.append({"label": _("放入隔离区的行"), "value": state.counts["quarantined"], "is_bad": True})
    if state.error_count:
        shown.append({"label": _("错误"), "value": state.error_count, "is_bad": True})
    return shown


def _groups(state: ImportState, public_id: str) -> list[dict[str, object]]:
    url = reverse("front:import_findings", args=[public_id])
    return [
        {
            "group": group,
            "examples": intake.findings(state.id, group=group.number, size=_EXAMPLES).rows,
            "url": f"{url}?group={group.number}" if group.count > _EXAMPLES else "",
        }
        for group in intake.finding_groups(state.id)[:30]
    ]


def _difference(difference: Mapping[str, Any], kind: KindOfImport) -> list[dict[str, Any]]:
    """The difference as rows of one table, whichever of the two forms the kind keeps it in."""
    if isinstance(difference.get("added"), int):
        word = next(iter(kind.words.values()))
        return [_description_row(difference), _row(word, difference, ended=difference.get("removed", 0))]
    return [
        _row(word, difference[name], ended=difference[name]["ended"])
        for name, word in kind.words.items()
        if isinstance(difference.get(name), Mapping)
    ]


def _description_row(difference: Mapping[str, Any]) -> dict[str, Any]:
    """The test itself, its notes and items, as one thing: new, changed or as it was."""
    is_first = not (difference["unchanged"] or difference["changed"] or difference.get("removed", 0))
    change = "unchanged" if not difference.get("is_described_anew") else "added" if is_first else "changed"
    return _row(_("测验说明和题目"), {"added": 0, "changed": 0, "unchanged": 0, change: 1}, ended=0)


def _row(label: object, numbers: Mapping[str, Any], *, ended: int) -> dict[str, Any]:
    return {
        "label": label,
        "added": numbers["added"],
        "changed": numbers["changed"],
        "ended": ended,
        "unchanged": numbers["unchanged"],
    }


def _examples(difference: Mapping[str, Any], kind: KindOfImport) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for name, word in kind.words.items():
        samples = difference[name].get("samples", {}) if isinstance(difference.get(name), Mapping) else {}
        for changed in samples.get("changed", []):
            found.extend(
                {"who": changed["name"] or changed["sid"], "what": f"{word} {cell['cell']}", **_cells(cell)}
                for cell in changed["cells"]
            )
        found.extend(
            {"who": added["name"] or added["sid"], "what": word, "before": "", "after": _("新增")}
            for added in samples.get("added", [])[:3]
        )
    return found[:20]


def _cells(cell: Mapping[str, Any]) -> dict[str, object]:
    return {"before": cell["before"], "after": cell["after"]}


def _confirm_text(difference: Mapping[str, Any], kind: KindOfImport) -> str:
    guards = difference.get("guards") or []
    if not guards:
        return ""
    parts = [
        _("%(what)s %(ended)s 条（现有 %(held)s 条）")
        % {"what": kind.words.get(guard["kind"], guard["kind"]), "ended": f"{guard['ended']:,}", "held": f"{guard['held']:,}"}
        for guard in guards
    ]
    return _("我已核对：这次会结束 %(parts)s。") % {"parts": _("、").join(parts)}
