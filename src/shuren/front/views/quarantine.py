"""The quarantine of imports: which rows wait, why, and what is done about them."""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.front import selectors
from shuren.front.forms import DiscardForm, RowForm, UploadForm
from shuren.identity.api import actor_of
from shuren.intake import api as intake
from shuren.intake.data import QuarantinedRowData, QuarantineQuery, QuarantineReach, QuarantineState
from shuren.kernel import audit, clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import Invalid, NotFound
from shuren.kernel.paging import Page
from shuren.pages import api as pages
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status

STATES = {
    QuarantineState.WAITING: (gettext_lazy("待改"), "warn"),
    QuarantineState.SETTLED: (gettext_lazy("已改好并写入"), "good"),
    QuarantineState.DISCARDED: (gettext_lazy("已放弃"), "plain"),
    QuarantineState.LAPSED: (gettext_lazy("已到期清除"), "bad"),
}
_MOST_REASON = 40


@sensitive_files(asked_by="export")
@never_cache
@require_GET
def quarantine(request: HttpRequest) -> HttpResponseBase:
    """Every row that the reader reaches."""
    reach = _reach(request)
    return pages.render_list(request, _spec(request, reach, None), context={"breadcrumbs": _trail(), "lead": _lead()})


@sensitive_files(asked_by="export")
@never_cache
@require_GET
def quarantine_of_import(request: HttpRequest, import_id: str) -> HttpResponseBase:
    """The rows that one import left out, with what can be done with all of them."""
    reach, pk = _reach(request), ids.decode("import", import_id)
    _check_reached(pk, reach)
    context = {"breadcrumbs": _trail(_("一次导入")), "lead": _lead()}
    return pages.render_list(request, _spec(request, reach, pk), context=context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def quarantined_row(request: HttpRequest, row_id: str) -> HttpResponseBase:
    """One row as it stands in the file: corrected in place, and sent in again."""
    actor, now, reach = actor_of(request), clock.now(), _reach(request)
    row, content = intake.read_row(actor=actor, reach=reach, id=row_id, now=now)
    is_open = row.state is QuarantineState.WAITING and content is not None
    form = RowForm(content, request.POST if request.method == "POST" else None) if is_open and content else None
    if form is not None and request.method == "POST" and form.is_valid():
        is_changed = intake.correct_row(actor=actor, reach=reach, id=row_id, told=form.told(), now=now)
        if form.cleaned_data["send"]:
            (sent,) = intake.send_rows_again(actor=actor, reach=reach, ids=[row_id], now=now)
            return redirect("front:import", import_id=ids.encode("import", sent))
        messages.success(request, _("已保存。") if is_changed else _("没有改动。"))
        return redirect("front:quarantined_row", row_id=row_id)
    context = {
        "title": _("隔离的行：%(place)s") % {"place": _place(row)},
        "breadcrumbs": _trail(_place(row)),
        "state": _state(row),
        "facts": _facts(row),
        "findings": content.findings if content else (),
        "form": form,
        "submit_label": _("保存"),
        "cancel_url": selectors.waiting_url(),
    }
    return render(request, "front/quarantined_row.html", context, status=400 if form is not None and form.errors else 200)


@require_POST
def send_quarantined(request: HttpRequest) -> HttpResponse:
    """Ticked rows go through the checks again."""
    sent = intake.send_rows_again(actor=actor_of(request), reach=_reach(request), ids=_ticked(request), now=clock.now())
    return _sent(request, sent)


@require_POST
def send_import_again(request: HttpRequest, import_id: str) -> HttpResponse:
    """All rows of an import that wait go through the checks again."""
    reach, pk = _reach(request), ids.decode("import", import_id)
    _check_reached(pk, reach)
    return _sent(request, intake.send_import_again(actor=actor_of(request), reach=reach, import_id=pk, now=clock.now()))


@require_POST
def discard_quarantined(request: HttpRequest) -> HttpResponseBase:
    """Ticked rows are given up once somebody has said why."""
    ticked = _ticked(request)
    intake.check_rows_reached(ticked, reach=_reach(request))
    form = DiscardForm(request.POST) if "reason" in request.POST else DiscardForm(initial={"ids": ",".join(ticked)})
    if form.is_bound and form.is_valid():
        reason = form.cleaned_data["reason"]
        count = intake.discard_rows(actor=actor_of(request), reach=_reach(request), ids=ticked, reason=reason, now=clock.now())
        messages.success(request, _("已放弃 %(count)s 行。") % {"count": f"{count:,}"})
        return redirect(selectors.waiting_url())
    context = {
        "title": _("放弃隔离的行"),
        "lead": _("放弃 %(count)s 行：它们的内容会清除，不能恢复。") % {"count": f"{len(ticked):,}"},
        "form": form,
        "submit_label": _("放弃"),
        "is_danger": True,
        "cancel_url": selectors.waiting_url(),
        "breadcrumbs": _trail(_("放弃")),
    }
    return render(request, "front/form.html", context, status=400 if form.errors else 200)


@sensitive_files()
@never_cache
@require_GET
def quarantine_file(request: HttpRequest, import_id: str) -> HttpResponseBase:
    """The rows of an import that wait, in the form in which they came, with their reasons."""
    with tempfile.TemporaryDirectory(prefix="quarantine-") as folder:
        path = Path(folder) / "rows"
        name = intake.hand_out_rows(
            actor=actor_of(request), reach=_reach(request), import_id=ids.decode("import", import_id), path=path, now=clock.now()
        )
        body = path.read_bytes()
    headers = {"Content-Disposition": content_disposition_header(True, name) or ""}
    return HttpResponse(body, content_type="application/octet-stream", headers=headers)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def upload_mended(request: HttpRequest, import_id: str) -> HttpResponseBase:
    """The mended file of an import's rows comes in."""
    actor, reach, pk = actor_of(request), _reach(request), ids.decode("import", import_id)
    _check_reached(pk, reach)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        sent = intake.send_file(actor=actor, import_id=pk, file_name=file.name, content=file, now=clock.now())
        return redirect("front:import", import_id=ids.encode("import", sent))
    context = {
        "title": _("上传改好的行"),
        "lead": _("上传从这里下载并改好的文件，不要改动“隔离编号”一列；没有写进文件的行继续等待。"),
        "form": form,
        "is_multipart": True,
        "submit_label": _("上传并检查"),
        "cancel_url": reverse("front:quarantine_of_import", args=[import_id]),
        "breadcrumbs": _trail(_("上传改好的行")),
    }
    return render(request, "front/form.html", context, status=400 if form.errors else 200)


@require_POST
def quarantine_import(request: HttpRequest, import_id: str) -> HttpResponse:
    """The importer chooses to take the good rows: the file is checked once more, and what is wrong set aside."""
    actor, now = actor_of(request), clock.now()
    state, _kind = selectors.access_import(actor=actor, id=import_id, now=now)
    intake.request_check(actor=actor, import_id=state.id, now=now, quarantine=True)
    return redirect("front:import", import_id=import_id)


def _reach(request: HttpRequest) -> QuarantineReach:
    return selectors.quarantine_reach(actor=actor_of(request), now=clock.now())


def _check_reached(import_id: int, reach: QuarantineReach) -> None:
    if not intake.quarantined_rows(QuarantineQuery(import_id=import_id, state=None), reach=reach, size=1).rows:
        raise NotFound(_("没有找到这次导入。"))


def _sent(request: HttpRequest, sent: list[int]) -> HttpResponse:
    if len(sent) == 1:
        return redirect("front:import", import_id=ids.encode("import", sent[0]))
    messages.success(request, _("已分成 %(count)d 次导入送去检查。") % {"count": len(sent)})
    return redirect("front:imports")


def _ticked(request: HttpRequest) -> list[str]:
    ticked = [one for text in request.POST.getlist("ids") for one in text.split(",") if one]
    if not ticked:
        raise Invalid(_("没有选中任何一行。"))
    return ticked


def _spec(request: HttpRequest, reach: QuarantineReach, import_id: int | None) -> ListSpec[QuarantinedRowData]:
    units = directory.orgs_by_ids(int(path.rstrip("/").rpartition("/")[2]) for path in intake.units_quarantined(reach=reach))
    known = dict(units)
    scope = QuarantineQuery(import_id=import_id)

    def asked(query: ListQuery) -> QuarantineQuery:
        told, chosen = query.filters, query.filters.get("state", "")
        chosen_unit = units.get(int(told["unit"])) if told.get("unit", "").isdecimal() else None
        return QuarantineQuery(
            kind=told.get("kind", ""),
            org_path=chosen_unit.path if chosen_unit else "",
            reason=told.get("reason", ""),
            import_id=import_id,
            state=QuarantineState(chosen) if chosen in {state.value for state in STATES} else None,
        )

    def rows(query: ListQuery) -> Page[QuarantinedRowData]:
        found = intake.quarantined_rows(asked(query), reach=reach, number=query.number, size=query.size)
        known.update(directory.orgs_by_ids({row.org_id for row in found.rows if row.org_id is not None} - set(known)))
        return found

    def unit(row: QuarantinedRowData) -> str:
        if row.org_id is not None and row.org_id not in known:
            known.update(directory.orgs_by_ids([row.org_id]))
        found = known.get(row.org_id or 0)
        return found.name if found else ""

    def export(query: ListQuery, form: str) -> None:
        audit.record(
            actor=actor_of(request), action="front.quarantine_exported", target="quarantine:list", details={"form": form}
        )

    reasons = intake.reasons_quarantined(scope, reach=reach)
    return ListSpec(
        name="quarantine",
        title=_("隔离区"),
        columns=_columns(unit),
        rows=rows,
        stream=lambda query: intake.stream_of_quarantined(asked(query), reach=reach),
        filters=_filters(units.values(), reasons),
        row_id=lambda row: row.public_id,
        bulk=(
            Action(label=_("再次送入"), url=reverse("front:send_quarantined"), is_primary=True, is_post=True),
            Action(label=_("放弃"), url=reverse("front:discard_quarantined"), is_danger=True, is_post=True),
        ),
        actions=_actions(import_id) if import_id is not None and reasons else (),
        on_export=export,
        empty=EmptyState(title=_("没有待改的行"), text=_("导入时放进隔离区的行会出现在这里。"), icon="circle-check"),
    )


def _filters(units: Iterable[OrgData], reasons: Sequence[tuple[str, int]]) -> tuple[Filter, ...]:
    """By content, unit, reason and state; nobody is asked to choose among none."""
    kinds = (selectors.ROSTER, selectors.REGISTER)
    found = (
        Filter(key="kind", label=_("内容"), choices=tuple(Choice(value=kind.name, label=str(kind.title)) for kind in kinds)),
        Filter(key="unit", label=_("单位"), choices=tuple(Choice(value=str(org.id), label=org.name) for org in units)),
        Filter(
            key="reason",
            label=_("原因"),
            choices=tuple(Choice(value=text, label=f"{text[:_MOST_REASON]} ({count:,})") for text, count in reasons),
        ),
        Filter(
            key="state",
            label=_("状态"),
            choices=tuple(Choice(value=state.value, label=str(word)) for state, (word, _tone) in STATES.items()),
        ),
    )
    return tuple(one for one in found if one.choices)


def _actions(import_id: int) -> tuple[Action, ...]:
    public_id = ids.encode("import", import_id)
    return (
        Action(
            label=_("全部再次送入"),
            url=reverse("front:send_import_again", args=[public_id]),
            icon="refresh",
            is_primary=True,
            is_post=True,
        ),
        Action(label=_("下载待改的行"), url=reverse("front:quarantine_file", args=[public_id]), icon="download"),
        Action(label=_("上传改好的行"), url=reverse("front:upload_mended", args=[public_id]), icon="upload"),
    )


def _columns(unit: Callable[[QuarantinedRowData], str]) -> tuple[Column[QuarantinedRowData], ...]:
    return (
        Column(
            key="place",
            title=_("位置"),
            value=_place,
            url=lambda row: reverse("front:quarantined_row", args=[row.public_id]),
        ),
        Column(key="kind", title=_("内容"), value=lambda row: str(selectors.KINDS[row.kind].title)),
        Column(key="unit", title=_("单位"), value=unit),
        Column(key="reason", title=_("原因"), value=lambda row: row.reason),
        Column(key="faults", title=_("问题数"), value=lambda row: row.fault_count, kind=CellKind.NUMBER),
        Column(key="state", title=_("状态"), value=_state, kind=CellKind.STATUS),
        Column(key="until", title=_("保留到"), value=lambda row: row.kept_until, kind=CellKind.DATE),
        Column(
            key="import",
            title=_("导入"),
            value=lambda row: _("这次导入的各行"),
            url=lambda row: reverse("front:quarantine_of_import", args=[ids.encode("import", row.import_id)]),
        ),
    )


def _facts(row: QuarantinedRowData) -> list[Fact]:
    facts = [
        Fact(label=_("内容"), value=str(selectors.KINDS[row.kind].title)),
        Fact(label=_("单位"), value=_unit(row) or "—"),
        Fact(label=_("放入隔离区"), value=row.quarantined_at),
        Fact(label=_("保留到"), value=row.kept_until, help=_("到期后内容会清除。")),
    ]
    if row.sent_import_id is not None:
        url = reverse("front:import", args=[ids.encode("import", row.sent_import_id)])
        facts.append(Fact(label=_("最近一次送入"), value=_("看检查结果"), url=url))
    if row.end_reason:
        facts.append(Fact(label=_("放弃的理由"), value=row.end_reason))
    return facts


def _place(row: QuarantinedRowData) -> str:
    return _("%(where)s 第 %(row)d 行") % {"where": row.place.sheet or row.place.file, "row": row.place.row}


def _unit(row: QuarantinedRowData) -> str:
    found = directory.orgs_by_ids([row.org_id]).get(row.org_id) if row.org_id is not None else None
    return found.name if found else ""


def _state(row: QuarantinedRowData) -> Status:
    word, tone = STATES[row.state]
    return Status(text=str(word), tone=tone)


def _lead() -> str:
    return _("这些行没有写入。改好后再次送入，经过同样的检查才会写入；到期没有改好的会清除。")


def _trail(last: str = "") -> list[dict[str, str]]:
    trail = [
        {"label": _("数据导入"), "url": reverse("front:imports")},
        {"label": _("隔离区"), "url": selectors.waiting_url() if last else ""},
    ]
    return [*trail, {"label": last, "url": ""}] if last else trail
