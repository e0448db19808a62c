"""Indicators: what they count is there, what they sum is a number, and what they divide by is said once."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _
from pydantic import ValidationError

from shuren.casework.data import DefinitionKind, FigureAsked, Finding
from shuren.casework.rules.checks.known import Known, expression_findings, fields_by_name, nearest
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.rules.specs.work import IndicatorSpec, figure_spec

_KINDS = {"register": DefinitionKind.REGISTER, "form": DefinitionKind.FORM, "flow": DefinitionKind.FLOW}
_NUMBERS = (FieldType.INTEGER, FieldType.DECIMAL)
_PERIODS = (FieldType.TEXT, FieldType.DATE, FieldType.CODE)
# What every row says beside its fields.
_BESIDES = ("state", "result", "end")


def indicator_findings(indicator: IndicatorSpec, known: Known) -> Iterator[Finding]:
    name, _colon, key = indicator.over.partition(":")
    yield from known.missing(_KINDS[name], key, "over")
    over = known.spec(_KINDS[name], key)
    form = known.spec(DefinitionKind.FORM, over.form) if isinstance(over, FlowSpec) else over
    if form is None:
        return
    asked = fields_by_name(form)
    stages = over.stages if isinstance(over, FlowSpec) else ()
    names = asked | {field.key: field for stage in stages for field in stage.fields}
    for attribute in ("where", "among"):
        besides = {word: names.get(word) for word in _BESIDES}
        yield from expression_findings(getattr(indicator, attribute), {**besides, **names}, attribute)  # type: ignore[dict-item]
    yield from _sums(indicator, names)
    yield from _counts(indicator, asked)


def figure_findings(asked: FigureAsked, known: Known) -> list[Finding]:
    """What is wrong with a figure that an app above asks for: the same that would be wrong with an indicator."""
    try:
        spec = figure_spec(asked)
    except ValidationError:
        reason = _("数据来源“%(over)s”的写法不对。") % {"over": asked.over[:60]}
        return [Finding("over", reason, _("写成 register:、form: 或 flow: 加定义的名称；measure 写 count 或 sum。"))]
    among = figure_spec(FigureAsked(asked.over, where=asked.among))
    return [*indicator_findings(spec, known), *(f for f in indicator_findings(among, known) if f.path == "where")]


def _sums(indicator: IndicatorSpec, names: Mapping[str, FieldSpec]) -> Iterator[Finding]:
    summed = {"sum": ("field",), "mean": ("field",), "ratio": ("field", "base")}.get(indicator.measure, ())
    for attribute in summed:
        key = getattr(indicator, attribute)
        field = names.get(key)
        if field is None or field.type not in _NUMBERS:
            yield Finding(attribute, _("“%(key)s”不是数字字段，不能求和。") % {"key": key}, nearest(key, names))
    if indicator.base and indicator.measure != "ratio":
        yield Finding("base", _("只有 ratio 有分母字段。"), _("写上 measure: ratio，或去掉 base。"))


def _counts(indicator: IndicatorSpec, asked: Mapping[str, FieldSpec]) -> Iterator[Finding]:
    if indicator.measure == "share" and not (indicator.where or indicator.orgs):
        yield Finding("where", _("比例要说明数的是哪些。"), _("写上 where。"))
    if indicator.per and indicator.measure not in ("count", "share"):
        yield Finding("per", _("按机构或周期数的，只能是个数或比例。"), _("写上 measure: count 或 share。"))
    if indicator.orgs and "org" not in indicator.per:
        yield Finding("orgs", _("没有按机构数，就不分哪一类机构。"), _("写上 per: [org]。"))
    if indicator.orgs and indicator.among:
        yield Finding("among", _("分母已经由 orgs 说明。"), _("去掉 among，或去掉 orgs。"))
    if not indicator.period:
        return
    field = asked.get(indicator.period)
    if "period" not in indicator.per:
        yield Finding("period", _("没有按周期数，就不用说周期。"), _("写上 per: [period]。"))
    elif field is None or field.type not in _PERIODS:
        periods = [key for key, field in asked.items() if field.type in _PERIODS]
        reason = _("“%(key)s”不是日期或文字字段，分不出周期。") % {"key": indicator.period}
        yield Finding("period", reason, nearest(indicator.period, periods))
