"""Sharing between units: shared by default, with whom and on which terms, and what of a dataset a grant lets out.

The three attributes, and that a refusal to share names its law, are those of China's rules on sharing government data
(国发〔2016〕51号, since 2025 the regulation 政务数据共享条例).
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

from django.utils.translation import gettext as _
from sqlglot import exp

from shuren.datahub.data import DatasetSpec, Reader, SharedColumn, Sharing, SharingAttribute, SharingWay
from shuren.datahub.rules.dialect import DIALECT, parsed
from shuren.kernel.errors import Invalid
from shuren.standards.data import Grade, MaskStyle

LONGEST = timedelta(days=2 * 366)
_FREE = (Grade.PUBLIC.value, Grade.INTERNAL.value)
# Whole answers, which only the time that a question may take cuts short: a file without its end would look like all of it.
WHOLE = 10**15


def default_attribute(grade: str) -> SharingAttribute:
    """What a dataset is that nobody gave terms: public data is everybody's, all else is shared by approval, nothing withheld."""
    return SharingAttribute.UNCONDITIONAL if grade == Grade.PUBLIC.value else SharingAttribute.CONDITIONAL


def check_terms(attribute: SharingAttribute, ground: str, columns: Iterable[SharedColumn]) -> None:
    """Refuse withholding without a law, a condition that nobody states, and personal data that nobody decides about."""
    if attribute is SharingAttribute.NONE and not ground.strip():
        raise Invalid(_("不予共享须写明依据。"), remedy=_("请写出所依据的法律、行政法规或政策的名称和条款。"))
    if attribute is SharingAttribute.CONDITIONAL and not ground.strip():
        raise Invalid(_("有条件共享须写明条件。"))
    personal = sorted(column.name for column in columns if column.grade not in _FREE)
    if attribute is SharingAttribute.UNCONDITIONAL and personal:
        told = {"columns": "、".join(personal[:10])}
        raise Invalid(_("含有个人信息的数据不能无条件共享：%(columns)s。") % told, remedy=_("请改为有条件共享。"))


def default_mask(column: SharedColumn) -> MaskStyle:
    """As its grade says: up to L2 as it is, above that what its element's mask leaves, or nothing."""
    if column.grade in _FREE:
        return MaskStyle.NONE
    style = MaskStyle(column.mask) if column.mask else MaskStyle.ALL
    return MaskStyle.ALL if style is MaskStyle.NONE else style


def check_asked(
    *, columns: Collection[str], held: Collection[str], ways: Collection[SharingWay], ends_on: date, today: date
) -> None:
    """Refuse an application that names nothing, or what the dataset does not have, or no end within two years."""
    if not columns or not set(columns) <= set(held):
        raise Invalid(_("请选择数据集里的列。"))
    if not ways:
        raise Invalid(_("请选择使用方式。"))
    if not today <= ends_on <= today + LONGEST:
        raise Invalid(_("截止日期应在今天之后、两年以内。"))


def check_given(given: Sharing, asked: Sharing, held: Mapping[str, SharedColumn], *, branches_fit: bool, today: date) -> None:
    """Refuse to give more than was asked for, what is there no more, and sensitive personal data as it is."""
    check_asked(columns=given.masks, held=held, ways=given.ways, ends_on=given.ends_on, today=today)
    if not set(given.masks) <= set(asked.masks) or not set(given.ways) <= set(asked.ways) or given.ends_on > asked.ends_on:
        raise Invalid(_("批准的列、方式和期限不能超出申请。"))
    if not given.org_ids or not branches_fit:
        raise Invalid(_("批准的数据范围不能超出申请。"))
    plain = sorted(name for name, style in given.masks.items() if is_too_plain(held[name], MaskStyle(style)))
    if plain:
        raise Invalid(_("敏感个人信息只能脱敏后提供：%(columns)s。") % {"columns": "、".join(plain[:10])})


def is_too_plain(column: SharedColumn, style: MaskStyle) -> bool:
    return column.grade == Grade.SENSITIVE.value and style is MaskStyle.NONE


def reader_of_grant(
    spec: DatasetSpec,
    masks: Mapping[str, str],
    held: Mapping[str, SharedColumn],
    *,
    paths: tuple[str, ...],
    is_region: bool,
    purpose: str,
    most_rows: int,
) -> Reader:
    """The gate's reader for a grant: just its dataset, its columns, each under its mask, and the rows of its branches.

    A column that was graded L4 after the grant is masked from then on, whatever was granted.
    """
    styles = {name: MaskStyle(style) for name, style in masks.items()}
    for name, style in styles.items():
        if name in held and is_too_plain(held[name], style):
            styles[name] = default_mask(held[name])
    return Reader(
        scope=paths,
        purpose=purpose,
        is_region=is_region,
        highest_grade=Grade.PUBLIC.value,
        datasets=frozenset({spec.name}),
        columns={spec.name: frozenset(styles)},
        masks={f"{spec.name}.{name}": style.value for name, style in styles.items()},
        most_rows=most_rows,
        seconds=120.0,
    )


def rows_sql(view: str, columns: Iterable[str], *, offset: int = 0, limit: int | None = None) -> str:
    """The granted columns in one order that is the same for every page; all rows, in no order, without a `limit`."""
    names = [exp.column(name, quoted=True) for name in sorted(columns)]
    asked = exp.select(*names).from_(exp.to_table(view))
    if limit is not None:
        asked = asked.order_by(*(name.copy() for name in names)).limit(limit).offset(offset)
    return asked.sql(dialect=DIALECT)


def columns_read(sql: str, granted: Iterable[str]) -> tuple[str, ...]:
    """Which granted columns a question reads: those it names, and all of them where it asks for everything."""
    tree, names = parsed(sql), sorted(granted)
    stars = [star for star in tree.find_all(exp.Star) if not isinstance(star.parent, exp.Count)]
    named = {column.name.lower() for column in tree.find_all(exp.Column)}
    # What is named like a table is a whole row of it.
    wholes = {source.alias_or_name.lower() for source in tree.find_all(exp.Table, exp.Subquery)}
    if stars or named & wholes:
        return tuple(names)
    named |= {shared.name.lower() for join in tree.find_all(exp.Join) for shared in join.args.get("using") or ()}
    return tuple(name for name in names if name.lower() in named)
