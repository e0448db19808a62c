"""Where forms and flows are listed, compared and built."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.casework.data import DefinitionKind, DefinitionStatus
from shuren.casework.models import Definition, DefinitionDraft
from shuren.casework.selectors.definitions import read_version
from shuren.casework.selectors.drafts import (
    BUILT,
    access_definition,
    access_draft,
    changes_between,
    choices_for,
    definitions_built,
    drafts_of,
    may_change,
    paths_built,
    version_changes,
)
from shuren.casework.services.builder.enforce import enforce_draft
from shuren.casework.services.builder.keep import begin_draft, drop_draft, edit_definition
from shuren.casework.views.builder_forms import CopyForm, NewDefinitionForm
from shuren.casework.views.builder_state import builder_settings, builder_state, preview_context
from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound, ShurenError
from shuren.kernel.paging import page_of
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status


def definition_url(row: Definition) -> str:
    return reverse("casework:definition", args=[ids.encode("definition", row.pk)])


def draft_url(draft: DefinitionDraft) -> str:
    return reverse("casework:definition_draft", args=[ids.encode("definition_draft", draft.pk)])


@never_cache
@require_safe
def definitions(request: HttpRequest) -> HttpResponseBase:
    """Forms and flows in force that the reader may look at as a builder; above them what is being built."""
    actor, now = actor_of(request), clock.now()
    check_builder(actor, now)
    kinds = {DefinitionKind.FORM.value: _("表单"), DefinitionKind.FLOW.value: _("流程")}

    def rows(query: ListQuery) -> object:
        found = definitions_built(actor=actor, now=now)
        if query.filters.get("kind") in BUILT:
            found = found.filter(kind=query.filters["kind"])
        if query.filters.get("own"):
            found = found.filter(pack__isnull=True)
        if query.search:
            found = found.filter(title_zh__icontains=query.search) | found.filter(key__contains=query.search)
        return page_of(found, lambda row: row, number=query.number, size=query.size)

    spec: ListSpec[Definition] = ListSpec(
        name="definitions",
        title=_("表单与流程"),
        columns=(
            Column(key="title", title=_("名称"), value=lambda row: row.title, url=definition_url),
            Column(key="kind", title=_("类型"), value=lambda row: kinds[row.kind]),
            Column(key="key", title=_("代号"), value=lambda row: row.key),
            Column(
                key="from", title=_("来自"), value=lambda row: row.pack.title if row.pack else row.org.name if row.org else "—"
            ),
            Column(
                key="version", title=_("版本"), value=lambda row: row.current.number if row.current else 0, kind=CellKind.NUMBER
            ),
            Column(key="status", title=_("状态"), value=_status, kind=CellKind.STATUS),
        ),
        rows=rows,  # type: ignore[arg-type]  # a page of definitions
        filters=(
            Filter(key="kind", label=_("类型"), choices=tuple(Choice(value=key, label=word) for key, word in kinds.items())),
            Filter(key="own", label=_("来源"), choices=(Choice(value="1", label=_("本地编制的")),)),
        ),
        search_label=_("名称或代号"),
        actions=(
            Action(label=_("数据元"), url=reverse("casework:elements"), icon="list-details"),
            Action(label=_("带入"), url=reverse("casework:import_form"), icon="upload"),
            Action(label=_("新建"), url=reverse("casework:new_definition"), icon="plus", is_primary=True),
        ),
        empty=EmptyState(title=_("没有表单和流程"), text=_("新建一个，边做边看它填起来是什么样。"), icon="clipboard-list"),
    )
    waiting = [
        {"draft": draft, "url": draft_url(draft), "kind": kinds[draft.kind]} for draft in drafts_of(actor=actor, now=now)[:20]
    ]
    return render_list(request, spec, template="casework/builder_list.html", context={"drafts": waiting})


def _status(row: Definition) -> Status:
    if row.status == DefinitionStatus.RETIRED:
        return Status(text=_("已停用"), tone="plain")
    return Status(text=_("在用"), tone="good")


@never_cache
@require_http_methods(["GET", "POST"])
def new_definition(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    check_builder(actor, now)
    forms = choices_for(DefinitionKind.FLOW)["forms"]
    form = NewDefinitionForm(posted(request), orgs=orgs_built(actor, now), forms=forms)

    def save() -> str:
        told = form.cleaned_data
        draft = begin_draft(
            actor=actor,
            kind=DefinitionKind(told["kind"]),
            org_id=ids.decode("org", told["org"]),
            title=told["title"],
            form=told["form"],
            now=now,
        )
        return draft_url(draft)

    lead = _("先起个名字，接着就能编排；启用以前谁也看不到。")
    title = _("新建表单或流程")
    way = [{"label": _("表单与流程"), "url": list_url()}, {"label": title, "url": ""}]
    return form_page(request, form, save, title=title, submit=_("开始编制"), back=list_url(), lead=lead, breadcrumbs=way)


@never_cache
@require_safe
def definition(request: HttpRequest, definition_id: str) -> HttpResponseBase:
    """What a form or flow looks like now, its versions, and what changed from each to the next."""
    actor, now = actor_of(request), clock.now()
    row = access_definition(actor=actor, id=ids.decode("definition", definition_id), now=now)
    assert row.current is not None
    found = []
    if may_change(row, actor=actor, now=now):
        edit = reverse("casework:edit_definition", args=[definition_id])
        found.append(Action(label=_("修改"), url=edit, icon="edit", is_post=True, is_primary=True))
    if row.kind == DefinitionKind.FORM.value:
        export = reverse("casework:export_form", args=[definition_id])
        found.insert(0, Action(label=_("下载 XLSForm"), url=export, icon="download"))
    copy = reverse("casework:copy_definition", args=[definition_id])
    if row.status == DefinitionStatus.IN_FORCE.value:
        document = reverse("api-v1:definition_openapi", args=[row.kind, row.key])
        found.append(Action(label=_("接口文档"), url=document, icon="file-text"))
    context = {
        "title": row.title,
        "state": _status(row),
        "lead": row.key,
        "actions": [Action(label=_("复制一份"), url=copy, icon="copy"), *found],
        "facts": [
            Fact(label=_("来自"), value=row.pack.title if row.pack else row.org.name if row.org else None),
            Fact(label=_("版本"), value=row.current.number),
            Fact(label=_("启用时间"), value=row.current.made_at),
        ],
        "versions": [{"version": version, "changes": changes} for version, changes in version_changes(row)],
        "breadcrumbs": [{"label": _("表单与流程"), "url": list_url()}, {"label": row.title, "url": ""}],
        **preview_context(DefinitionKind(row.kind), read_version(row.current.pk), now=now),
    }
    return render(request, "casework/builder_definition.html", context)


@require_POST
def edit(request: HttpRequest, definition_id: str) -> HttpResponseBase:
    pk = ids.decode("definition", definition_id)
    return redirect(draft_url(edit_definition(actor=actor_of(request), definition_id=pk, now=clock.now())))


@never_cache
@require_http_methods(["GET", "POST"])
def copy(request: HttpRequest, definition_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_definition(actor=actor, id=ids.decode("definition", definition_id), now=now)
    form = CopyForm(posted(request), orgs=orgs_built(actor, now), initial={"title": row.title})

    def save() -> str:
        told = form.cleaned_data
        org_id = ids.decode("org", told["org"])
        kind = DefinitionKind(row.kind)
        return draft_url(begin_draft(actor=actor, kind=kind, org_id=org_id, title=told["title"], copy_id=row.pk, now=now))

    lead = _("复制“%(title)s”，改成自己的；原来的不受影响。") % {"title": row.title}
    return form_page(request, form, save, title=_("复制一份"), submit=_("开始编制"), back=definition_url(row), lead=lead)


@never_cache
@require_safe
def edit_draft(request: HttpRequest, draft_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    draft = access_draft(actor=actor, id=ids.decode("definition_draft", draft_id), now=now)
    return _editor(request, draft, now)


@require_POST
def enforce(request: HttpRequest, draft_id: str) -> HttpResponseBase:
    """Put it into force; what stands against it is told on the page where it can be mended."""
    actor, now = actor_of(request), clock.now()
    draft = access_draft(actor=actor, id=ids.decode("definition_draft", draft_id), now=now)
    try:
        done = enforce_draft(actor=actor, draft_id=draft.pk, now=now)
    except NotFound:
        raise
    except ShurenError as error:
        return _editor(request, draft, now, refused=str(error), status=error.status)
    messages.success(request, _("“%(title)s”已启用。") % {"title": done.title})
    return redirect(definition_url(done))


@require_POST
def drop(request: HttpRequest, draft_id: str) -> HttpResponseBase:
    drop_draft(actor=actor_of(request), draft_id=ids.decode("definition_draft", draft_id), now=clock.now())
    messages.success(request, _("草稿已放弃。"))
    return redirect(list_url())


def _editor(
    request: HttpRequest, draft: DefinitionDraft, now: datetime, *, refused: str = "", status: int = 200
) -> HttpResponseBase:
    state, spec = builder_state(request, draft, now=now)
    changes = []
    if draft.definition is not None and draft.definition.current_id is not None and spec is not None:
        changes = changes_between(read_version(draft.definition.current_id), spec)
    number = ids.encode("definition_draft", draft.pk)
    context = {
        "title": draft.title,
        "draft": draft,
        "is_form": draft.kind == DefinitionKind.FORM.value,
        "state": state,
        "settings": builder_settings(draft, now=now),
        "changes": changes,
        "refused": refused,
        "enforce_url": reverse("casework:enforce_definition_draft", args=[number]),
        "drop_url": reverse("casework:drop_definition_draft", args=[number]),
        "breadcrumbs": [{"label": _("表单与流程"), "url": list_url()}, {"label": draft.title, "url": ""}],
    }
    return render(request, "casework/builder_edit.html", context, status=status)


def check_builder(actor: Actor, now: datetime) -> None:
    if not paths_built(actor=actor, now=now):
        raise NotFound(_("您没有编制表单和流程的权限。"))


def orgs_built(actor: Actor, now: datetime) -> list[tuple[str, str]]:
    """The orgs at which the actor builds: the very ones at which they hold an office that may."""
    found = directory.orgs_by_ids([int(path.rstrip("/").rpartition("/")[2]) for path in paths_built(actor=actor, now=now)])
    return [(org.public_id, org.name) for org in found.values()]


def list_url() -> str:
    return reverse("casework:definitions")
