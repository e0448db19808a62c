"""Work that runs beside the pages: how far it is, and the way to stop it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shuren.directory.data import Permission
from shuren.front import selectors
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.pages import api as pages
from shuren.pages.data import CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status
from shuren.work import api as work
from shuren.work.data import JobState, JobStatus

_RUNNING_SHOWN = 5
_WORDS = {
    JobStatus.QUEUED: (gettext_lazy("排队中"), "plain"),
    JobStatus.RUNNING: (gettext_lazy("正在运行"), "busy"),
    JobStatus.DONE: (gettext_lazy("已完成"), "good"),
    JobStatus.FAILED: (gettext_lazy("没有成功"), "bad"),
    JobStatus.CANCELLED: (gettext_lazy("已停止"), "plain"),
}


@never_cache
@require_GET
def jobs(request: HttpRequest) -> HttpResponseBase:
    """The actor's own jobs; every job for holders of `VIEW_JOBS` on the root."""
    actor, now = actor_of(request), clock.now()
    sees_all = selectors.holds_everywhere(actor, Permission.VIEW_JOBS, now=now)
    owner = None if sees_all else actor.account_id
    spec = ListSpec(
        name="jobs",
        title=_("任务"),
        columns=_columns(),
        rows=lambda query: work.jobs(
            actor_account_id=owner,
            status=_status(query),
            with_upkeep=query.filters.get("upkeep") == "1",
            number=query.number,
            size=query.size,
        ),
        filters=(
            Filter(
                key="status",
                label=_("状态"),
                choices=tuple(Choice(value=status.value, label=str(word)) for status, (word, _tone) in _WORDS.items()),
            ),
            Filter(key="upkeep", label=_("系统维护"), choices=(Choice(value="1", label=_("一并显示")),)),
        ),
        empty=EmptyState(title=_("还没有任务"), text=_("导入、测评这些要花时间的事，会在这里显示进度。"), icon="list-check"),
    )
    running = work.jobs(actor_account_id=owner, status=JobStatus.RUNNING, with_upkeep=False, size=_RUNNING_SHOWN).rows
    shown = [{"job": job, "url": _url("front:job", job), "poll_url": _url("front:job_progress", job)} for job in running]
    return pages.render_list(request, spec, template="front/jobs.html", context={"running": shown})


@never_cache
@require_GET
def job_page(request: HttpRequest, job_id: str) -> HttpResponse:
    job = selectors.access_job(actor=actor_of(request), id=job_id, now=clock.now())
    context = {
        "title": job.title,
        "state": status_of(job),
        "job": job,
        "facts": _facts(job),
        "poll_url": _url("front:job_progress", job),
        "cancel_url": _url("front:cancel_job", job) if job.is_live and not job.is_cancelling else "",
        "failure": job.error if job.status is JobStatus.FAILED else "",
        "breadcrumbs": [{"label": _("任务"), "url": reverse("front:jobs")}, {"label": job.title, "url": ""}],
    }
    return render(request, "front/job.html", context)


@never_cache
@require_GET
def job_progress(request: HttpRequest, job_id: str) -> HttpResponse:
    job = selectors.access_job(actor=actor_of(request), id=job_id, now=clock.now())
    response = render(request, "front/_progress.html", {"job": job, "poll_url": _url("front:job_progress", job)})
    if not job.is_live:
        response.headers["HX-Refresh"] = "true"
    return response


@require_POST
def cancel_job(request: HttpRequest, job_id: str) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    job = selectors.access_job(actor=actor, id=job_id, now=now)
    may_cancel_any = selectors.holds_everywhere(actor, Permission.VIEW_JOBS, now=now)
    work.cancel_job(actor=actor, job_id=job.id, now=now, may_cancel_any=may_cancel_any)
    messages.success(request, _("已请求停止，做到下一个安全的地方就会停。"))
    return redirect("front:job", job_id=job_id)


def status_of(job: JobState) -> Status:
    word, tone = _WORDS[job.status]
    return Status(text=_("正在停止") if job.is_cancelling else str(word), tone=tone)


def _columns() -> tuple[Column[JobState], ...]:
    return (
        Column(key="title", title=_("任务"), value=lambda row: row.title, url=lambda row: _url("front:job", row)),
        Column(key="status", title=_("状态"), value=status_of),
        Column(key="share", title=_("进度"), value=_percent, kind=CellKind.PERCENT),
        Column(key="created", title=_("提交时间"), value=lambda row: row.created_at, kind=CellKind.DATETIME),
        Column(key="finished", title=_("结束时间"), value=lambda row: row.finished_at, kind=CellKind.DATETIME),
        Column(key="attempt", title=_("第几次运行"), value=lambda row: row.attempt, kind=CellKind.NUMBER, is_shown=False),
    )


def _percent(job: JobState) -> int | None:
    return 100 if job.status is JobStatus.DONE else None if job.share is None else int(100 * job.share)


def _status(query: ListQuery) -> JobStatus | None:
    wanted = query.filters.get("status")
    return JobStatus(wanted) if wanted in {status.value for status in JobStatus} else None


def _url(name: str, job: JobState) -> str:
    return reverse(name, args=[ids.encode("job", job.id)])


def _facts(job: JobState) -> list[Fact]:
    return [
        Fact(label=_("提交时间"), value=job.created_at),
        Fact(label=_("开始时间"), value=job.started_at),
        Fact(label=_("结束时间"), value=job.finished_at),
        Fact(label=_("第几次运行"), value=job.attempt, help=_("中途断电或出错后会自动再运行")),
    ]
