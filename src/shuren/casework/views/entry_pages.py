"""One entry: what it is, what belongs to it, what became of it; written, changed, removed and restored, or asked to change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.casework.data import DefinitionKind, FieldFault
from shuren.casework.models import Case, Entry
from shuren.casework.rules.forms import first_data
from shuren.casework.rules.labels import label_of
from shuren.casework.rules.registers import form_without, has_sensitive, is_personal, moves_from, state_of
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.values import value_text
from shuren.casework.selectors.attachments import files_of
from shuren.casework.selectors.definitions import definition_named, spec_of
from shuren.casework.selectors.entries import (
    Register,
    RevisionRow,
    access_entry,
    access_removed_entry,
    entry_history,
    is_own,
    near_duplicates,
    register_of_entry,
    relations_of,
)
from shuren.casework.services.attachments import add_attachment
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.form_refused import FormRefused
from shuren.casework.services.registers.check import EntryDuplicate
from shuren.casework.services.registers.give_out import qr_code
from shuren.casework.services.registers.keep import RESTORED
from shuren.casework.services.registers.read import record_sensitive_read
from shuren.casework.services.registers.write import add_entry, change_entry, move_entry, remove_entry, restore_entry
from shuren.casework.views.form_parts import Worked, form_context, values_context, worked_post
from shuren.casework.views.register_parts import base_url, entry_url, register_in, register_url, state_word, trail
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused, ShurenError
from shuren.pages.data import Action, Fact, HistoryEntry, Status

_ORGS_OFFERED = 500
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class _Opened:
    """An entry as its reader reaches it; `sees_all` where nothing of it is hidden from them."""

    entry: Entry
    register: Register
    sees_all: bool

    @property
    def spec(self) -> RegisterSpec:
        return self.register.spec

    @property
    def is_removed(self) -> bool:
        return self.entry.removed_at is not None

    @property
    def may_write(self) -> bool:
        return self.register.access.may_write(self.entry.org_path)


def _opened(request: HttpRequest, entry_id: str, now: datetime, *, is_removed: bool = False) -> _Opened:
    actor = actor_of(request)
    access = access_removed_entry if is_removed else access_entry
    entry = access(actor=actor, id=ids.decode("entry", entry_id), now=now)
    register = register_of_entry(actor=actor, entry=entry, now=now)
    return _Opened(entry, register, is_own(actor, entry) or register.access.sees_sensitive(entry.org_path))


@never_cache
@require_safe
def entry(request: HttpRequest, entry_id: str) -> HttpResponseBase:
    """Facts, what belongs together, and every change; whoever reads what is graded L4 is written down."""
    actor, now = actor_of(request), clock.now()
    try:
        found = _opened(request, entry_id, now)
    except NotFound:
        found = _opened(request, entry_id, now, is_removed=True)
    row, spec = found.entry, found.spec
    if found.sees_all and has_sensitive(spec, row.data):
        record_sensitive_read(actor=actor, entry=row, now=now)
    history = entry_history(row, spec)
    context = {
        "title": row.label,
        "state": Status(text=_("已删除"), tone="bad") if found.is_removed else state_word(spec, row.state),
        "lead": str(spec.title),
        "breadcrumbs": trail(found.register, (row.label, "")),
        "actions": _actions(found),
        "facts": [
            Fact(label=_("所属单位"), value=row.org.name),
            Fact(label=_("登记时间"), value=row.made_at),
            Fact(label=_("最近修改"), value=row.changed_at),
        ],
        "relations": [
            {
                "label": one.entry.label,
                "url": entry_url(one.entry),
                "register": one.register_title,
                "field": one.field,
                "is_back": one.is_back,
                "org": one.entry.org.name,
            }
            for one in relations_of(actor=actor, entry=row, spec=spec, now=now)
        ],
        "changes": [_shown_revision(one, found) for one in history],
        "history": [HistoryEntry(who=one.who, what=_what(one, spec), at=one.at, url=f"#r{one.number}") for one in history[:10]],
        "qr": qr_code(f"{base_url(request)}{entry_url(row)}") if spec.has_labels else "",
        **values_context(spec, row.data, now=now, is_masked=not found.sees_all),
    }
    return render(request, "casework/entry.html", context)


def _actions(found: _Opened) -> list[Action]:
    row, spec = found.entry, found.spec
    if not found.may_write or (found.is_removed and spec.change_by):
        return []
    if found.is_removed:
        return [Action(label=_("恢复"), url=entry_url(row, "restore_entry"), icon="arrow-back-up", is_primary=True)]
    if spec.change_by:
        return [Action(label=_("申请变更"), url=entry_url(row, "ask_change"), icon="send", is_primary=True, is_post=True)]
    moves = [
        Action(
            label=_("改为“%(state)s”") % {"state": state.title}, url=f"{entry_url(row, 'move_entry')}?to={state.key}", icon="flag"
        )
        for state in (moves_from(spec, row.state) if spec.states else ())
    ]
    return [
        Action(label=_("修改"), url=entry_url(row, "change_entry"), icon="edit", is_primary=True),
        *moves,
        Action(label=_("删除"), url=entry_url(row, "remove_entry"), icon="trash", is_danger=True),
    ]


def _what(one: RevisionRow, spec: RegisterSpec) -> str:
    if one.number == 1:
        return _("登记")
    if one.act:
        return _("恢复") if one.act == RESTORED else _("删除")
    if one.org:
        return _("转到“%(org)s”") % {"org": one.org}
    if one.changes:
        return _("修改 %(fields)s") % {"fields": "、".join(str(change.field.title) for change in one.changes[:4])}
    state = state_of(spec, one.state)
    return _("改为“%(state)s”") % {"state": state.title if state else one.state} if one.state_before is not None else _("更新")


def _shown_revision(one: RevisionRow, found: _Opened) -> dict[str, Any]:
    spec = found.spec
    before, after = state_of(spec, one.state_before or ""), state_of(spec, one.state)
    moved = (
        [] if one.state_before is None or after is None else [(_("状态"), str(before.title) if before else "", str(after.title))]
    )
    fields = [
        (str(change.field.title), _text(change.field, change.before, found), _text(change.field, change.after, found))
        for change in one.changes
    ]
    lies = [(_("所属单位"), one.org_before, one.org)] if one.org else []
    return {"row": one, "what": _what(one, spec), "cells": [*lies, *moved, *fields], "case_url": _case_url(one.case_id)}


def _text(field: FieldSpec, value: Any, found: _Opened) -> str:
    text = value_text(field, value, get_language() or "zh-hans")
    return _HIDDEN if text and is_personal(field) and not found.sees_all else text


def _case_url(case_id: int | None) -> str:
    return reverse("casework:case", args=[ids.encode("case", case_id)]) if case_id is not None else ""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_entry(request: HttpRequest, key: str) -> HttpResponseBase:
    """A new thing: what stands already is refused with a link, what is called nearly so is asked about."""
    actor, now = actor_of(request), clock.now()
    register = register_in(request, key)
    _check_by_hand(register, bool(register.access.write_paths))
    form = form_without(register.spec, lambda field: field.type in (FieldType.FILE, FieldType.SIGNATURE))
    page = _FormPage(
        request, register, form, title=_("登记“%(register)s”") % {"register": register.title}, cancel=register_url(register)
    )
    page.context["orgs"] = _org_choices(register)
    page.context["org"] = request.POST.get("_org") or request.GET.get("org", "")
    if request.method != "POST":
        return page.draw(first_data(form), now=now)
    worked = worked_post(form, request, kept={}, actor=actor, now=now)
    near = near_duplicates(register=register, label=label_of(form, worked.data, today=day_of(now)))
    if worked.is_submit and near and not request.POST.get("_near"):
        page.context["near"] = [{"label": one.label, "url": entry_url(one), "org": one.org.name} for one in near]
        return page.draw(worked.data, now=now, status=409)

    def save() -> Entry:
        return add_entry(
            actor=actor,
            register=register.key,
            org_id=_org_asked(request, register),
            data=worked.data,
            reason=_reason(request),
            now=now,
        )

    return page.answer(worked, save, now=now, said=_("已登记。"))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, entry_id: str) -> HttpResponseBase:
    """What the reader may not see is not asked and stays as it is."""
    actor, now = actor_of(request), clock.now()
    found = _opened(request, entry_id, now)
    row = found.entry
    _check_by_hand(found.register, found.may_write)
    form = found.spec if found.sees_all else form_without(found.spec, is_personal)
    page = _FormPage(request, found.register, form, title=_("修改“%(label)s”") % {"label": row.label}, cancel=entry_url(row))
    page.context |= {"revision": request.POST.get("_revision") or row.revision, "asks_reason": True, "entry_label": row.label}
    if request.method != "POST":
        if found.sees_all and has_sensitive(found.spec, row.data):
            record_sensitive_read(actor=actor, entry=row, now=now)
        return page.draw(row.data, now=now)

    def add_file(path: str, upload: Any) -> dict[str, Any]:
        return add_attachment(actor=actor, form=form, path=path, upload=upload, entry_id=row.pk, now=now)

    files = files_of(entry_id=row.pk)
    worked = worked_post(
        form, request, kept=row.data, files=_own_files(form, row, files), actor=actor, now=now, add_file=add_file
    )

    def save() -> Entry:
        data = {field.key: worked.data.get(field.key) for field in form.fields}
        return change_entry(
            actor=actor, entry_id=row.pk, data=data, base_revision=_revision(request), reason=_reason(request), now=now
        )

    return page.answer(worked, save, now=now, said=_("已保存。"))


def _own_files(form: FormSpec, row: Entry, files: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Files of the entry, and those that a case brought into the fields that are asked here."""
    brought: dict[str, Mapping[str, Any]] = {}
    for field in form.fields:
        value = row.data.get(field.key)
        for one in value if isinstance(value, list) else ():
            if isinstance(one, Mapping) and "sha256" in one:
                brought[str(one["id"])] = one
    return {**brought, **files}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, entry_id: str) -> HttpResponseBase:
    found = _opened(request, entry_id, clock.now())
    _check_by_hand(found.register, found.may_write)
    state = state_of(found.spec, request.POST.get("to") or request.GET.get("to", ""))
    if state is None:
        raise NotFound(_("没有这种状态。"))
    words = {"label": found.entry.label, "state": str(state.title)}

    def act() -> str:
        move_entry(
            actor=actor_of(request),
            entry_id=found.entry.pk,
            state=state.key,
            base_revision=_revision(request),
            reason=_reason(request),
            now=clock.now(),
        )
        return entry_url(found.entry)

    return _asked(
        request, found, act, title=_("“%(label)s”改为“%(state)s”") % words, submit=_("改为“%(state)s”") % words, to=state.key
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, entry_id: str) -> HttpResponseBase:
    found = _opened(request, entry_id, clock.now())
    _check_by_hand(found.register, found.may_write)

    def act() -> str:
        remove_entry(
            actor=actor_of(request),
            entry_id=found.entry.pk,
            base_revision=_revision(request),
            reason=_reason(request),
            now=clock.now(),
        )
        return register_url(found.register)

    title = _("删除“%(label)s”") % {"label": found.entry.label}
    lead = _("它会从台账、统计和搜索里消失；变更记录仍然保留，以后可以在“已删除”里恢复。")
    return _asked(request, found, act, title=title, submit=_("删除"), lead=lead, is_danger=True, needs_reason=True)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def restore(request: HttpRequest, entry_id: str) -> HttpResponseBase:
    found = _opened(request, entry_id, clock.now(), is_removed=True)
    _check_by_hand(found.register, found.may_write)

    def act() -> str:
        restore_entry(
            actor=actor_of(request),
            entry_id=found.entry.pk,
            base_revision=_revision(request),
            reason=_reason(request),
            now=clock.now(),
        )
        return entry_url(found.entry)

    title = _("恢复“%(label)s”") % {"label": found.entry.label}
    lead = _("它会按删除时的样子回到台账、统计和搜索里。")
    return _asked(request, found, act, title=title, submit=_("恢复"), lead=lead, needs_reason=True)


def _asked(request: HttpRequest, found: _Opened, act: Callable[[], str], **words: Any) -> HttpResponseBase:
    """A page that asks why before it acts."""
    status, error = 200, ""
    if request.method == "POST":
        try:
            url = act()
        except NotFound:
            raise
        except ShurenError as fault:
            status, error = fault.status, str(fault)
        else:
            messages.success(request, _("已完成。"))
            return redirect(url)
    context = {
        "cancel_url": entry_url(found.entry),
        "revision": request.POST.get("_revision") or found.entry.revision,
        "reason": request.POST.get("_reason", ""),
        "error": error,
        "breadcrumbs": trail(found.register, (found.entry.label, entry_url(found.entry)), (words["title"], "")),
        **words,
    }
    return render(request, "casework/entry_act.html", context, status=status)


@require_POST
def ask_change(request: HttpRequest, entry_id: str) -> HttpResponseBase:
    """File a case of the register's flow, filled in with what the entry holds."""
    actor, now = actor_of(request), clock.now()
    found = _opened(request, entry_id, now)
    if not found.may_write or not found.spec.change_by:
        raise NotFound(_("没有找到这条台账。"))
    row = found.entry
    data = _for_flow(
        found.spec, row, {key: value for key, value in row.data.items() if found.sees_all or not _is_personal(found.spec, key)}
    )
    title = _("变更“%(label)s”") % {"label": row.label}
    return _filed(actor, found.spec, row.org_id, data, title, f"entry:{row.pk}", now)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask_entry(request: HttpRequest, key: str) -> HttpResponseBase:
    """Ask for a new thing to be put into a register that only a flow writes."""
    actor, now = actor_of(request), clock.now()
    register = register_in(request, key)
    orgs = _org_choices(register)
    if not register.spec.change_by or not orgs:
        raise NotFound(_("没有找到这个台账。"))
    if request.method == "POST":
        org_id = _org_asked(request, register)
        return _filed(actor, register.spec, org_id, {}, _("登记“%(register)s”") % {"register": register.title}, "", now)
    context = {
        "title": _("申请登记“%(register)s”") % {"register": register.title},
        "orgs": orgs,
        "cancel_url": register_url(register),
        "breadcrumbs": trail(register, (_("申请登记"), "")),
    }
    return render(request, "casework/entry_ask.html", context)


def _filed(
    actor: Actor, spec: RegisterSpec, org_id: int, data: Mapping[str, Any], title: str, origin: str, now: datetime
) -> HttpResponseBase:
    case: Case = file_case(actor=actor, flow=spec.change_by, org_id=org_id, data=data, title=title, origin=origin, now=now)
    return redirect("casework:case", case_id=ids.encode("case", case.pk))


def _for_flow(spec: RegisterSpec, row: Entry, data: Mapping[str, Any]) -> dict[str, Any]:
    """The entry's values that the form of the flow asks too, and the entry itself where the form names one."""
    flow: FlowSpec = spec_of(definition_named(DefinitionKind.FLOW, spec.change_by))
    form: FormSpec = spec_of(definition_named(DefinitionKind.FORM, flow.form))
    own = {"id": ids.encode("entry", row.pk), "name": row.label}
    named = {one.key: own for one in form.fields if one.type is FieldType.ENTRY and one.register_key == spec.key}
    files = {one.key for one in spec.fields if one.type in (FieldType.FILE, FieldType.SIGNATURE)}
    asked = {one.key for one in form.fields} - files
    return {**{key: value for key, value in data.items() if key in asked}, **named}


def _is_personal(spec: RegisterSpec, key: str) -> bool:
    field = spec.field_named(key)
    return field is None or is_personal(field)


def _check_by_hand(register: Register, may_write: bool) -> None:
    if not may_write:
        raise Refused(_("您只能查看这个台账，不能修改。"), remedy=_("请联系本单位管理这个台账的人。"))
    if register.spec.change_by:
        raise Refused(_("这个台账只能通过申请来变更。"), remedy=_("请打开这条记录，点“申请变更”。"))


def _org_choices(register: Register) -> list[OrgData]:
    """The orgs of the register's types in the reader's branches; of very many the first ones."""
    found: list[OrgData] = []
    for path in register.access.write_paths:
        found += directory.subtree(path, register.spec.at)
    return found[:_ORGS_OFFERED]


def _org_asked(request: HttpRequest, register: Register) -> int:
    told = request.POST.get("_org", "").strip()
    if not told:
        raise Invalid(_("还没有选择所属单位。"), remedy=_("请选择这条记录属于哪个单位。"))
    try:
        return ids.decode("org", told)
    except NotFound:
        found = directory.org_ids_by_code([told]).get(told)
        if found is None:
            raise Invalid(_("没有找到这个机构。"), remedy=_("请从列表中选择，或填写机构代码。")) from None
        return found


def _reason(request: HttpRequest) -> str:
    return request.POST.get("_reason", "").strip()[:500]


def _revision(request: HttpRequest) -> int | None:
    told = request.POST.get("_revision", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 10 else None


class _FormPage:
    """The page on which an entry is filled in."""

    def __init__(self, request: HttpRequest, register: Register, form: FormSpec, *, title: str, cancel: str) -> None:
        self.request, self.form = request, form
        self.context: dict[str, Any] = {
            "title": title,
            "cancel_url": cancel,
            "lead": str(form.note) if form.note else "",
            "reason": _reason(request),
            "breadcrumbs": trail(register, (title, "")),
        }

    def draw(
        self,
        data: Mapping[str, Any],
        *,
        now: datetime,
        faults: tuple[FieldFault, ...] = (),
        blank_rows: tuple[str, ...] = (),
        status: int = 200,
    ) -> HttpResponseBase:
        self.context |= form_context(self.form, data, now=now, faults=faults, blank_rows=blank_rows)
        return render(self.request, "casework/entry_form.html", self.context, status=status)

    def answer(self, worked: Worked, save: Callable[[], Entry], *, now: datetime, said: str) -> HttpResponseBase:
        """Save where the form was handed in; rows that were added or taken out draw the page again."""
        if not worked.is_submit:
            status = 400 if worked.faults else 200
            return self.draw(worked.data, now=now, faults=worked.faults, blank_rows=worked.blank_rows, status=status)
        try:
            saved = save()
        except FormRefused as refused:
            return self.draw(worked.data, now=now, faults=refused.faults, status=400)
        except EntryDuplicate as refused:
            url = reverse("casework:entry", args=[refused.public_id]) if refused.public_id else ""
            self.context["duplicate"] = {"label": refused.label, "url": url}
            return self._refuse(worked, refused, now)
        except (Invalid, Conflict) as refused:
            return self._refuse(worked, refused, now)
        messages.success(self.request, said)
        return redirect(entry_url(saved))

    def _refuse(self, worked: Worked, refused: ShurenError, now: datetime) -> HttpResponseBase:
        self.context["error"] = str(refused)
        return self.draw(worked.data, now=now, status=refused.status)
