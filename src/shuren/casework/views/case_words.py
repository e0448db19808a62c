"""Words of cases: what state they are in, what happened to them, when they are due, how long things take."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from shuren.casework.data import Act, CaseState, WorkKind
from shuren.casework.models import Case, CaseEvent, WorkItem
from shuren.casework.rules.specs.flow import Decide, FlowSpec
from shuren.casework.rules.stages import HEARD, outcome_named
from shuren.casework.selectors.cases import flow_of_case
from shuren.directory.data import Role
from shuren.identity.api import role_name
from shuren.pages.data import HistoryEntry, Status

STATES: Mapping[CaseState, tuple[str | Promise, str]] = {
    CaseState.DRAFT: (gettext_lazy("草稿"), "plain"),
    CaseState.RUNNING: (gettext_lazy("办理中"), "busy"),
    CaseState.RETURNED: (gettext_lazy("退回补正"), "warn"),
    CaseState.CLOSED: (gettext_lazy("已办结"), "good"),
    CaseState.WITHDRAWN: (gettext_lazy("已撤回"), "plain"),
    CaseState.CANCELLED: (gettext_lazy("已取消"), "plain"),
}
_ACTS: Mapping[Act, str | Promise] = {
    Act.FILED: gettext_lazy("新建草稿"),
    Act.SUBMITTED: gettext_lazy("提交"),
    Act.ENTERED: gettext_lazy("到这一步"),
    Act.DECIDED: gettext_lazy("办理"),
    Act.RETURNED: gettext_lazy("退回"),
    Act.WITHDRAWN: gettext_lazy("撤回"),
    Act.HANDED_OVER: gettext_lazy("转办"),
    Act.DELEGATED: gettext_lazy("委托代办"),
    Act.SIGNER_ADDED: gettext_lazy("加签"),
    Act.CLAIMED: gettext_lazy("领取"),
    Act.URGED: gettext_lazy("催办"),
    Act.REMINDED: gettext_lazy("提醒快到期"),
    Act.OVERDUE: gettext_lazy("逾期"),
    Act.ESCALATED: gettext_lazy("逾期上报"),
    Act.ARBITRATED: gettext_lazy("仲裁"),
    Act.CORRECTED: gettext_lazy("补正"),
    Act.OBJECTED: gettext_lazy("提出异议"),
    Act.DELIVERED: gettext_lazy("送达结果"),
    Act.RATED: gettext_lazy("评价"),
    Act.CLOSED: gettext_lazy("办结"),
    Act.CANCELLED: gettext_lazy("取消"),
}
_HOUR, _DAY = 3600, 86400


def state_status(case: Case) -> Status:
    """The state in a word; closed cases tell their end, running ones their stage."""
    state = CaseState(case.state)
    text, tone = STATES[state]
    flow = flow_of_case(case)
    if flow is not None and state is CaseState.CLOSED:
        end = flow.end(case.end)
        return Status(text=str(end.title) if end else str(text), tone="bad" if case.result == "refused" else "good")
    if flow is not None and state is CaseState.RUNNING:
        stage = flow.stage(case.stage)
        return Status(text=str(stage.title) if stage else str(text), tone=tone)
    return Status(text=str(text), tone=tone)


def due_status(due_at: datetime | None, now: datetime) -> Status | None:
    """When something is due, as a word that tells how urgent it is."""
    if due_at is None:
        return None
    left = due_at - now
    if left < timedelta(0):
        return Status(text=_("逾期 %(time)s") % {"time": span_text(-left)}, tone="bad")
    day = f"{localtime(due_at):%m-%d %H:%M}"
    return Status(text=_("%(day)s 前") % {"day": day}, tone="warn" if left < timedelta(days=1) else "plain")


def span_text(span: timedelta | None) -> str:
    """How long, in the unit one would say: minutes, hours or days."""
    if span is None:
        return "—"
    seconds = span.total_seconds()
    if seconds < _HOUR:
        minutes = max(1, round(seconds / 60))
        return ngettext("%(count)d 分钟", "%(count)d 分钟", minutes) % {"count": minutes}
    if seconds < _DAY:
        return _("%(count)s 小时") % {"count": f"{seconds / _HOUR:.1f}".removesuffix(".0")}
    return _("%(count)s 天") % {"count": f"{seconds / _DAY:.1f}".removesuffix(".0")}


def stage_title(flow: FlowSpec | None, key: str) -> str:
    stage = flow.stage(key) if flow else None
    return str(stage.title) if stage else key


def outcome_title(flow: FlowSpec | None, stage_key: str, outcome: str) -> str:
    """The words on the button that was pressed."""
    if outcome == HEARD:
        return _("提出意见")
    if outcome.startswith("return:"):
        to = outcome.removeprefix("return:")
        return _("退回申请人") if to == "filer" else _("退回“%(stage)s”") % {"stage": stage_title(flow, to)}
    stage = flow.stage(stage_key) if flow else None
    found = outcome_named(stage, outcome) if stage else None
    return str(found.title) if found else outcome


def is_blind(flow: FlowSpec | None, stage_key: str) -> bool:
    stage = flow.stage(stage_key) if flow else None
    return stage is not None and stage.decide is Decide.BLIND


def history_of(case: Case, events: list[CaseEvent]) -> list[HistoryEntry]:
    """The history as the side of the page tells it; whoever judges apart is not named."""
    flow = flow_of_case(case)
    return [HistoryEntry(who=_who(event, flow), what=_what(event, flow), at=event.at) for event in events]


def _who(event: CaseEvent, flow: FlowSpec | None) -> str:
    if event.act in (Act.DECIDED.value, Act.ARBITRATED.value) and is_blind(flow, event.stage):
        return _("评审人")
    return event.name or _("系统")


def _what(event: CaseEvent, flow: FlowSpec | None) -> str:
    act, stage = Act(event.act), stage_title(flow, event.stage)
    if act is Act.ENTERED:
        return _("转到“%(stage)s”") % {"stage": stage}
    if act in (Act.DECIDED, Act.ARBITRATED):
        if is_blind(flow, event.stage):
            return _("%(stage)s：已评审") % {"stage": stage}
        return f"{stage}：{outcome_title(flow, event.stage, event.outcome)}"
    if act is Act.RETURNED:
        return f"{outcome_title(flow, event.stage, 'return:' + str(event.details.get('to', 'filer')))} {event.comment}".strip()
    if act is Act.HANDED_OVER:
        return _("转给%(name)s办理") % {"name": event.details.get("name", "")}
    if act is Act.SIGNER_ADDED:
        return _("请%(names)s加签") % {"names": "、".join(event.details.get("names", []))}
    if act is Act.CLOSED and flow is not None and event.outcome:
        end = flow.end(event.outcome)
        return _("办结：%(end)s") % {"end": end.title if end else event.outcome}
    if act is Act.OVERDUE and event.details.get("promise"):
        return _("超过承诺时限")
    return f"{_ACTS[act]} {event.comment}".strip()


def asked_text(item: WorkItem) -> str:
    """Who is asked: a person by name, an office by its role and org."""
    if item.assignee_id is not None and item.assignee is not None:
        name = item.assignee.name
        return _("%(name)s（加签）") % {"name": name} if item.kind == WorkKind.ADDED.value else name
    where = item.org.name if item.org_id and item.org is not None else ""
    return f"{where} {role_name(Role(item.role))}".strip() if item.role else where
