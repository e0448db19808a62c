"""Entries that are named in a field: they must stand in the register that the field says, and are called as they are there."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import FieldFault
from shuren.casework.models import Entry
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.kernel import ids
from shuren.kernel.errors import NotFound


def named_entries(spec: FormSpec, data: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldFault]]:
    """The data with every named entry called by its label, and a fault for each that its register does not hold."""
    told = list(_told(spec, data))
    if not told:
        return dict(data), []
    found = _labels({public_id for _path, _field, public_id in told})
    faults = [
        FieldFault(
            path=path,
            title=str(field.title),
            reason=_("台账里没有这一条"),
            remedy=_("请从搜索结果中选择。"),
        )
        for path, field, public_id in told
        if found.get(public_id, ("", ""))[0] != field.register_key
    ]
    return _called(spec, data, lambda public_id: found[public_id][1] if public_id in found else ""), faults


def _told(spec: FormSpec, data: Mapping[str, Any]) -> Iterator[tuple[str, FieldSpec, str]]:
    for field in spec.fields:
        value = data.get(field.key)
        if field.type is FieldType.ENTRY and isinstance(value, Mapping):
            yield field.key, field, str(value.get("id", ""))
        if field.type is FieldType.TABLE and isinstance(value, list):
            for number, row in enumerate(value):
                for column in field.columns:
                    if column.type is FieldType.ENTRY and isinstance(row.get(column.key), Mapping):
                        yield f"{field.key}[{number}].{column.key}", column, str(row[column.key].get("id", ""))


def _labels(public_ids: set[str]) -> dict[str, tuple[str, str]]:
    """The register and the label of each."""
    wanted = {}
    for public_id in public_ids:
        try:
            wanted[ids.decode("entry", public_id)] = public_id
        except NotFound:
            continue
    rows = Entry.objects.filter(pk__in=wanted, removed_at__isnull=True).values_list("pk", "register__key", "label")
    return {wanted[pk]: (key, label) for pk, key, label in rows}


def _called(spec: FormSpec, data: Mapping[str, Any], label: Callable[[str], str]) -> dict[str, Any]:
    def call(value: Any) -> Any:
        return {**value, "name": label(str(value.get("id", "")))} if isinstance(value, Mapping) else value

    called = dict(data)
    for field in spec.fields:
        if field.type is FieldType.ENTRY and field.key in called:
            called[field.key] = call(called[field.key])
        columns = [column.key for column in field.columns if column.type is FieldType.ENTRY]
        if columns and isinstance(called.get(field.key), list):
            called[field.key] = [{**row, **{key: call(row[key]) for key in columns if key in row}} for row in called[field.key]]
    return called
