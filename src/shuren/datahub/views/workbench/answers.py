"""Answers: the rows page by page, the picture, and the file."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.datahub.models import QuestionAnswer
from shuren.datahub.rules.workbench.answers import Shown, chart_of, columns_shown, difference, fitting, lines_of, unpacked
from shuren.datahub.rules.workbench.compose import picks_stored
from shuren.datahub.selectors.catalogue import dataset_title, spec_named
from shuren.datahub.selectors.shared_datasets import columns_of_shared
from shuren.datahub.selectors.workbench import (
    Desk,
    access_answer,
    access_asked_dataset,
    access_workbench,
    answer_before,
    answers_of,
    columns_asked,
)
from shuren.datahub.services.workbench.export import export_question
from shuren.datahub.services.workbench.save import keep_version, save_question
from shuren.datahub.views.words import MASKS, USES
from shuren.datahub.views.workbench.desk import answer_address, crumbs, dataset_address, no_answers, scope_words, tabs
from shuren.datahub.views.workbench.forms import SaveForm
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound
from shuren.kernel.paging import Page, page_of
from shuren.pages.api import Sheet, csv_response, form_page, number_text, posted, render_list, workbook_response
from shuren.pages.data import Action, CellKind, Chart, Column, EmptyState, Fact, ListQuery, ListSpec, Status, TooManyRows
from shuren.standards.data import MaskStyle

PAGE_ROWS = 50
_DIFFERING = 100
_KINDS = ("bar", "line", "histogram")


@never_cache
@require_safe
def question_answers(request: HttpRequest) -> HttpResponseBase:
    """What one asked lately, and what scheduled questions were answered."""
    actor, now = actor_of(request), clock.now()
    desk = access_workbench(actor=actor, now=now)

    def rows(query: ListQuery) -> Page[QuestionAnswer]:
        return page_of(answers_of(actor=actor), lambda row: row, number=query.number, size=query.size)

    title = _("最近结果")
    spec: ListSpec[QuestionAnswer] = ListSpec(
        name="question_answers",
        title=title,
        columns=(
            Column(key="title", title=_("查询"), value=title_of_answer, url=lambda row: answer_address(row.pk)),
            Column(key="at", title=_("时间"), value=lambda row: row.at, kind=CellKind.DATETIME),
            Column(key="rows", title=_("行数"), value=lambda row: row.rows, kind=CellKind.NUMBER),
            Column(key="how", title=_("怎么查的"), value=how_asked, kind=CellKind.STATUS),
            Column(key="purpose", title=_("用途"), value=lambda row: row.purpose),
        ),
        rows=rows,
        empty=EmptyState(title=_("还没有查过"), text=_("先选一个数据集。"), action=no_answers(), icon="search"),
        note=_("手工查询的结果留一周，最多二十份。"),
    )
    context = {"tabs": tabs("question_answers"), "title": title, "lead": scope_words(desk), "breadcrumbs": crumbs((title, ""))}
    return render_list(request, spec, template="front/detail.html", context=context)


def title_of_answer(row: QuestionAnswer) -> str:
    return row.title or _("手写的查询")


def how_asked(row: QuestionAnswer) -> Status:
    if row.fault:
        return Status(text=_("没有成功"), tone="bad")
    return Status(text=_("定时"), tone="good") if row.schedule_id else Status(text=_("手工"))


@never_cache
@require_safe
def question_answer(request: HttpRequest, answer_id: str) -> HttpResponseBase:
    """One answer: what was asked, a picture where the columns carry one, and the rows."""
    actor, now = actor_of(request), clock.now()
    desk = access_workbench(actor=actor, now=now)
    answer = access_answer(desk, actor=actor, id=ids.decode("question_answer", answer_id), now=now)
    table = unpacked(bytes(answer.content))
    columns = columns_shown(table, titles_of(answer.dataset), {use: str(word) for use, word in USES.items()})
    number = _number(request.GET.get("page", ""), -(-table.num_rows // PAGE_ROWS))
    lines = lines_of(table.slice((number - 1) * PAGE_ROWS, PAGE_ROWS))
    chart, chart_fault, chosen = _chart(request, table, columns)
    before = answer_before(desk, answer, actor=actor, now=now) if answer.added is not None else None
    context = {
        "title": title_of_answer(answer),
        "lead": _said(answer),
        "masked": _masked(answer, desk, actor, now),
        "facts": _facts(answer, desk),
        "actions": _actions(answer),
        "answer": answer,
        "columns": columns,
        "lines": [[(value, one) for value, one in zip(line, columns, strict=True)] for line in lines],
        "page": number,
        "last": max(1, -(-table.num_rows // PAGE_ROWS)),
        "chart": chart,
        "chart_fault": chart_fault,
        "chosen": chosen,
        "may_chart": any(one.is_measure for one in columns) and table.num_rows > 1,
        "differing": _differing(before, table, columns),
        "breadcrumbs": crumbs((_("最近结果"), reverse("datahub:question_answers")), (title_of_answer(answer), "")),
    }
    return render(request, "datahub/workbench/answer.html", context)


def _masked(answer: QuestionAnswer, desk: Desk, actor: Actor, now: datetime) -> str:
    """The ticked columns over which a mask lay: what was counted and grouped are the masked values."""
    if not answer.composition:
        return ""
    try:
        asked = access_asked_dataset(desk, actor=actor, name=answer.dataset, grant_id=answer.grant_id, now=now)
    except NotFound:
        return ""
    language, columns = get_language() or "", columns_asked(asked)
    used = [columns[name] for name in picks_stored(answer.composition) if name in columns]
    told = [f"{one.column.title(language)}（{MASKS[one.mask]}）" for one in used if one.mask is not MaskStyle.NONE]
    return "、".join(told)


def titles_of(dataset: str) -> dict[str, str]:
    """The columns of a dataset in words."""
    if not dataset:
        return {}
    language = get_language() or ""
    try:
        return {name: column.title(language) for name, column in columns_of_shared(spec_named(dataset)).items()}
    except NotFound:
        return {}


def _number(text: str, last: int) -> int:
    return min(max(1, int(text[:9])), max(1, last)) if text.isascii() and text.isdigit() else 1


def _said(answer: QuestionAnswer) -> str:
    told = {"rows": number_text(answer.rows, 0), "seconds": number_text(answer.seconds, 2)}
    if answer.is_cut:
        return _("只取了前 %(rows)s 行，后面还有；用时 %(seconds)s 秒。要全部，请导出 CSV，或在查询里汇总。") % told
    return _("共 %(rows)s 行，用时 %(seconds)s 秒。") % told


def _facts(answer: QuestionAnswer, desk: Desk) -> list[Fact]:
    scope = _("共享给本单位的数据") if answer.grant_id else desk.scope_name
    return [
        Fact(label=_("数据集"), value=dataset_title(answer.dataset) if answer.dataset else None),
        Fact(label=_("数据范围"), value=scope),
        Fact(label=_("查询时间"), value=answer.at),
        Fact(label=_("用途"), value=answer.purpose),
    ]


def _actions(answer: QuestionAnswer) -> list[Action]:
    number = ids.encode("question_answer", answer.pk)
    offered = []
    if not answer.fault:
        if answer.question_id is None:
            save = reverse("datahub:save_question", args=[number])
            offered.append(Action(label=_("保存查询"), url=save, icon="bookmark", is_primary=True))
        elif answer.question is not None and answer.question.sql != answer.sql:
            keep = reverse("datahub:keep_version", args=[number])
            offered.append(Action(label=_("存为新版本"), url=keep, icon="bookmark", is_primary=True, is_post=True))
    if answer.composition:
        url = dataset_address(answer.dataset, answer.grant_id)
        more = urlencode({"answer": number})
        offered.append(Action(label=_("改条件"), url=f"{url}{'&' if '?' in url else '?'}{more}", icon="adjustments-horizontal"))
    sql = f"{reverse('datahub:workbench_sql')}?{urlencode({'answer': number})}"
    offered.append(Action(label=_("改 SQL"), url=sql, icon="pencil"))
    if answer.grant_id is None and not answer.fault:
        file = reverse("datahub:question_file", args=[number])
        offered.append(Action(label=_("导出 Excel"), url=f"{file}?form=xlsx", icon="file-spreadsheet"))
        offered.append(Action(label=_("导出 CSV"), url=f"{file}?form=csv", icon="file-type-csv"))
    return offered


def _chart(request: HttpRequest, table: Any, columns: list[Shown]) -> tuple[Chart | None, str, dict[str, object]]:
    """The picture asked for, or the one that fits; and what is wrong with what was asked for."""
    kind, label, value = fitting(columns, table.num_rows)
    asked = request.GET.get("chart", "")
    if asked in (*_KINDS, "none"):
        kind = "" if asked == "none" else asked
        label, value = (_place(request.GET.get(name, ""), len(columns)) for name in ("label", "value"))
    chosen: dict[str, object] = {"kind": kind, "label": label, "value": value}
    if not kind or value is None:
        return None, "", chosen
    try:
        return chart_of(kind, table, columns, label, value), "", chosen
    except Invalid as error:
        return None, str(error), chosen


def _place(text: str, count: int) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 and int(text) < count else None


def _differing(before: QuestionAnswer | None, table: Any, columns: list[Shown]) -> dict[str, object] | None:
    """What differs from the answer of the schedule before."""
    found = difference(unpacked(bytes(before.content)), table) if before is not None else None
    if found is None or before is None:
        return None
    came, went = (_lines(rows[:_DIFFERING], columns) for rows in found)
    return {"tables": [(came, _("多了的行")), (went, _("少了的行"))], "url": answer_address(before.pk)}


def _lines(rows: Iterable[tuple[Any, ...]], columns: list[Shown]) -> list[list[tuple[Any, Shown]]]:
    return [list(zip(row, columns, strict=True)) for row in rows]


@never_cache
@require_safe
def question_file(request: HttpRequest, answer_id: str) -> HttpResponseBase:
    """The whole answer as a file, asked anew; an Excel file says on a second sheet where it comes from."""
    form = request.GET.get("form", "csv")
    if form not in ("csv", "xlsx"):
        raise Invalid(_("只能导出 CSV 或 Excel。"))
    actor, now, pk = actor_of(request), clock.now(), ids.decode("question_answer", answer_id)
    answer = access_answer(access_workbench(actor=actor, now=now), actor=actor, id=pk, now=now)
    found = export_question(actor=actor, answer_id=pk, form=form, now=now)
    name = f"{title_of_answer(answer)} {found.scope_name} {clock.local(now):%Y-%m-%d %H%M}"
    if form == "csv":
        return csv_response(name, found.names, found.rows)
    try:
        sheets = [Sheet(title_of_answer(answer), found.names, found.rows), _origin(answer, found.scope_name, now)]
        return workbook_response(name, sheets)
    except TooManyRows as error:
        limit = f"{error.limit:,}"
        messages.warning(request, _("Excel 文件最多 %(limit)s 行，这份结果更长，请改用 CSV 导出。") % {"limit": limit})
        return redirect(answer_address(pk))


def _origin(answer: QuestionAnswer, scope_name: str, now: datetime) -> Sheet:
    rows = (
        (_("来源"), answer.dataset),
        (_("数据范围"), scope_name),
        (_("导出时间"), now),
        (_("用途"), answer.purpose),
        ("SQL", answer.sql),
    )
    return Sheet(_("说明"), (_("项目"), _("内容")), rows, (16, 80))


@never_cache
@require_http_methods(["GET", "POST"])
def save(request: HttpRequest, answer_id: str) -> HttpResponseBase:
    """Keep the question of an answer under a title."""
    actor, now, pk = actor_of(request), clock.now(), ids.decode("question_answer", answer_id)
    answer = access_answer(access_workbench(actor=actor, now=now), actor=actor, id=pk, now=now)
    form = SaveForm(posted(request), initial={"title": answer.title})

    def saved() -> str:
        row = save_question(actor=actor, answer_id=pk, now=now, **form.cleaned_data)
        return question_address(row.pk)

    title = _("保存查询")
    back = answer_address(pk)
    trail = crumbs((title_of_answer(answer), back), (title, ""))
    return form_page(request, form, saved, title=title, submit=_("保存"), back=back, done=_("已保存。"), breadcrumbs=trail)


def question_address(question_id: int, page: str = "saved_question") -> str:
    return reverse(f"datahub:{page}", args=[ids.encode("saved_question", question_id)])


@never_cache
@require_http_methods(["POST"])
def keep(request: HttpRequest, answer_id: str) -> HttpResponseBase:
    """Give the question that an answer came from the answer's text."""
    actor, now, pk = actor_of(request), clock.now(), ids.decode("question_answer", answer_id)
    answer = access_answer(access_workbench(actor=actor, now=now), actor=actor, id=pk, now=now)
    if answer.question_id is None:
        raise NotFound(_("没有找到这个查询。"))
    row = keep_version(actor=actor, question_id=answer.question_id, answer_id=pk, now=now)
    messages.success(request, _("已存为第 %(number)d 版。") % {"number": row.version})
    return redirect(question_address(row.pk))
