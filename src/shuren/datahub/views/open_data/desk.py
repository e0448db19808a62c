"""The officers' desk of open data: declare, look at the check, have a second person open it, withdraw."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.datahub.data import DatasetSpec, OpenState
from shuren.datahub.models import OpenVersion
from shuren.datahub.rules.open_data.columns import output_name
from shuren.datahub.selectors.catalogue import dataset_title, is_called
from shuren.datahub.selectors.open_data import (
    access_dataset_to_open,
    access_opening,
    access_openings,
    datasets_to_open,
    declaration_of,
    may_decide,
    opened_beside,
    opening_orgs,
    openings,
    titles_of,
    version_in_hand,
)
from shuren.datahub.services.open_data.decide import approve_opening, refuse_opening
from shuren.datahub.services.open_data.draft import ask_opening, check_opening, draft_opening, draft_version
from shuren.datahub.services.open_data.withdraw import withdraw_open_dataset
from shuren.datahub.views.open_data.forms import OpeningForm, ReasonForm, initial_of
from shuren.datahub.views.open_data.words import SHAPES, STATES, TREATMENTS, remedy_words, state_of
from shuren.identity.api import actor_of
from shuren.kernel import audit, clock, ids
from shuren.kernel.errors import Conflict, Refused
from shuren.kernel.paging import page_of, page_of_rows, stream_of
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, HistoryEntry, ListQuery, ListSpec


def opening_url(version_id: int, page: str = "opening") -> str:
    return reverse(f"datahub:{page}", args=[ids.encode("opening", version_id)])


def _crumbs(*here: tuple[str, str]) -> list[dict[str, str]]:
    return [{"label": label, "url": url} for label, url in ((_("开放数据"), reverse("datahub:openings")), *here)]


def _version(request: HttpRequest, opening_id: str) -> OpenVersion:
    return access_opening(actor=actor_of(request), id=ids.decode("opening", opening_id), now=clock.now())


@never_cache
@require_safe
def openings_page(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    access_openings(actor=actor, now=now)

    def asked(query: ListQuery) -> QuerySet[OpenVersion]:
        return openings(actor=actor, now=now, state=query.filters.get("state", ""), search=query.search)

    new = Action(label=_("开放一份数据"), url=reverse("datahub:choose_open_dataset"), icon="plus", is_primary=True)
    spec: ListSpec[OpenVersion] = ListSpec(
        name="openings",
        title=_("开放数据"),
        columns=(
            Column(key="title", title=_("标题"), value=_title, url=lambda row: opening_url(row.pk)),
            Column(key="number", title=_("编号"), value=lambda row: row.dataset.number),
            Column(key="version", title=_("版本"), value=lambda row: row.number, kind=CellKind.NUMBER),
            Column(key="source", title=_("来自"), value=lambda row: row.dataset.source),
            Column(key="state", title=_("状态"), value=state_of, kind=CellKind.STATUS),
            Column(key="decided", title=_("开放时间"), value=_opened_at, kind=CellKind.DATETIME),
        ),
        rows=lambda query: page_of(asked(query), lambda row: row, number=query.number, size=query.size),
        stream=lambda query: stream_of(asked(query), list),
        filters=(
            Filter(key="state", label=_("状态"), choices=tuple(Choice(value=k.value, label=str(v)) for k, v in STATES.items())),
        ),
        search_label=_("标题、说明或关键词"),
        actions=(new, Action(label=_("公众看到的页面"), url=reverse("open:catalogue"), icon="external-link")),
        empty=EmptyState(
            title=_("还没有开放数据"),
            text=_("选一份数据，定下公开哪些列；检查通过并由另一人批准后，人人可用。"),
            icon="lock-open",
        ),
    )
    return render_list(request, spec)


def _opened_at(row: OpenVersion) -> datetime | None:
    return row.decided_at if row.state in (OpenState.PUBLISHED, OpenState.WITHDRAWN) else None


@never_cache
@require_safe
def choose_dataset(request: HttpRequest) -> HttpResponseBase:
    """Which dataset of the lake."""
    access_openings(actor=actor_of(request), now=clock.now())
    found = datasets_to_open()

    def wanted(query: ListQuery) -> list[DatasetSpec]:
        return [row for row in found if is_called(row, query.search)]

    language = get_language() or ""
    spec: ListSpec[DatasetSpec] = ListSpec(
        name="datasets-to-open",
        title=_("选一份数据"),
        columns=(
            Column(
                key="name",
                title=_("数据"),
                value=lambda row: row.title(language),
                url=lambda row: reverse("datahub:new_opening", args=[row.name]),
            ),
            Column(key="code", title=_("技术名称"), value=lambda row: row.name),
        ),
        rows=lambda query: page_of_rows(wanted(query), number=query.number, size=query.size),
        search_label=_("名称"),
        empty=EmptyState(title=_("没有可以开放的数据"), text=_("数据湖里还没有数据，或其中每一列都指向个人。"), icon="database"),
    )
    return render_list(request, spec, context={"breadcrumbs": _crumbs((_("选一份数据"), ""))})


@never_cache
@require_http_methods(["GET", "POST"])
def new_opening(request: HttpRequest, dataset: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    access_openings(actor=actor, now=now)
    orgs = opening_orgs(actor=actor, now=now)
    facts = access_dataset_to_open(dataset)
    form = OpeningForm(
        posted(request), facts=facts, titles=titles_of(dataset, get_language() or ""), orgs=orgs, initial=initial_of(None, {})
    )

    def save() -> str:
        version = draft_opening(
            actor=actor,
            org_id=ids.decode("org", form.cleaned_data["org"]),
            declaration=form.declaration(dataset),
            words=form.words(),
            note=form.cleaned_data["note"],
            now=now,
        )
        return opening_url(version.pk)

    title = _("开放“%(dataset)s”") % {"dataset": dataset_title(dataset)}
    return _opening_form(request, form, save, title, reverse("datahub:choose_open_dataset"))


@never_cache
@require_http_methods(["GET", "POST"])
def change_opening(request: HttpRequest, opening_id: str) -> HttpResponseBase:
    """Change what is in hand, or begin the next version of what is open."""
    actor, now = actor_of(request), clock.now()
    version = _version(request, opening_id)
    source = version.dataset.source
    facts = access_dataset_to_open(source)
    initial = initial_of(declaration_of(version), version.titles)
    form = OpeningForm(posted(request), facts=facts, titles=titles_of(source, get_language() or ""), orgs=(), initial=initial)

    def save() -> str:
        changed = draft_version(
            actor=actor,
            dataset_id=version.dataset_id,
            declaration=form.declaration(source),
            words=form.words(),
            note=form.cleaned_data["note"],
            now=now,
        )
        return opening_url(changed.pk)

    title = _("修改“%(title)s”") % {"title": _title(version)}
    return _opening_form(request, form, save, title, opening_url(version.pk))


def _opening_form(request: HttpRequest, form: OpeningForm, save: Callable[[], str], title: str, back: str) -> HttpResponseBase:
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("保存并检查"),
        back=back,
        lead=_("只有这里选中的列、按选定的粗细离开平台。点名到人的列和 L4 级的列不在其中。"),
        breadcrumbs=_crumbs((title, "")),
    )


@never_cache
@require_safe
def opening(request: HttpRequest, opening_id: str) -> HttpResponseBase:
    """One version: what it declares, what the check found, the rows as they would be published, and what may be done."""
    version = _version(request, opening_id)
    dataset, declaration, found = version.dataset, declaration_of(version), version.check_found
    words = titles_of(dataset.source, get_language() or "")
    epsilon = declaration.epsilon
    facts = [
        Fact(label=_("编号"), value=dataset.number, url=_public_url(version), help="" if dataset.number else _("批准后才有")),
        Fact(label=_("版本"), value=version.number),
        Fact(label=_("来自"), value=dataset_title(dataset.source)),
        Fact(label=_("只取这些行"), value="，".join(f"{name}={value}" for name, value in declaration.where.items()) or None),
        Fact(label=_("公开成什么样"), value=str(SHAPES[declaration.shape])),
        Fact(label=_("给人数加噪的 ε"), value=epsilon or None),
        Fact(label=_("检查时间"), value=version.checked_at),
    ]
    if version.reason:
        facts.append(Fact(label=_("退回的原因"), value=version.reason))
    context = {
        "title": _title(version),
        "state": state_of(version),
        "lead": version.note,
        "actions": _actions(request, version),
        "facts": facts,
        "columns": [(words.get(c.name, c.name), str(TREATMENTS[c.treatment]), output_name(c)) for c in declaration.columns],
        "found": found,
        "remedies": [
            remedy_words(one["action"], words.get(one["column"], one["column"]), one["small"])
            for one in found.get("remedies", ())
        ],
        "preview": version.preview,
        "has_noise": bool(epsilon),
        "beside": opened_beside(version),
        "history": _history(version),
        "breadcrumbs": _crumbs((_title(version), "")),
    }
    return render(request, "datahub/open/opening.html", context)


def _title(version: OpenVersion) -> str:
    is_english = (get_language() or "").startswith("en")
    return str((version.titles["title_en"] if is_english else "") or version.titles["title_zh"])


def _public_url(version: OpenVersion) -> str:
    return reverse("open:dataset", args=[version.dataset.number]) if version.dataset.number else ""


def _history(version: OpenVersion) -> list[HistoryEntry]:
    entries = audit.entries(action="datahub.", target=f"open_version:{version.pk}")[:20]
    words = {
        "datahub.opening_drafted": _("起草或修改"),
        "datahub.opening_checked": _("重新检查"),
        "datahub.opening_asked": _("提请"),
        "datahub.opening_refused": _("退回"),
        "datahub.data_opened": _("批准并开放"),
        "datahub.open_data_withdrawn": _("撤回"),
    }
    return [HistoryEntry(who=one.actor_name, what=words.get(one.action, one.action), at=one.at) for one in entries]


def _actions(request: HttpRequest, version: OpenVersion) -> list[Action]:
    def to(page: str) -> str:
        return opening_url(version.pk, page)

    state, is_passed = OpenState(version.state), bool(version.check_found.get("is_passed"))
    found: list[Action] = []
    if may_decide(version, actor=actor_of(request)):
        confirm = _("批准后任何人都能下载，拿走的收不回来。要开放吗？")
        found.append(
            Action(label=_("批准并开放"), url=to("approve_opening"), icon="check", is_primary=True, is_post=True, confirm=confirm)
        )
        found.append(Action(label=_("退回"), url=to("refuse_opening"), icon="x", is_danger=True))
    if state in (OpenState.DRAFT, OpenState.REFUSED) and not version.dataset.withdrawn_at:
        if is_passed:
            found.append(Action(label=_("提请批准"), url=to("ask_opening"), icon="send", is_primary=True, is_post=True))
        found.append(Action(label=_("修改"), url=to("change_opening"), icon="edit"))
        found.append(Action(label=_("重新检查"), url=to("check_opening"), icon="refresh", is_post=True))
    if state is OpenState.PUBLISHED:
        if version_in_hand(version.dataset) is None:
            found.append(Action(label=_("出新版本"), url=to("change_opening"), icon="plus"))
        found.append(Action(label=_("撤回"), url=to("withdraw_open_data"), icon="x", is_danger=True))
    return found


@never_cache
@require_POST
def check(request: HttpRequest, opening_id: str) -> HttpResponseBase:
    return _done(request, opening_id, check_opening, _("已重新检查。"))


@never_cache
@require_POST
def ask(request: HttpRequest, opening_id: str) -> HttpResponseBase:
    return _done(request, opening_id, ask_opening, _("已提请，等另一人批准。"))


@never_cache
@require_POST
def approve(request: HttpRequest, opening_id: str) -> HttpResponseBase:
    return _done(request, opening_id, approve_opening, _("已开放。"))


def _done(request: HttpRequest, opening_id: str, step: Callable[..., OpenVersion], words: str) -> HttpResponseBase:
    """One step; what stands in its way is told on the version's page."""
    version = _version(request, opening_id)
    try:
        step(actor=actor_of(request), id=version.pk, now=clock.now())
    except (Conflict, Refused) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, words)
    return redirect(opening_url(version.pk))


@never_cache
@require_http_methods(["GET", "POST"])
def refuse(request: HttpRequest, opening_id: str) -> HttpResponseBase:
    version = _version(request, opening_id)
    return _with_reason(
        request, version, refuse_opening, _("退回开放申请"), _("退回"), _("提请的人会看到原因，改好后可以再提请。")
    )


@never_cache
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, opening_id: str) -> HttpResponseBase:
    version = _version(request, opening_id)
    lead = _("所有版本的文件都会删除，网址留着并说明已撤回。已经被人下载的收不回来。")
    return _with_reason(request, version, withdraw_open_dataset, _("撤回开放数据"), _("撤回"), lead)


def _with_reason(
    request: HttpRequest, version: OpenVersion, step: Callable[..., object], title: str, submit: str, lead: str
) -> HttpResponseBase:
    form = ReasonForm(posted(request))

    def save() -> str:
        step(actor=actor_of(request), id=version.pk, reason=form.cleaned_data["reason"], now=clock.now())
        return opening_url(version.pk)

    crumbs = _crumbs((_title(version), opening_url(version.pk)), (title, ""))
    back = opening_url(version.pk)
    return form_page(request, form, save, title=title, submit=submit, back=back, lead=lead, is_danger=True, breadcrumbs=crumbs)
