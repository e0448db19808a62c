"""What changed since the last period, one field over all orgs; flagged beyond the factor that the reader chose."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.casework.models import CollectionTarget
from shuren.casework.rules.collections import Difference, difference
from shuren.casework.rules.specs.form import FieldSpec
from shuren.casework.selectors.collections.compare import (
    changes_of_field,
    comparable_fields,
    held_values,
    sums_of_field,
)
from shuren.casework.selectors.collections.progress import target_stream
from shuren.casework.selectors.definitions import form_of
from shuren.casework.views.collection_pages.parts import head_of, reach_of, target_url
from shuren.kernel import clock
from shuren.kernel.paging import page_of
from shuren.pages.api import number_text, render_list
from shuren.pages.data import CellKind, Choice, Column, EmptyState, Filter, ListQuery, ListSpec, Status

FACTORS = ("1.2", "1.5", "2", "3", "10")
DEFAULT = "1.5"


@never_cache
@require_safe
def collection_compare(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    reach, now = reach_of(request, collection_id), clock.now()
    row = reach.collection
    fields = comparable_fields(row)
    head = head_of(reach, "collection_compare")
    if row.before is None or not fields:
        why = _("这张表以前没有在这个范围采集过。") if fields else _("这张表没有可以比较的数字。")
        empty = EmptyState(title=_("没有可以比较的"), text=why, icon="arrows-sort")
        return render(request, "casework/collection_list.html", {**head, "empty": empty})
    field = next((field for field in fields if field.key == request.GET.get("field")), fields[0])
    factor = float(_factor(request))

    def rows(query: ListQuery) -> Any:
        only = query.filters.get("flagged") == "1"
        return changes_of_field(reach, field.key, factor=factor, only_flagged=only)

    spec: ListSpec[CollectionTarget] = ListSpec(
        name="collection-compare",
        title=_("与上一次比较"),
        columns=_columns(row.form_version_id, field, factor, now),
        rows=lambda query: page_of(rows(query), lambda target: target, number=query.number, size=query.size),
        stream=lambda query: target_stream(rows(query)),
        filters=(
            Filter(
                key="field",
                label=_("指标"),
                choices=tuple(Choice(value=one.key, label=str(one.title or one.key)) for one in fields),
            ),
            Filter(
                key="factor",
                label=_("相差超过"),
                choices=tuple(Choice(value=one, label=_("%(factor)s 倍") % {"factor": one}) for one in FACTORS),
            ),
            Filter(key="flagged", label=_("提示"), choices=(Choice(value="1", label=_("只看相差大的")),)),
        ),
        empty=EmptyState(title=_("没有相差大的单位"), text=_("换一个指标或倍数再看。"), icon="check"),
        note=_sums(field, sums_of_field(reach, field.key)),
    )
    return render_list(request, spec, template="casework/collection_list.html", context=head)


def _columns(version_id: int, field: FieldSpec, factor: float, now: datetime) -> tuple[Column[CollectionTarget], ...]:
    form = form_of(version_id)
    name = str(field.title or field.key)

    def changed(row: Any) -> Difference:
        return difference(row.was, row.is_now, factor=factor)

    def flag(row: Any) -> Status:
        return Status(text=_("相差大"), tone="warn") if row.is_flagged else Status(text=_("正常"), tone="plain")

    def held(row: Any) -> str:
        value, source = held_values(form, row.org_id, now=now).get(field.key, (None, ""))
        return "" if value is None else f"{value}（{source}）"

    places = field.places if field.places is not None else 0
    return (
        Column(key="org", title=_("单位"), value=lambda row: row.org.name, url=target_url),
        Column(key="was", title=_("上一次"), value=lambda row: _of(row, "was"), kind=CellKind.NUMBER, decimals=places),
        Column(key="is_now", title=name, value=lambda row: _of(row, "is_now"), kind=CellKind.NUMBER, decimals=places),
        Column(key="change", title=_("增减"), value=lambda row: changed(row).change, kind=CellKind.NUMBER, decimals=places),
        Column(key="ratio", title=_("本次是上次的几倍"), value=lambda row: changed(row).ratio, kind=CellKind.NUMBER, decimals=2),
        Column(key="flag", title=_("提示"), value=flag, kind=CellKind.STATUS),
        Column(key="held", title=_("平台已有"), value=held),
    )


def _of(row: Any, name: str) -> float | None:
    value: float | None = getattr(row, name)
    return value


def _factor(request: HttpRequest) -> str:
    asked = request.GET.get("factor", DEFAULT)
    return asked if asked in FACTORS else DEFAULT


def _sums(field: FieldSpec, sums: tuple[float, float]) -> str:
    was, is_now = (number_text(value, field.places or 0) for value in sums)
    words = {"field": str(field.title or field.key), "was": was, "now": is_now}
    return _("%(field)s 合计：上一次 %(was)s，本次 %(now)s。") % words
