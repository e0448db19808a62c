"""What is looked at in every file of a packet before anything of it lands."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from shuren.datahub.data import PacketFault
from shuren.datahub.rules.exchange.terms import Terms

MOST_FAULTS = 100
_KNOWN_TO_BE_BAD = 20


def schema_faults(file: str, schema: pa.Schema, terms: Terms) -> list[PacketFault]:
    """Columns that are missing, too many, or of another type than was agreed."""
    found = {field.name: str(field.type) for field in schema}
    agreed = {name: column.type for name, column in terms.columns.items()}
    faults = [
        PacketFault(file, _("约定的列缺失。"), _("请对方按约定发送，或双方另订约定。"), column=name)
        for name in sorted(set(agreed) - set(found))
    ]
    faults += [
        PacketFault(file, _("多出约定以外的列。"), _("请对方去掉这一列，或双方另订约定。"), column=name)
        for name in sorted(set(found) - set(agreed))
    ]
    faults += [
        PacketFault(
            file,
            _("类型是 %(found)s，约定是 %(agreed)s。") % {"found": found[name][:60], "agreed": agreed[name][:60]},
            _("请对方按约定的类型发送，或双方另订约定。"),
            column=name,
        )
        for name in sorted(set(found) & set(agreed))
        if found[name] != agreed[name]
    ]
    return faults


def count_fault(file: str, told: int, found: int) -> list[PacketFault]:
    if told == found:
        return []
    said = {"told": told, "found": found}
    return [PacketFault(file, _("清单上是 %(told)s 行，实际 %(found)s 行。") % said, _("请对方重新生成这个包。"))]


def code_faults(
    file: str, batch: pa.RecordBatch, first_row: int, code_sets: Mapping[str, Callable[[str], bool]]
) -> list[PacketFault]:
    """Codes that their code set does not have; `code_sets` tells of a column whether a value is one."""
    faults: list[PacketFault] = []
    for name, is_code in code_sets.items():
        column = batch.column(name)
        bad = [value for value in pc.unique(column).to_pylist() if value is not None and not is_code(str(value))]
        for value in bad[:_KNOWN_TO_BE_BAD]:
            row = first_row + int(pc.index(column, pa.scalar(value, column.type)).as_py()) + 1
            reason = _("代码“%(value)s”不在代码集里。") % {"value": str(value)[:40]}
            faults.append(PacketFault(file, reason, _("请对方改正这个值，或先升级代码集。"), row=row, column=name))
    return faults


def fault_as_json(fault: PacketFault) -> dict[str, Any]:
    return {
        "file": fault.file,
        "row": fault.row,
        "column": fault.column,
        "reason": fault.reason,
        "remedy": fault.remedy,
    }


def fault_in(told: Mapping[str, Any]) -> PacketFault:
    """A fault as the other side tells it, no longer than is shown."""
    row = told.get("row", 0)
    words = {name: str(told.get(name, ""))[:300] for name in ("file", "reason", "remedy", "column")}
    return PacketFault(
        words["file"], words["reason"], words["remedy"], row=row if isinstance(row, int) else 0, column=words["column"]
    )
