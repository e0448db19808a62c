"""The region's words for everybody who is signed in: code sets and their codes, data elements, formats, editions."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shuren.directory import api as directory
from shuren.front import selectors
from shuren.front.services.take_edition import undo_edition
from shuren.identity.api import actor_of
from shuren.kernel import clock
from shuren.kernel.paging import Page, page_of_rows
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status, Tab
from shuren.search.api import name_syllables
from shuren.standards import api as standards
from shuren.standards.data import (
    Authority,
    CodeData,
    CodeSetData,
    EditionData,
    ElementData,
    ElementType,
    ExchangeField,
    ExchangeFormat,
    Grade,
    UseKind,
    WordUse,
)

AUTHORITIES = {
    Authority.NATIONAL: gettext_lazy("国家"),
    Authority.INDUSTRY: gettext_lazy("行业"),
    Authority.LOCAL: gettext_lazy("地方"),
}
GRADES = {
    Grade.PUBLIC: gettext_lazy("公开"),
    Grade.INTERNAL: gettext_lazy("内部"),
    Grade.PERSONAL: gettext_lazy("个人信息"),
    Grade.SENSITIVE: gettext_lazy("敏感个人信息"),
}
TYPES = {
    ElementType.TEXT: gettext_lazy("文字"),
    ElementType.CODE: gettext_lazy("代码"),
    ElementType.DATE: gettext_lazy("日期"),
    ElementType.INTEGER: gettext_lazy("整数"),
    ElementType.DECIMAL: gettext_lazy("小数"),
    ElementType.BOOLEAN: gettext_lazy("是否"),
}
USES = {
    UseKind.ELEMENT: gettext_lazy("数据元"),
    UseKind.FORM: gettext_lazy("表单"),
    UseKind.REGISTER: gettext_lazy("台账"),
    UseKind.DATASET: gettext_lazy("数据集"),
    UseKind.TABLE: gettext_lazy("名录"),
    UseKind.EXCHANGE: gettext_lazy("交换格式"),
}

_USES_SHOWN = 100


@never_cache
@require_safe
def code_sets(request: HttpRequest) -> HttpResponseBase:
    """The home of the standards: every code set, searched by name, pinyin, code, reference, or a code's own name."""
    language = get_language() or ""

    def rows(query: ListQuery) -> Page[CodeSetData]:
        found = standards.code_sets_like(query.search, authority=query.filters.get("authority", ""), aloud=_aloud)
        return page_of_rows(found, number=query.number, size=query.size)

    spec: ListSpec[CodeSetData] = ListSpec(
        name="code_sets",
        title=_("数据标准"),
        columns=(
            Column(key="name", title=_("代码集"), value=lambda row: row.name(language), url=lambda row: _set_url(row.code)),
            Column(key="code", title=_("代号"), value=lambda row: row.code),
            Column(key="codes", title=_("代码数"), value=lambda row: len(row.codes), kind=CellKind.NUMBER),
            Column(key="authority", title=_("性质"), value=lambda row: str(AUTHORITIES[row.authority])),
            Column(key="reference", title=_("依据"), value=lambda row: row.reference or None),
        ),
        rows=rows,
        filters=(
            Filter(
                key="authority",
                label=_("性质"),
                choices=tuple(Choice(value=one.value, label=str(word)) for one, word in AUTHORITIES.items()),
            ),
        ),
        search_label=_("名称、拼音首字母、代号或代码名称"),
        actions=_import_actions(request),
        empty=EmptyState(title=_("没有这样的代码集"), text=_("请换一个词，或放宽筛选条件。"), icon="search"),
    )
    return _listed(request, spec, "code_sets", lead=_("国家、行业和本地区的代码集、数据元和交换格式。"))


@never_cache
@require_safe
def code_set(request: HttpRequest, code: str) -> HttpResponseBase:
    """One set with its codes, as they are valid on a day."""
    found, language = standards.code_set(code), get_language() or ""

    def rows(query: ListQuery) -> Page[standards.CodeRow]:
        listed = standards.codes_like(found, query.search, on=_day_in(query.filters.get("on", "")))
        return page_of_rows(listed, number=query.number, size=query.size)

    columns: list[Column[standards.CodeRow]] = [
        Column(key="code", title=pgettext("standards", "代码"), value=lambda row: row.code.code),
        Column(key="name", title=_("名称"), value=lambda row: "　" * row.depth + row.code.name(language)),
        Column(key="begin", title=_("开始日期"), value=lambda row: row.code.begin, kind=CellKind.DATE),
        Column(key="end", title=_("结束日期"), value=lambda row: row.code.end, kind=CellKind.DATE),
        Column(key="replaced_by", title=_("被取代为"), value=lambda row: _code_words(row.successor, language)),
    ]
    if found.parents:
        columns.insert(2, Column(key="above", title=_("上级"), value=lambda row: row.above or None))
    spec: ListSpec[standards.CodeRow] = ListSpec(
        name="codes",
        title=pgettext("standards", "代码"),
        columns=tuple(columns),
        rows=rows,
        filters=(Filter(key="on", label=_("有效日期"), is_date=True),),
        search_label=_("代码或名称"),
        sizes=(50, 100, 200),
        empty=EmptyState(title=_("没有这样的代码"), text=_("请换一个词，或换一个日期。"), icon="search"),
    )
    context = {
        "title": found.name(language),
        "lead": _("代号 %(code)s") % {"code": found.code},
        "facts": _facts_of_set(found, language),
        "breadcrumbs": _trail(found.name(language)),
        "uses": _shown_uses(standards.uses_of_code_set(found.code)),
    }
    return render_list(request, spec, template="front/standards/one.html", context=context)


@never_cache
@require_safe
def elements(request: HttpRequest) -> HttpResponseBase:
    language = get_language() or ""

    def rows(query: ListQuery) -> Page[ElementData]:
        found = standards.elements_like(query.search, grade=query.filters.get("grade", ""), aloud=_aloud)
        return page_of_rows(found, number=query.number, size=query.size)

    spec: ListSpec[ElementData] = ListSpec(
        name="words",
        title=_("数据元"),
        columns=(
            Column(key="name", title=_("名称"), value=lambda row: row.name(language), url=lambda row: _element_url(row.code)),
            Column(key="code", title=_("代号"), value=lambda row: row.code),
            Column(key="type", title=_("类型"), value=lambda row: str(TYPES[row.type])),
            Column(key="grade", title=_("分级"), value=lambda row: f"{row.grade} {GRADES[row.grade]}"),
            Column(key="department", title=_("产生部门"), value=lambda row: row.department or None),
            Column(key="reference", title=_("依据"), value=lambda row: row.reference or None),
        ),
        rows=rows,
        filters=(
            Filter(
                key="grade",
                label=_("分级"),
                choices=tuple(Choice(value=one.value, label=f"{one} {word}") for one, word in GRADES.items()),
            ),
        ),
        search_label=_("名称、拼音首字母、代号或部门"),
        empty=EmptyState(title=_("没有这样的数据元"), text=_("请换一个词，或放宽筛选条件。"), icon="search"),
    )
    return _listed(request, spec, "elements")


@never_cache
@require_safe
def element(request: HttpRequest, code: str) -> HttpResponseBase:
    """One element: what it holds, who answers for it, where it is produced and where it is used."""
    found, language = standards.element(code), get_language() or ""
    uses = standards.uses_of_element(code)
    spec = _uses_list(uses)
    context = {
        "title": found.name(language),
        "lead": _("代号 %(code)s") % {"code": found.code},
        "facts": _facts_of_element(found, language),
        "breadcrumbs": _trail(found.name(language), _("数据元"), reverse("front:standard_elements")),
    }
    return render_list(request, spec, template="front/standards/one.html", context=context)


@never_cache
@require_safe
def formats(request: HttpRequest) -> HttpResponseBase:
    language = get_language() or ""

    def rows(query: ListQuery) -> Page[ExchangeFormat]:
        wanted = query.search.strip().casefold()
        found = [one for one in standards.exchange_formats() if wanted in f"{one.code} {one.name(language)}".casefold()]
        return page_of_rows(found, number=query.number, size=query.size)

    spec: ListSpec[ExchangeFormat] = ListSpec(
        name="formats",
        title=_("交换格式"),
        columns=(
            Column(key="name", title=_("格式"), value=lambda row: row.name(language), url=lambda row: _format_url(row.code)),
            Column(key="code", title=_("代号"), value=lambda row: row.code),
            Column(key="fields", title=_("字段数"), value=lambda row: len(row.fields), kind=CellKind.NUMBER),
            Column(key="reference", title=_("依据"), value=lambda row: row.reference or None),
        ),
        rows=rows,
        search_label=_("名称或代号"),
        empty=EmptyState(title=_("没有这样的格式"), icon="search"),
    )
    return _listed(request, spec, "formats")


@never_cache
@require_safe
def exchange_format(request: HttpRequest, code: str) -> HttpResponseBase:
    """One format: its fields, and the element and the name in JY/T behind each."""
    found, language = standards.exchange_format(code), get_language() or ""
    known = standards.known_elements()

    def element_of(field: ExchangeField) -> str | None:
        return known[field.element].name(language) if field.element in known else None

    spec: ListSpec[ExchangeField] = ListSpec(
        name="fields",
        title=_("字段"),
        columns=(
            Column(key="name", title=_("字段"), value=lambda row: row.name),
            Column(
                key="element",
                title=_("数据元"),
                value=element_of,
                url=lambda row: _element_url(row.element) if row.element in known else "",
            ),
            Column(key="jyt", title="JY/T", value=lambda row: row.jyt or None),
            Column(key="required", title=_("必填"), value=lambda row: _("是") if row.is_required else None),
            Column(key="values", title=_("可用的值"), value=lambda row: "、".join(row.values[:12]) or None),
            Column(key="note", title=_("说明"), value=lambda row: row.note or row.title(language) or None),
        ),
        rows=lambda query: page_of_rows(found.fields, number=query.number, size=query.size),
        sizes=(50, 100, 200),
    )
    context = {
        "title": found.name(language),
        "lead": found.reference,
        "actions": [
            Action(label="JSON Schema", url=reverse("front:standard_schema", args=[found.code]), icon="download", is_primary=True)
        ],
        "breadcrumbs": _trail(found.name(language), _("交换格式"), reverse("front:standard_formats")),
    }
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_safe
def schema(request: HttpRequest, code: str) -> JsonResponse:
    """The JSON Schema of one record of a format, as a file; it says what data may be, and holds none."""
    told = standards.exchange_schema(code, on=clock.day_of(clock.now()))
    name = f"{standards.exchange_format(code).code}.schema.json"
    return JsonResponse(
        told,
        json_dumps_params={"ensure_ascii": False, "indent": 2},
        content_type="application/schema+json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@never_cache
@require_safe
def editions(request: HttpRequest) -> HttpResponseBase:
    """What was taken, by whom and when, and what it changed."""
    may_take = selectors.may_take_editions(actor_of(request), now=clock.now())
    every = standards.editions()
    last = next((one.number for one in every if one.is_in_force), None)

    def undo(row: EditionData) -> tuple[Action, ...]:
        if not may_take or row.number != last:
            return ()
        confirm = _("撤销后代码集回到采用之前。要撤销吗？")
        url = reverse("front:undo_edition", args=[row.number])
        return (Action(label=_("撤销"), url=url, icon="arrow-back-up", is_post=True, is_danger=True, confirm=confirm),)

    spec: ListSpec[EditionData] = ListSpec(
        name="editions",
        title=_("版本"),
        columns=(
            Column(key="number", title=_("版本"), value=lambda row: row.number, kind=CellKind.NUMBER, url=_edition_url),
            Column(key="title", title=_("文件"), value=lambda row: row.title),
            Column(key="sets", title=_("代码集"), value=lambda row: len(row.code_sets), kind=CellKind.NUMBER),
            Column(key="state", title=_("状态"), value=_state),
            Column(key="by", title=_("采用人"), value=lambda row: row.taken_by),
            Column(key="at", title=_("采用时间"), value=lambda row: row.taken_at, kind=CellKind.DATETIME),
            Column(key="digest", title=_("摘要"), value=lambda row: row.digest[:16], is_shown=False),
        ),
        rows=lambda query: page_of_rows(every, number=query.number, size=query.size),
        row_actions=undo,
        actions=_import_actions(request),
        empty=EmptyState(title=_("还没有采用过新版本"), text=_("现在用的是随平台发布的代码集。"), icon="book-2"),
    )
    return _listed(request, spec, "editions")


@never_cache
@require_safe
def edition(request: HttpRequest, number: int) -> HttpResponseBase:
    """What one edition changed, code by code."""
    found = standards.edition(number)
    language = get_language() or ""
    rows = standards.changes_of_edition(number)
    words = {"added": _("新增"), "ended": _("结束"), "renamed": _("改名"), "changed": _("修改")}
    tones = {"added": "good", "ended": "warn", "renamed": "warn", "changed": "plain"}
    spec: ListSpec[standards.CodeChange] = ListSpec(
        name="changes",
        title=_("变化"),
        columns=(
            Column(
                key="set",
                title=_("代码集"),
                value=lambda row: row.code_set.name(language),
                url=lambda row: _set_url(row.code_set.code),
            ),
            Column(key="code", title=pgettext("standards", "代码"), value=lambda row: row.code),
            Column(key="change", title=_("变化"), value=lambda row: Status(text=words[row.change], tone=tones[row.change])),
            Column(key="before", title=_("原来"), value=lambda row: _code_words(row.before, language)),
            Column(key="after", title=_("现在"), value=lambda row: _code_words(row.after, language)),
        ),
        rows=lambda query: page_of_rows(rows, number=query.number, size=query.size),
        sizes=(50, 100, 200),
        empty=EmptyState(title=_("没有变化"), icon="circle-check"),
    )
    context = {
        "title": _("版本 %(number)s") % {"number": number},
        "state": _state(found),
        "facts": [
            Fact(label=_("文件"), value=found.title),
            Fact(label=_("采用人"), value=found.taken_by),
            Fact(label=_("采用时间"), value=found.taken_at),
            Fact(label=_("摘要"), value=found.digest, help=_("内容的 SHA-256；同样的代码集有同样的摘要。")),
        ],
        "breadcrumbs": _trail(str(number), _("版本"), reverse("front:standard_editions")),
    }
    return render_list(request, spec, template="front/detail.html", context=context)


@require_POST
def undo(request: HttpRequest, number: int) -> HttpResponseBase:
    """Take the latest edition out of force."""
    actor, now = actor_of(request), clock.now()
    found = standards.edition(number)
    undo_edition(actor=actor, number=found.number, now=now)
    messages.success(request, _("已撤销，数据回到了导入之前。"))
    return redirect("front:standard_editions")


def _listed(request: HttpRequest, spec: ListSpec[Any], current: str, *, lead: str = "") -> HttpResponseBase:
    """A list among the tabs of the standards."""
    places = (
        ("code_sets", _("代码集"), "front:standards"),
        ("elements", _("数据元"), "front:standard_elements"),
        ("formats", _("交换格式"), "front:standard_formats"),
        ("editions", _("版本"), "front:standard_editions"),
    )
    tabs = [Tab(label=label, url=reverse(name), is_current=key == current) for key, label, name in places]
    context = {"tabs": tabs, "lead": lead, "title": _("数据标准"), "actions": spec.actions}
    return render_list(request, spec, template="front/detail.html", context=context)


def _facts_of_set(found: CodeSetData, language: str) -> list[Fact]:
    facts = [
        Fact(label=_("性质"), value=str(AUTHORITIES[found.authority])),
        Fact(label=_("依据"), value=found.reference or None),
        Fact(label=_("代码数"), value=len(found.codes)),
    ]
    if found.part_of:
        wider = standards.code_set(found.part_of)
        facts.append(Fact(label=_("取自"), value=wider.name(language), url=_set_url(wider.code)))
    if found.note:
        facts.append(Fact(label=pgettext("standards", "更正"), value=found.note, help=_("与来源不同的地方。")))
    return facts


def _facts_of_element(found: ElementData, language: str) -> list[Fact]:
    owner = directory.orgs_by_ids([found.owner_org_id]).get(found.owner_org_id) if found.owner_org_id else None
    facts = [
        Fact(label=_("类型"), value=" ".join(filter(None, [str(TYPES[found.type]), str(found.length or ""), found.unit]))),
        Fact(label=_("分级"), value=f"{found.grade} {GRADES[found.grade]}"),
        Fact(label=_("依据"), value=found.reference or None),
        Fact(label=_("产生部门"), value=found.department or None),
        Fact(label=_("在哪里采集"), value=found.source or _("用到时填写")),
        Fact(label=_("负责单位"), value=owner.name if owner else None),
    ]
    if found.code_set:
        code_set = standards.code_set(found.code_set)
        facts.append(Fact(label=_("代码集"), value=code_set.name(language), url=_set_url(code_set.code)))
    jyt = standards.jyt_name(found.code)
    if jyt:
        facts.append(Fact(label="JY/T", value=jyt, help=_("在 JY/T 1002 至 1004 中的名称。")))
    return facts


def _uses_list(uses: list[WordUse]) -> ListSpec[WordUse]:
    return ListSpec(
        name="uses",
        title=_("用在哪里"),
        columns=(
            Column(key="kind", title=pgettext("standards", "类别"), value=lambda row: str(USES[row.kind])),
            Column(key="place", title=_("位置"), value=lambda row: row.place),
        ),
        rows=lambda query: page_of_rows(uses, number=query.number, size=query.size),
        empty=EmptyState(title=_("还没有地方用它"), icon="link"),
    )


def _shown_uses(uses: list[WordUse]) -> list[dict[str, str]]:
    return [
        {"kind": str(USES[use.kind]), "place": use.place, "url": _element_url(use.element) if use.kind is UseKind.ELEMENT else ""}
        for use in uses[:_USES_SHOWN]
    ]


def _import_actions(request: HttpRequest) -> tuple[Action, ...]:
    if not selectors.may_take_editions(actor_of(request), now=clock.now()):
        return ()
    url = reverse("front:new_import", args=[selectors.EDITION.name])
    return (Action(label=_("导入新版本"), url=url, icon="file-import", is_primary=True),)


def _aloud(name: str) -> str:
    """The initials of a name and its whole reading."""
    syllables = name_syllables(name)
    return f"{''.join(one[:1] for one in syllables)} {''.join(syllables)}"


def _code_words(code: CodeData | None, language: str) -> str | None:
    return f"{code.code} {code.name(language)}" if code else None


def _day_in(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _state(row: EditionData) -> Status:
    return Status(text=pgettext("standards", "生效"), tone="good") if row.is_in_force else Status(text=_("已撤销"), tone="plain")


def _set_url(code: str) -> str:
    return reverse("front:code_set", args=[code])


def _element_url(code: str) -> str:
    return reverse("front:standard_element", args=[code])


def _format_url(code: str) -> str:
    return reverse("front:standard_format", args=[code])


def _edition_url(row: EditionData) -> str:
    return reverse("front:standard_edition", args=[row.number])


def _trail(last: str, above: str = "", url: str = "") -> list[dict[str, str]]:
    trail = [{"label": _("数据标准"), "url": reverse("front:standards")}]
    return [*trail, *([{"label": above, "url": url}] if above else []), {"label": last, "url": ""}]
