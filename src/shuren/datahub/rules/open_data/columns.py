"""Which columns may be opened, and what may be made of each: judged by grade, mask and type."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from django.utils.translation import gettext as _

from shuren.datahub.data import OpenColumn, OpenDeclaration, OpenFacts, OpenShape, OpenTreatment
from shuren.kernel.errors import Invalid
from shuren.standards.data import Grade, MaskStyle

T = OpenTreatment
PLACES = (T.SCHOOL, T.COUNTY, T.CITY)
# Numbers that stand for one person or one row are no figures.
_KEYS = ("id", "number", "sourced_id")
_NAMING = {MaskStyle.NAME.value, MaskStyle.ID.value, MaskStyle.PHONE.value, MaskStyle.EMAIL.value}
MOST_COLUMNS = 8
_TEXT = {"string", "large_string"}


def treatments_for(facts: OpenFacts) -> tuple[OpenTreatment, ...]:
    """What may become of a column; nothing where it names people or is graded L4."""
    if facts.is_place:
        return PLACES
    if facts.grade >= Grade.SENSITIVE.value or facts.mask in _NAMING:
        return ()
    if facts.grade > Grade.PUBLIC.value and (facts.name in _KEYS or facts.name.endswith(("_id", "_index", "_number"))):
        return ()
    if facts.name == "id" or facts.name.endswith("_id"):
        return ()
    if facts.kind.startswith("date"):
        exact = (T.EXACT,) if facts.grade == Grade.PUBLIC.value else ()
        return (*exact, T.YEAR, T.AGE_BAND)
    if is_number(facts.kind):
        return (T.EXACT, T.BAND, T.MEAN)
    return (T.EXACT,) if facts.kind in _TEXT or facts.kind == "bool" else ()


def is_number(kind: str) -> bool:
    return kind.startswith(("int", "uint", "float", "double", "decimal"))


def may_tell_of_people(declaration: OpenDeclaration, facts: Mapping[str, OpenFacts], grade: str) -> bool:
    """Whether small groups must be looked for: not where the dataset, or every column used, is public (L1)."""
    used = [facts[column.name].grade for column in declaration.columns]
    used += [facts[name].grade for name in declaration.where]
    return grade > Grade.PUBLIC.value or any(each > Grade.PUBLIC.value for each in used)


def output_name(column: OpenColumn) -> str:
    """The column's name in the file."""
    if column.treatment in PLACES or column.treatment is T.AGE_BAND:
        return column.treatment.value
    return column.name if column.treatment is T.EXACT else f"{column.name}_{column.treatment.value}"


def epsilon_of(declaration: OpenDeclaration) -> Fraction | None:
    """The declared ε as the exact number that it is written as; None where no noise is added."""
    if not declaration.epsilon:
        return None
    try:
        told = Decimal(declaration.epsilon)
    except InvalidOperation as error:
        raise Invalid(_("ε 要写成 0.01 到 10 之间的数。")) from error
    if not told.is_finite() or not Decimal("0.01") <= told <= 10 or round(told, 2) != told:
        raise Invalid(_("ε 要写成 0.01 到 10 之间的数。"))
    return Fraction(told)


def check_declaration(declaration: OpenDeclaration, facts: Mapping[str, OpenFacts]) -> None:
    """Refuse what may not leave, or what cannot be published so."""
    if not declaration.grouped:
        raise Invalid(_("至少选一列公开。"))
    if len(declaration.columns) > MOST_COLUMNS:
        raise Invalid(_("最多公开 %(most)s 列。") % {"most": MOST_COLUMNS})
    for column in declaration.columns:
        if column.name not in facts or column.treatment not in treatments_for(facts[column.name]):
            raise Invalid(_("“%(column)s”不能这样公开。") % {"column": column.name[:80]})
    names = [output_name(column) for column in declaration.columns]
    if len({*names, "count", "group_level", "is_suppressed"}) < len(names) + 3:
        raise Invalid(_("两列会变成同一个名字，请少选一列。"))
    _check_where(declaration.where, facts)
    epsilon = epsilon_of(declaration)
    if declaration.shape is OpenShape.RECORDS and (declaration.measured or epsilon or declaration.has_totals):
        raise Invalid(_("平均值、合计和加噪只用于按组汇总。"))
    if epsilon is not None and declaration.measured:
        raise Invalid(_("加噪只用于人数，不能同时公开平均值。"))


def _check_where(where: Iterable[str], facts: Mapping[str, OpenFacts]) -> None:
    for name in where:
        if name not in facts or T.EXACT not in treatments_for(facts[name]):
            raise Invalid(_("不能按“%(column)s”筛选。") % {"column": name[:80]})
