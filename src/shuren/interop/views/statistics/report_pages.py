"""One form as a table: looked at, filled in, explained; what changed within a year; who is behind a figure."""

from dataclasses import dataclass, replace

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.directory.data import OrgData, OrgType, PersonRow, TallySubject
from shuren.identity.api import actor_of
from shuren.interop.models import StatisticsReport
from shuren.interop.rules.statistics.numbers import cell_of, number_of
from shuren.interop.rules.statistics.plan import CellKind, Place
from shuren.interop.rules.statistics.reading import Template
from shuren.interop.rules.statistics.sheet import CROSSED, Heading, header_depth, headings
from shuren.interop.rules.statistics.spec import school_year
from shuren.interop.selectors.statistics.reports import COUNTING, access_report, may_act_above, report_of_last_year, versions_of
from shuren.interop.selectors.statistics.templates import read
from shuren.interop.selectors.statistics.trace import Traced, may_trace, traced
from shuren.interop.services.statistics.fill import CellsRefused, fill_report
from shuren.interop.services.statistics.freeze import may_be_frozen
from shuren.interop.services.statistics.judge import is_asked
from shuren.interop.services.statistics.submit import submit_report
from shuren.interop.views.statistics.words import (
    check_words,
    crumbs,
    progress_url,
    report_status,
    report_title,
    report_url,
)
from shuren.kernel import audit, clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import ShurenError
from shuren.kernel.paging import page_of_rows
from shuren.pages.api import number_in, number_text, render_list
from shuren.pages.data import Action, Column, EmptyState, Fact, ListSpec
from shuren.pages.data import CellKind as ListCell


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell on the page; `name` is the field's where it is typed, `url` leads to who was counted."""

    text: str
    name: str = ""
    label: str = ""
    fault: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class LineView:
    title: str
    code: str
    indent: int
    cells: tuple[CellView, ...]


def _row_of(request: HttpRequest, report_id: str) -> StatisticsReport:
    return access_report(actor=actor_of(request), id=ids.decode("statistics_report", report_id), now=clock.now())


@never_cache
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, report_id: str) -> HttpResponseBase:
    """The form; a POST keeps what was typed, and with `submit` hands it in."""
    row = _row_of(request, report_id)
    template = read(row.template)
    faults: dict[Place, str] = {}
    status = 200
    if request.method == "POST":
        try:
            return _saved(request, row, template)
        except CellsRefused as refused:
            faults, status = refused.faults, refused.status
            messages.error(request, str(refused))
        except ShurenError as error:
            status = error.status
            messages.error(request, str(error))
            row = _row_of(request, report_id)
    return render(request, "interop/statistics_report.html", _context(request, row, template, faults), status=status)


def _saved(request: HttpRequest, row: StatisticsReport, template: Template) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    cells = {place: request.POST[_field(place)] for place in template.plan if _field(place) in request.POST}
    told = {name.removeprefix("why:"): str(text) for name, text in request.POST.items() if name.startswith("why:")}
    kept = fill_report(
        actor=actor,
        report_id=row.pk,
        cells=cells,
        explanations=told,
        is_rest_zero="rest_zero" in request.POST,
        revision=number_in(request.POST.get("revision", "")),
        now=now,
    )
    if "submit" in request.POST:
        submit_report(actor=actor, report_id=kept.pk, now=now)
        messages.success(request, _("已提交。"))
    else:
        messages.success(request, _("已保存。"))
    return redirect(report_url(row))


def _field(place: Place) -> str:
    return f"cell:{place[0]}:{place[1]}"


def _context(request: HttpRequest, row: StatisticsReport, template: Template, faults: dict[Place, str]) -> dict[str, object]:
    actor, now = actor_of(request), clock.now()
    is_open = row.state not in COUNTING and row.is_latest
    language = get_language() or "zh-hans"
    depth = header_depth(template.spec.columns)
    found = headings(template.spec.columns, language)
    checks = check_words(row, template)
    can_trace = not row.is_sum and may_trace(row, actor=actor, now=now)
    return {
        "title": report_title(row),
        "state": report_status(row),
        "lead": f"{row.org.name} · {school_year(row.year)} · {_('第 %(version)s 版') % {'version': row.version}}",
        "facts": _facts(row, template),
        "actions": _actions(row, is_above=may_act_above(row, actor=actor, now=now)),
        "breadcrumbs": crumbs(row),
        "history": [],
        "report": row,
        "is_open": is_open,
        "asked_count": sum(is_asked(row, template, place) for place in template.plan),
        "errors": [check for check in checks if check["is_error"]],
        "warnings": [check for check in checks if not check["is_error"]],
        "head_rows": [[_span(one) for one in found if one.top == level] for level in range(depth)],
        "depth": depth + 1,
        "codes": [column.code for column in template.spec.columns],
        "lines": _lines(row, template, faults, request, is_open=is_open, can_trace=can_trace),
        "versions": [{"number": one.version, "reason": one.reason, "url": report_url(one)} for one in versions_of(row)],
    }


def _span(one: Heading) -> dict[str, object]:
    return {"text": one.text, "colspan": one.last - one.first + 1, "rowspan": one.bottom - one.top + 1}


def _lines(
    row: StatisticsReport,
    template: Template,
    faults: dict[Place, str],
    request: HttpRequest,
    *,
    is_open: bool,
    can_trace: bool,
) -> list[LineView]:
    language = get_language() or "zh-hans"
    lines = []
    for line in template.spec.lines:
        cells = []
        for column in template.spec.columns:
            place = (line.key, column.key)
            label = f"{line.title.text(language)} {column.title.text(language)}"
            if is_open and is_asked(row, template, place):
                typed = request.POST.get(_field(place)) if faults else None
                kept = cell_of(row.typed, place)
                text = typed if typed is not None else "" if kept is None else str(kept)
                cells.append(CellView(text, _field(place), label, faults.get(place, "")))
            else:
                cells.append(_shown(row, template, place, can_trace=can_trace))
        lines.append(LineView(line.title.text(language), line.code, line.indent, tuple(cells)))
    return lines


def _shown(row: StatisticsReport, template: Template, place: Place, *, can_trace: bool) -> CellView:
    cell = template.plan[place]
    if cell.kind is CellKind.BLANK:
        return CellView(CROSSED)
    number = number_of(cell_of(row.values, place))
    text = "—" if number is None else number_text(float(number), cell.places)
    url = f"{report_url(row, 'trace_statistics')}?line={place[0]}&column={place[1]}"
    return CellView(text, url=url if can_trace and cell.kind is CellKind.COUNT and number else "")


def _facts(row: StatisticsReport, template: Template) -> list[Fact]:
    spec, language = template.spec, get_language() or "zh-hans"
    facts = [
        Fact(label=_("制定机关"), value=spec.authority.text(language)),
        Fact(label=_("标准时点"), value=spec.day(row.year)),
        Fact(label=_("报送截止"), value=spec.due_day(row.year)),
        Fact(label=_("生成时间"), value=row.prepared_at),
    ]
    if row.is_sum:
        facts.append(Fact(label=_("汇总的下级"), value=len(row.parts)))
    if row.submitted_at:
        facts.append(Fact(label=_("提交"), value=row.submitted_at, help=row.submitted_by))
    if row.digest:
        facts.append(Fact(label=_("指纹（SM3）"), value=row.digest[:16] + "…", help=_("冻结时写入存证日志")))
    if row.reason:
        facts.append(Fact(label=_("原因"), value=row.reason))
    return facts


def _actions(row: StatisticsReport, *, is_above: bool) -> list[Action]:
    actions = [Action(label="Excel", url=report_url(row, "statistics_workbook"), icon="file-spreadsheet")]
    if row.state not in COUNTING and row.is_latest:
        again = progress_url(row.org_id, row.key, row.year, "prepare_statistics")
        word = _("重新汇总") if row.is_sum else _("重新取数")
        actions.append(Action(label=word, url=again, icon="refresh", is_post=True))
        if not row.is_sum:
            actions.append(Action(label=_("从 Excel 填写"), url=report_url(row, "upload_statistics"), icon="upload"))
    elif row.is_latest:
        actions.append(Action(label=_("更正"), url=report_url(row, "correct_statistics"), icon="edit"))
        if row.state == "submitted" and is_above:
            actions.append(Action(label=_("退回"), url=report_url(row, "return_statistics"), icon="arrow-back-up"))
    if may_be_frozen(row):
        confirm = _("冻结以后，本表和它汇总的所有表都不能再改，只能出更正版。")
        url = report_url(row, "freeze_statistics")
        actions.append(Action(label=_("冻结"), url=url, icon="lock", is_post=True, confirm=confirm))
    actions.append(Action(label=_("与上年比较"), url=report_url(row, "statistics_differences"), icon="trending-up"))
    return actions


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell in both years."""

    line: str
    column: str
    last: float | None
    this: float | None

    @property
    def change(self) -> float | None:
        return None if self.last is None or self.this is None else self.this - self.last

    @property
    def share(self) -> float | None:
        return None if self.change is None or not self.last else self.change / self.last * 100


@never_cache
@require_safe
def differences(request: HttpRequest, report_id: str) -> HttpResponseBase:
    """Every cell that is not what it was the year before."""
    row = _row_of(request, report_id)
    rows = _differences(row, read(row.template))
    spec: ListSpec[Difference] = ListSpec(
        name="statistics-differences",
        title=_("与上年比较"),
        columns=(
            Column(key="line", title=_("指标"), value=lambda one: one.line),
            Column(key="column", title=_("栏目"), value=lambda one: one.column),
            Column(key="last", title=_("上年"), value=lambda one: one.last, kind=ListCell.NUMBER),
            Column(key="this", title=_("本年"), value=lambda one: one.this, kind=ListCell.NUMBER),
            Column(key="change", title=_("增减"), value=lambda one: one.change, kind=ListCell.NUMBER),
            Column(key="share", title=_("增减 %"), value=lambda one: one.share, kind=ListCell.NUMBER, decimals=1),
        ),
        rows=lambda query: page_of_rows(rows, number=query.number, size=query.size),
        empty=EmptyState(title=_("没有不同，或者上年没有提交这张表"), icon="circle-check"),
    )
    context = {"title": report_title(row), "lead": row.org.name, "breadcrumbs": crumbs(row, _("与上年比较"))}
    return render_list(request, spec, template="front/detail.html", context=context)


def _differences(row: StatisticsReport, template: Template) -> list[Difference]:
    before = report_of_last_year(row)
    if before is None:
        return []
    language = get_language() or "zh-hans"
    found = []
    for line in template.spec.lines:
        for column in template.spec.columns:
            last, this = (number_of(cell_of(values, (line.key, column.key))) for values in (before.values, row.values))
            if last != this:
                titles = line.title.text(language), column.title.text(language)
                numbers = (None if number is None else float(number) for number in (last, this))
                found.append(Difference(*titles, *numbers))
    return found


@sensitive_files(asked_by="export")
@never_cache
@require_safe
def trace(request: HttpRequest, report_id: str) -> HttpResponseBase:
    """Who or what was counted in a cell, as the roster says it now for the day of the form."""
    row = _row_of(request, report_id)
    place = (request.GET.get("line", ""), request.GET.get("column", ""))
    found = traced(row, place, actor=actor_of(request), now=clock.now())
    title = _("这个数的由来")
    language = get_language() or "zh-hans"
    template = read(row.template)
    words = {part.key: part.title.text(language) for part in (*template.spec.lines, *template.spec.columns)}
    context = {
        "title": f"{words[place[0]]} · {words[place[1]]}",
        "lead": _("表里是 %(count)s；下面按名册现在的记录列出。") % {"count": found.value},
        "breadcrumbs": crumbs(row, title),
    }
    if found.subject in (TallySubject.PUPILS, TallySubject.STAFF):
        spec = replace(_people_list(found), on_export=lambda _query, form: _note_export(request, row, place, form))
        return render_list(request, spec, template="front/detail.html", context=context)
    return render_list(request, _org_list(found), template="front/detail.html", context=context)


def _note_export(request: HttpRequest, row: StatisticsReport, place: Place, form: str) -> None:
    details = {"form": form, "key": row.key, "year": row.year, "cell": "/".join(place)}
    audit.record(
        actor=actor_of(request), action="interop.statistics_traced", target=f"statistics_report:{row.pk}", details=details
    )


def _people_list(found: Traced) -> ListSpec[PersonRow]:
    return ListSpec(
        name="statistics-people",
        title=_("计入的人员"),
        columns=(
            Column(key="name", title=_("姓名"), value=lambda one: one.name, url=lambda one: f"/people/{one.public_id}/"),
            Column(key="number", title=_("人员编号"), value=lambda one: one.number),
            Column(key="org", title=_("所在"), value=lambda one: one.org_name),
        ),
        rows=lambda query: found.people(number=query.number, size=query.size),
        empty=EmptyState(title=_("名册里现在没有这样的人"), icon="users"),
    )


def _org_list(found: Traced) -> ListSpec[OrgData]:
    return ListSpec(
        name="statistics-orgs",
        title=_("计入的班级") if found.subject is TallySubject.CLASSES else _("计入的机构"),
        columns=(
            Column(key="name", title=_("名称"), value=lambda one: one.name, url=lambda one: f"/orgs/{one.public_id}/"),
            Column(key="grade", title=_("年级"), value=lambda one: one.grade if one.type is OrgType.CLASS else None),
        ),
        rows=lambda query: found.orgs(number=query.number, size=query.size),
        empty=EmptyState(title=_("现在没有这样的机构"), icon="building"),
    )
