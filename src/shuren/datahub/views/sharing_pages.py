"""What may be shared, what one's units applied for, and what waits for one's decision."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.datahub.data import ApplicationState, SharingAttribute, SharingWay
from shuren.datahub.models import SharingApplication
from shuren.datahub.selectors.catalogue import dataset_title, titles_of_datasets
from shuren.datahub.selectors.exchange.nodes import keeps_exchange
from shuren.datahub.selectors.shared_datasets import (
    SharedDataset,
    apply_address,
    columns_in_words,
    shared_datasets,
)
from shuren.datahub.selectors.sharing import (
    access_application,
    access_sharing,
    applications_to_decide,
    decides,
    decides_for,
    own_applications,
)
from shuren.datahub.views.asset_words import GRADES, grade_word
from shuren.datahub.views.words import APPLICATIONS, ATTRIBUTES, WAYS
from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import Page, page_of, page_of_rows, stream_of
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status, Tab

_TONES = {ApplicationState.OPEN: "busy", ApplicationState.APPROVED: "good", ApplicationState.REFUSED: "bad"}


def crumbs(title: str) -> list[dict[str, str]]:
    return [{"label": _("数据共享"), "url": reverse("datahub:sharing")}, {"label": title, "url": ""}]


def application_address(application_id: int) -> str:
    return reverse("datahub:sharing_application", args=[ids.encode("sharing_application", application_id)])


def tabs(current: str) -> list[Tab]:
    """The four lists of sharing."""
    names = (
        ("sharing", _("可共享的数据")),
        ("sharing_applications", _("我的申请")),
        ("sharing_to_decide", _("待我决定")),
        ("sharing_grants", _("授权与使用")),
    )
    return [Tab(label=label, url=reverse(f"datahub:{name}"), is_current=name == current) for name, label in names]


def org_names(org_ids: Iterable[int]) -> dict[int, str]:
    return {org_id: org.name for org_id, org in directory.orgs_by_ids(org_ids).items()}


def ways_words(ways: Sequence[str]) -> str:
    return "、".join(str(WAYS[way]) for way in SharingWay if way.value in ways)


def application_state(row: SharingApplication) -> Status:
    state = ApplicationState(row.state)
    return Status(text=str(APPLICATIONS[state]), tone=_TONES.get(state, "plain"))


@never_cache
@require_safe
def sharing(request: HttpRequest) -> HttpResponseBase:
    """Every dataset with its attribute: the units of the region apply here for what others hold."""
    actor, now = actor_of(request), clock.now()
    units = {unit.id for unit in access_sharing(actor=actor, now=now)}
    # Most datasets of a page have one owner.
    is_ours = cache(lambda owner_org_id: decides_for(owner_org_id, actor=actor, now=now))

    def found(query: ListQuery) -> list[SharedDataset]:
        return shared_datasets(words=query.search, attribute=query.filters.get("attribute", ""))

    def rows(query: ListQuery) -> Page[SharedDataset]:
        return page_of_rows(found(query), number=query.number, size=query.size)

    def may_apply(row: SharedDataset) -> bool:
        return row.terms.attribute is not SharingAttribute.NONE and bool(units - {row.owner.id})

    def actions(row: SharedDataset) -> tuple[Action, ...]:
        if not is_ours(row.owner.id):
            return ()
        return (Action(label=_("设定共享属性"), url=reverse("datahub:sharing_terms", args=[row.spec.name]), icon="edit"),)

    spec: ListSpec[SharedDataset] = ListSpec(
        name="sharing",
        title=_("数据共享"),
        columns=(
            Column(key="title", title=_("数据集"), value=lambda row: row.title, url=lambda row: _columns_address(row.spec.name)),
            Column(key="name", title=_("技术名称"), value=lambda row: row.spec.name),
            Column(key="owner", title=_("提供单位"), value=lambda row: row.owner.name),
            Column(key="grade", title=grade_word(), value=lambda row: str(GRADES.get(row.spec.grade, row.spec.grade))),
            Column(key="attribute", title=_("共享属性"), value=_attribute, kind=CellKind.STATUS),
            Column(key="ground", title=_("依据或条件"), value=lambda row: row.terms.ground or None),
            Column(
                key="apply",
                title=_("申请"),
                value=lambda row: _("申请") if may_apply(row) else None,
                url=lambda row: apply_address(row.spec.name) if may_apply(row) else "",
            ),
        ),
        rows=rows,
        stream=found,
        filters=(
            Filter(
                key="attribute",
                label=_("共享属性"),
                choices=tuple(Choice(value=one.value, label=str(ATTRIBUTES[one])) for one in SharingAttribute),
            ),
        ),
        search_label=_("名称、说明或提供单位"),
        row_actions=actions,
        empty=EmptyState(title=_("没有这样的数据集"), text=_("换一个词再查。"), icon="database"),
        note=_("能通过共享得到的数据，不再另行采集。"),
    )
    context: dict[str, object] = {"tabs": tabs("sharing"), "title": _("数据共享")}
    if keeps_exchange(actor=actor, now=now):
        context["actions"] = [Action(label=_("节点交换"), url=reverse("datahub:exchange"), icon="git-merge")]
    return render_list(request, spec, template="front/detail.html", context=context)


def _columns_address(dataset: str) -> str:
    """Where the catalogue tells what a dataset holds."""
    return f"{reverse('datahub:find_lineage')}?{urlencode({'key': f'dataset:{dataset}', 'page': 'asset'})}"


def _attribute(row: SharedDataset) -> Status:
    tones = {SharingAttribute.UNCONDITIONAL: "good", SharingAttribute.CONDITIONAL: "warn"}
    return Status(text=str(ATTRIBUTES[row.terms.attribute]), tone=tones.get(row.terms.attribute, "plain"))


@never_cache
@require_safe
def applications(request: HttpRequest) -> HttpResponseBase:
    """What one's units applied for, newest first."""
    actor, now = actor_of(request), clock.now()
    access_sharing(actor=actor, now=now)
    return _application_list(
        request,
        name="sharing_applications",
        title=_("我的申请"),
        asked=lambda query: own_applications(actor=actor, now=now, state=query.filters.get("state", "")),
        empty=EmptyState(
            title=_("还没有申请"),
            text=_("在“可共享的数据”里找到需要的数据集，提出申请。"),
            action=Action(label=_("可共享的数据"), url=reverse("datahub:sharing"), icon="database"),
        ),
    )


@never_cache
@require_safe
def to_decide(request: HttpRequest) -> HttpResponseBase:
    """What others applied for: what waits first, and by the filter what was decided."""
    actor, now = actor_of(request), clock.now()
    access_sharing(actor=actor, now=now)
    return _application_list(
        request,
        name="sharing_to_decide",
        title=_("待我决定"),
        asked=lambda query: applications_to_decide(actor=actor, now=now, state=query.filters.get("state", "")),
        empty=EmptyState(title=_("没有等待决定的申请"), text=_("有单位申请本单位的数据时会通知您。"), icon="check"),
    )


def _address(row: SharingApplication) -> str:
    return application_address(row.pk)


Asked = Callable[[ListQuery], QuerySet[SharingApplication]]


def _application_list(request: HttpRequest, *, name: str, title: str, asked: Asked, empty: EmptyState) -> HttpResponseBase:
    names: dict[int, str] = {}

    def named(found: list[SharingApplication]) -> list[SharingApplication]:
        names.update(org_names({org_id for row in found for org_id in (row.applicant_org_id, row.owner_org_id)} - set(names)))
        return found

    def rows(query: ListQuery) -> Page[SharingApplication]:
        page = page_of(asked(query), lambda row: row, number=query.number, size=query.size)
        named(page.rows)
        return page

    titles = titles_of_datasets()
    spec: ListSpec[SharingApplication] = ListSpec(
        name=name,
        title=title,
        columns=(
            Column(
                key="dataset",
                title=_("数据集"),
                value=lambda row: titles.get(row.dataset, row.dataset),
                url=lambda row: application_address(row.pk),
            ),
            Column(key="applicant", title=_("申请单位"), value=lambda row: names.get(row.applicant_org_id, "")),
            Column(key="owner", title=_("提供单位"), value=lambda row: names.get(row.owner_org_id, "")),
            Column(key="purpose", title=_("用途"), value=lambda row: row.purpose),
            Column(key="applied", title=_("申请时间"), value=lambda row: row.applied_at, kind=CellKind.DATETIME),
            Column(key="state", title=_("状态"), value=application_state, kind=CellKind.STATUS),
        ),
        rows=rows,
        stream=lambda query: stream_of(asked(query), named),
        filters=(
            Filter(
                key="state",
                label=_("状态"),
                choices=tuple(Choice(value=one.value, label=str(APPLICATIONS[one])) for one in ApplicationState),
            ),
        ),
        empty=empty,
    )
    context = {"tabs": tabs(name), "title": title, "breadcrumbs": crumbs(title)}
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_safe
def application(request: HttpRequest, application_id: str) -> HttpResponseBase:
    """One application, for both sides, with what may be done about it."""
    actor, now = actor_of(request), clock.now()
    row = access_application(actor=actor, id=ids.decode("sharing_application", application_id), now=now)
    is_mine = any(unit.id == row.applicant_org_id for unit in access_sharing(actor=actor, now=now))
    title = _("申请“%(name)s”") % {"name": dataset_title(row.dataset)}
    names = org_names({row.applicant_org_id, row.owner_org_id, *row.org_ids})
    people = directory.people_by_ids([one for one in (row.applied_by, row.decided_by) if one is not None])
    facts = [
        Fact(label=_("申请单位"), value=names.get(row.applicant_org_id)),
        Fact(label=_("提供单位"), value=names.get(row.owner_org_id)),
        Fact(label=_("申请人"), value=people[row.applied_by].name if row.applied_by in people else None),
        Fact(label=_("用途"), value=row.purpose),
        Fact(label=_("需要的列"), value="、".join(columns_in_words(row.dataset, row.columns).values())),
        Fact(label=_("哪些单位的数据"), value="、".join(names[one] for one in row.org_ids if one in names)),
        Fact(label=_("使用方式"), value=ways_words(row.ways)),
        Fact(label=_("用到哪天（含）"), value=row.ends_on),
        Fact(label=_("申请时间"), value=row.applied_at),
    ]
    if row.decided_at is not None:
        facts.append(Fact(label=_("决定时间"), value=row.decided_at))
        facts.append(Fact(label=_("决定人"), value=people[row.decided_by].name if row.decided_by in people else None))
    if row.reason:
        facts.append(Fact(label=_("说明"), value=row.reason))
    context = {
        "title": title,
        "state": application_state(row),
        "facts": facts,
        "actions": _actions(row, is_mine=is_mine, may_decide=decides(row, actor=actor, now=now)),
        "breadcrumbs": crumbs(title),
    }
    return render(request, "front/detail.html", context)


def _actions(row: SharingApplication, *, is_mine: bool, may_decide: bool) -> list[Action]:
    number = [ids.encode("sharing_application", row.pk)]
    if row.state == ApplicationState.APPROVED:
        url = reverse("datahub:sharing_grant", args=[ids.encode("sharing_grant", row.grant.pk)])
        return [Action(label=_("查看授权"), url=url, icon="key", is_primary=True)]
    if row.state != ApplicationState.OPEN:
        return []
    if may_decide:
        return [
            Action(label=_("同意"), url=reverse("datahub:approve_sharing", args=number), icon="check", is_primary=True),
            Action(label=_("不同意"), url=reverse("datahub:refuse_sharing", args=number), icon="x", is_danger=True),
        ]
    if not is_mine:
        return []
    url, confirm = reverse("datahub:withdraw_sharing", args=number), _("撤回后不再等待决定。要撤回吗？")
    return [Action(label=_("撤回"), url=url, icon="arrow-back-up", is_post=True, is_danger=True, confirm=confirm)]
