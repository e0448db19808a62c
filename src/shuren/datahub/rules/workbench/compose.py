"""What an officer ticks column by column, as a question in the house's dialect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from django.utils.translation import gettext as _
from sqlglot import exp

from shuren.datahub.rules.dialect import DIALECT
from shuren.kernel.errors import Invalid

MOST = 10_000


class Use(StrEnum):
    """What a column is used for; all but `SHOW` gather rows, and what is shown beside them makes the groups."""

    SHOW = "show"
    SUM = "sum"
    MEAN = "avg"
    MEDIAN = "median"
    LEAST = "min"
    MOST = "max"
    FILLED = "count"
    DISTINCT = "distinct"


class Match(StrEnum):
    """What a value is held against."""

    IS = "is"
    IS_NOT = "is_not"
    HOLDS = "holds"
    FROM = "from"
    TO = "to"
    ONE_OF = "one_of"
    EMPTY = "empty"
    FILLED = "filled"


class Sort(StrEnum):
    """Which way the answer runs."""

    UP = "up"
    DOWN = "down"


class Kind(StrEnum):
    """What kind of values a column holds, as far as conditions and sums differ."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    DAY = "day"
    FLAG = "flag"
    OTHER = "other"


NUMBERS = frozenset({Kind.WHOLE, Kind.NUMBER})
_SUMMED = frozenset({Use.SUM, Use.MEAN, Use.MEDIAN})
_WITHOUT_VALUE = frozenset({Match.EMPTY, Match.FILLED})
_AGGREGATES: Mapping[Use, type[exp.Func]] = {
    Use.SUM: exp.Sum,
    Use.MEAN: exp.Avg,
    Use.MEDIAN: exp.Median,
    Use.LEAST: exp.Min,
    Use.MOST: exp.Max,
    Use.FILLED: exp.Count,
}
_COMPARED: Mapping[Match, type[exp.Binary]] = {Match.IS: exp.EQ, Match.IS_NOT: exp.NEQ, Match.FROM: exp.GTE, Match.TO: exp.LTE}
_FLAGS = {"true": True, "1": True, "是": True, "yes": True, "false": False, "0": False, "否": False, "no": False}


@dataclass(frozen=True, slots=True)
class Pick:
    """What is asked of one column; empty where nothing is."""

    name: str
    use: Use | None = None
    test: Match | None = None
    value: str = ""
    sort: Sort | None = None


@dataclass(frozen=True, slots=True)
class Composition:
    """All that was ticked over one dataset; with `has_count` the rows of each group are counted."""

    picks: tuple[Pick, ...] = ()
    has_count: bool = False
    limit: int = 1_000
    kinds: Mapping[str, Kind] = field(default_factory=dict, hash=False)

    @property
    def is_grouped(self) -> bool:
        return self.has_count or any(pick.use not in (None, Use.SHOW) for pick in self.picks)


def kind_of(arrow_type: str) -> Kind:
    """The kind of an Arrow type by its name."""
    if arrow_type in {"string", "large_string"}:
        return Kind.TEXT
    if arrow_type.startswith(("int", "uint")):
        return Kind.WHOLE
    if arrow_type in {"float", "double", "halffloat"} or arrow_type.startswith("decimal"):
        return Kind.NUMBER
    if arrow_type.startswith("date"):
        return Kind.DAY
    return Kind.FLAG if arrow_type == "bool" else Kind.OTHER


def matches_for(kind: Kind) -> tuple[Match, ...]:
    """The conditions that make sense for a kind, in the order in which pages offer them."""
    if kind is Kind.TEXT:
        return (Match.IS, Match.IS_NOT, Match.HOLDS, Match.ONE_OF, Match.EMPTY, Match.FILLED)
    if kind in NUMBERS or kind is Kind.DAY:
        return (Match.IS, Match.IS_NOT, Match.FROM, Match.TO, Match.ONE_OF, Match.EMPTY, Match.FILLED)
    return (Match.IS, Match.EMPTY, Match.FILLED) if kind is Kind.FLAG else (Match.EMPTY, Match.FILLED)


def uses_for(kind: Kind) -> tuple[Use, ...]:
    """What columns of a kind can be used for."""
    if kind in NUMBERS:
        return tuple(Use)
    return (Use.SHOW, Use.FILLED, Use.DISTINCT, *((Use.LEAST, Use.MOST) if kind in {Kind.DAY, Kind.TEXT} else ()))


def composed(view: str, asked: Composition) -> str:
    """The question as text, or `Invalid` with the column and what to do about it."""
    # What makes the groups stands first.
    used = sorted((pick for pick in asked.picks if pick.use is not None), key=lambda pick: pick.use is not Use.SHOW)
    if not used and not asked.has_count:
        raise Invalid(_("还没有选列。"), remedy=_("请至少给一列选择“用途”，或勾选“数行数”。"))
    if not 1 <= asked.limit <= MOST:
        raise Invalid(_("最多行数应在 1 到 %(most)s 之间。") % {"most": f"{MOST:,}"})
    shown = [_shown(pick, asked) for pick in used]
    if asked.has_count:
        shown.append(exp.alias_(exp.Count(this=exp.Star()), "row_count"))
    question = exp.select(*shown).from_(exp.to_table(view))
    conditions = [_condition(pick, asked.kinds.get(pick.name, Kind.OTHER)) for pick in asked.picks if pick.test is not None]
    if conditions:
        question = question.where(*conditions)
    groups = [pick.name for pick in used if pick.use is Use.SHOW] if asked.is_grouped else []
    if groups:
        question = question.group_by(*(_column(name) for name in groups))
    order = [_ordered(pick, asked) for pick in asked.picks if pick.sort is not None]
    question = question.order_by(*(order or [_column(name) for name in groups])) if order or groups else question
    return question.limit(asked.limit).sql(dialect=DIALECT, pretty=True)


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _alias(pick: Pick) -> str:
    return pick.name if pick.use in (None, Use.SHOW) else f"{pick.name}_{pick.use}"


def _shown(pick: Pick, asked: Composition) -> exp.Expr:
    kind = asked.kinds.get(pick.name, Kind.OTHER)
    use = pick.use or Use.SHOW
    if use in _SUMMED and kind not in NUMBERS:
        raise Invalid(_("“%(column)s”不是数，不能求和或平均。") % {"column": pick.name}, remedy=_("请改用“不同值的个数”。"))
    if use is Use.SHOW:
        return _column(pick.name)
    inner: exp.Expr = _column(pick.name)
    if use is Use.DISTINCT:
        return exp.alias_(exp.Count(this=exp.Distinct(expressions=[inner])), _alias(pick), quoted=True)
    return exp.alias_(_AGGREGATES[use](this=inner), _alias(pick), quoted=True)


def _ordered(pick: Pick, asked: Composition) -> exp.Expr:
    if asked.is_grouped and pick.use is None:
        raise Invalid(_("“%(column)s”没有出现在结果里，不能按它排序。") % {"column": pick.name}, remedy=_("请先给它选择“用途”。"))
    return exp.Ordered(this=_column(_alias(pick)), desc=pick.sort is Sort.DOWN)


def _condition(pick: Pick, kind: Kind) -> exp.Expr:
    test, column = pick.test, _column(pick.name)
    if test not in matches_for(kind):
        raise Invalid(_("“%(column)s”不能用这个条件。") % {"column": pick.name})
    if test in _WITHOUT_VALUE:
        empty = exp.Is(this=column, expression=exp.null())
        return empty if test is Match.EMPTY else exp.Not(this=empty)
    if test is Match.ONE_OF:
        values = [part for part in pick.value.replace("，", ",").replace("、", ",").split(",") if part.strip()]
        return exp.In(this=column, expressions=[_literal(pick.name, value, kind) for value in values or [""]])
    value = _literal(pick.name, pick.value, kind)
    if test is Match.HOLDS:
        return exp.Contains(this=column, expression=value)
    return _COMPARED[test or Match.IS](this=column, expression=value)


def _literal(name: str, text: str, kind: Kind) -> exp.Expr:
    text = text.strip()
    if not text:
        raise Invalid(_("“%(column)s”的条件没有写值。") % {"column": name}, remedy=_("请写上值，或改选“为空”。"))
    told = {"column": name, "value": text[:60]}
    try:
        if kind in NUMBERS:
            number = Decimal(text.replace(",", ""))
            if not number.is_finite():
                raise InvalidOperation
            return _number(number)
        if kind is Kind.DAY:
            return exp.cast(exp.Literal.string(date.fromisoformat(text).isoformat()), "date")
    except (InvalidOperation, ValueError) as error:
        hint = _("请写成数，如 60 或 59.5。") if kind in NUMBERS else _("请写成 YYYY-MM-DD。")
        raise Invalid(_("“%(column)s”的值“%(value)s”不对。") % told, remedy=hint) from error
    if kind is Kind.FLAG:
        if text.lower() not in _FLAGS:
            raise Invalid(_("“%(column)s”的值“%(value)s”不对。") % told, remedy=_("请写“是”或“否”。"))
        return exp.convert(_FLAGS[text.lower()])
    return exp.Literal.string(text)


def _number(number: Decimal) -> exp.Expr:
    literal = exp.Literal.number(f"{abs(number):f}")
    return exp.Neg(this=literal) if number < 0 else literal


def to_stored(asked: Composition) -> dict[str, object]:
    """The composition as JSON, without the kinds, which belong to the dataset."""
    picks = [
        {"name": pick.name, "use": pick.use, "test": pick.test, "value": pick.value, "sort": pick.sort}
        for pick in asked.picks
        if pick.use or pick.test or pick.sort
    ]
    return {"picks": picks, "has_count": asked.has_count, "limit": asked.limit}


def picks_stored(kept: Mapping[str, object]) -> dict[str, Pick]:
    """The picks of a stored composition by column."""
    rows = kept.get("picks", [])
    found: dict[str, Pick] = {}
    for row in rows if isinstance(rows, Sequence) else ():
        found[row["name"]] = Pick(
            row["name"],
            Use(row["use"]) if row["use"] else None,
            Match(row["test"]) if row["test"] else None,
            row["value"],
            Sort(row["sort"]) if row["sort"] else None,
        )
    return found
