"""Saved questions: the list, one with its versions and answers, and what is done with it."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.datahub.data import ScheduleEvery
from shuren.datahub.models import QuestionSchedule, SavedQuestion
from shuren.datahub.selectors.catalogue import dataset_title, titles_of_datasets
from shuren.datahub.selectors.workbench import (
    access_question,
    access_workbench,
    answers_of,
    names_of_people,
    questions_seen,
    schedule_of,
)
from shuren.datahub.services.workbench.ask import Asked, ask_question
from shuren.datahub.services.workbench.save import change_question, copy_question, delete_question, restore_question
from shuren.datahub.services.workbench.schedule import schedule_question, unschedule_question
from shuren.datahub.views.words import EVERY
from shuren.datahub.views.workbench.answers import how_asked, question_address
from shuren.datahub.views.workbench.desk import (
    answer_address,
    crumbs,
    keep_purpose,
    no_answers,
    purpose_of,
    scope_words,
    tabs,
)
from shuren.datahub.views.workbench.forms import PurposeForm, SaveForm, ScheduleForm
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound, Refused
from shuren.kernel.paging import Page, page_of
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec

_ANSWERS = 20


@never_cache
@require_safe
def saved_questions(request: HttpRequest) -> HttpResponseBase:
    """One's own questions and those shared in one's branch; the deleted ones can be brought back."""
    actor, now = actor_of(request), clock.now()
    desk = access_workbench(actor=actor, now=now)
    owners: dict[int, str] = {}

    def rows(query: ListQuery) -> Page[SavedQuestion]:
        found = questions_seen(desk, actor=actor, side=query.filters.get("side", ""), words=query.search)
        page = page_of(found, lambda row: row, number=query.number, size=query.size)
        owners.update(names_of_people(row.owner_id for row in page.rows))
        return page

    titles, title = titles_of_datasets(), _("已存查询")
    spec: ListSpec[SavedQuestion] = ListSpec(
        name="saved_questions",
        title=title,
        columns=(
            Column(key="title", title=_("标题"), value=lambda row: row.title, url=_url),
            Column(key="dataset", title=_("数据集"), value=lambda row: titles.get(row.dataset, row.dataset)),
            Column(key="owner", title=_("谁存的"), value=lambda row: owners.get(row.owner_id, "")),
            Column(key="shared", title=_("共用"), value=lambda row: _("共用") if row.is_shared else _("只有自己")),
            Column(key="version", title=_("版本"), value=lambda row: row.version, kind=CellKind.NUMBER),
            Column(key="changed", title=_("最近修改"), value=lambda row: row.changed_at, kind=CellKind.DATETIME),
        ),
        rows=rows,
        search_label=_("标题、说明或数据集"),
        filters=(
            Filter(
                key="side",
                label=_("哪些"),
                choices=(
                    Choice(value="mine", label=_("我的")),
                    Choice(value="shared", label=_("别人共用的")),
                    Choice(value="deleted", label=_("已删除")),
                ),
            ),
        ),
        row_actions=_row_actions,
        empty=EmptyState(title=_("还没有存过查询"), text=_("查到结果后点“保存查询”。"), action=no_answers(), icon="bookmark"),
    )
    context = {"tabs": tabs("saved_questions"), "title": title, "lead": scope_words(desk), "breadcrumbs": crumbs((title, ""))}
    return render_list(request, spec, template="front/detail.html", context=context)


def _url(row: SavedQuestion) -> str:
    return "" if row.deleted_at else question_address(row.pk)


def _row_actions(row: SavedQuestion) -> tuple[Action, ...]:
    if row.deleted_at is None:
        return ()
    url = question_address(row.pk, "restore_question")
    return (Action(label=_("恢复"), url=url, icon="arrow-back-up", is_post=True),)


@never_cache
@require_http_methods(["GET", "POST"])
def saved_question(request: HttpRequest, question_id: str) -> HttpResponseBase:
    """One question: asked from here with the reader's own rows; its versions, its schedule and the reader's answers."""
    actor, now = actor_of(request), clock.now()
    desk = access_workbench(actor=actor, now=now)
    row = access_question(desk, actor=actor, id=ids.decode("saved_question", question_id))
    form = PurposeForm(posted(request), initial={"purpose": purpose_of(request)})
    if form.is_bound and form.is_valid():
        purpose = keep_purpose(request, form.cleaned_data["purpose"])
        try:
            return redirect(answer_address(ask_question(actor=actor, asked=Asked.of_question(row), purpose=purpose, now=now).pk))
        except (Invalid, NotFound, Refused) as error:
            form.add_error(None, str(error))
    is_mine = row.owner_id == actor.person_id
    schedule = schedule_of(row) if is_mine else None
    context = {
        "title": row.title,
        "lead": row.note,
        "facts": _facts(row, schedule),
        "actions": _actions(row, is_mine=is_mine),
        "form": form,
        "question": row,
        "scope": scope_words(desk),
        "versions": row.versions.order_by("-number")[:30] if is_mine else [],
        "sql_url": f"{reverse('datahub:workbench_sql')}?{urlencode({'question': question_id})}",
        "answers": [(one, answer_address(one.pk), how_asked(one)) for one in answers_of(actor=actor, question=row)[:_ANSWERS]],
        "breadcrumbs": crumbs((_("已存查询"), reverse("datahub:saved_questions")), (row.title, "")),
    }
    return render(request, "datahub/workbench/question.html", context)


def _facts(row: SavedQuestion, schedule: QuestionSchedule | None) -> list[Fact]:
    facts = [
        Fact(label=_("数据集"), value=dataset_title(row.dataset) if row.dataset else "—"),
        Fact(label=_("谁存的"), value=names_of_people([row.owner_id]).get(row.owner_id, "")),
        Fact(label=_("谁能打开"), value=_("本单位及下级单位的人") if row.is_shared else _("只有自己")),
        Fact(label=_("最近修改"), value=row.changed_at),
    ]
    if schedule is not None and schedule.ended_at is None:
        told = {"every": EVERY[ScheduleEvery(schedule.every)], "hour": schedule.hour}
        facts.append(Fact(label=_("定时"), value=_("%(every)s %(hour)d 点") % told))
        facts.append(Fact(label=_("下次"), value=schedule.next_at))
    elif schedule is not None:
        facts.append(Fact(label=_("定时"), value=_("已停止：%(reason)s") % {"reason": schedule.end_reason}))
    return facts


def _actions(row: SavedQuestion, *, is_mine: bool) -> list[Action]:
    copy = Action(label=_("复制"), url=question_address(row.pk, "copy_question"), icon="copy", is_post=True)
    if not is_mine:
        return [copy]
    return [
        Action(label=_("定时"), url=question_address(row.pk, "schedule_question"), icon="clock"),
        Action(label=_("修改"), url=question_address(row.pk, "change_question"), icon="edit"),
        copy,
        Action(
            label=_("删除"),
            url=question_address(row.pk, "delete_question"),
            icon="trash",
            is_post=True,
            is_danger=True,
            confirm=_("删除这个查询？定时也会停止；30 天内可以在“已删除”里恢复。"),
        ),
    ]


@never_cache
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, question_id: str) -> HttpResponseBase:
    """Change title, note and who finds it."""
    actor, now, row = _own(request, question_id)
    form = SaveForm(posted(request), initial={"title": row.title, "note": row.note, "is_shared": row.is_shared})

    def save() -> str:
        change_question(actor=actor, question_id=row.pk, now=now, **form.cleaned_data)
        return question_address(row.pk)

    back, title = question_address(row.pk), _("修改查询")
    trail = crumbs((row.title, back), (title, ""))
    return form_page(request, form, save, title=title, submit=_("保存"), back=back, done=_("已保存。"), breadcrumbs=trail)


@never_cache
@require_http_methods(["GET", "POST"])
def schedule(request: HttpRequest, question_id: str) -> HttpResponseBase:
    """Have a question asked again and again, or stop that."""
    actor, now, row = _own(request, question_id)
    kept = schedule_of(row)
    told = {"every": kept.every, "day": kept.day, "hour": kept.hour, "keeps": kept.keeps} if kept else {}
    purpose = kept.purpose if kept else purpose_of(request)
    form = ScheduleForm(posted(request), initial={**told, "purpose": purpose})

    def save() -> str:
        schedule_question(actor=actor, question_id=row.pk, timing=form.timing(), now=now)
        return question_address(row.pk)

    back, title = question_address(row.pk), _("定时查询")
    stop = question_address(row.pk, "unschedule_question") if kept is not None and kept.ended_at is None else ""
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("按时查询"),
        back=back,
        lead=_("到点时按你当时的权限查询，有了结果给你发消息；权限没有了就自动停止。"),
        done=_("已设定。"),
        breadcrumbs=crumbs((row.title, back), (title, "")),
        template="datahub/workbench/schedule.html",
        more={"stop_url": stop},
    )


@never_cache
@require_POST
def unschedule(request: HttpRequest, question_id: str) -> HttpResponseBase:
    """Stop asking."""
    actor, now, row = _own(request, question_id)
    unschedule_question(actor=actor, question_id=row.pk, now=now)
    messages.success(request, _("已停止定时。"))
    return redirect(question_address(row.pk))


@never_cache
@require_POST
def copy(request: HttpRequest, question_id: str) -> HttpResponseBase:
    """A copy of one's own."""
    actor, now = actor_of(request), clock.now()
    row = copy_question(actor=actor, question_id=ids.decode("saved_question", question_id), now=now)
    messages.success(request, _("已复制。"))
    return redirect(question_address(row.pk))


@never_cache
@require_POST
def delete(request: HttpRequest, question_id: str) -> HttpResponseBase:
    """Delete, for 30 days not for good."""
    return _done(request, question_id, delete_question, _("已删除，30 天内可以恢复。"), "?side=deleted")


@never_cache
@require_POST
def restore(request: HttpRequest, question_id: str) -> HttpResponseBase:
    """Bring a deleted question back."""
    return _done(request, question_id, restore_question, _("已恢复。"), "")


def _done(request: HttpRequest, question_id: str, act: Callable[..., None], words: str, where: str) -> HttpResponseBase:
    act(actor=actor_of(request), question_id=ids.decode("saved_question", question_id), now=clock.now())
    messages.success(request, words)
    return redirect(reverse("datahub:saved_questions") + where)


def _own(request: HttpRequest, question_id: str) -> tuple[Actor, datetime, SavedQuestion]:
    actor, now = actor_of(request), clock.now()
    row = access_question(access_workbench(actor=actor, now=now), actor=actor, id=ids.decode("saved_question", question_id))
    if row.owner_id != actor.person_id:
        raise NotFound(_("没有找到这个查询。"))
    return actor, now, row
