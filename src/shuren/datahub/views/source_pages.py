"""Who produces what, who was refused beside them, and the values that wait for their owner."""

from datetime import timedelta

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.datahub.data import SubjectKind, TieRule, Verdict
from shuren.datahub.models import Candidate
from shuren.datahub.selectors.convergence import (
    GoldenRow,
    access_golden,
    access_owned_element,
    candidates_of,
    may_keep,
    page_of_goldens,
    precedence_of,
    sources_told,
    subject_names,
)
from shuren.datahub.selectors.sources import SourceRow, departments, orgs_like, page_of_refusals, page_of_sources
from shuren.datahub.services.converge.candidates import value_of
from shuren.datahub.services.converge.decide import accept_by_rule, accept_golden, overrule_golden
from shuren.datahub.services.converge.precedence import set_precedence
from shuren.datahub.views.source_forms import AcceptForm, GoldenForm, PrecedenceForm, ProducerForm
from shuren.datahub.views.words import FOUND, RULES, VERDICTS
from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.identity.api import actor_of
from shuren.kernel import audit, clock, ids
from shuren.kernel.clock import day_of
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Filter, ListQuery, ListSpec
from shuren.standards import api as standards
from shuren.standards.data import Door, ElementData, RefusalData

_SINCE = timedelta(days=30)


def _crumbs(title: str) -> list[dict[str, str]]:
    return [{"label": _("一数一源"), "url": reverse("datahub:sources")}, {"label": title, "url": ""}]


def _name(element: ElementData) -> str:
    return element.name(get_language() or "")


@never_cache
@require_safe
def sources(request: HttpRequest) -> HttpResponseBase:
    """Every element with its owner and its doors, those first that others tried to write."""
    actor, now = actor_of(request), clock.now()
    if not may_keep(actor=actor, now=now):
        raise NotFound(_("没有找到这个页面。"))

    def rows(query: ListQuery) -> Page[SourceRow]:
        return page_of_sources(
            actor=actor,
            search_words=query.search,
            has_owner={"1": True, "0": False}.get(query.filters.get("owner", "")),
            department=query.filters.get("department", ""),
            is_mine=query.filters.get("mine", "") == "1",
            since=day_of(now) - _SINCE,
            number=query.number,
            size=query.size,
            now=now,
        )

    def actions(row: SourceRow) -> tuple[Action, ...]:
        if not row.is_mine:
            url = reverse("casework:object_to_element", args=[row.element.code])
            return (Action(label=_("提出异议"), url=url, icon="message"),)
        code = [row.element.code]
        return (
            Action(label=_("指定来源"), url=reverse("datahub:producer", args=code), icon="edit"),
            Action(label=_("来源优先级"), url=reverse("datahub:precedence", args=code), icon="list-check"),
        )

    def to(name: str, row: SourceRow) -> str:
        return reverse(f"datahub:{name}", args=[row.element.code]) if row.is_mine else ""

    yes_no = (Choice(value="1", label=_("已指定")), Choice(value="0", label=_("未指定")))
    spec: ListSpec[SourceRow] = ListSpec(
        name="sources",
        title=_("一数一源"),
        columns=(
            Column(key="name", title=_("数据项"), value=lambda row: _name(row.element)),
            Column(key="code", title=_("代号"), value=lambda row: row.element.code),
            Column(key="department", title=_("产生部门"), value=lambda row: row.element.department or None),
            Column(key="owner", title=_("负责单位"), value=lambda row: row.owner.name if row.owner else _("未指定")),
            Column(key="doors", title=_("从哪里写入"), value=_doors_of),
            Column(key="writers", title=_("由谁写入"), value=lambda row: "、".join(row.writers) or None),
            Column(
                key="refused",
                title=_("30 天内被拒写入"),
                value=lambda row: row.refused,
                kind=CellKind.NUMBER,
                url=lambda row: to("refusals", row) if row.refused else "",
            ),
            Column(
                key="waiting",
                title=_("待核定的值"),
                value=lambda row: row.waiting,
                kind=CellKind.NUMBER,
                url=lambda row: to("goldens", row) if row.waiting else "",
            ),
        ),
        rows=rows,
        filters=(
            Filter(key="owner", label=_("负责单位"), choices=yes_no),
            Filter(key="department", label=_("产生部门"), choices=tuple(Choice(value=one, label=one) for one in departments())),
            Filter(key="mine", label=_("范围"), choices=(Choice(value="1", label=_("由我负责的")),)),
        ),
        search_label=_("名称、代号或部门"),
        note=_("每项数据只有一个来源；从别处写入会被拒绝，并告诉对方由谁负责、到哪里提异议。"),
        row_actions=actions,
        empty=EmptyState(title=_("没有这样的数据项"), text=_("换一个条件再查。"), icon="search"),
    )
    return render_list(request, spec)


def _doors_of(row: SourceRow) -> str | None:
    doors = sorted(row.producer.doors) if row.producer else []
    return "、".join(standards.door_words(door) for door in doors) or None


@never_cache
@require_safe
def refusals(request: HttpRequest, element_code: str) -> HttpResponseBase:
    """Who tried to write an element beside its source: from where, through which door, how often and when."""
    actor, now = actor_of(request), clock.now()
    element = access_owned_element(actor=actor, code=element_code, now=now)

    def rows(query: ListQuery) -> Page[tuple[RefusalData, str]]:
        return page_of_refusals(element=element, number=query.number, size=query.size)

    title = _("“%(name)s”被拒的写入") % {"name": _name(element)}
    spec: ListSpec[tuple[RefusalData, str]] = ListSpec(
        name="refused-writes",
        title=title,
        columns=(
            Column(key="day", title=_("日期"), value=lambda row: row[0].day, kind=CellKind.DATE),
            Column(key="org", title=_("单位"), value=lambda row: row[1] or row[0].client_id or _("平台本身")),
            Column(key="role", title=_("身份"), value=lambda row: _role(row[0].role)),
            Column(key="door", title=_("从哪里"), value=lambda row: standards.door_words(row[0].door)),
            Column(key="count", title=_("次数"), value=lambda row: row[0].count, kind=CellKind.NUMBER),
        ),
        rows=rows,
        note=_("具体是谁、何时，在审计里查“拒绝一数多源的写入”。"),
        empty=EmptyState(title=_("没有被拒的写入"), text=_("没有人从别处写入这一项。"), icon="check"),
    )
    return render_list(request, spec, context={"breadcrumbs": _crumbs(title)})


def _role(text: str) -> str | None:
    return standards.code_label("role", text, get_language() or "") if text in {role.value for role in Role} else None


@never_cache
@require_http_methods(["GET", "POST"])
def producer(request: HttpRequest, element_code: str) -> HttpResponseBase:
    """Name the doors and the orgs from which alone an element is written."""
    actor, now = actor_of(request), clock.now()
    element = access_owned_element(actor=actor, code=element_code, now=now)
    held = standards.producers_of([element.code]).get(element.code)
    asked = request.GET.get("q", "").strip()[:60]
    known = directory.orgs_by_ids({*(held.org_ids if held else ()), *([element.owner_org_id] if element.owner_org_id else ())})
    found = orgs_like(asked)
    orgs = {org.public_id: org.name for org in (*known.values(), *found)}
    initial = {
        "doors": [door.value for door in held.doors] if held else [],
        "orgs": [known[org_id].public_id for org_id in held.org_ids if org_id in known] if held else [],
        "note": held.note if held else "",
    }
    form = ProducerForm(posted(request), orgs=list(orgs.items()), initial=initial)

    def save() -> str:
        standards.set_producer(
            actor=actor,
            element_code=element.code,
            doors=[Door(door) for door in form.cleaned_data["doors"]],
            org_ids=[ids.decode("org", one) for one in form.cleaned_data["orgs"]],
            note=form.cleaned_data["note"],
            now=now,
        )
        return reverse("datahub:sources") + f"?q={element.code}"

    title = _("“%(name)s”从哪里来") % {"name": _name(element)}
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("保存"),
        back=reverse("datahub:sources"),
        lead=_("别处再写这一项会被拒绝，并看到由谁负责、到哪里提异议。"),
        done=_("已保存。"),
        breadcrumbs=_crumbs(title),
        template="datahub/producer.html",
        more={"asked": asked, "has_found": bool(found)},
    )


@never_cache
@require_http_methods(["GET", "POST"])
def precedence(request: HttpRequest, element_code: str) -> HttpResponseBase:
    """Declare whom to believe; every value is chosen anew by a job."""
    actor, now = actor_of(request), clock.now()
    element = access_owned_element(actor=actor, code=element_code, now=now)
    held = precedence_of(element.code)
    told = [rank.source if rank.valid_days is None else f"{rank.source} {rank.valid_days}" for rank in held.sources]
    initial = {"sources": "\n".join(told or sources_told(element.code)), "tie": held.tie.value}
    form = PrecedenceForm(posted(request), initial=initial)

    def save() -> str:
        ranks, tie = form.cleaned_data["sources"], TieRule(form.cleaned_data["tie"])
        set_precedence(actor=actor, element_code=element.code, sources=ranks, tie=tie, now=now)
        return reverse("datahub:goldens", args=[element.code])

    title = _("“%(name)s”先信谁") % {"name": _name(element)}
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("保存并重新选值"),
        back=reverse("datahub:sources"),
        lead=_("几个来源说法不一时，取排在前面、仍然有效的来源里最新的值。"),
        done=_("已保存，正在按新的优先级重新选值。"),
        breadcrumbs=_crumbs(title),
    )


@never_cache
@sensitive_files(asked_by="export")
@require_safe
def goldens(request: HttpRequest, element_code: str) -> HttpResponseBase:
    """The values of an element on which its sources differ, and what was chosen."""
    actor, now = actor_of(request), clock.now()
    element = access_owned_element(actor=actor, code=element_code, now=now)

    def rows(query: ListQuery) -> Page[GoldenRow]:
        asked = query.filters.get("verdict", "")
        return page_of_goldens(
            actor=actor,
            element=element,
            verdict=Verdict(asked) if asked in {one.value for one in Verdict} else None,
            source=query.filters.get("source", ""),
            number=query.number,
            size=query.size,
            now=now,
        )

    title = _("“%(name)s”说法不一的值") % {"name": _name(element)}
    verdicts = (Verdict.OPEN, Verdict.ACCEPTED, Verdict.OVERRULED)
    spec: ListSpec[GoldenRow] = ListSpec(
        name="goldens",
        title=title,
        columns=(
            Column(
                key="name",
                title=_("说的是谁"),
                value=lambda row: row.name or _("不在您的范围内"),
                url=lambda row: reverse("datahub:golden", args=[row.public_id]) if row.name else "",
            ),
            Column(key="value", title=_("选出的值"), value=lambda row: row.value or None),
            Column(key="source", title=_("来源"), value=lambda row: row.source or None),
            Column(key="rule", title=_("为什么"), value=lambda row: str(RULES.get(row.rule, row.rule))),
            Column(key="values", title=_("不同的值"), value=lambda row: row.values, kind=CellKind.NUMBER),
            Column(key="verdict", title=_("核定"), value=lambda row: str(VERDICTS[row.verdict])),
            Column(key="changed", title=_("更新时间"), value=lambda row: row.changed_at, kind=CellKind.DATE),
        ),
        rows=rows,
        filters=(
            Filter(
                key="verdict",
                label=_("核定"),
                choices=tuple(Choice(value=one.value, label=str(VERDICTS[one])) for one in verdicts),
            ),
            Filter(
                key="source",
                label=_("来源"),
                choices=tuple(Choice(value=one, label=one) for one in sources_told(element.code)),
            ),
        ),
        actions=(
            Action(label=_("批量认可"), url=reverse("datahub:accept_goldens", args=[element.code]), icon="checks"),
            Action(label=_("来源优先级"), url=reverse("datahub:precedence", args=[element.code]), icon="list-check"),
        ),
        empty=EmptyState(title=_("没有说法不一的值"), text=_("各个来源说的都一样。"), icon="check"),
    )
    return render_list(request, spec, context={"breadcrumbs": _crumbs(title)})


@never_cache
@require_http_methods(["GET", "POST"])
def accept_goldens(request: HttpRequest, element_code: str) -> HttpResponseBase:
    """All waiting values that one source gave stand."""
    actor, now = actor_of(request), clock.now()
    element = access_owned_element(actor=actor, code=element_code, now=now)
    form = AcceptForm(posted(request), sources=[(one, one) for one in sources_told(element.code)])

    def save() -> str:
        accept_by_rule(actor=actor, element_code=element.code, source=form.cleaned_data["source"], now=now)
        return reverse("datahub:goldens", args=[element.code])

    title = _("批量认可“%(name)s”的值") % {"name": _name(element)}
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("全部认可"),
        back=reverse("datahub:goldens", args=[element.code]),
        lead=_("这个来源选出的、还在等核定的值全部认可；来源有新的说法时再问。"),
        done=_("已认可。"),
        breadcrumbs=_crumbs(title),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def golden(request: HttpRequest, golden_id: str) -> HttpResponseBase:
    """One subject: every candidate with where it stands, and which of them holds. Reading it is written down."""
    actor, now = actor_of(request), clock.now()
    row = access_golden(actor=actor, id=ids.decode("golden", golden_id), now=now)
    element = standards.element(row.element_code)
    found = {str(key): str(FOUND.get(verdict, verdict)) for key, _source, _seen, verdict in row.evidence}
    told = candidates_of(row)
    shown = {str(one.pk): _line(one, found.get(str(one.pk), "")) for one in told}
    form = GoldenForm(posted(request), candidates=shown, initial={"candidate": str(row.candidate_id or "")})
    back = reverse("datahub:goldens", args=[element.code])

    def save() -> str:
        picked, reason = int(form.cleaned_data["candidate"]), form.cleaned_data["reason"]
        if picked == row.candidate_id:
            accept_golden(actor=actor, golden_id=row.pk, reason=reason, now=now)
        else:
            overrule_golden(actor=actor, golden_id=row.pk, candidate_id=picked, reason=reason, now=now)
        return back

    if any(one.value_sealed is not None for one in told):
        details = {"element": element.code, "rows": len(told)}
        audit.record(actor=actor, action="datahub.candidates_seen", target=f"golden:{row.pk}", details=details, now=now)
    subject = (SubjectKind(row.subject_kind), row.subject_id)
    name = subject_names(actor=actor, subjects=[subject], now=now).get(subject, "")
    title = _("“%(name)s” · %(whom)s") % {"name": _name(element), "whom": name}
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("核定"),
        back=back,
        lead=_("现在按“%(rule)s”选值。") % {"rule": RULES.get(row.rule, row.rule)},
        done=_("已核定。"),
        breadcrumbs=[*_crumbs(title)[:1], {"label": _name(element), "url": back}, {"label": name, "url": ""}],
    )


def _line(one: Candidate, found: str) -> str:
    words = {"value": value_of(one), "source": one.source, "seen": clock.day_of(one.seen_at).isoformat(), "found": found}
    line = _("%(value)s（%(source)s，%(seen)s，%(found)s）") % words
    return f"{line} {one.evidence}".strip()
