"""A collection as its issuers see it: progress down to the school, the list of orgs, what changed, one org."""

from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.casework.data import CollectionState, TargetState
from shuren.casework.models import Collection, CollectionTarget
from shuren.casework.rules.collections import is_late
from shuren.casework.selectors.collections.compare import changes_of_org
from shuren.casework.selectors.collections.progress import (
    progress_by_branch,
    progress_of,
    target_stream,
    targets_in,
    targets_of,
)
from shuren.casework.selectors.collections.reach import Reach, access_target
from shuren.casework.selectors.collections.repeating import next_period_of
from shuren.casework.services.cases.trail import address_of
from shuren.casework.views.collection_pages.parts import (
    collection_url,
    head_of,
    org_path_at,
    reach_of,
    target_id_in,
    target_url,
)
from shuren.casework.views.collection_words import TYPE_WORDS, target_choices, target_status
from shuren.directory import api as directory
from shuren.directory.data import OrgType
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import page_of
from shuren.pages.api import is_partial, render_list
from shuren.pages.data import Action, CellKind, Column, EmptyState, Fact, Filter, ListSpec, Status
from shuren.work import api as work
from shuren.work.data import JobState

DEFAULT_FACTOR = 1.5
LIVE = (CollectionState.ISSUING, CollectionState.OPEN, CollectionState.FREEZING)


@never_cache
@require_safe
def collection(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    """Due time, figures, the tree one step deep with links further down; the middle part asks again every few seconds."""
    reach = reach_of(request, collection_id)
    row = reach.collection
    template = "casework/collection_progress.html" if is_partial(request) else "casework/collection.html"
    context = {**head_of(reach, "collection"), **_progress(request, reach), "facts": _facts(reach)}
    if row.state == CollectionState.FROZEN:
        context["lead"] = _("已冻结：%(at)s。数据在数据湖里，不再变化。") % {"at": f"{row.frozen_at:%Y-%m-%d %H:%M}"}
    response = render(request, template, context)
    if is_partial(request) and request.GET.get("was", row.state) != row.state:
        # Another state has other buttons, which stand outside the part that asks again.
        response.headers["HX-Refresh"] = "true"
    return response


def _progress(request: HttpRequest, reach: Reach) -> dict[str, object]:
    now, row = clock.now(), reach.collection
    path = org_path_at(request, reach)
    here = reach.narrowed(path)
    orgs = directory.orgs_above([path])
    trail = [
        org for org in sorted(orgs.values(), key=lambda org: org.path) if any(org.path.startswith(top) for top in reach.paths)
    ]
    branches = progress_by_branch(here, path, now=now)
    lines = [
        {"org": one.org, "progress": one.progress, "url": f"{collection_url(row)}?at={one.org.public_id}"}
        for one in branches
        if not one.is_leaf
    ]
    single = targets_of(here, [one.org.id for one in branches if one.is_leaf])
    return {
        "collection": row,
        "progress": progress_of(here, now=now),
        "lines": lines,
        "singles": [_single(target, now) for target in single],
        "trail": [{"label": org.name, "url": f"{collection_url(row)}?at={org.public_id}"} for org in trail],
        "poll_url": f"?{urlencode(request.GET.dict() | {'was': row.state})}" if row.state in LIVE else "",
        "orgs_url": f"{collection_url(row, 'collection_orgs')}?at={trail[-1].public_id}" if trail else "",
        "jobs": _jobs(reach),
        "tops": [org for org in directory.orgs_above(reach.paths).values() if org.path in reach.paths and org.path != path],
    }


def _single(target: CollectionTarget, now: datetime) -> dict[str, object]:
    """Where a single org stands: said in words, not as columns of 0 and 1."""
    status, late = target_status(target.state), _late_words(target, now)
    if late:
        status = Status(text=f"{status.text} · {late}", tone=status.tone if target.submitted_at else "bad")
    return {"target": target, "url": target_url(target), "status": status}


def _jobs(reach: Reach) -> list[JobState]:
    """Jobs of the collection that still run: issuing, urging, freezing."""
    row = reach.collection
    wanted = [job_id for job_id in (row.issue_job_id, row.urge_job_id, row.freeze_job_id) if job_id]
    return [job for job in work.job_states(wanted).values() if job.is_live] if wanted else []


def _facts(reach: Reach) -> list[Fact]:
    row = reach.collection
    kinds = "、".join(str(TYPE_WORDS.get(OrgType(kind), kind)) for kind in row.types)
    facts = [
        Fact(label=_("截止时间"), value=row.due_at),
        Fact(label=_("下发单位"), value=row.org.name),
        Fact(label=_("填报单位"), value=kinds),
        Fact(label=_("报告期"), value=row.period or None),
    ]
    if row.before is not None and row.before.path.startswith(reach.paths[0]):
        facts.append(Fact(label=_("上一次"), value=row.before.title, url=collection_url(row.before)))
    if coming := next_period_of(row):
        words = {"day": coming.begin.isoformat(), "period": coming.label}
        facts.append(Fact(label=_("自动再下发"), value=_("%(day)s 下发 %(period)s") % words))
    if after := Collection.objects.filter(follows=row).first():
        facts.append(Fact(label=_("下一次"), value=f"{after.title} {after.period}", url=collection_url(after)))
    return facts


@never_cache
@require_safe
def collection_orgs(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    """Every org in reach, late and missing ones by one filter, exported as it is narrowed."""
    reach, now = reach_of(request, collection_id), clock.now()
    here = reach.narrowed(org_path_at(request, reach))
    spec: ListSpec[CollectionTarget] = ListSpec(
        name="collection-orgs",
        title=_("名单"),
        columns=(
            Column(key="org", title=_("单位"), value=lambda row: row.org.name, url=target_url),
            Column(key="code", title=_("单位代码"), value=lambda row: row.org.code),
            Column(key="status", title=_("状态"), value=lambda row: target_status(row.state), kind=CellKind.STATUS),
            Column(key="late", title=_("逾期"), value=lambda row: _late_words(row, now)),
            Column(key="due", title=_("截止时间"), value=lambda row: row.due_at, kind=CellKind.DATETIME),
            Column(key="submitted", title=_("提交时间"), value=lambda row: row.submitted_at, kind=CellKind.DATETIME),
            Column(key="urges", title=_("催办次数"), value=lambda row: row.urges, kind=CellKind.NUMBER),
            Column(key="urged", title=_("最近催办"), value=lambda row: row.urged_at, kind=CellKind.DATETIME, is_shown=False),
        ),
        rows=lambda query: page_of(
            targets_in(here, state=query.filters.get("state", ""), search=query.search, now=now),
            lambda row: row,
            number=query.number,
            size=query.size,
        ),
        stream=lambda query: target_stream(targets_in(here, state=query.filters.get("state", ""), search=query.search, now=now)),
        filters=(Filter(key="state", label=_("状态"), choices=target_choices()),),
        search_label=_("单位名称或代码"),
        empty=EmptyState(title=_("没有这样的单位"), text=_("换一个筛选条件再看。"), icon="building"),
    )
    return render_list(request, spec, template="casework/collection_list.html", context=head_of(reach, "collection_orgs"))


def _late_words(row: CollectionTarget, now: datetime) -> str:
    if is_late(TargetState(row.state), row.due_at, now):
        days = (now - row.due_at).days
        return _("逾期 %(days)d 天") % {"days": days} if days else _("今天逾期")
    return _("逾期才报") if row.submitted_at and row.submitted_at > row.due_at else ""


@never_cache
@require_safe
def collection_target(request: HttpRequest, target_id: str) -> HttpResponseBase:
    """One org: where it stands, its case, and its figures beside the last period's and what the region holds."""
    actor, now = actor_of(request), clock.now()
    target = access_target(actor=actor, id=target_id_in(target_id), now=now)
    reach = reach_of(request, ids.encode("collection", target.collection_id))
    row = target.collection
    head = head_of(reach, "", here=target.org.name)
    context = {
        **head,
        "title": target.org.name,
        "state": target_status(target.state),
        "lead": row.title,
        "tabs": [],
        "actions": _target_actions(target, reach),
        "facts": [
            Fact(label=_("截止时间"), value=target.due_at),
            Fact(label=_("提交时间"), value=target.submitted_at),
            Fact(label=_("办件"), value=target.case.number, url=address_of(target.case))
            if target.case
            else Fact(label=_("办件"), value=None),
            Fact(label=_("催办次数"), value=target.urges),
            Fact(label=_("说明"), value=target.reason or None),
        ],
        "changes": changes_of_org(target, factor=DEFAULT_FACTOR, now=now) if _shows_answers(target) else [],
        "factor": DEFAULT_FACTOR,
    }
    return render(request, "casework/collection_org.html", context)


def _shows_answers(target: CollectionTarget) -> bool:
    """A draft is only its filler's own."""
    return target.state in (TargetState.SUBMITTED, TargetState.ACCEPTED) and target.case is not None


def _target_actions(target: CollectionTarget, reach: Reach) -> list[Action]:
    if not reach.may_manage or target.collection.state != CollectionState.OPEN:
        return []
    actions = []
    if target.state not in (TargetState.ACCEPTED, TargetState.EXEMPT):
        actions.append(Action(label=_("延长期限"), url=target_url(target, "extend_target"), icon="calendar"))
    if target.state != TargetState.EXEMPT:
        actions.append(Action(label=_("免报"), url=target_url(target, "exempt_target"), icon="x"))
    if target.state in (TargetState.ACCEPTED, TargetState.EXEMPT):
        actions.append(Action(label=_("要求重新填报"), url=target_url(target, "ask_target_again"), icon="arrow-back-up"))
    return actions
