from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.assessment.api import access_assessment
from shuren.assessment.data import AssessmentData
from shuren.directory.api import orgs_by_ids, scope_of
from shuren.directory.data import Permission
from shuren.evaluation.data import RunState, RunStatus
from shuren.evaluation.forms import DeclareForm
from shuren.evaluation.rules.addresses import report_address, run_address, runs_address
from shuren.evaluation.rules.declaration import DEFAULT_CUTS
from shuren.evaluation.rules.words import status_name, truth_words
from shuren.evaluation.selectors.links import reports_of_people
from shuren.evaluation.selectors.runs import KIND, access_run, anchor_runs, truth_check, visible_runs
from shuren.evaluation.services.declare import declare_run
from shuren.evaluation.services.start import start_run
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.errors import Refused
from shuren.pages.api import is_partial, render_list
from shuren.pages.data import CellKind, Column, EmptyState, ListQuery, ListSpec, Status
from shuren.work.api import job_states

TONES = {
    RunStatus.DECLARED: "plain",
    RunStatus.RUNNING: "busy",
    RunStatus.DONE: "good",
    RunStatus.FAILED: "bad",
    RunStatus.CANCELLED: "warn",
}


@require_GET
def run_list(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    own = reports_of_people(actor=actor, now=now)

    def rows(query: ListQuery) -> object:
        return visible_runs(actor=actor, now=now, number=query.number, size=query.size, search=query.search)

    spec: ListSpec[RunState] = ListSpec(
        name="runs",
        title=_("测评报告"),
        search_label=_("按名称或项目查找"),
        columns=(
            Column(key="title", title=_("测评"), value=lambda run: run.title, url=lambda run: run_address(run.public_id)),
            Column(key="held", title=_("测评日期"), value=lambda run: run.held_date, kind=CellKind.DATE),
            Column(key="programme", title=_("监测项目"), value=lambda run: run.programme),
            Column(key="simulated", title=_("数据"), value=lambda run: _("模拟") if run.is_simulated else _("真实")),
            Column(
                key="status",
                title=_("状态"),
                value=lambda run: Status(text=status_name(run.status), tone=TONES[run.status]),
                kind=CellKind.STATUS,
            ),
        ),
        rows=rows,  # type: ignore[arg-type]  # a closure over the actor
        empty=EmptyState(
            title=_("还没有可以看的报告"),
            text=_("导入成绩并完成一次测评分析后，报告会出现在这里。"),
            icon="report-analytics",
        ),
    )
    return render_list(request, spec, template="evaluation/runs.html", context={"own_reports": own})


@require_GET
def run_page(request: HttpRequest, run: str) -> HttpResponse:
    """How a run was declared, how it stands, and whether it agrees with what was published."""
    actor, now = actor_of(request), clock.now()
    state = access_run(actor=actor, id=ids.decode(KIND, run), now=now)
    top = orgs_by_ids([state.org_id])[state.org_id]
    job = job_states([state.job_id]).get(state.job_id) if state.job_id else None
    scope = scope_of(actor=actor, permission=Permission.RUN_EVALUATION, now=now)
    may_read = scope_of(actor=actor, permission=Permission.VIEW_REPORTS, now=now)
    truth = [{**asdict(row), "what": truth_words(row.key, row.what)} for row in truth_check(state.id)]
    context = {
        "run": state,
        "status": Status(text=status_name(state.status), tone=TONES[state.status]),
        "top": top,
        "report_url": report_address(state.public_id, top.public_id) if may_read.covers(top.path) else "",
        "job": job,
        "may_start": scope.covers(state.org_path) and state.status not in (RunStatus.DONE, RunStatus.RUNNING),
        "truth": truth,
        "breadcrumbs": [{"label": _("测评报告"), "url": runs_address()}, {"label": state.title, "url": ""}],
        "data_note": data_note(state),
        "poll_url": request.path,
        "certificate": state.certificate,
        "declaration": state.declaration,
    }
    if not (is_partial(request) and job):
        return render(request, "evaluation/run.html", context)
    response = render(request, "front/_progress.html", context)
    if not job.is_live:
        response.headers["HX-Refresh"] = "true"
    return response


@require_http_methods(["GET", "POST"])
def declare(request: HttpRequest, assessment: str) -> HttpResponse:
    """Declare a run of an assessment and start it."""
    actor, now = actor_of(request), clock.now()
    found = access_assessment(actor=actor, id=ids.decode("assessment", assessment), now=now)
    if not scope_of(actor=actor, permission=Permission.RUN_EVALUATION, now=now).covers(found.org_path):
        raise Refused(_("您没有在整个测评范围内开展分析的权限。"), remedy=_("请由管理整个范围的机构开展分析。"))
    anchors = anchor_runs(actor=actor, assessment=found, now=now)
    form = DeclareForm(found, anchors, request.POST or None, initial=_initial(found))
    if request.method == "POST" and form.is_valid():
        scale = _scale(form.cleaned_data, found)
        run_id = declare_run(actor=actor, assessment_id=found.id, options=form.options() | {"scale": scale}, now=now)
        start_run(actor=actor, run_id=run_id, now=now)
        return redirect(run_address(ids.encode(KIND, run_id)))
    context = {
        "title": _("开展测评分析"),
        "lead": _("先把分析的全部选择写成声明并固定下来，再计算。同样的声明在任何一天都得到同样的结果。"),
        "form": form,
        "submit_label": _("声明并开始分析"),
        "cancel_url": runs_address(),
        "breadcrumbs": [{"label": _("测评报告"), "url": runs_address()}, {"label": found.name, "url": ""}],
        "data_note": found.source_note,
    }
    return render(request, "front/form.html", context, status=400 if form.errors else 200)


@require_POST
def start(request: HttpRequest, run: str) -> HttpResponse:
    start_run(actor=actor_of(request), run_id=ids.decode(KIND, run), now=clock.now())
    return redirect(run_address(run))


def data_note(run: RunState) -> str:
    """Where the data comes from, and in plain words when it was made up."""
    simulated = _("模拟数据，不是真实成绩。") if run.is_simulated else ""
    return f"{simulated}{run.source_note}"


def _initial(assessment: AssessmentData) -> dict[str, object]:
    cuts = assessment.scale.cuts or DEFAULT_CUTS
    return {
        "title": assessment.name,
        "programme": assessment.code,
        "cuts": ",".join(f"{cut:g}" for cut in cuts),
        "minimum_group": 10,
        "seed": 20110501,
    }


def _scale(chosen: Mapping[str, Any], assessment: AssessmentData) -> dict[str, object]:
    """The scale of the run chosen to be linked to, or one of the test's own with the chosen cut scores."""
    if chosen.get("anchor"):
        return {"method": "anchor", "anchor_run_id": ids.decode(KIND, chosen["anchor"])}
    return {
        "method": "reference" if assessment.references else "declared",
        "mean": assessment.scale.mean,
        "sd": assessment.scale.sd,
        "cuts": _cuts(chosen["cuts"], assessment),
        "lowest_name": _lowest(assessment, chosen["cuts"]),
    }


def _cuts(scores: list[float], assessment: AssessmentData) -> list[dict[str, object]]:
    """The chosen cut scores with the assessment's level names, where their number fits."""
    names = assessment.scale.levels[1:] if len(assessment.scale.levels) == len(scores) + 1 else ("",) * len(scores)
    return [{"score": score, "name": name} for score, name in zip(scores, names, strict=True)]


def _lowest(assessment: AssessmentData, scores: list[float]) -> str:
    return assessment.scale.levels[0] if len(assessment.scale.levels) == len(scores) + 1 else ""
