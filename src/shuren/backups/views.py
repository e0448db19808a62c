"""What administrators see: where the installation stands, every run, every drill's report."""

import json
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shuren.backups.data import RunData, RunKind, RunState, Standing
from shuren.backups.selectors.drill_reports import DRILL_KEY, is_signature_good
from shuren.backups.selectors.runs import access_run, check_keeper, runs, standing
from shuren.identity.api import actor_of
from shuren.kernel import audit, clock, ids
from shuren.kernel.errors import NotFound
from shuren.pages import api as pages
from shuren.pages.data import CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status
from shuren.trust import api as trust

KINDS: dict[RunKind, str | Promise] = {
    RunKind.BACKUP: gettext_lazy("备份"),
    RunKind.BASE: gettext_lazy("数据库物理备份"),
    RunKind.RESTORE: gettext_lazy("恢复"),
    RunKind.DRILL: gettext_lazy("恢复演练"),
    RunKind.PRUNE: gettext_lazy("清理"),
}
STATES: dict[RunState, tuple[str | Promise, str]] = {
    RunState.RUNNING: (gettext_lazy("正在进行"), "busy"),
    RunState.DONE: (gettext_lazy("成功"), "good"),
    RunState.PARTIAL: (gettext_lazy("部分位置成功"), "warn"),
    RunState.FAILED: (gettext_lazy("没有成功"), "bad"),
    RunState.BROKEN: (gettext_lazy("中断"), "bad"),
}


@never_cache
@require_GET
def backups(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    check_keeper(actor, now=now)
    spec = ListSpec(
        name="backups",
        title=_("备份与恢复"),
        columns=_columns(),
        rows=lambda query: runs(
            kind=_one_of(RunKind, query, "kind"), state=_one_of(RunState, query, "state"), number=query.number, size=query.size
        ),
        filters=(
            Filter(key="kind", label=_("事项"), choices=tuple(_choice(one.value, KINDS[one]) for one in RunKind)),
            Filter(key="state", label=_("结果"), choices=tuple(_choice(one.value, STATES[one][0]) for one in RunState)),
        ),
        empty=EmptyState(
            title=_("还没有备份"),
            text=_("设置备份位置以后，平台会按时备份，并用演练证明备份可以恢复。"),
            icon="package",
        ),
    )
    state = standing(now=now)
    return pages.render_list(
        request, spec, template="backups/backups.html", context={"facts": _figures(state, now), "warnings": _warnings(state)}
    )


@never_cache
@require_GET
def run(request: HttpRequest, run_id: str) -> HttpResponse:
    found = access_run(actor=actor_of(request), id=ids.decode("backup_run", run_id), now=clock.now())
    word, tone = STATES[found.state]
    title = str(KINDS[found.kind])
    context = {
        "title": title,
        "state": Status(text=str(word), tone=tone),
        "run": found,
        "facts": _facts(found),
        "report_facts": _report_facts(found),
        "report_url": reverse("backups:report", args=[run_id]) if found.signature else "",
        "breadcrumbs": [{"label": _("备份与恢复"), "url": reverse("backups:backups")}, {"label": title, "url": ""}],
    }
    return render(request, "backups/run.html", context)


@never_cache
@require_GET
def report(request: HttpRequest, run_id: str) -> HttpResponse:
    """The report as it was signed, with the signature and the key that anybody can check it by."""
    actor, now = actor_of(request), clock.now()
    found = access_run(actor=actor, id=ids.decode("backup_run", run_id), now=now)
    if not found.signature:
        raise NotFound(_("这次任务没有签名的报告。"))
    audit.record(actor=actor, action="backups.report_downloaded", target=f"backup_run:{found.id}", now=now)
    body = {"report": found.report, "signature": found.signature, "key": trust.public_key_of(DRILL_KEY).pem}
    response = HttpResponse(json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="drill-{found.manifest}.json"'
    return response


def _choice(value: str, label: str | Promise) -> Choice:
    return Choice(value=value, label=str(label))


def _columns() -> tuple[Column[RunData], ...]:
    return (
        Column(
            key="at",
            title=_("开始时间"),
            value=lambda row: row.started_at,
            kind=CellKind.DATETIME,
            url=lambda row: reverse("backups:run", args=[ids.encode("backup_run", row.id)]),
        ),
        Column(key="kind", title=_("事项"), value=lambda row: str(KINDS[row.kind])),
        Column(key="state", title=_("结果"), value=_state, kind=CellKind.STATUS),
        Column(key="bytes", title=_("数据量"), value=lambda row: filesizeformat(row.bytes) if row.bytes else None),
        Column(key="stored", title=_("新增存储"), value=lambda row: filesizeformat(row.stored) if row.stored else None),
        Column(key="seconds", title=_("用时"), value=lambda row: _span(row.seconds)),
        Column(key="targets", title=_("位置"), value=lambda row: "、".join(row.targets) or None),
    )


def _state(row: RunData) -> Status:
    word, tone = STATES[row.state]
    return Status(text=str(word), tone=tone)


def _one_of(kinds: type[RunKind] | type[RunState], query: ListQuery, key: str) -> str:
    asked = query.filters.get(key, "")
    return asked if asked in {one.value for one in kinds} else ""


def _figures(state: Standing, now: datetime) -> list[Fact]:
    return [
        Fact(label=_("最近一次备份"), value=_moment(state.backed_up_at)),
        Fact(label=_("最近一次演练通过"), value=_moment(state.drilled_at)),
        Fact(
            label=_("恢复点（RPO）"),
            value=_span(state.rpo_seconds) or "—",
            help=_("最近各次备份之间最长的间隔：最坏时刻出事会丢失这么长时间的数据。"),
        ),
        Fact(
            label=_("恢复时间（RTO）"),
            value=_span(state.rto_seconds) or "—",
            help=_("最近一次通过的演练里，从开始恢复到可以使用的时间。"),
        ),
        Fact(label=_("数据总量"), value=filesizeformat(state.bytes) if state.bytes else "—"),
    ]


def _warnings(state: Standing) -> list[str]:
    said = []
    if not state.is_set_up:
        said.append(_("没有设置备份位置，平台不会自己备份。请运维人员设置 SHUREN_BACKUP_TARGETS 并重启服务。"))
    if state.is_backup_late:
        said.append(_("备份超过了规定的间隔。"))
    if not state.is_last_backup_whole:
        said.append(_("最近一次备份没有在所有位置成功。"))
    if state.is_drill_late:
        said.append(_("恢复演练超过了规定的间隔。"))
    if not state.is_last_drill_good:
        said.append(_("最近一次恢复演练没有通过。"))
    return said


def _facts(found: RunData) -> list[Fact]:
    facts = [
        Fact(label=_("备份编号"), value=found.manifest or "—"),
        Fact(label=_("开始时间"), value=_moment(found.started_at)),
        Fact(label=_("结束时间"), value=_moment(found.finished_at)),
        Fact(label=_("用时"), value=_span(found.seconds) or "—"),
        Fact(label=_("数据量"), value=filesizeformat(found.bytes)),
        Fact(label=_("文件"), value=found.files),
        Fact(label=_("数据行"), value=found.rows),
    ]
    if found.kind in (RunKind.BACKUP, RunKind.BASE):
        facts.append(Fact(label=_("新增存储"), value=filesizeformat(found.stored)))
    if found.targets:
        facts.append(Fact(label=_("位置"), value="、".join(found.targets)))
    return facts


def _report_facts(found: RunData) -> list[Fact]:
    told = found.report
    if found.kind is not RunKind.DRILL or not told:
        return []
    outcomes = {"ok": _("通过"), "failed": _("没有通过"), "nothing there": _("没有可用的")}
    return [
        Fact(label=_("恢复用时"), value=_span(told["rto_seconds"]) or "—"),
        Fact(label=_("核对用时"), value=_span(told["proof_seconds"]) or "—"),
        Fact(label=_("核对的数据表"), value=told["tables"]),
        Fact(label=_("核对的数据湖文件"), value=told["lake_files"]),
        Fact(label=_("存证记录"), value=told["log_size"], help=told["log_root"]),
        Fact(label=_("登录试验"), value=outcomes.get(told["signed_in"], "—")),
        Fact(label=_("打开报告试验"), value=outcomes.get(told["report_read"], "—")),
        Fact(label=_("签名"), value=_("有效") if is_signature_good(found) else _("无效")),
    ]


def _moment(at: datetime | None) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M") if at else "—"


def _span(seconds: float | None) -> str | None:
    """A stretch of time in words, in its largest unit."""
    if seconds is None:
        return None
    if seconds < 60:
        return _("%(count)s 秒") % {"count": round(seconds, 1)}
    for unit, length in ((86_400 * 2, 86_400), (3_600 * 2, 3_600), (60, 60)):
        if seconds >= unit:
            count = round(seconds / length)
            if length == 86_400:
                return ngettext("%(count)s 天", "%(count)s 天", count) % {"count": count}
            if length == 3_600:
                return ngettext("%(count)s 小时", "%(count)s 小时", count) % {"count": count}
            return ngettext("%(count)s 分钟", "%(count)s 分钟", count) % {"count": count}
    return None
