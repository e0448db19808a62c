"""How good the data of every unit is, what is wrong with it, and which rows those are."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.datahub.data import QualityDimension
from shuren.datahub.models import QualityRun
from shuren.datahub.selectors.catalogue import dataset_title
from shuren.datahub.selectors.quality import (
    RuleRow,
    ScoreRow,
    current_run,
    current_runs,
    failing_page,
    measured_org,
    page_of_scores,
    quarantined_under,
    rules_over,
    scores_of,
    stream_of_scores,
    trend_of,
    types_measured,
)
from shuren.datahub.selectors.quality_rules import quality_rule
from shuren.datahub.views.words import DIMENSIONS
from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType, Permission
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page
from shuren.pages.api import number_in, render_list
from shuren.pages.data import (
    CellKind,
    Chart,
    ChartKind,
    Choice,
    Column,
    EmptyState,
    Fact,
    Filter,
    ListQuery,
    ListSpec,
    Point,
    Series,
    Status,
    Tab,
)
from shuren.standards import api as standards

_GOOD, _FAIR = 95.0, 80.0
_TYPES = (OrgType.SCHOOL, OrgType.COUNTY, OrgType.CITY, OrgType.PROVINCE, OrgType.CAMPUS, OrgType.TEACHING_POINT, OrgType.AGENCY)


@dataclass(frozen=True, slots=True)
class FailingRow:
    """A row that a rule does not let pass: whose it is, and where."""

    name: str
    url: str
    org: str


@never_cache
@sensitive_files(asked_by="export")
@require_safe
def quality(request: HttpRequest) -> HttpResponseBase:
    """The orgs of one type in the reader's branches, the worst first."""
    actor, now = actor_of(request), clock.now()
    scope = directory.scope_of(actor=actor, permission=Permission.VIEW_QUALITY, now=now)
    runs = {run.dataset: run for run in current_runs()}

    def run_of(query: ListQuery) -> QualityRun | None:
        return runs.get(query.filters.get("dataset", "")) or next(iter(runs.values()), None)

    def rows(query: ListQuery) -> Page[ScoreRow]:
        run = run_of(query)
        if run is None:
            return Page(rows=[], total=0, is_exact=True, number=1, size=query.size)
        chosen = query.filters.get("type") or _first_type(run)
        return page_of_scores(run=run, scope=scope, org_type=chosen, parent=None, number=query.number, size=query.size)

    def _first_type(run: QualityRun) -> str:
        held = types_measured(run, scope)
        return next((kind.value for kind in _TYPES if kind in held), OrgType.SCHOOL.value)

    def every(query: ListQuery) -> Iterable[ScoreRow]:
        run = run_of(query)
        if run is None:
            return ()
        chosen = query.filters.get("type") or _first_type(run)
        return stream_of_scores(run=run, scope=scope, org_type=chosen, parent=None)

    day = max((run.day for run in runs.values()), default=None)
    spec: ListSpec[ScoreRow] = ListSpec(
        name="quality",
        title=_("数据质量"),
        columns=_score_columns(),
        rows=rows,
        stream=every,
        filters=(
            Filter(key="dataset", label=_("数据"), choices=tuple(Choice(value=name, label=_dataset(name)) for name in runs)),
            Filter(key="type", label=_("单位"), choices=tuple(Choice(value=kind, label=_type(kind)) for kind in _TYPES)),
        ),
        empty=EmptyState(title=_("还没有检查过"), text=_("每天夜里检查一次，结果出来后显示在这里。"), icon="clipboard-check"),
    )
    lead = _("每条规则查了多少行、多少行不符，按单位汇总成分数；分数低的排在前面。")
    if day is not None:
        lead += " " + _("最近一次检查：%(day)s。") % {"day": day.isoformat()}
    return render_list(request, spec, context={"lead": lead})


@never_cache
@require_safe
def quality_of_org(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """One org: its scores by dimension, their course, and every rule with what it found."""
    actor, now = actor_of(request), clock.now()
    org = measured_org(actor=actor, id=ids.decode("org", public_id), now=now)
    held = scores_of(org)
    asked = request.GET.get("dataset", "")
    run, score = next(((run, score) for run, score in held if run.dataset == asked), held[0] if held else (None, None))
    context: dict[str, object] = {
        "title": _("%(name)s的数据质量") % {"name": org.name},
        "breadcrumbs": [{"label": _("数据质量"), "url": reverse("datahub:quality")}, {"label": org.name, "url": ""}],
    }
    if waiting := quarantined_under(org):
        told = _("导入时没有写入的行；改好后才进入数据，再参加评分。")
        url = f"{reverse('front:quarantine')}?state=waiting&unit={org.id}"
        context["facts"] = [Fact(label=_("隔离待改的行"), value=f"{waiting:,}", url=url, help=told)]
    if run is not None and score is not None:
        context |= {
            "lead": _("%(day)s 检查 · %(rows)s 行次，%(failed)s 行次不符")
            % {"day": run.day.isoformat(), "rows": f"{score.checked:,}", "failed": f"{score.failed:,}"},
            "state": _scored(score.score),
            "tabs": [
                Tab(
                    label=_dataset(other.dataset),
                    url=f"{_url(org)}?dataset={other.dataset}",
                    is_current=other.dataset == run.dataset,
                )
                for other, _score in held
            ]
            if len(held) > 1
            else [],
            "dimensions": [(str(DIMENSIONS[name]), _scored(score.by_dimension.get(name))) for name in QualityDimension],
            "rules": [_rule_line(org, row) for row in rules_over(org, run.dataset)],
            "trend": _trend(org, run.dataset),
        }
    return render(request, "datahub/quality_org.html", context)


@never_cache
@sensitive_files(asked_by="export")
@require_safe
def quality_rows(request: HttpRequest, public_id: str, rule_code: str) -> HttpResponseBase:
    """The rows of an org and below that one rule does not let pass, each with a link to where it is mended."""
    actor, now = actor_of(request), clock.now()
    org = measured_org(actor=actor, id=ids.decode("org", public_id), now=now)
    if not directory.scope_of(actor=actor, permission=Permission.VIEW_PEOPLE, now=now).covers(org.path):
        raise NotFound(_("没有找到这个机构。"))
    rule, language = quality_rule(rule_code), get_language() or ""
    run = current_run(rule.dataset)
    today = run.day if run else clock.day_of(now)

    def rows(query: ListQuery) -> Page[FailingRow]:
        after = number_in(query.cursor, most=10**9) or 0
        _found, found = failing_page(org, rule_code, after=after, size=query.size, today=today)
        following = str(after + query.size) if len(found) == query.size else ""
        return Page(rows=_failing(found), total=len(found), is_exact=True, number=1, size=query.size, next_cursor=following)

    spec: ListSpec[FailingRow] = ListSpec(
        name="quality_rows",
        title=_("不符合“%(rule)s”") % {"rule": rule.title(language)},
        columns=(
            Column(key="name", title=_("名称"), value=lambda row: row.name, url=lambda row: row.url),
            Column(key="org", title=_("单位"), value=lambda row: row.org),
        ),
        rows=rows,
        is_endless=True,
        empty=EmptyState(title=_("没有不符合的行"), text=_("上次检查以后可能已经改好了。"), icon="check"),
    )
    crumbs = [
        {"label": _("数据质量"), "url": reverse("datahub:quality")},
        {"label": org.name, "url": _url(org)},
        {"label": rule.title(language), "url": ""},
    ]
    return render_list(request, spec, context={"lead": rule.remedy(language), "breadcrumbs": crumbs})


def _score_columns() -> tuple[Column[ScoreRow], ...]:
    def of(dimension: QualityDimension) -> Column[ScoreRow]:
        return Column(
            key=dimension.value,
            title=str(DIMENSIONS[dimension]),
            value=lambda row: row.score.by_dimension.get(dimension.value),
            kind=CellKind.NUMBER,
            decimals=1,
        )

    return (
        Column(key="org", title=_("单位"), value=lambda row: row.org.name, url=lambda row: _url(row.org)),
        Column(key="score", title=_("得分"), value=lambda row: _scored(row.score.score), kind=CellKind.STATUS),
        Column(key="before", title=_("上次"), value=lambda row: row.before, kind=CellKind.NUMBER, decimals=1),
        *(of(dimension) for dimension in QualityDimension),
        Column(key="failed", title=_("不符行次"), value=lambda row: row.score.failed, kind=CellKind.NUMBER),
        Column(key="quarantined", title=_("隔离待改"), value=lambda row: row.quarantined, kind=CellKind.NUMBER),
    )


def _rule_line(org: OrgData, row: RuleRow) -> dict[str, object]:
    language = get_language() or ""
    url = "" if row.rule.measured or not row.failed else reverse("datahub:quality_rows", args=[org.public_id, row.rule.code])
    return {
        "title": row.rule.title(language),
        "remedy": row.rule.remedy(language),
        "dimension": str(DIMENSIONS[row.rule.dimension]),
        "checked": row.checked,
        "failed": row.failed,
        "state": _scored(row.share),
        "url": url,
    }


def _trend(org: OrgData, dataset: str) -> Chart | None:
    past = trend_of(org, dataset)
    if len(past) < 2:  # one point is no course
        return None
    points = tuple(Point(label=day.isoformat(), value=score) for day, score in past)
    first, last = round(past[0][1], 1), round(past[-1][1], 1)
    rose, fell = _("得分从 %(first).1f 升到 %(last).1f"), _("得分从 %(first).1f 降到 %(last).1f")
    title = rose if last > first else fell if last < first else _("得分保持 %(last).1f")
    title %= {"first": first, "last": last}
    return Chart(
        kind=ChartKind.TREND,
        title=title,
        series=(Series(name=_("得分"), points=points),),
        label_title=_("日期"),
        value_title=_("得分"),
    )


def _failing(found: list[tuple[int, int]]) -> list[FailingRow]:
    orgs = directory.orgs_by_ids(org_id for org_id, _person_id in found)
    people = directory.people_by_ids([person_id for _org_id, person_id in found if person_id])
    lines = []
    for org_id, person_id in found:
        org = orgs.get(org_id)
        if org is None:
            continue
        person = people.get(person_id)
        if person is not None:
            name, url = person.name or person.number, reverse("directory:person", args=[person.public_id])
        else:
            name, url = org.name, reverse("directory:org", args=[org.public_id])
        lines.append(FailingRow(name=name, url=url, org=org.name))
    return lines


def _scored(score: float | None) -> Status:
    if score is None:
        return Status(text="—")
    tone = "good" if score >= _GOOD else "warn" if score >= _FAIR else "bad"
    return Status(text=f"{score:.1f}", tone=tone)


def _url(org: OrgData) -> str:
    return reverse("datahub:quality_of_org", args=[org.public_id])


def _dataset(name: str) -> str:
    return dataset_title(name)


def _type(kind: OrgType) -> str:
    return standards.code_label("org_type", kind.value)
