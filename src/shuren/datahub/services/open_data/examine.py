"""What a declaration would publish, asked of the lake through its gate and judged before anybody sees a row."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import pyarrow as pa
from django.conf import settings
from django.utils.translation import gettext as _

from shuren.datahub.data import OpenCheck, OpenColumn, OpenDeclaration, OpenFacts, OpenShape, OpenTreatment, Reader
from shuren.datahub.rules.open_data.check import Judged, judge
from shuren.datahub.rules.open_data.columns import PLACES, check_declaration, epsilon_of, may_tell_of_people, output_name
from shuren.datahub.rules.open_data.groups import Group, Key, Measured, left_out, nodes_of, regrouped
from shuren.datahub.rules.open_data.noise import Draw, noise
from shuren.datahub.rules.open_data.question import BAND, label_of, question_of
from shuren.datahub.selectors.catalogue import spec_named
from shuren.datahub.selectors.open_data import facts_of
from shuren.datahub.services.ask import ask_lake
from shuren.directory import api as directory
from shuren.directory.data import OrgType
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid
from shuren.standards.data import Grade

MOST_ROWS = 100_000
PREVIEW_ROWS = 50
DECIMALS = 2
_LEVELS = {OpenTreatment.SCHOOL: OrgType.SCHOOL, OpenTreatment.COUNTY: OrgType.COUNTY, OpenTreatment.CITY: OrgType.CITY}
_RAW = (OpenTreatment.EXACT, OpenTreatment.YEAR)
Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """What is published: names and rows."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps([self.header, self.rows], default=str, ensure_ascii=False).encode()).hexdigest()

    def preview(self) -> dict[str, object]:
        rows = [[each.isoformat() if isinstance(each, date) else each for each in row] for row in self.rows[:PREVIEW_ROWS]]
        return {"header": list(self.header), "rows": rows}


@dataclass(frozen=True, slots=True)
class Examined:
    """The check, and a function that makes the table: without noise, or with a source of chance."""

    check: OpenCheck
    table: Callable[[Draw | None], Table]


def examine(declaration: OpenDeclaration, *, org_path: str, actor: Actor, now: datetime) -> Examined:
    """Ask the lake for the rows of a branch and judge them; `Invalid` for what may not be declared. Audited as a question."""
    facts = facts_of(declaration.dataset)
    check_declaration(declaration, facts)
    found = _asked(declaration, facts, org_path=org_path, actor=actor, now=now)
    keys, coarser = _keys(declaration, found)
    k = settings.SHUREN_OPEN_K if may_tell_of_people(declaration, facts, spec_named(declaration.dataset).grade) else 0
    if declaration.shape is OpenShape.RECORDS:
        return _records(declaration, facts, keys, coarser, k)
    leaves = regrouped(zip(keys, _groups(declaration, found), strict=True))
    judged = judge(
        leaves,
        declaration.grouped,
        shape=declaration.shape,
        suppresses=declaration.suppresses,
        k=k,
        coarser=coarser,
        left=_left_out(declaration, facts, leaves, org_path=org_path, actor=actor, now=now) if k else {},
    )
    return Examined(judged.check, lambda draw: _table_of_groups(declaration, leaves, judged, draw))


def _left_out(
    declaration: OpenDeclaration,
    facts: Mapping[str, OpenFacts],
    leaves: Mapping[Key, Group],
    *,
    org_path: str,
    actor: Actor,
    now: datetime,
) -> dict[Key, Group]:
    """What the filter takes away from each group and total; another year is no part of the same rows."""
    parts = spec_named(declaration.dataset).partition_keys
    kept = {name: value for name, value in declaration.where.items() if name in parts}
    if len(kept) == len(declaration.where):
        return {}
    wider = replace(declaration, where=kept)
    found = _asked(wider, facts, org_path=org_path, actor=actor, now=now)
    keys, _coarser = _keys(wider, found)
    return left_out(regrouped(zip(keys, _groups(wider, found), strict=True)), leaves)


def _asked(
    declaration: OpenDeclaration, facts: Mapping[str, OpenFacts], *, org_path: str, actor: Actor, now: datetime
) -> pa.Table:
    sql, params = question_of(declaration, facts, day=clock.day_of(now))
    root = directory.root_org()
    reader = Reader(
        scope=(org_path,),
        purpose=_("开放数据：检查与发布"),
        is_region=root is not None and root.path == org_path,
        highest_grade=Grade.PERSONAL.value,
        datasets=frozenset({declaration.dataset}),
        columns={declaration.dataset: frozenset([*(column.name for column in declaration.columns), *declaration.where])},
        most_rows=MOST_ROWS + 1,
    )
    found = ask_lake(sql, reader=reader, actor=actor, now=now, params=params)
    if found.num_rows > MOST_ROWS:
        raise Invalid(_("分得太细：超过 %(most)s 行。请少选一列，或分得粗一些。") % {"most": f"{MOST_ROWS:,}"})
    return found


def _keys(declaration: OpenDeclaration, found: pa.Table) -> tuple[list[Key], dict[int, Callable[[object], object]]]:
    """The key of every row that was found, places by their names; and how a value becomes one step coarser."""
    columns = declaration.grouped
    values: list[list[object]] = [found.column(f"g{place}").to_pylist() for place in range(len(columns))]
    coarser: dict[int, Callable[[object], object]] = {}
    for place, column in enumerate(columns):
        if column.treatment in PLACES:
            values[place], above = _places(values[place], column.treatment)
            if column.treatment is not OpenTreatment.CITY:
                coarser[place] = above.get
        elif column.treatment is OpenTreatment.EXACT and found.schema.field(f"g{place}").type in _NUMBERS:
            coarser[place] = _band
        if column.treatment not in _RAW and column.treatment not in PLACES:
            values[place] = [label_of(value, column) for value in values[place]]
    return [tuple(key) for key in zip(*values, strict=True)], coarser


_NUMBERS = {pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64()}


def _band(value: object) -> object:
    return None if value is None else int(float(str(value)) // BAND)


def _places(values: Sequence[object], level: OpenTreatment) -> tuple[list[object], dict[object, object]]:
    """The names of the orgs of that level above each place, and what lies one level above each name."""
    ids = {value for value in values if isinstance(value, int)}
    paths = {org.id: org.path for org in directory.orgs_by_ids(ids).values()}
    ways = [paths.get(value, "") if isinstance(value, int) else str(value or "") for value in values]
    orgs = directory.orgs_above(set(ways))
    names: dict[str, str] = {}
    above: dict[object, object] = {}
    wider = OpenTreatment.COUNTY if level is OpenTreatment.SCHOOL else OpenTreatment.CITY
    taken: dict[str, int] = {}
    for way in sorted(set(ways)):
        chain = [orgs[int(step)] for step in way.split("/") if step and int(step) in orgs]
        here = next((org for org in chain if org.type is _LEVELS[level]), None)
        over = next((org for org in chain if org.type is _LEVELS[wider]), None)
        name = here.name if here is not None else ""
        if here is not None and taken.setdefault(name, here.id) != here.id:
            name = f"{name}（{here.code or here.public_id}）"
        names[way] = name
        above[name] = over.name if over is not None else ""
    return [names[way] for way in ways], above


def _groups(declaration: OpenDeclaration, found: pa.Table) -> Iterable[Group]:
    counts: list[int] = found.column("n").to_pylist()
    figures = [
        [found.column(f"m{place}_{how}").to_pylist() for how in ("count", "sum", "min", "max")]
        for place in range(len(declaration.measured))
    ]
    for row, n in enumerate(counts):
        yield Group(n, tuple(Measured(c[row], s[row] or 0.0, low[row], high[row]) for c, s, low, high in figures))


def _table_of_groups(declaration: OpenDeclaration, leaves: Mapping[Key, Group], judged: Judged, draw: Draw | None) -> Table:
    columns = declaration.grouped
    epsilon = epsilon_of(declaration)
    if epsilon is not None and draw is not None:
        # One draw for each single group, and totals are their sums: noise that is drawn twice could be averaged away.
        leaves = {key: replace(group, n=group.n + noise(epsilon, draw)) for key, group in sorted(leaves.items(), key=_order)}
    nodes = nodes_of(leaves) if declaration.has_totals else dict(leaves)
    header = [output_name(column) for column in columns]
    header += ["group_level"] if declaration.has_totals else []
    header += ["count", *(output_name(column) for column in declaration.measured), "is_suppressed"]
    rows = []
    for key, group in sorted(nodes.items(), key=_order):
        is_hidden = key in judged.hidden
        row: list[object] = [*key, *[None] * (len(columns) - len(key))]
        row += [len(key)] if declaration.has_totals else []
        row.append(None if is_hidden else max(0, group.n))
        row += [None if is_hidden or each.mean is None else round(each.mean, DECIMALS) for each in group.measures]
        rows.append((*row, is_hidden))
    return Table(tuple(header), tuple(rows))


def _order(item: tuple[Key, Group]) -> tuple[object, ...]:
    return tuple((value is not None, str(value)) for value in item[0])


def _records(
    declaration: OpenDeclaration,
    facts: Mapping[str, OpenFacts],
    keys: list[Key],
    coarser: dict[int, Callable[[object], object]],
    k: int,
) -> Examined:
    """Records of people are judged by every column, for each may be known of somebody; others by those that are not public."""
    grades = [spec_named(declaration.dataset).grade, *(facts[column.name].grade for column in declaration.columns)]
    is_personal = max(grades) >= Grade.PERSONAL.value
    told = [place for place, column in enumerate(declaration.grouped) if k and (is_personal or not _is_public(column, facts))]
    chosen = tuple(declaration.grouped[place] for place in told)
    of_row = [tuple(key[place] for place in told) for key in keys]
    leaves = regrouped((key, Group(1)) for key in of_row)
    inner = {told.index(place): turn for place, turn in coarser.items() if place in told}
    judged = judge(leaves, chosen, shape=declaration.shape, suppresses=declaration.suppresses, k=k if told else 0, coarser=inner)
    kept = [key for key, own in zip(keys, of_row, strict=True) if own not in judged.hidden]
    kept.sort(key=lambda key: _order((key, Group(1))))
    table = Table(tuple(output_name(column) for column in declaration.grouped), tuple(kept))
    return Examined(judged.check, lambda _draw: table)


def _is_public(column: OpenColumn, facts: Mapping[str, OpenFacts]) -> bool:
    return facts[column.name].grade == Grade.PUBLIC.value
