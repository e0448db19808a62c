"""Pages that show people."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shuren.directory.data import OrgData, Permission, PersonRow, Role
from shuren.directory.selectors.break_glass import glass_note
from shuren.directory.selectors.people_list import PeopleList, page_of_people, people_list, stream_people
from shuren.directory.selectors.person_detail import PersonDetail, person_detail
from shuren.directory.selectors.viewers import AppViewer, apps_asking_for, apps_told_of, list_targets, page_of_reads, viewers_of
from shuren.directory.services.reveal_person import note_emergency_read, reveal_person
from shuren.directory.views.asked import actor_in, now, person_id_in
from shuren.directory.views.person_sections import person_url, sections_of
from shuren.directory.views.words import CONSENT_STATES, PATHS, PRIVATE, ROLES, SEXES
from shuren.kernel import clock
from shuren.kernel.announced import action_words, purpose_words
from shuren.kernel.audit import record_many
from shuren.kernel.doors import sensitive, sensitive_files
from shuren.pages.api import list_query, render_list
from shuren.pages.data import Action, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status, Tab
from shuren.standards.api import meaning_of

_LISTED = [role for role in Role if role not in (Role.VENDOR, Role.EXPERT)]


@sensitive_files(asked_by="export")
def people(request: HttpRequest) -> HttpResponseBase:
    return render_list(request, people_spec(request, None))


def people_spec(request: HttpRequest, org: OrgData | None, *, may_manage: bool = False) -> ListSpec[PersonRow]:
    """People one may see, in an org if given. Sorting is offered where it is cheap: everywhere but in a large branch.

    Whoever manages the people of an org finds the way to another class beside each pupil.
    """
    actor, moment = actor_in(request), now()
    draft = _spec(PeopleList(()), org)
    asked = list_query(request, draft)
    role = asked.filters.get("role", "")
    found = people_list(actor=actor, now=moment, org=org, role=Role(role) if role else None, search=asked.search)

    def note_export(query: ListQuery, form: str) -> None:
        details = {"form": form, "search": query.search, **query.filters, **glass_note(actor=actor, now=moment)}
        targets = [f"org:{org.id}"] if org else list_targets(actor=actor, permission=Permission.VIEW_PEOPLE, now=moment)
        entries = ((target, details) for target in targets)
        record_many(actor=actor, action="directory.people_exported", entries=entries, now=moment)

    return replace(_spec(found, org), on_export=note_export, row_actions=_row_actions if may_manage else None)


def _row_actions(row: PersonRow) -> tuple[Action, ...]:
    if row.role is not Role.PUPIL:
        return ()
    return (Action(label=_("转班或转学"), url=person_url(row.public_id, "transfer"), icon="switch-horizontal"),)


def _spec(found: PeopleList, org: OrgData | None) -> ListSpec[PersonRow]:
    sort = {key: key if found.is_sortable else "" for key in ("name", "number")}
    return ListSpec(
        name="people",
        title=_("人员"),
        columns=(
            Column(
                key="name",
                title=_("姓名"),
                value=lambda row: row.name,
                url=lambda row: person_url(row.public_id),
                sort=sort["name"],
            ),
            Column(key="number", title=_("人员编号"), value=lambda row: row.number, sort=sort["number"]),
            Column(key="sex", title=_("性别"), value=lambda row: str(SEXES[row.sex])),
            Column(key="role", title=_("角色"), value=lambda row: str(ROLES[row.role]) if row.role else None),
            Column(
                key="org", title=_("所在机构"), value=lambda row: row.org_name or None, url=None if found.is_family else _org_url
            ),
        ),
        rows=lambda query: page_of_people(found, number=query.number, size=query.size, sort=query.sort),
        stream=lambda query: stream_people(found, query.sort),
        filters=(
            Filter(key="role", label=_("角色"), choices=tuple(Choice(value=role, label=str(ROLES[role])) for role in _LISTED)),
        ),
        search_label=_("姓名或编号的开头"),
        empty=EmptyState(title=_("这里还没有人员"), text=_("可以导入名册，也可以在机构页面逐个登记。"), icon="users"),
        note="" if found.is_sortable else _("人数较多时按机构排列；搜索或筛选后可以按姓名排序。"),
    )


def _org_url(row: PersonRow) -> str:
    return reverse("directory:org", args=[row.org_public_id]) if row.org_public_id else ""


def person(request: HttpRequest, public_id: str) -> HttpResponseBase:
    detail = person_detail(actor=actor_in(request), id=person_id_in(public_id), now=now())
    note_emergency_read(actor=actor_in(request), person_id=detail.person.id, page="person", now=now())
    context = _frame(detail, "person") | {
        "detail": detail,
        "facts": _facts(detail),
        "sections": sections_of(detail),
        "numbers": [(PRIVATE[kind], told.text, until) for kind, told, until in detail.former_numbers],
    }
    return render(request, "directory/person.html", context)


def seen_by(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Who can see this person, and why."""
    actor, moment, person_id = actor_in(request), now(), person_id_in(public_id)
    detail = person_detail(actor=actor, id=person_id, now=moment)
    note_emergency_read(actor=actor, person_id=person_id, page="seen_by", now=moment)
    may_know = not detail.is_masked
    number = int(text) if (text := request.GET.get("page", "1")).isdecimal() else 1
    reads = page_of_reads(person_id, now=moment, number=number, size=25) if may_know else None
    context = {
        "viewers": [(viewer, ROLES[viewer.role], PATHS[viewer.path]) for viewer in viewers_of(person_id, now=moment)],
        "may_know": may_know,
        "apps": _apps(person_id, since=clock.day_of(moment - timedelta(days=365))) if may_know else [],
        "asking": _asking(person_id, now=moment) if may_know else [],
        "reads": [(entry, action_words(entry.action)) for entry in reads.rows] if reads else [],
        "reads_page": reads,
    }
    return render(request, "directory/seen_by.html", _frame(detail, "seen_by") | context)


def _apps(person_id: int, *, since: date) -> list[AppViewer]:
    """The elements and purposes in words, as a family reads them."""
    found = apps_told_of(person_id, since=since)
    return [
        replace(
            app,
            elements=_elements(code if "." in code else f"person.{code}" for code in app.elements.split(",") if code),
            purpose=purpose_words(app.purpose),
        )
        for app in found
    ]


def _asking(person_id: int, *, now: datetime) -> list[dict[str, object]]:
    found = []
    for app in apps_asking_for(person_id, now=now):
        word, tone = CONSENT_STATES[app.state]
        state = Status(text=str(word), tone=tone)
        found.append(
            {"name": app.name, "purpose": purpose_words(app.purpose), "elements": _elements(app.elements), "state": state}
        )
    return found


def _elements(codes: Iterable[str]) -> str:
    language = get_language() or ""
    return "、".join(meaning_of(code).name(language) for code in codes)


@sensitive("reveal")
@require_POST
def reveal(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Show what is graded L4 once; the page says that it was written down."""
    found = reveal_person(actor=actor_in(request), person_id=person_id_in(public_id), now=now())
    facts = [_("%(fact)s：%(text)s。") % {"fact": PRIVATE[key], "text": text} for key, text in found.items()]
    note = _("这次查看已写入审计记录。")
    messages.info(request, "".join([*facts, note]) if facts else _("没有登记身份证件号。"))
    return redirect(person_url(public_id))


def _frame(detail: PersonDetail, page: str) -> dict[str, object]:
    public_id = detail.person.public_id
    actions = []
    if detail.may_manage:
        actions.append(Action(label=_("更正"), url=person_url(public_id, "correct_person"), icon="edit"))
    if detail.may_reveal:
        confirm = _("查看身份证件号会写入审计记录。要继续吗？")
        url = person_url(public_id, "reveal_person")
        actions.append(Action(label=_("查看证件号"), url=url, icon="eye", is_post=True, confirm=confirm))
    current = [line for line in (*detail.affiliations, *detail.enrollments) if line.is_current]
    return {
        "title": detail.person.name,
        "lead": " · ".join(dict.fromkeys(f"{line.org_name} {ROLES[line.role]}" for line in current)),
        "breadcrumbs": [{"label": _("人员"), "url": reverse("directory:people")}],
        "tabs": [
            Tab(label=_("概况"), url=person_url(public_id), is_current=page == "person"),
            Tab(label=_("谁能看到"), url=person_url(public_id, "seen_by"), is_current=page == "seen_by"),
        ],
        "actions": actions,
    }


def _facts(detail: PersonDetail) -> list[Fact]:
    person = detail.person
    shown = [
        Fact(label=str(PRIVATE["number"]), value=person.number, help=_("终身不变，一人一号。")),
        Fact(label=str(PRIVATE["sex"]), value=str(SEXES[person.sex])),
        Fact(label=str(PRIVATE["grade"]), value=detail.grade or None),
    ]
    for key, told in detail.private.items():
        if told.text or key in ("birth_date", "phone"):
            shown.append(Fact(label=str(PRIVATE[key]), value=told.text or None))
    sealed = _("已加密保存") if detail.has_national_id else None
    return [*shown, Fact(label=str(PRIVATE["national_id"]), value=sealed)]
