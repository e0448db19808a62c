"""The workbench's desk: choose a dataset, tick what is wanted of it, or write the question by hand."""

from collections.abc import Mapping

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.datahub.rules.names import view_name
from shuren.datahub.rules.workbench.compose import Composition, composed, picks_stored, to_stored
from shuren.datahub.selectors.workbench import (
    AskedColumn,
    AskedDataset,
    Desk,
    access_answer,
    access_asked_dataset,
    access_question,
    access_workbench,
    columns_asked,
    datasets_asked,
)
from shuren.datahub.services.workbench.ask import Asked, ask_question
from shuren.datahub.views.asset_words import GRADES
from shuren.datahub.views.workbench.forms import PURPOSE, SqlForm, column_rows, composition_in
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound, Refused
from shuren.kernel.paging import Page, page_of_rows
from shuren.pages.api import number_in, posted, render_list
from shuren.pages.data import Action, Column, EmptyState, ListQuery, ListSpec, Tab

_NEXT = "workbench_sql"


def tabs(current: str) -> list[Tab]:
    """The four sides of the workbench."""
    names = (
        ("workbench", _("选数据")),
        ("workbench_sql", _("写 SQL")),
        ("saved_questions", _("已存查询")),
        ("question_answers", _("最近结果")),
    )
    return [Tab(label=label, url=reverse(f"datahub:{name}"), is_current=name == current) for name, label in names]


def crumbs(*steps: tuple[str, str]) -> list[dict[str, str]]:
    first = {"label": _("数据查询"), "url": reverse("datahub:workbench")}
    return [first, *({"label": label, "url": url} for label, url in steps)]


def answer_address(answer_id: int) -> str:
    return reverse("datahub:question_answer", args=[ids.encode("question_answer", answer_id)])


def dataset_address(dataset: str, grant_id: int | None) -> str:
    asked = f"?{urlencode({'grant': ids.encode('sharing_grant', grant_id)})}" if grant_id else ""
    return reverse("datahub:compose_question", args=[dataset]) + asked


def scope_words(desk: Desk) -> str:
    return _("数据范围：%(orgs)s") % {"orgs": desk.scope_name}


def purpose_of(request: HttpRequest) -> str:
    return str(request.session.get(PURPOSE, ""))


def keep_purpose(request: HttpRequest, purpose: str) -> str:
    """The purpose for the rest of this sign-in; `Invalid` where none was written."""
    if not purpose.strip():
        raise Invalid(_("请写明查询的用途。"))
    request.session[PURPOSE] = purpose.strip()[:200]
    return str(request.session[PURPOSE])


@never_cache
@require_safe
def workbench(request: HttpRequest) -> HttpResponseBase:
    """The datasets with rows for the reader: of their own branches, open ones, and those granted to their units."""
    actor, now = actor_of(request), clock.now()
    desk = access_workbench(actor=actor, now=now)

    def rows(query: ListQuery) -> Page[AskedDataset]:
        found = datasets_asked(desk, actor=actor, now=now, words=query.search)
        return page_of_rows(found, number=query.number, size=query.size)

    title = _("数据查询")
    spec: ListSpec[AskedDataset] = ListSpec(
        name="asked_datasets",
        title=title,
        columns=(
            Column(
                key="title",
                title=_("数据集"),
                value=lambda one: one.title,
                url=lambda one: dataset_address(one.spec.name, one.grant.pk if one.grant else None),
            ),
            Column(key="name", title=_("名称"), value=lambda one: view_name(one.spec.name)),
            Column(key="grade", title=_("分级"), value=lambda one: str(GRADES[one.spec.grade])),
            Column(key="whose", title=_("谁的数据"), value=_whose),
        ),
        rows=rows,
        search_label=_("数据集名称或说明"),
        empty=EmptyState(title=_("没有可查的数据集"), text=_("别的单位的数据，可以在“数据共享”里申请。"), icon="database"),
    )
    context = {"tabs": tabs("workbench"), "title": title, "lead": scope_words(desk), "breadcrumbs": []}
    return render_list(request, spec, template="front/detail.html", context=context)


def _whose(one: AskedDataset) -> str:
    if one.grant is not None:
        return _("共享给本单位，用到 %(day)s") % {"day": f"{clock.local(one.grant.ends_at):%Y-%m-%d}"}
    return _("自己范围") if one.spec.scope_column or one.spec.org_column else _("全区")


@never_cache
@require_http_methods(["GET", "POST"])
def compose(request: HttpRequest, dataset: str) -> HttpResponseBase:
    """Tick columns, groups, sums, conditions and order; the question is asked, or goes on as text."""
    actor, now = actor_of(request), clock.now()
    desk = access_workbench(actor=actor, now=now)
    told = request.GET.get("grant", "")
    grant_id = ids.decode("sharing_grant", told) if told else None
    asked = access_asked_dataset(desk, actor=actor, name=dataset, grant_id=grant_id, now=now)
    columns = columns_asked(asked)
    error, composition = "", _before(request, desk, actor, dataset)
    if request.method == "POST":
        try:
            composition = composition_in(request.POST.dict(), columns)
            return redirect(_asked(request, actor, asked, composition))
        except (Invalid, NotFound, Refused) as fault:
            error = str(fault)
    context = {
        "title": asked.title,
        "lead": scope_words(desk) if asked.grant is None else _whose(asked),
        "rows": column_rows(columns, {pick.name: pick for pick in composition.picks}),
        "has_count": composition.has_count,
        "limit": composition.limit,
        "purpose": request.POST.get("purpose", purpose_of(request)),
        "error": error,
        "view": view_name(dataset),
        "breadcrumbs": crumbs((asked.title, "")),
    }
    return render(request, "datahub/workbench/compose.html", context, status=400 if error else 200)


def _before(request: HttpRequest, desk: Desk, actor: Actor, dataset: str) -> Composition:
    """What was ticked for the answer that one comes from, where it was ticked at all."""
    told = request.GET.get("answer", "")
    if not told:
        return Composition()
    answer = access_answer(desk, actor=actor, id=ids.decode("question_answer", told), now=clock.now())
    if answer.dataset != dataset or not answer.composition:
        return Composition()
    picks = tuple(picks_stored(answer.composition).values())
    return Composition(picks, bool(answer.composition["has_count"]), int(answer.composition["limit"]))


def _asked(request: HttpRequest, actor: Actor, asked: AskedDataset, composition: Composition) -> str:
    """Where to go on: to the answer, or to the text."""
    sql = composed(view_name(asked.spec.name), composition)
    grant_id = asked.grant.pk if asked.grant else None
    if request.POST.get("action") == "edit":
        request.session[_NEXT] = {"sql": sql, "dataset": asked.spec.name, "grant_id": grant_id}
        return reverse("datahub:workbench_sql")
    purpose = keep_purpose(request, request.POST.get("purpose", ""))
    question = Asked(sql, asked.spec.name, grant_id, asked.title, to_stored(composition))
    return answer_address(ask_question(actor=actor, asked=question, purpose=purpose, now=clock.now()).pk)


@never_cache
@require_http_methods(["GET", "POST"])
def write_sql(request: HttpRequest) -> HttpResponseBase:
    """A question by hand: begun empty, from what was ticked, from an answer, or from a version of a saved question."""
    actor, now = actor_of(request), clock.now()
    desk = access_workbench(actor=actor, now=now)
    begun = _begun(request, desk, actor)
    form = SqlForm(posted(request), initial={"sql": begun.sql, "purpose": purpose_of(request)})
    status = 200
    if form.is_bound and form.is_valid():
        purpose = keep_purpose(request, form.cleaned_data["purpose"])
        # What is written by hand is no longer what was ticked.
        is_same = form.cleaned_data["sql"] == begun.sql
        question = Asked(
            form.cleaned_data["sql"],
            begun.dataset,
            begun.grant_id,
            begun.title,
            begun.composition if is_same else {},
            begun.question,
        )
        try:
            return redirect(answer_address(ask_question(actor=actor, asked=question, purpose=purpose, now=now).pk))
        except (Invalid, NotFound, Refused) as error:
            form.add_error("sql", str(error))
            status = 400
    context = {
        "title": _("写 SQL"),
        "form": form,
        "submit_label": _("查询"),
        "lead": scope_words(desk),
        "tabs": tabs("workbench_sql"),
        "datasets": _offered(desk, actor, begun),
        "breadcrumbs": crumbs((_("写 SQL"), "")),
    }
    return render(request, "datahub/workbench/sql.html", context, status=status)


def _begun(request: HttpRequest, desk: Desk, actor: Actor) -> Asked:
    told, now = request.GET, clock.now()
    if "answer" in told:
        answer = access_answer(desk, actor=actor, id=ids.decode("question_answer", told["answer"]), now=now)
        return Asked(answer.sql, answer.dataset, answer.grant_id, answer.title, answer.composition, answer.question)
    if "question" in told:
        question = access_question(desk, actor=actor, id=ids.decode("saved_question", told["question"]))
        number = number_in(told.get("version", ""))
        version = question.versions.filter(number=number).first() if number is not None else None
        return Asked(
            version.sql if version else question.sql, question.dataset, question.grant_id, question.title, question=question
        )
    kept: Mapping[str, object] = request.session.get(_NEXT) or {}
    grant_id = kept.get("grant_id")
    return Asked(str(kept.get("sql", "")), str(kept.get("dataset", "")), grant_id if isinstance(grant_id, int) else None)


def _offered(desk: Desk, actor: Actor, begun: Asked) -> list[dict[str, object]]:
    """The names that a question may use: of the grant's dataset alone where it goes through one."""
    found = datasets_asked(desk, actor=actor, now=clock.now())
    if begun.grant_id is not None:
        found = [one for one in found if one.grant is not None and one.grant.pk == begun.grant_id]
    else:
        found = [one for one in found if one.grant is None]
    return [
        {"title": one.title, "view": view_name(one.spec.name), "columns": _named(columns_asked(one)), "is_open": len(found) == 1}
        for one in found[:60]
    ]


def _named(columns: Mapping[str, AskedColumn]) -> list[tuple[str, str, str]]:
    return [(row.name, row.title, row.mask) for row in column_rows(columns, {})]


def no_answers() -> Action:
    return Action(label=_("选数据"), url=reverse("datahub:workbench"), icon="database", is_primary=True)
