"""Pages of tests: which were held, and for each its items, who took part, and its questionnaire."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from shuren.assessment.data import AssessmentData, ContextColumn, ItemResult, UnitCount
from shuren.assessment.selectors.assessments import (
    LEVELS,
    access_assessment,
    assessment_data,
    item_results,
    listed_assessments,
    participation_within,
    subjects_seen,
)
from shuren.assessment.selectors.item_list import items_matching
from shuren.directory.api import orgs_above, orgs_by_ids, scope_of
from shuren.directory.data import Permission
from shuren.kernel import audit, clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.paging import Page, page_of, page_of_rows
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status, Tab


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]  # set by the middleware of identity
    return actor


def _asked_for(request: HttpRequest, public_id: str) -> AssessmentData:
    return access_assessment(actor=_actor(request), id=ids.decode("assessment", public_id), now=clock.now())


@require_GET
def assessments(request: HttpRequest) -> HttpResponseBase:
    actor, now = _actor(request), clock.now()

    def rows(query: ListQuery) -> Page[AssessmentData]:
        found = listed_assessments(
            actor=actor, now=now, search=query.search, subject=query.filters.get("subject", ""), order=query.sort or "-held_date"
        )
        return page_of(found, assessment_data, number=query.number, size=query.size)

    spec = ListSpec(
        name="assessments",
        title=_("测评项目"),
        columns=_assessment_columns(),
        rows=rows,
        filters=(
            Filter(
                key="subject",
                label=_("学科"),
                choices=tuple(Choice(value=s, label=s) for s in subjects_seen(actor=actor, now=now)),
            ),
        ),
        search_label=_("测验名称或代码"),
        default_sort="-held_date",
        empty=EmptyState(
            title=_("还没有测验"),
            text=_("导入测验成绩后，题目、作答和参测情况会显示在这里。"),
            action=Action(label=_("导入成绩"), url="/imports/new/results/", icon="upload", is_primary=True),
            icon="clipboard-list",
        ),
        on_export=lambda query, form: _note_export(actor, "assessment:0", form, now),
    )
    return render_list(request, spec, context={"lead": _("您负责范围内举行过的测验。")})


def _assessment_columns() -> tuple[Column[AssessmentData], ...]:
    return (
        Column(key="name", title=_("名称"), value=lambda row: row.name, url=_url, sort="name"),
        Column(key="held_date", title=_("测验日期"), value=lambda row: row.held_date, kind=CellKind.DATE, sort="held_date"),
        Column(key="grade", title=_("年级"), value=lambda row: row.grade or None),
        Column(key="subjects", title=_("学科"), value=lambda row: _("、").join(row.subjects)),
        Column(key="item_count", title=_("题目"), value=lambda row: row.item_count, kind=CellKind.NUMBER),
        Column(key="pupils", title=_("参测学生"), value=lambda row: row.pupils, kind=CellKind.NUMBER, sort="pupils"),
        Column(key="source", title=_("数据"), value=_source, kind=CellKind.STATUS),
        Column(key="code", title=_("测验代码"), value=lambda row: row.code, is_shown=False),
    )


def _url(row: AssessmentData) -> str:
    return reverse("assessment:assessment", args=[row.public_id])


def _source(row: AssessmentData) -> Status:
    return Status(text=_("模拟"), tone="warn") if row.is_simulated else Status(text=_("真实作答"), tone="good")


@require_GET
def assessment(request: HttpRequest, public_id: str) -> HttpResponseBase:
    found = _asked_for(request, public_id)
    results = item_results(found.id)

    def matching(query: ListQuery) -> list[ItemResult]:
        return items_matching(
            results,
            search=query.search,
            content=query.filters.get("content", ""),
            cognitive=query.filters.get("cognitive", ""),
            sort=query.sort,
        )

    content = dict.fromkeys(one.item.content_domain for one in results if one.item.content_domain)
    cognitive = dict.fromkeys(one.item.cognitive_domain for one in results if one.item.cognitive_domain)
    spec = ListSpec(
        name="items",
        title=_("题目"),
        columns=_item_columns(),
        rows=lambda query: page_of_rows(matching(query), number=query.number, size=query.size),
        stream=matching,
        filters=(
            Filter(key="content", label=_("内容领域"), choices=tuple(Choice(value=name, label=name) for name in content)),
            Filter(key="cognitive", label=_("认知领域"), choices=tuple(Choice(value=name, label=name) for name in cognitive)),
        ),
        search_label=_("题号、名称或知识点"),
        sizes=(50, 100, 200),
        note=_("得分率按抽样权重计算，未作答和未到达按 0 分计；区分度是与其余题目得分率的相关。"),
        on_export=lambda query, form: _note_export(_actor(request), f"assessment:{found.id}", form, clock.now()),
    )
    return _detail(request, found, spec, "assessment")


def _item_columns() -> tuple[Column[ItemResult], ...]:
    return (
        Column(key="code", title=_("题号"), value=lambda row: row.item.code, sort="code"),
        Column(key="label", title=_("题目名称"), value=lambda row: row.item.label or None, is_shown=False),
        Column(key="content", title=_("内容领域"), value=lambda row: row.item.content_domain or None),
        Column(key="cognitive", title=_("认知领域"), value=lambda row: row.item.cognitive_domain or None),
        Column(key="units", title=_("知识点"), value=lambda row: _("、").join(row.item.knowledge_units) or None, is_shown=False),
        Column(key="max_score", title=_("满分"), value=lambda row: row.item.max_score, kind=CellKind.NUMBER),
        Column(key="given", title=_("施测"), value=lambda row: row.given, kind=CellKind.NUMBER, sort="given"),
        Column(
            key="mean_share", title=_("得分率"), value=lambda row: _percent(row.mean_share), kind=CellKind.PERCENT, decimals=1,
            sort="mean_share",
        ),
        Column(
            key="discrimination", title=_("区分度"), value=lambda row: row.discrimination, kind=CellKind.NUMBER, decimals=2,
            sort="discrimination",
        ),
        Column(
            key="omitted", title=_("未作答"), value=lambda row: _share(row.omitted, row.given), kind=CellKind.PERCENT, decimals=1
        ),
        Column(
            key="not_reached", title=_("未到达"), value=lambda row: _share(row.not_reached, row.given), kind=CellKind.PERCENT,
            decimals=1,
        ),
    )  # fmt: skip


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _share(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


@require_GET
def participation(request: HttpRequest, public_id: str) -> HttpResponseBase:
    found = _asked_for(request, public_id)
    actor, now = _actor(request), clock.now()

    names: dict[int, str] = {}

    def rows(query: ListQuery) -> Page[UnitCount]:
        level = query.filters.get("level", "")
        page = participation_within(actor=actor, assessment=found, level=level, number=query.number, size=query.size, now=now)
        names.update((one.id, one.name) for one in orgs_above(row.org_path for row in page.rows).values())
        return page

    def above(row: UnitCount) -> str | None:
        chain = [int(part) for part in row.org_path.strip("/").split("/")]
        return names.get(chain[-2]) if len(chain) > 1 else None

    words = {"county": _("区县"), "school": _("学校"), "class": _("班级")}
    spec = ListSpec(
        name="participation",
        title=_("参测情况"),
        columns=(
            Column(key="name", title=_("机构"), value=lambda row: names.get(row.org_id)),
            Column(key="above", title=_("上级"), value=above),
            Column(key="level", title=_("层级"), value=lambda row: words.get(row.level, row.level)),
            Column(key="pupils", title=_("参测学生"), value=lambda row: row.pupils, kind=CellKind.NUMBER),
        ),
        rows=rows,
        filters=(
            Filter(key="level", label=_("层级"), choices=tuple(Choice(value=level, label=words[level]) for level in LEVELS)),
        ),
        empty=EmptyState(title=_("您负责的范围内没有这一层级的机构参测"), icon="building"),
        on_export=lambda query, form: _note_export(actor, f"assessment:{found.id}", form, now),
    )
    return _detail(request, found, spec, "participation")


@require_GET
def codebook(request: HttpRequest, public_id: str) -> HttpResponseBase:
    found = _asked_for(request, public_id)

    def rows(query: ListQuery) -> Page[ContextColumn]:
        word = query.search.strip().lower()
        kept = [one for one in found.context if word in f"{one.name} {one.label}".lower()]
        start = (query.number - 1) * query.size
        return Page(rows=kept[start : start + query.size], total=len(kept), is_exact=True, number=query.number, size=query.size)

    def stream(query: ListQuery) -> Iterator[ContextColumn]:
        word = query.search.strip().lower()
        return (one for one in found.context if word in f"{one.name} {one.label}".lower())

    spec = ListSpec(
        name="codebook",
        title=_("变量说明"),
        columns=(
            Column(key="name", title=_("变量"), value=lambda row: row.name),
            Column(key="label", title=_("名称"), value=lambda row: row.label or None),
            Column(key="values", title=_("取值说明"), value=lambda row: row.values or None),
        ),
        rows=rows,
        stream=stream,
        search_label=_("变量或名称"),
        empty=EmptyState(title=_("这次测验没有问卷"), icon="clipboard-list"),
    )
    return _detail(request, found, spec, "codebook")


def _detail(request: HttpRequest, found: AssessmentData, spec: ListSpec[Any], page: str) -> HttpResponseBase:
    tabs = (
        ("assessment", _("题目"), found.item_count),
        ("participation", _("参测情况"), None),
        ("codebook", _("变量说明"), len(found.context)),
    )
    context = {
        "title": found.name,
        "state": _source(found),
        "lead": found.population_note,
        "facts": _facts(found),
        "actions": _actions(request, found),
        "data_note": found.source_note,
        "breadcrumbs": [{"label": _("测评项目"), "url": reverse("assessment:assessments")}],
        "tabs": [
            Tab(label=label, url=reverse(f"assessment:{name}", args=[found.public_id]), is_current=name == page, count=count)
            for name, label, count in tabs
        ],
    }
    return render_list(request, spec, template="assessment/assessment.html", context=context)


def _actions(request: HttpRequest, found: AssessmentData) -> list[Action]:
    """The way on to measuring, for whoever may measure the whole population."""
    scope = scope_of(actor=_actor(request), permission=Permission.RUN_EVALUATION, now=clock.now())
    if not scope.covers(found.org_path):
        return []
    return [Action(label=_("开展测评分析"), url=f"/reports/new/{found.public_id}/", icon="player-play", is_primary=True)]


def _facts(found: AssessmentData) -> list[Fact]:
    org = orgs_by_ids([found.org_id]).get(found.org_id)
    return [
        Fact(label=_("测验代码"), value=found.code),
        Fact(label=_("测验日期"), value=found.held_date),
        Fact(label=_("学期"), value=found.session or None),
        Fact(label=_("年级"), value=found.grade or None),
        Fact(label=_("学科"), value=_("、").join(found.subjects)),
        Fact(label=_("参测范围"), value=org.name if org else None),
        Fact(label=_("参测学生"), value=found.pupils),
        Fact(
            label=_("题本"), value=len(found.booklets) or 1, help=_("每名学生只做一个题本。") if len(found.booklets) > 1 else ""
        ),
    ]


def _note_export(actor: Actor, target: str, form: str, now: datetime) -> None:
    audit.record(actor=actor, action="assessment.list_exported", target=target, details={"format": form}, now=now)
