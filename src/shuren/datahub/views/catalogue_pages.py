"""The catalogue of data: what there is, its columns, and the runs that read and wrote it. Names and grades, never values."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.datahub.data import AssetKind, RunState, SharingAttribute
from shuren.datahub.models import CatalogueAsset, CatalogueColumn, LineageTouch
from shuren.datahub.selectors.assets import (
    access_asset,
    access_catalogue,
    asset_owners,
    assets,
    columns_of,
    find_asset,
    runs_of,
)
from shuren.datahub.selectors.shared_datasets import apply_address, shared_dataset
from shuren.datahub.selectors.workbench import may_ask
from shuren.datahub.services.export_lineage import export_lineage
from shuren.datahub.views.asset_words import GRADES, JOBS, KINDS, STATES, address_of_facts, grade_word, kind_word, owners_named
from shuren.datahub.views.words import ATTRIBUTES
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import page_of, stream_of
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status, Tab


def asset_url(asset_id: int, page: str = "asset") -> str:
    return reverse(f"datahub:{page}", args=[ids.encode("asset", asset_id)])


def lineage_address(asset_id: int, column: str = "") -> str:
    asked = f"?{urlencode({'column': column})}" if column else ""
    return asset_url(asset_id, "asset_lineage") + asked


def asset_in(request: HttpRequest, asset_id: str) -> CatalogueAsset:
    return access_asset(actor=actor_of(request), id=ids.decode("asset", asset_id), now=clock.now())


def state_of(row: CatalogueAsset) -> Status:
    if row.retired_at:
        return Status(text=_("已停用"))
    return Status(text=_("在用"), tone="good") if row.is_declared else Status(text=_("只在运行中见过"), tone="warn")


@never_cache
@require_safe
def catalogue(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    access_catalogue(actor=actor, now=now)
    owners = owners_named(asset_owners())
    spec: ListSpec[CatalogueAsset] = ListSpec(
        name="catalogue",
        title=_("数据目录"),
        columns=(
            Column(key="title", title=_("数据资源"), value=lambda row: row.title, url=lambda row: asset_url(row.pk)),
            Column(key="kind", title=kind_word(), value=lambda row: str(KINDS[AssetKind(row.kind)])),
            Column(key="name", title=_("技术名称"), value=lambda row: row.name),
            Column(key="owner", title=_("负责方"), value=lambda row: owners.get(row.owner, row.owner)),
            Column(key="grade", title=grade_word(), value=lambda row: str(GRADES.get(row.grade, ""))),
            Column(key="columns", title=_("列数"), value=lambda row: row.column_count, kind=CellKind.NUMBER),
            Column(key="changed", title=pgettext("data", "最近变化"), value=lambda row: row.changed_at, kind=CellKind.DATETIME),
            Column(key="state", title=_("状态"), value=state_of, kind=CellKind.STATUS, is_shown=False),
        ),
        rows=lambda query: page_of(_asked(request, query, now), lambda row: row, number=query.number, size=query.size),
        stream=lambda query: stream_of(_asked(request, query, now), list),
        filters=(
            Filter(
                key="kind",
                label=kind_word(),
                choices=tuple(Choice(value=k.value, label=str(v)) for k, v in KINDS.items()),
            ),
            Filter(
                key="owner",
                label=_("负责方"),
                choices=tuple(Choice(value=key, label=name) for key, name in sorted(owners.items()) if key),
            ),
            Filter(
                key="grade",
                label=grade_word(),
                choices=tuple(Choice(value=k, label=str(v)) for k, v in GRADES.items()),
            ),
            Filter(key="state", label=_("状态"), choices=(Choice(value="retired", label=_("已停用")),)),
        ),
        search_label=_("名称、说明或列名"),
        empty=EmptyState(title=_("没有找到数据资源"), text=_("换一个词，或去掉筛选条件再找。"), icon="database"),
        actions=(Action(label=_("导出血缘事件"), url=reverse("datahub:lineage_events"), icon="download"),),
        note=_("每张数据表、数据集、表单、台账、接口、指标和报告都由程序自动登记；这里只有名称和级别，没有数据内容。"),
    )
    return render_list(request, spec)


def _asked(request: HttpRequest, query: ListQuery, now: datetime) -> QuerySet[CatalogueAsset]:
    told = query.filters
    return assets(
        actor=actor_of(request),
        now=now,
        kind=told.get("kind", ""),
        owner=told.get("owner", ""),
        grade=told.get("grade", ""),
        state=told.get("state", ""),
        search=query.search,
    )


def _lead(row: CatalogueAsset) -> str:
    """Those who declare an asset describe it in Chinese; readers of English have its title."""
    is_told = row.description != row.title and not (get_language() or "").startswith("en")
    return row.description if is_told else ""


def asset_context(row: CatalogueAsset, page: str) -> dict[str, object]:
    """What the three pages of an asset share."""
    tabs = (("asset", _("列"), row.column_count), ("asset_lineage", _("血缘"), None), ("asset_runs", _("运行"), None))
    return {
        "title": row.title,
        "state": state_of(row),
        "lead": _lead(row),
        "tabs": [Tab(label=label, url=asset_url(row.pk, name), is_current=name == page, count=n) for name, label, n in tabs],
        "breadcrumbs": [{"label": _("数据目录"), "url": reverse("datahub:catalogue")}, {"label": row.title, "url": ""}],
    }


@never_cache
@require_safe
def asset(request: HttpRequest, asset_id: str) -> HttpResponseBase:
    row = asset_in(request, asset_id)
    spec: ListSpec[CatalogueColumn] = ListSpec(
        name="asset-columns",
        title=_("列"),
        columns=(
            Column(key="name", title=_("列名"), value=lambda one: one.name, url=lambda one: lineage_address(row.pk, one.name)),
            Column(key="title", title=_("名称"), value=lambda one: one.title),
            Column(key="type", title=_("类型"), value=lambda one: one.type),
            Column(key="element", title=_("数据元"), value=lambda one: one.element),
            Column(key="grade", title=grade_word(), value=lambda one: str(GRADES.get(one.grade, ""))),
        ),
        rows=lambda query: page_of(
            columns_of(row, search=query.search),
            lambda one: one,
            number=query.number,
            size=query.size,
            total=None if query.search else row.column_count,
        ),
        stream=lambda query: stream_of(columns_of(row, search=query.search), list),
        search_label=_("列名、名称或数据元"),
        empty=EmptyState(title=_("没有列"), text=_("还没有程序登记过它的列。"), icon="columns"),
    )
    owner = owners_named([row.owner])[row.owner]
    facts = [
        Fact(label=kind_word(), value=str(KINDS[AssetKind(row.kind)])),
        Fact(label=_("技术名称"), value=row.name),
        Fact(label=_("负责方"), value=owner or None),
        Fact(label=grade_word(), value=str(GRADES.get(row.grade, "")) or None),
        Fact(label=pgettext("data", "登记时间"), value=row.added_at),
        Fact(label=pgettext("data", "最近变化"), value=row.changed_at),
    ]
    facts += _sharing(row)
    if row.retired_at:
        facts.append(Fact(label=_("停用时间"), value=row.retired_at))
    context = {**asset_context(row, "asset"), "facts": facts}
    if row.kind == AssetKind.DATASET:
        context["actions"] = _next_steps(row, actor=actor_of(request), now=clock.now())
    return render_list(request, spec, template="front/detail.html", context=context)


def _next_steps(row: CatalogueAsset, *, actor: Actor, now: datetime) -> list[Action]:
    """What may be done with a dataset from here."""
    found = [Action(label=_("数据政策"), url=asset_url(row.pk, "policy"), icon="file-text")]
    if may_ask(actor=actor, name=row.name, now=now):
        url = reverse("datahub:compose_question", args=[row.name])
        found.insert(0, Action(label=_("查询数据"), url=url, icon="search", is_primary=True))
    return found


def _sharing(row: CatalogueAsset) -> list[Fact]:
    """How far a dataset is shared, with the way to apply where it is; others may have told of one that is not in the lake."""
    if row.kind != AssetKind.DATASET:
        return []
    try:
        terms = shared_dataset(row.name).terms
    except NotFound:
        return []
    url = "" if terms.attribute is SharingAttribute.NONE else apply_address(row.name)
    return [Fact(label=_("共享属性"), value=str(ATTRIBUTES[terms.attribute]), url=url, help=terms.ground)]


@never_cache
@require_safe
def asset_runs(request: HttpRequest, asset_id: str) -> HttpResponseBase:
    row = asset_in(request, asset_id)
    spec: ListSpec[LineageTouch] = ListSpec(
        name="asset-runs",
        title=_("运行"),
        columns=(
            Column(
                key="job",
                title=_("任务"),
                value=lambda one: str(JOBS.get(one.run.job, one.run.job)),
                url=lambda one: address_of_facts(one.run.facts),
            ),
            Column(key="role", title=_("与它的关系"), value=lambda one: _("写入") if one.is_output else _("读取")),
            Column(key="state", title=_("结果"), value=lambda one: str(STATES[RunState(one.run.state)])),
            Column(key="at", title=_("时间"), value=lambda one: one.run.began_at, kind=CellKind.DATETIME),
            Column(key="namespace", title=_("来自系统"), value=lambda one: one.run.namespace),
            Column(key="run", title=_("运行编号"), value=lambda one: one.run.run_id),
        ),
        rows=lambda query: page_of(runs_of(row), lambda one: one, number=query.number, size=query.size),
        empty=EmptyState(title=_("还没有运行"), text=_("导入、冻结或计算动过它之后，这里就有记录。"), icon="history"),
    )
    return render_list(request, spec, template="front/detail.html", context=asset_context(row, "asset_runs"))


@never_cache
@require_safe
def find_lineage(request: HttpRequest) -> HttpResponseBase:
    """From a name that another page knows to what bears it: its lineage, or its columns where those are asked for."""
    row = find_asset(actor=actor_of(request), key=request.GET.get("key", ""), now=clock.now())
    if request.GET.get("page") == "asset":
        return redirect(asset_url(row.pk))
    return redirect(lineage_address(row.pk, request.GET.get("column", "")))


@never_cache
@require_safe
def lineage_events(request: HttpRequest) -> HttpResponseBase:
    """Our runs as OpenLineage events, one a line."""
    lines: Iterator[bytes] = export_lineage(actor=actor_of(request), now=clock.now())
    headers = {"Content-Disposition": 'attachment; filename="lineage.ndjson"'}
    return StreamingHttpResponse(lines, content_type="application/x-ndjson", headers=headers)
