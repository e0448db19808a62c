"""First passwords for a whole branch: asked for, watched, and taken once."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType, Permission
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import BatchData, BatchFileData, LeftOutData, Purpose, Recipients
from shuren.identity.forms.batches import BatchForm
from shuren.identity.selectors.batches import access_batch, batches_of, files_of_batch, left_out_of
from shuren.identity.services.batches.start import start_batch
from shuren.identity.services.batches.take import take_file, take_files
from shuren.identity.words import FORM_NAMES, LEFT_OUT_NAMES, REACH_NAMES, RECIPIENT_NAMES
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import Refused
from shuren.pages import api as pages
from shuren.pages.data import Action, CellKind, Column, EmptyState, Fact, ListSpec, Status
from shuren.work import api as work
from shuren.work.data import JobState, JobStatus


@require_step_up(Purpose.ISSUE_CREDENTIALS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_batch(request: HttpRequest, org_id: str) -> HttpResponse:
    """Choose for whom and on what paper, and begin."""
    actor, now = actor_of(request), clock.now()
    org = directory.access_org(actor=actor, id=ids.decode("org", org_id), permission=Permission.ISSUE_CREDENTIALS, now=now)
    form = BatchForm(request.POST if request.method == "POST" else None, initial={"recipients": _usual(org)})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        batch_id = start_batch(
            actor=actor,
            org_id=org.id,
            recipients=chosen["recipients"],
            reach=chosen["reach"],
            form=chosen["form"],
            site=request.build_absolute_uri("/"),
            now=now,
        )
        return redirect("identity:batch", batch_id=ids.encode("credential_batch", batch_id))
    context = {
        "form": form,
        "title": _("整批发放初始密码"),
        "lead": _("%(org)s和它下面的所有单位、班级。不能由您发放的人会列出原因，不影响其他人。") % {"org": org.name},
        "submit_label": _("开始发放"),
        "cancel_url": reverse("identity:credentials_of_org", args=[org_id]),
        "breadcrumbs": [
            {"label": _("发放初始密码"), "url": reverse("identity:credentials_of_org", args=[org_id])},
            {"label": _("整批发放"), "url": ""},
        ],
    }
    return render(request, "front/form.html", context, status=400 if form.errors else 200)


@never_cache
@require_GET
def batches(request: HttpRequest) -> HttpResponseBase:
    """The batches that the signed-in person asked for."""
    actor = actor_of(request)
    _check_right(actor)
    spec = ListSpec(
        name="credential_batches",
        title=_("整批发放的记录"),
        columns=_batch_columns(),
        rows=lambda query: batches_of(actor.account_id or 0, number=query.number, size=query.size),
        empty=EmptyState(title=_("还没有整批发放过"), text=_("在“发放初始密码”里选好单位，再点“整批发放”。"), icon="key"),
    )
    return pages.render_list(request, spec, context={"breadcrumbs": _trail()})


@never_cache
@require_GET
def batch(request: HttpRequest, batch_id: str) -> HttpResponseBase:
    """How far a batch is, and its files to take."""
    found, job = _access(request, batch_id)
    org = directory.orgs_by_ids([found.org_id])[found.org_id]
    spec = ListSpec(
        name="credential_files",
        title=_("%(org)s的初始密码") % {"org": org.short_name or org.name},
        columns=_file_columns(),
        rows=lambda query: files_of_batch(found.id, number=query.number, size=query.size),
        row_actions=lambda row: _file_actions(batch_id, row),
        empty=EmptyState(title=_("还没有做好的文件"), text=_("做好一个班就出现一个，可以马上下载。"), icon="key"),
    )
    context = {
        "batch": found,
        "job": job,
        "failure": job.error if job.status is JobStatus.FAILED else "",
        "facts": _facts(found),
        "poll_url": reverse("identity:batch_progress", args=[batch_id]),
        "breadcrumbs": [*_trail(), {"label": org.name, "url": ""}],
    }
    return pages.render_list(request, spec, template="identity/batch.html", context=context)


@never_cache
@require_GET
def batch_progress(request: HttpRequest, batch_id: str) -> HttpResponse:
    """The progress line alone."""
    _found, job = _access(request, batch_id)
    poll_url = reverse("identity:batch_progress", args=[batch_id])
    response = render(request, "front/_progress.html", {"job": job, "poll_url": poll_url})
    if not job.is_live:
        response.headers["HX-Refresh"] = "true"
    return response


@sensitive_files(asked_by="export")
@never_cache
@require_GET
def batch_left_out(request: HttpRequest, batch_id: str) -> HttpResponseBase:
    """Whom a batch gave nothing, and why."""
    found, _job = _access(request, batch_id)
    spec = ListSpec(
        name="left_out",
        title=_("没有发放的人"),
        columns=_left_out_columns(),
        rows=lambda query: left_out_of(found.id, number=query.number, size=query.size),
        empty=EmptyState(title=_("没有漏下的人"), icon="users"),
    )
    trail = [*_trail(), {"label": _("这一批"), "url": reverse("identity:batch", args=[batch_id])}]
    return pages.render_list(request, spec, context={"breadcrumbs": [*trail, {"label": _("没有发放的人"), "url": ""}]})


@require_step_up(Purpose.ISSUE_CREDENTIALS)
@never_cache
@require_POST
def take_batch_file(request: HttpRequest, batch_id: str, file_id: str) -> HttpResponse:
    """Send a file, this once."""
    batch_key, file_key = ids.decode("credential_batch", batch_id), ids.decode("credential_file", file_id)
    paper = take_file(actor=actor_of(request), batch_id=batch_key, file_id=file_key, now=clock.now())
    response = HttpResponse(paper, content_type="application/pdf")
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{file_id}.pdf") or ""
    response.headers["Cache-Control"] = "no-store"
    return response


@require_step_up(Purpose.ISSUE_CREDENTIALS)
@never_cache
@require_POST
def take_batch_files(request: HttpRequest, batch_id: str) -> StreamingHttpResponse:
    """Send every file that waits in one zip, each this once, as it is read."""
    files = take_files(actor=actor_of(request), batch_id=ids.decode("credential_batch", batch_id), now=clock.now())
    papers = ((f"{file.org_name}-{file.part}-{file.public_id}.pdf", paper) for file, paper in files)
    response = StreamingHttpResponse(pages.zip_parts(papers), content_type="application/zip")
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{batch_id}.zip") or ""
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
def stop_batch(request: HttpRequest, batch_id: str) -> HttpResponse:
    """Stop behind the org that is being done; what is ready stays."""
    found, _job = _access(request, batch_id)
    work.cancel_job(actor=actor_of(request), job_id=found.job_id, now=clock.now())
    messages.success(request, _("已请求停止，做到下一个安全的地方就会停。"))
    return redirect("identity:batch", batch_id=batch_id)


def _usual(org: OrgData) -> list[str]:
    usual = (Recipients.PUPILS, Recipients.PARENTS) if org.type is OrgType.CLASS else tuple(Recipients)
    return [one.value for one in usual]


def _check_right(actor: Actor) -> None:
    if not directory.scope_of(actor=actor, permission=Permission.ISSUE_CREDENTIALS, now=clock.now()).paths:
        raise Refused(_("您当前的身份不能发放密码。"), remedy=_("请联系学校管理员或上级教育局。"))


def _access(request: HttpRequest, batch_id: str) -> tuple[BatchData, JobState]:
    found = access_batch(actor=actor_of(request), id=ids.decode("credential_batch", batch_id))
    return found, work.job_state(found.job_id)


def _trail() -> list[dict[str, str]]:
    return [
        {"label": _("发放初始密码"), "url": reverse("identity:credentials")},
        {"label": _("整批发放的记录"), "url": reverse("identity:batches")},
    ]


def _facts(found: BatchData) -> list[Fact]:
    facts = [
        Fact(label=_("发给谁"), value="、".join(str(RECIPIENT_NAMES[one]) for one in found.recipients)),
        Fact(label=_("其中哪些人"), value=str(REACH_NAMES[found.reach])),
        Fact(label=_("印成什么"), value=str(FORM_NAMES[found.form])),
        Fact(label=_("已经发放"), value=found.people),
        Fact(label=_("不需要发放"), value=found.skipped, help=_("已经有密码，或者在这一批里已经发过")),
    ]
    url = reverse("identity:batch_left_out", args=[found.public_id]) if found.left_out else ""
    return [*facts, Fact(label=_("没有发放的人"), value=found.left_out, url=url)]


def _batch_columns() -> tuple[Column[BatchData], ...]:
    return (
        Column(
            key="at",
            title=_("发起时间"),
            value=lambda row: row.created_at,
            kind=CellKind.DATETIME,
            url=lambda row: reverse("identity:batch", args=[row.public_id]),
        ),
        Column(key="org", title=_("单位"), value=lambda row: directory.orgs_by_ids([row.org_id])[row.org_id].name),
        Column(key="who", title=_("发给谁"), value=lambda row: "、".join(str(RECIPIENT_NAMES[one]) for one in row.recipients)),
        Column(key="people", title=_("已经发放"), value=lambda row: row.people, kind=CellKind.NUMBER),
        Column(key="left_out", title=_("没有发放"), value=lambda row: row.left_out, kind=CellKind.NUMBER),
        Column(key="waiting", title=_("待下载文件"), value=lambda row: row.waiting, kind=CellKind.NUMBER),
    )


def _file_columns() -> tuple[Column[BatchFileData], ...]:
    return (
        Column(
            key="org",
            title=_("单位或班级"),
            value=lambda row: row.org_name if row.part == 1 else f"{row.org_name} ({row.part})",
        ),
        Column(key="people", title=_("人数"), value=lambda row: row.people, kind=CellKind.NUMBER),
        Column(key="state", title=_("状态"), value=_file_state),
        Column(key="until", title=_("保留到"), value=lambda row: row.kept_until, kind=CellKind.DATETIME),
    )


def _file_state(row: BatchFileData) -> Status:
    if row.taken_at is not None:
        return Status(text=_("已下载"), tone="good")
    if row.purged_at is not None:
        return Status(text=_("已过期清除"), tone="bad")
    return Status(text=_("待下载"), tone="warn")


def _file_actions(batch_id: str, row: BatchFileData) -> tuple[Action, ...]:
    if row.taken_at is not None or row.purged_at is not None:
        return ()
    return (
        Action(
            label=_("下载"),
            url=reverse("identity:take_batch_file", args=[batch_id, row.public_id]),
            icon="download",
            is_post=True,
            confirm=_("只能下载这一次，下载后这里的文件马上销毁。请保存好再打印。"),
        ),
    )


def _left_out_columns() -> tuple[Column[LeftOutData], ...]:
    return (
        Column(key="name", title=_("姓名"), value=lambda row: row.name),
        Column(key="number", title=_("个人编号"), value=lambda row: row.number),
        Column(key="org", title=_("单位或班级"), value=lambda row: row.org_name),
        Column(key="reason", title=_("原因"), value=lambda row: str(LEFT_OUT_NAMES[row.reason])),
    )
