"""Datasets with their rules, and the life of each: its stages, its partitions, and what is due."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.datahub.data import ArchiveState
from shuren.datahub.rules.life_cycle import BASES, leaves_use_on
from shuren.datahub.selectors.life_cycle import (
    DatasetLife,
    PartitionLife,
    access_life_cycle,
    dataset_lives,
    held_reason_of,
    partition_lives,
)
from shuren.datahub.selectors.life_cycle_loop import LoopStage, loop_of
from shuren.datahub.selectors.life_cycle_rules import grade_for_life_cycle, life_cycle_of
from shuren.datahub.selectors.shared_datasets import SharedDataset
from shuren.datahub.services.life_cycle.plan import ask_to_follow
from shuren.datahub.services.life_cycle.set_rule import hold_life_cycle, release_life_cycle, set_life_cycle
from shuren.datahub.views.asset_words import GRADES, grade_word
from shuren.datahub.views.catalogue_pages import asset_url
from shuren.datahub.views.life_cycle.forms import HoldForm, LifeCycleForm
from shuren.datahub.views.life_cycle.words import STAGES, STARTS, UNITS, crumbs, rule_words, tabs
from shuren.identity.api import actor_of
from shuren.kernel import clock
from shuren.kernel.paging import page_of_rows
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status


def life_url(dataset: str, page: str = "life_cycle") -> str:
    return reverse(f"datahub:{page}", args=[dataset])


def _rule_state(row: DatasetLife) -> Status:
    if row.held_reason:
        return Status(text=_("已冻结"), tone="bad")
    return Status(text=_("已设定"), tone="good") if row.rule.is_declared else Status(text=_("默认，待确认"), tone="warn")


@never_cache
@require_safe
def life_cycles(request: HttpRequest) -> HttpResponseBase:
    """The datasets that one answers for, each with its rule."""
    actor, now = actor_of(request), clock.now()

    def found(query: ListQuery) -> list[DatasetLife]:
        return dataset_lives(actor=actor, now=now, words=query.search, state=query.filters.get("state", ""))

    found(ListQuery())
    spec: ListSpec[DatasetLife] = ListSpec(
        name="life_cycles",
        title=_("数据生命周期"),
        columns=(
            Column(
                key="title",
                title=_("数据集"),
                value=lambda row: row.shared.title,
                url=lambda row: life_url(row.shared.spec.name),
            ),
            Column(key="name", title=_("技术名称"), value=lambda row: row.shared.spec.name, is_shown=False),
            Column(key="owner", title=_("负责单位"), value=lambda row: row.shared.owner.name),
            Column(
                key="grade",
                title=grade_word(),
                value=lambda row: str(GRADES.get(row.shared.spec.grade, row.shared.spec.grade)),
            ),
            Column(key="rule", title=_("规则"), value=lambda row: rule_words(row.rule)),
            Column(key="state", title=_("状态"), value=_rule_state, kind=CellKind.STATUS),
            Column(key="in_use", title=_("在用分区"), value=lambda row: row.in_use, kind=CellKind.NUMBER),
            Column(key="archived", title=_("归档分区"), value=lambda row: row.archived, kind=CellKind.NUMBER),
            Column(key="bytes", title=_("在用大小（MB）"), value=lambda row: row.bytes / 1e6, kind=CellKind.NUMBER, decimals=1),
        ),
        rows=lambda query: page_of_rows(found(query), number=query.number, size=query.size),
        stream=found,
        filters=(
            Filter(
                key="state",
                label=_("状态"),
                choices=(
                    Choice(value="undeclared", label=_("默认，待确认")),
                    Choice(value="held", label=_("已冻结")),
                    Choice(value="archived", label=_("有归档")),
                ),
            ),
        ),
        search_label=_("名称、说明或负责单位"),
        empty=EmptyState(
            title=_("本单位还没有数据集"),
            text=_("冻结一次数据采集，或读进一个数据库视图，得到的数据集就列在这里。"),
            icon="database",
        ),
        note=_("默认规则按级别给出，负责单位确认以后才执行：到期归档自动进行，销毁要两个人先后同意。"),
    )
    context = {"tabs": tabs("life_cycles"), "title": _("数据生命周期")}
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_safe
def life_cycle(request: HttpRequest, dataset: str) -> HttpResponseBase:
    """One dataset from collection to destruction, with all its partitions."""
    actor, now = actor_of(request), clock.now()
    found = access_life_cycle(actor=actor, dataset=dataset, now=now)
    rule, held = life_cycle_of(found.spec), held_reason_of(dataset)
    lives = partition_lives(dataset, rule)
    spec: ListSpec[PartitionLife] = ListSpec(
        name="partition_lives",
        title=_("分区"),
        columns=(
            Column(key="partition", title=_("分区"), value=lambda row: row.partition),
            Column(key="state", title=_("状态"), value=_partition_state, kind=CellKind.STATUS),
            Column(key="rows", title=_("行数"), value=lambda row: row.rows, kind=CellKind.NUMBER),
            Column(key="bytes", title=_("大小（MB）"), value=lambda row: row.bytes / 1e6, kind=CellKind.NUMBER, decimals=2),
            Column(key="files", title=_("文件数"), value=lambda row: row.files, kind=CellKind.NUMBER),
            Column(key="written", title=_("写入时间"), value=lambda row: row.written_at, kind=CellKind.DATETIME),
            Column(key="archive_on", title=_("归档日"), value=lambda row: row.archive_on, kind=CellKind.DATE),
            Column(key="destroy_on", title=_("销毁日"), value=lambda row: row.destroy_on, kind=CellKind.DATE),
        ),
        rows=lambda query: page_of_rows(lives, number=query.number, size=query.size),
        stream=lambda query: lives,
        empty=EmptyState(title=_("还没有数据"), text=_("写入以后，每个分区显示在这里。"), icon="database"),
    )
    context = {
        "title": found.title,
        "lead": rule_words(rule),
        "state": _rule_state(DatasetLife(found, rule, held, 0, 0, 0)),
        "facts": _facts(found, held, now),
        "actions": _actions(dataset, is_declared=rule.is_declared, is_held=bool(held)),
        "stages": [_stage(one, dataset) for one in loop_of(dataset, now=now)],
        "breadcrumbs": crumbs((found.title, "")),
    }
    return render_list(request, spec, template="datahub/life_cycle/dataset.html", context=context)


def _partition_state(row: PartitionLife) -> Status:
    if any(one.state == ArchiveState.CALLED for one in row.archives):
        return Status(text=_("正在调回"), tone="busy")
    if row.recalled_until is not None:
        return Status(text=_("调回到 %(day)s") % {"day": row.recalled_until.isoformat()}, tone="warn")
    if row.is_archived:
        return Status(text=_("已归档"))
    return Status(text=_("在用"), tone="good") if row.is_in_use else Status(text=_("已被替换，待清理"))


def _facts(found: SharedDataset, held: str, now: datetime) -> list[Fact]:
    rule = life_cycle_of(found.spec)
    grade = grade_for_life_cycle(found.spec)
    facts = [
        Fact(label=_("技术名称"), value=found.spec.name),
        Fact(label=_("负责单位"), value=found.owner.name),
        Fact(label=_("最高级别"), value=str(GRADES.get(grade, grade))),
        Fact(label=_("依据"), value=str(BASES[rule.basis].title)),
        Fact(label=_("从哪天算起"), value=str(STARTS[rule.counted_from])),
    ]
    if rule.ground:
        facts.append(Fact(label=_("说明"), value=rule.ground))
    if held:
        facts.append(Fact(label=_("冻结的理由"), value=held))
    leaves = leaves_use_on(rule, clock.day_of(now))
    if leaves is not None:
        facts.append(Fact(label=_("今天写入的用到"), value=leaves, help=_("按现在的规则")))
    return facts


def _stage(one: LoopStage, dataset: str) -> dict[str, object]:
    """A stage with the page that proves it, where there is one."""
    urls = {
        "shared": reverse("datahub:sharing_grants"),
        "archived": reverse("datahub:archives"),
        "destroyed": reverse("datahub:destructions"),
    }
    url = asset_url(one.asset_id, "asset_runs") if one.asset_id is not None else urls.get(one.key, "")
    return {
        "title": STAGES[one.key],
        "count": one.count,
        "unit": UNITS[one.key],
        "last_at": one.last_at,
        "url": url if one.count else "",
        "is_least": one.is_least,
    }


def _actions(dataset: str, *, is_declared: bool, is_held: bool) -> list[Action]:
    label = _("修改规则") if is_declared else _("设定规则")
    actions = [Action(label=label, url=life_url(dataset, "life_cycle_rule"), icon="edit", is_primary=not is_declared)]
    if is_held:
        confirm = _("解除后，到期的数据会照规则归档或列入销毁清单。要解除吗？")
        url = life_url(dataset, "release_life_cycle")
        return [*actions, Action(label=_("解除冻结"), url=url, icon="lock-open", is_post=True, confirm=confirm)]
    if is_declared:
        confirm = _("到期的分区现在归档，要销毁的列成清单等两个人同意。要执行吗？")
        url = life_url(dataset, "follow_life_cycle")
        actions.append(Action(label=_("现在检查到期数据"), url=url, icon="refresh", is_post=True, confirm=confirm))
    return [*actions, Action(label=_("冻结"), url=life_url(dataset, "hold_life_cycle"), icon="lock")]


@never_cache
@require_http_methods(["GET", "POST"])
def life_cycle_rule(request: HttpRequest, dataset: str) -> HttpResponseBase:
    """The owner sets how long the dataset is kept, or confirms what its grade says."""
    actor, now = actor_of(request), clock.now()
    found = access_life_cycle(actor=actor, dataset=dataset, now=now)
    rule = life_cycle_of(found.spec)
    initial = {name: getattr(rule, name) for name in ("basis", "ground", "in_use_days", "archived_days")}
    form = LifeCycleForm(posted(request), initial={**initial, "counted_from": rule.counted_from.value, "then": rule.then.value})

    def save() -> str:
        set_life_cycle(actor=actor, dataset=dataset, told=form.told(), now=now)
        return life_url(dataset)

    title = _("设定规则")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("保存规则"),
        back=life_url(dataset),
        lead=_("保存以后每天照此执行：到期的自动归档；要销毁的列成清单，两个人先后同意才销毁。"),
        done=_("规则已保存。"),
        breadcrumbs=crumbs((found.title, life_url(dataset)), (title, "")),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def hold(request: HttpRequest, dataset: str) -> HttpResponseBase:
    """Freeze a dataset for a court, an audit or an appeal."""
    actor, now = actor_of(request), clock.now()
    found = access_life_cycle(actor=actor, dataset=dataset, now=now)
    form = HoldForm(posted(request))

    def save() -> str:
        hold_life_cycle(actor=actor, dataset=dataset, reason=form.cleaned_data["reason"], now=now)
        return life_url(dataset)

    title = _("冻结数据集")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("冻结"),
        back=life_url(dataset),
        lead=_("冻结期间不清理、不归档、不销毁，已批准的销毁也停下；数据照常可用。"),
        done=_("已冻结。"),
        breadcrumbs=crumbs((found.title, life_url(dataset)), (title, "")),
    )


@require_POST
def release(request: HttpRequest, dataset: str) -> HttpResponseBase:
    release_life_cycle(actor=actor_of(request), dataset=dataset, now=clock.now())
    messages.success(request, _("已解除冻结。"))
    return redirect(life_url(dataset))


@require_POST
def follow(request: HttpRequest, dataset: str) -> HttpResponseBase:
    """Look now instead of at night."""
    ask_to_follow(actor=actor_of(request), dataset=dataset, now=clock.now())
    messages.success(request, _("已开始检查，到期的分区稍后在这里变为已归档，要销毁的列在“销毁”里。"))
    return redirect(life_url(dataset))
