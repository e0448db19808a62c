"""Reading a body into its spec: every fault with the place it lies at, in the words of whoever writes definitions."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from shuren.casework.data import Finding
from shuren.casework.rules.checks.known import nearest
from shuren.casework.rules.pack_files import path_in
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.rules.specs.form import FieldSpec, FormSpec
from shuren.standards.data import ElementData

_KINDS = {
    "missing": gettext_lazy("这里少写了一项。"),
    "extra_forbidden": gettext_lazy("没有这个写法。"),
    "string_type": gettext_lazy("这里要写文字。"),
    "int_type": gettext_lazy("这里要写整数。"),
    "int_parsing": gettext_lazy("这里要写整数。"),
    "decimal_parsing": gettext_lazy("这里要写数字。"),
    "bool_parsing": gettext_lazy("这里要写 true 或 false。"),
    "tuple_type": gettext_lazy("这里要写一个列表。"),
    "dict_type": gettext_lazy("这里要写一组“名称: 内容”。"),
    "model_type": gettext_lazy("这里要写一组“名称: 内容”。"),
    "string_too_long": gettext_lazy("太长了。"),
    "too_short": gettext_lazy("至少要写一个。"),
}
# What the specs refuse by themselves, by the words they use.
_WORDS = {
    "a field without an element has a title and a type": gettext_lazy("没有绑定数据元的字段要写 title 和 type。"),
    "a table has columns, and no other field has": gettext_lazy("表格要有 columns，别的字段没有。"),
    "a table does not lie in a table": gettext_lazy("表格里不能再放表格。"),
    "a field of type entry names its register": gettext_lazy("entry 类型的字段要写 register。"),
    "exactly one of role, filer, class_teacher, named_in, pool, owner_of, function": gettext_lazy(
        "办理人要用一种办法确定，而且只能用一种（role、filer、class_teacher、named_in、pool、owner_of 或 function）。"
    ),
    "a quorum has its number, and no other way of deciding has": gettext_lazy("“达到票数”要写票数，别的方式不写（quorum）。"),
    "a blind stage names score, tolerance and arbiter": gettext_lazy(
        "双盲评分要写明打分的字段、允许相差几分和仲裁人（score、tolerance、arbiter）。"
    ),
    "the promise is longer than the statutory time": gettext_lazy("承诺时限比法定时限还长。"),
    "exactly one of count, percent": gettext_lazy("count 和 percent 只写一个。"),
    "exactly one of working_days, days, hours": gettext_lazy("working_days、days、hours 只写一个。"),
}


def spec_findings(error: ValidationError, body: Any) -> Iterator[Finding]:
    """The faults of a body that could not be read."""
    faults = error.errors(include_url=False)
    for fault in faults:
        if fault["type"] == "too_short" and any(
            fault["loc"] == other["loc"][: len(fault["loc"])] for other in faults if other is not fault
        ):
            continue  # it is short of those that could not be read
        path = path_in(body, fault["loc"])
        yield Finding(path, _reason(fault), _remedy(fault))


def _reason(fault: Mapping[str, Any]) -> str:
    if fault["type"] in _KINDS:
        return str(_KINDS[fault["type"]])
    said = str(fault.get("ctx", {}).get("error", "")) or str(fault["msg"])
    if said in _WORDS:
        return str(_WORDS[said])
    if fault["type"] in ("enum", "literal_error"):
        return _("没有“%(value)s”这个选择。") % {"value": str(fault["input"])[:40]}
    if fault["type"] == "string_pattern_mismatch":
        return _("“%(value)s”的写法不对。") % {"value": str(fault["input"])[:40]}
    return _("不符合要求：%(said)s。") % {"said": said.rstrip(".")}


def _remedy(fault: Mapping[str, Any]) -> str:
    context = fault.get("ctx", {})
    if fault["type"] in ("enum", "literal_error"):
        return _("可以写：%(names)s。") % {"names": context.get("expected", "")}
    if fault["type"] == "string_pattern_mismatch":
        return _("小写字母开头，只用小写字母、数字和下划线；定义的名称写成 包名.名称。")
    if fault["type"] == "extra_forbidden":
        return _("核对拼写和缩进。")
    return ""


def unknown_elements(spec: Any, elements: Mapping[str, ElementData]) -> Iterator[Finding]:
    """Fields that are bound to elements which there are not; a spec with any of these cannot be bound."""
    if isinstance(spec, FormSpec):
        for section in spec.sections:
            yield from _unknown(section.fields, elements, f"sections.{section.key}.fields")
    elif isinstance(spec, FlowSpec):
        for stage in spec.stages:
            yield from _unknown(stage.fields, elements, f"stages.{stage.key}.fields")


def _unknown(fields: tuple[FieldSpec, ...], elements: Mapping[str, ElementData], path: str) -> Iterator[Finding]:
    for field in fields:
        if field.element and field.element not in elements:
            reason = _("没有数据元“%(key)s”。") % {"key": field.element}
            yield Finding(f"{path}.{field.key}.element", reason, nearest(field.element, elements))
        yield from _unknown(field.columns, elements, f"{path}.{field.key}.columns")
