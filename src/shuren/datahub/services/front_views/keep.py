"""View sources: written down, corrected, told what to read of them, stopped and started by the keepers of the exchange."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.data import ColumnSpec, ColumnWords, DatasetSpec, NewViewSource, TlsMode, ViewReading
from shuren.datahub.models import ViewSource
from shuren.datahub.rules.assets import highest
from shuren.datahub.rules.front_views.columns import CURSORS, ViewColumn, columns_as_json, columns_in, taken_of
from shuren.datahub.rules.front_views.names import ORG_PATH, PART, check_lake_name, check_source, dataset_of
from shuren.datahub.selectors.exchange.nodes import access_exchange
from shuren.datahub.selectors.view_sources import access_view_source, owners_offered
from shuren.datahub.services.front_views.front import SEALED_FOR, target_of
from shuren.datahub.services.offer import offer_dataset
from shuren.kernel import audit, outward
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.standards import api as standards
from shuren.standards.data import Grade, MaskStyle
from shuren.trust.api import seal

_PLACE = ("host", "port", "database", "username")


@transaction.atomic
def register_view_source(*, actor: Actor, source: NewViewSource, now: datetime) -> ViewSource:
    """Write a view down; nothing is read of it before its columns are chosen."""
    access_exchange(actor=actor, now=now)
    if not source.password:
        raise Invalid(_("请填写密码。"))
    facts = _facts(source)
    if ViewSource.objects.filter(key=source.key).exists():
        raise Conflict(_("已经有代号为“%(key)s”的视图来源。") % {"key": source.key}, remedy=_("请换一个代号。"))
    row = ViewSource.objects.create(key=source.key, registered_by=actor.person_id, registered_at=now, **facts)
    _record(actor, "datahub.view_source_registered", row, now)
    return row


@transaction.atomic
def correct_view_source(*, actor: Actor, source_id: int, source: NewViewSource, now: datetime) -> None:
    """Write other facts down, all but the key. Another place wants the password anew, another view is read from its beginning."""
    row = _settled(actor, source_id, now)
    facts = _facts(replace(source, key=row.key))
    if not source.password:
        if any(getattr(row, name) != facts[name] for name in _PLACE):
            raise Invalid(_("换了主机、端口、数据库或用户名，密码要重新填写。"), remedy=_("请填写新的那一方给的密码。"))
        del facts["password_sealed"]
    if any(getattr(row, name) != facts[name] for name in ("host", "port", "database", "schema", "view")):
        facts |= {"cursor": "", "digest": ""}
    ViewSource.objects.filter(pk=row.pk).update(**facts)
    row = ViewSource.objects.get(pk=row.pk)
    offer_view(row)
    _record(actor, "datahub.view_source_corrected", row, now)


@transaction.atomic
def describe_view_column(*, actor: Actor, source_id: int, name: str, words: ColumnWords, now: datetime) -> None:
    """Say what a column is in the lake: its data element, or title, grade and mask."""
    row = _settled(actor, source_id, now)
    columns = columns_in(row.columns)
    before = _column(columns, name)
    check_lake_name(words.lake, {one.lake for one in columns if one.name != name})
    if words.element and standards.known_element(words.element) is None:
        raise Invalid(_("没有数据项“%(code)s”。") % {"code": words.element[:80]}, remedy=_("请在数据标准里查它的代码。"))
    told = replace(
        before,
        lake=words.lake,
        element=words.element,
        title_zh=words.title_zh,
        title_en=words.title_en,
        grade=Grade(words.grade).value,
        mask=MaskStyle(words.mask).value,
    )
    row.columns = columns_as_json(told if one.name == name else one for one in columns)
    if (told.lake, told.element) != (before.lake, before.element):
        _from_the_beginning(row)
    row.save(update_fields=["columns", "cursor", "digest"])
    offer_view(row)
    _record(actor, "datahub.view_column_described", row, now, column=name, grade=told.grade, element=told.element)


@transaction.atomic
def set_view_reading(*, actor: Actor, source_id: int, reading: ViewReading, now: datetime) -> None:
    """Choose what is read and how often; another choice of columns is read from the view's beginning."""
    row = _settled(actor, source_id, now)
    columns = {one.name: one for one in columns_in(row.columns)}
    _check_reading(columns, reading)
    before = ([one.name for one in taken_of(columns.values())], row.key_columns, row.cursor_column, row.org_column)
    taken = {*reading.taken, *reading.keys, *([reading.cursor] if reading.cursor else [])}
    row.columns = columns_as_json(replace(one, is_taken=one.name in taken) for one in columns.values())
    row.key_columns, row.cursor_column, row.org_column = list(reading.keys), reading.cursor, reading.org
    row.every_minutes = reading.every_minutes
    row.next_at = now + timedelta(minutes=reading.every_minutes) if reading.every_minutes else None
    after = ([one.name for one in taken_of(columns_in(row.columns))], row.key_columns, row.cursor_column, row.org_column)
    if before != after:
        _from_the_beginning(row)
    row.save()
    offer_view(row)
    told = {"columns": after[0], "keys": after[1], "cursor": after[2], "org": after[3], "minutes": row.every_minutes}
    _record(actor, "datahub.view_reading_set", row, now, **told)


@transaction.atomic
def stop_view_source(*, actor: Actor, source_id: int, now: datetime) -> None:
    """Read no more of it; a turn that is under way lands nothing."""
    row = access_view_source(actor=actor, id=source_id, now=now, locked=True)
    row.is_stopped = True
    row.save(update_fields=["is_stopped"])
    _record(actor, "datahub.view_source_stopped", row, now)


@transaction.atomic
def resume_view_source(*, actor: Actor, source_id: int, now: datetime) -> None:
    """Go on with it where it stopped."""
    row = access_view_source(actor=actor, id=source_id, now=now, locked=True)
    row.is_stopped, row.failures = False, 0
    row.next_at = now if row.every_minutes else None
    row.save(update_fields=["is_stopped", "failures", "next_at"])
    _record(actor, "datahub.view_source_resumed", row, now)


def offer_view(source: ViewSource) -> None:
    """Keep the dataset in the lake's table of contents as the source describes it now; nothing while no column is taken."""
    taken = taken_of(columns_in(source.columns))
    if not taken:
        return
    elements = {one.name: standards.known_element(one.element) for one in taken}
    columns, grades = {ORG_PATH: ColumnSpec(title_zh="机构路径", title_en="Path of the organisation")}, []
    for one in taken:
        element = elements[one.name]
        if element is not None:
            columns[one.lake] = ColumnSpec(element=element.code)
            grades.append(element.grade.value)
        else:
            columns[one.lake] = ColumnSpec(
                grade=one.grade, mask=one.mask, title_zh=one.title_zh or one.name, title_en=one.title_en
            )
            grades.append(one.grade)
    lakes = {one.name: one.lake for one in taken}
    spec = DatasetSpec(
        dataset_of(source.key),
        (PART,),
        source.title_zh,
        highest(grades),
        f"org:{source.org_id}",
        columns=columns,
        scope_column=ORG_PATH,
        sort_by=tuple(lakes[key] for key in source.key_columns if key in lakes),
        title_zh=source.title_zh,
        title_en=source.title_en,
    )
    offer_dataset(spec)


def _check_reading(columns: dict[str, ViewColumn], reading: ViewReading) -> None:
    for name in {*reading.taken, *reading.keys}:
        if not _column(list(columns.values()), name).kind:
            raise Invalid(
                _("列“%(name)s”的类型不能取。") % {"name": name}, remedy=_("请对方在视图里把它转成文字、数字、日期或时间。")
            )
    if not reading.keys:
        raise Invalid(_("请选出主键列。"), remedy=_("几列合起来能唯一确定一行也可以。"))
    if reading.cursor and _column(list(columns.values()), reading.cursor).kind not in CURSORS:
        raise Invalid(_("增量列要是整数或带时刻的时间。"), remedy=_("没有这样的列就不选，每次读取整个视图。"))
    if reading.org and not _column(list(columns.values()), reading.org).kind:
        raise Invalid(_("机构代码列的类型不能取。"))


def _column(columns: list[ViewColumn], name: str) -> ViewColumn:
    found = next((one for one in columns if one.name == name), None)
    if found is None:
        raise NotFound(_("视图里没有这一列。"))
    return found


def _settled(actor: Actor, source_id: int, now: datetime) -> ViewSource:
    """The source, locked, while nothing is being read of it."""
    row = access_view_source(actor=actor, id=source_id, now=now, locked=True)
    if row.runs.filter(ended_at__isnull=True).exists():
        raise Conflict(_("正在读取这个视图，现在不能修改。"), remedy=_("请等这一次结束，或先放弃它。"))
    return row


def _from_the_beginning(row: ViewSource) -> None:
    row.cursor, row.digest = "", ""


def _facts(source: NewViewSource) -> dict[str, Any]:
    check_source(source)
    if not any(org.id == source.org_id for org in owners_offered()):
        raise Invalid(_("请选择提供单位。"))
    try:
        target_of(source.host, source.port, source.tls)
    except outward.OutwardRefused as fault:
        raise Invalid(
            _("这个地址不能连接。"),
            remedy=_("内网地址请系统管理员先列入 SHUREN_PRIVATE_TARGETS；公网上的一律核对证书。"),
        ) from fault
    names = ("title_zh", "title_en", "org_id", "host", "port", "database", "username", "schema", "view")
    facts = {name: getattr(source, name) for name in names}
    sealed = seal(source.password.encode(), purpose=SEALED_FOR)
    return {**facts, "tls": TlsMode(source.tls).value, "password_sealed": sealed}


def _record(actor: Actor, action: str, row: ViewSource, now: datetime, **details: object) -> None:
    told = {"key": row.key, "host": row.host, "view": f"{row.schema}.{row.view}", **details}
    audit.record(actor=actor, action=action, target=f"view_source:{row.pk}", details=told, now=now)
