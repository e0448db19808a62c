"""Grants of shared data: what each lets out, every use of it, the file, a question, and taking it back."""

import tempfile
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.datahub.data import SharingWay
from shuren.datahub.models import SharingGrant, SharingUse
from shuren.datahub.rules.names import view_name
from shuren.datahub.rules.sharing import rows_sql
from shuren.datahub.selectors.catalogue import dataset_title, titles_of_datasets
from shuren.datahub.selectors.shared_datasets import columns_in_words
from shuren.datahub.selectors.sharing import (
    access_grant,
    access_sharing,
    access_usable_grant,
    decides_for,
    grants_seen,
    uses_of,
)
from shuren.datahub.services.sharing.decide import revoke_sharing
from shuren.datahub.services.sharing.read import ask_shared, write_shared_file
from shuren.datahub.services.sharing.tell import grant_address
from shuren.datahub.views.sharing_forms import QuestionForm, ReasonForm
from shuren.datahub.views.sharing_pages import application_address, crumbs, org_names, tabs, ways_words
from shuren.datahub.views.words import MASKS, WAYS
from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import Invalid, NotFound, ShurenError
from shuren.kernel.paging import Page, page_of, stream_of
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status
from shuren.standards.data import MaskStyle

_SHOWN = 200
_FORMS = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def last_day(grant: SharingGrant) -> date:
    """The day after which a grant gives nothing: it ends at midnight."""
    return clock.local(grant.ends_at - timedelta(microseconds=1)).date()


def _address(row: SharingGrant) -> str:
    return grant_address(row.pk)


def grant_state(grant: SharingGrant, now: datetime) -> Status:
    if grant.revoked_at is not None:
        return Status(text=_("已收回"), tone="bad")
    return Status(text=_("已到期")) if grant.ends_at <= now else Status(text=_("有效"), tone="good")


@never_cache
@require_safe
def grants(request: HttpRequest) -> HttpResponseBase:
    """The grants that one's units got or gave, newest first."""
    actor, now = actor_of(request), clock.now()
    access_sharing(actor=actor, now=now)
    names: dict[int, str] = {}

    def named(found: list[SharingGrant]) -> list[SharingGrant]:
        names.update(org_names({org_id for row in found for org_id in (row.applicant_org_id, row.owner_org_id)} - set(names)))
        return found

    def asked(query: ListQuery) -> QuerySet[SharingGrant]:
        told = query.filters
        return grants_seen(actor=actor, now=now, side=told.get("side", ""), state=told.get("state", ""))

    def rows(query: ListQuery) -> Page[SharingGrant]:
        page = page_of(asked(query), lambda row: row, number=query.number, size=query.size)
        named(page.rows)
        return page

    titles, title = titles_of_datasets(), _("授权与使用")
    spec: ListSpec[SharingGrant] = ListSpec(
        name="sharing_grants",
        title=title,
        columns=(
            Column(
                key="dataset",
                title=_("数据集"),
                value=lambda row: titles.get(row.dataset, row.dataset),
                url=lambda row: grant_address(row.pk),
            ),
            Column(key="applicant", title=_("使用单位"), value=lambda row: names.get(row.applicant_org_id, "")),
            Column(key="owner", title=_("提供单位"), value=lambda row: names.get(row.owner_org_id, "")),
            Column(key="ways", title=_("使用方式"), value=lambda row: ways_words(row.ways)),
            Column(key="ends", title=_("用到哪天（含）"), value=last_day, kind=CellKind.DATE),
            Column(key="uses", title=_("使用次数"), value=lambda row: row.uses, kind=CellKind.NUMBER),
            Column(key="used", title=_("最近使用"), value=lambda row: row.used_at, kind=CellKind.DATETIME),
            Column(key="state", title=_("状态"), value=lambda row: grant_state(row, now), kind=CellKind.STATUS),
        ),
        rows=rows,
        stream=lambda query: stream_of(asked(query), named),
        filters=(
            Filter(
                key="side",
                label=_("哪一方"),
                choices=(Choice(value="got", label=_("给本单位的")), Choice(value="given", label=_("本单位给的"))),
            ),
            Filter(
                key="state",
                label=_("状态"),
                choices=(Choice(value="live", label=_("有效")), Choice(value="over", label=_("已结束"))),
            ),
        ),
        empty=EmptyState(title=_("还没有授权"), text=_("申请获得同意后，授权显示在这里。"), icon="key"),
    )
    context = {"tabs": tabs("sharing_grants"), "title": title, "breadcrumbs": crumbs(title)}
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_safe
def grant(request: HttpRequest, grant_id: str) -> HttpResponseBase:
    """One grant, for both sides: what it lets out, and who used it when, how many rows and which columns."""
    actor, now = actor_of(request), clock.now()
    row = access_grant(actor=actor, id=ids.decode("sharing_grant", grant_id), now=now)
    is_mine = any(unit.id == row.applicant_org_id for unit in access_sharing(actor=actor, now=now))
    people: dict[int, str] = {}
    said = columns_in_words(row.dataset, row.masks)

    def named(found: list[SharingUse]) -> list[SharingUse]:
        new = [one.person_id for one in found if one.person_id is not None and one.person_id not in people]
        people.update({key: person.name for key, person in directory.people_by_ids(new).items()})
        return found

    def rows(query: ListQuery) -> Page[SharingUse]:
        page = page_of(uses_of(row), lambda one: one, number=query.number, size=query.size, total=row.uses)
        named(page.rows)
        return page

    spec: ListSpec[SharingUse] = ListSpec(
        name="sharing_uses",
        title=_("使用记录"),
        columns=(
            Column(key="at", title=_("时间"), value=lambda one: one.at, kind=CellKind.DATETIME),
            Column(key="who", title=_("使用人"), value=lambda one: people.get(one.person_id or 0, "")),
            Column(key="way", title=_("使用方式"), value=lambda one: str(WAYS[SharingWay(one.way)])),
            Column(key="rows", title=_("行数"), value=lambda one: one.rows, kind=CellKind.NUMBER),
            Column(key="columns", title=_("用到的列"), value=lambda one: "、".join(said.get(name, name) for name in one.columns)),
        ),
        rows=rows,
        stream=lambda query: stream_of(uses_of(row), named),
        empty=EmptyState(title=_("还没有使用过"), text=_("每次读取、下载和查询都会记在这里，双方都能看到。"), icon="history"),
    )
    title = _("“%(name)s”的共享授权") % {"name": dataset_title(row.dataset)}
    context = {
        "title": title,
        "state": grant_state(row, now),
        "facts": _facts(row),
        "actions": _actions(row, now, is_mine=is_mine, may_revoke=decides_for(row.owner_org_id, actor=actor, now=now)),
        "breadcrumbs": [
            *crumbs(title)[:1],
            {"label": _("授权与使用"), "url": reverse("datahub:sharing_grants")},
            {"label": dataset_title(row.dataset), "url": ""},
        ],
    }
    return render_list(request, spec, template="front/detail.html", context=context)


def _facts(row: SharingGrant) -> list[Fact]:
    names = org_names({row.applicant_org_id, row.owner_org_id, *row.org_ids})
    said = columns_in_words(row.dataset, row.masks)
    columns = "、".join(f"{title}（{MASKS[MaskStyle(row.masks[name])]}）" for name, title in said.items())
    facts = [
        Fact(label=_("使用单位"), value=names.get(row.applicant_org_id)),
        Fact(label=_("提供单位"), value=names.get(row.owner_org_id)),
        Fact(label=_("用途"), value=row.application.purpose, url=application_address(row.application_id)),
        Fact(label=_("提供的列"), value=columns),
        Fact(label=_("哪些单位的数据"), value="、".join(names[one] for one in row.org_ids if one in names)),
        Fact(label=_("使用方式"), value=ways_words(row.ways)),
        Fact(label=_("开始"), value=row.begins_at),
        Fact(label=_("用到哪天（含）"), value=last_day(row)),
    ]
    if SharingWay.API.value in row.ways:
        number = ids.encode("sharing_grant", row.pk)
        facts.append(Fact(label=_("接口地址"), value=reverse("api-v1:read_shared_rows", args=[number])))
    if row.revoked_at is not None:
        facts += [Fact(label=_("收回时间"), value=row.revoked_at), Fact(label=_("收回理由"), value=row.reason)]
    return facts


def _actions(row: SharingGrant, now: datetime, *, is_mine: bool, may_revoke: bool) -> list[Action]:
    if row.revoked_at is not None or row.ends_at <= now:
        return []
    number = [ids.encode("sharing_grant", row.pk)]
    offered = []
    if is_mine and SharingWay.QUERY.value in row.ways:
        offered.append(Action(label=_("查询"), url=reverse("datahub:ask_shared", args=number), icon="search"))
    if is_mine and SharingWay.FILE.value in row.ways:
        url = reverse("datahub:shared_file", args=number)
        offered.append(Action(label=_("下载 CSV"), url=f"{url}?form=csv", icon="download"))
        offered.append(Action(label=_("下载 Parquet"), url=f"{url}?form=parquet", icon="download"))
    if may_revoke:
        url = reverse("datahub:revoke_sharing", args=number)
        offered.append(Action(label=_("收回"), url=url, icon="x", is_danger=True))
    return offered


@never_cache
@sensitive_files()
@require_safe
def shared_file(request: HttpRequest, grant_id: str) -> HttpResponseBase:
    """The granted rows as a file, which leaves only once it is whole and written down."""
    form = request.GET.get("form", "csv")
    if form not in _FORMS:
        raise Invalid(_("只能下载 CSV 或 Parquet。"))
    pk = ids.decode("sharing_grant", grant_id)
    # The response closes the file, and with that it is gone.
    file = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        write_shared_file(actor=actor_of(request), grant_id=pk, target=file, format=form, now=clock.now())
    except ShurenError:
        file.close()
        raise
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"shared-{grant_id}.{form}", content_type=_FORMS[form])


@never_cache
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, grant_id: str) -> HttpResponseBase:
    """A question in SQL about what was granted; its answer stands below it."""
    actor, now = actor_of(request), clock.now()
    pk = ids.decode("sharing_grant", grant_id)
    row = access_usable_grant(actor=actor, id=pk, way=SharingWay.QUERY, now=now)
    form = QuestionForm(posted(request), initial={"sql": rows_sql(view_name(row.dataset), row.masks)})
    names: list[str] = []
    answer: list[list[Any]] | None = None
    is_cut = False
    if form.is_bound and form.is_valid():
        try:
            sql = form.cleaned_data["sql"]
            table = ask_shared(actor=actor, grant_id=row.pk, sql=sql, most_rows=_SHOWN + 1, now=now)
        except (Invalid, NotFound) as error:
            form.add_error("sql", str(error))
        else:
            names, is_cut = list(table.column_names), table.num_rows > _SHOWN
            # By place: a question may give two columns one name.
            answer = [list(line) for line in zip(*(column.to_pylist() for column in table.slice(0, _SHOWN).columns), strict=True)]
    said = columns_in_words(row.dataset, row.masks)
    title = _("查询“%(name)s”") % {"name": dataset_title(row.dataset)}
    context = {
        "title": title,
        "form": form,
        "submit_label": _("查询"),
        "cancel_url": grant_address(row.pk),
        "lead": _("表名 %(view)s；可用的列：%(columns)s。")
        % {
            "view": view_name(row.dataset),
            "columns": "、".join(f"{key}（{word}）" if key != word else key for key, word in said.items()),
        },
        "breadcrumbs": [
            *crumbs(title)[:1],
            {"label": dataset_title(row.dataset), "url": grant_address(row.pk)},
            {"label": title, "url": ""},
        ],
        "names": names,
        "rows": answer,
        "is_cut": is_cut,
    }
    return render(request, "datahub/ask_shared.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, grant_id: str) -> HttpResponseBase:
    """Take a grant back at once, with the reason."""
    actor, now = actor_of(request), clock.now()
    row = access_grant(actor=actor, id=ids.decode("sharing_grant", grant_id), now=now)
    if not decides_for(row.owner_org_id, actor=actor, now=now):
        raise NotFound(_("没有找到这项授权。"))
    form, back = ReasonForm(posted(request)), grant_address(row.pk)

    def save() -> str:
        revoke_sharing(actor=actor, grant_id=row.pk, reason=form.cleaned_data["reason"], now=now)
        return back

    title = _("收回授权")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("收回"),
        back=back,
        lead=_("收回后立即不能再用，理由会告诉使用单位。"),
        done=_("已收回。"),
        is_danger=True,
        breadcrumbs=[*crumbs(title)[:1], {"label": dataset_title(row.dataset), "url": back}, {"label": title, "url": ""}],
    )
