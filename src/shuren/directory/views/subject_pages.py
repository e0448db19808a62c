"""Pages of people's rights in their own data: take a copy, ask, answer."""

import io
import json
import zipfile

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shuren.directory.data import SubjectKind
from shuren.directory.forms import SubjectAnswerForm, SubjectRequestForm
from shuren.directory.models import SubjectRequest
from shuren.directory.rules.subject_data import subject_sections
from shuren.directory.selectors.consents import askings_of
from shuren.directory.selectors.subjects import access_subject, requests_of, requests_to_answer
from shuren.directory.services.subjects import answer_request, ask_about_data, give_subject_data
from shuren.directory.views.asked import actor_in, now, person_id_in, posted, subject_request_id_in
from shuren.directory.views.form_pages import form_page
from shuren.directory.views.words import SECTIONS, SUBJECT_KINDS, SUBJECT_STATES
from shuren.kernel import ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import page_of
from shuren.pages.api import render_list
from shuren.pages.data import CellKind, Column, EmptyState, Fact, ListSpec, Status


def my_data(request: HttpRequest) -> HttpResponseBase:
    """The reader and their children: take a copy, ask; and what was asked before."""
    actor, moment = actor_in(request), now()
    people = [(asking.person, asking.is_self) for asking in askings_of(actor=actor, now=moment)]
    asked = [(row, SUBJECT_KINDS[row.kind], _state(row)) for row in requests_of(actor=actor)[:50]]
    return render(request, "directory/my_data.html", {"title": _("我的信息"), "people": people, "asked": asked})


def _state(row: SubjectRequest) -> Status:
    is_late = row.answered_at is None and row.due_at <= now()
    word, tone = SUBJECT_STATES[row.state]
    return Status(text=_("已超期"), tone="bad") if is_late else Status(text=str(word), tone=tone)


@sensitive_files()
@require_POST
def download(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Everything on file as a ZIP: JSON for programs, a page for people."""
    data = give_subject_data(actor=actor_in(request), person_id=person_id_in(public_id), now=now())
    titles = SECTIONS | {section.name: section.title for section in subject_sections()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("data.json", json.dumps(data, ensure_ascii=False, indent=2))
        person, sections = data["person"], [(titles.get(name, name), rows) for name, rows in data.items() if name != "person"]
        context = {"person": person, "sections": sections}
        package.writestr("data.html", render_to_string("directory/subject_data.html", context))
    response = HttpResponse(file.getvalue(), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="data-{public_id}.zip"'
    response.headers["Cache-Control"] = "no-store"
    return response


def ask(request: HttpRequest, public_id: str) -> HttpResponseBase:
    actor, moment = actor_in(request), now()
    person = access_subject(actor=actor, id=person_id_in(public_id), now=moment)
    form = SubjectRequestForm(posted(request))

    def save() -> str:
        said = form.cleaned_data
        ask_about_data(actor=actor, person_id=person.pk, kind=SubjectKind(said["kind"]), body=said["body"], now=moment)
        messages.success(request, _("请求已提交，学校会在期限内答复。"))
        return reverse("directory:my_data")

    lead = _("学籍等依法必须保存的信息不能删除，可以要求更正。")
    title = _("更正或删除 %(name)s 的信息") % {"name": person.name}
    return form_page(request, form, save, title=title, submit=_("提交给学校"), back=reverse("directory:my_data"), lead=lead)


@sensitive_files(asked_by="export")
def data_requests(request: HttpRequest) -> HttpResponseBase:
    rows = requests_to_answer(actor=actor_in(request), now=now())
    spec = ListSpec(
        name="data_requests",
        title=_("个人信息请求"),
        columns=(
            Column(key="subject", title=_("关于谁"), value=lambda row: row.subject.name, url=_url),
            Column(key="asker", title=_("谁提出"), value=lambda row: row.asked_by.name),
            Column(key="kind", title=_("请求"), value=lambda row: str(SUBJECT_KINDS[row.kind])),
            Column(key="at", title=_("提出时间"), value=lambda row: row.at, kind=CellKind.DATETIME),
            Column(key="due", title=_("答复期限"), value=lambda row: row.due_at, kind=CellKind.DATETIME),
            Column(key="state", title=_("状态"), value=_state, kind=CellKind.STATUS),
        ),
        rows=lambda query: page_of(rows, lambda row: row, number=query.number, size=query.size),
        empty=EmptyState(title=_("没有要答复的请求"), icon="check"),
    )
    return render_list(request, spec)


def _url(row: SubjectRequest) -> str:
    return reverse("directory:data_request", args=[ids.encode("subject_request", row.pk)])


def data_request(request: HttpRequest, request_id: str) -> HttpResponseBase:
    actor, moment = actor_in(request), now()
    row = requests_to_answer(actor=actor, now=moment).filter(pk=subject_request_id_in(request_id)).first()
    if row is None:
        raise NotFound(_("没有找到这条请求。"))
    form = SubjectAnswerForm(posted(request))

    def save() -> str:
        is_granted = form.cleaned_data["verdict"] == "yes"
        answer_request(actor=actor, request_id=row.pk, is_granted=is_granted, answer=form.cleaned_data["answer"], now=moment)
        messages.success(request, _("已记下。删除要另一位负责人再确认一次。") if _is_half(row, is_granted) else _("已答复。"))
        return reverse("directory:data_requests")

    more = {
        "facts": [
            Fact(label=_("关于谁"), value=row.subject.name),
            Fact(label=_("请求"), value=str(SUBJECT_KINDS[row.kind])),
            Fact(label=_("内容"), value=row.body),
            Fact(label=_("答复期限"), value=row.due_at),
            Fact(label=_("答复"), value=row.answer or None),
        ],
        "state": _state(row),
        "is_open": row.answered_at is None,
    }
    return form_page(
        request,
        form,
        save,
        title=_("个人信息请求"),
        submit=_("提交答复"),
        back=reverse("directory:data_requests"),
        template="directory/data_request.html",
        more=more,
    )


def _is_half(row: SubjectRequest, is_granted: bool) -> bool:
    return is_granted and row.kind == SubjectKind.DELETE and row.state == "open"
