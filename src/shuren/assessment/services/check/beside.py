"""Tables beside the responses: weights, questionnaires and reference values, one row per pupil each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from shuren.assessment.rules.answers import numbers, repeated_rows
from shuren.assessment.rules.gathering import Gathered
from shuren.assessment.rules.words import PUPIL_WORD, WEIGHT_WORDS, TableKind, place_of
from shuren.assessment.selectors.files import Block, SourceTable
from shuren.assessment.services.check.problems import Problems

MOST_COLUMNS = 500
LONGEST_NAME = 60
Column = npt.NDArray[Any]


@dataclass(slots=True)
class BesideTable:
    """One table, read into float columns in the order of the responses; NaN where a pupil has no row or no value."""

    table: SourceTable
    found: Gathered
    problems: Problems
    kind: npt.DTypeLike = np.float64
    columns: dict[str, Column] = field(default_factory=dict)
    rows: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    pupil: int = 0

    def read(self) -> bool:
        """Fill `columns`; False when the table cannot be told apart into pupils and columns."""
        header = self.table.header
        pupil = place_of(PUPIL_WORD, header)
        if pupil is None:
            self._refuse(1, PUPIL_WORD.title, "", _("缺少“%(title)s”列") % {"title": PUPIL_WORD.title}, _("请补上这一列。"))
            return False
        self.pupil = pupil
        wanted = [place for place, title in enumerate(header) if place != pupil and title]
        if len(wanted) > MOST_COLUMNS or any(len(header[place]) > LONGEST_NAME for place in wanted):
            remedy = _("最多 %(most)d 列，列名最多 %(longest)d 个字。") % {"most": MOST_COLUMNS, "longest": LONGEST_NAME}
            self._refuse(1, "", "", _("列太多或列名太长"), remedy)
            return False
        self.columns = {header[place]: np.full(self.found.pupils, np.nan, self.kind) for place in wanted}
        self.rows = np.zeros(self.found.pupils, np.int64)
        for block in self.table.blocks():
            self.problems.extend(block.findings)
            self._take(block, wanted)
        return True

    def refuse_where(self, column: str, wrong: npt.NDArray[np.bool_], reason: str, remedy: str) -> None:
        """A finding for every pupil whose value in `column` is `wrong`."""
        for place in np.flatnonzero(wrong):
            value = self.columns[column][place]
            self._refuse(int(self.rows[place]), column, "" if np.isnan(value) else f"{value:g}", reason, remedy)

    def refuse_missing(self) -> None:
        """A finding for every pupil of the responses who has no row here."""
        title = self.table.header[self.pupil]
        for place in np.flatnonzero(self.rows == 0):
            text = self.found.texts[int(place)].as_py()
            self._refuse(0, title, text, _("有作答的学生在这张表中没有一行"), _("请补上这名学生的一行。"))

    def _refuse(self, row: int, column: str, value: str, reason: str, remedy: str) -> None:
        self.problems.add(self.table.problem(row, column, value, reason, remedy))

    def _take(self, block: Block, wanted: list[int]) -> None:
        if not len(block):
            return
        texts = pc.utf8_trim_whitespace(block.columns[self.pupil])
        places = pc.fill_null(pc.index_in(texts, value_set=self.found.texts), -1).to_numpy(zero_copy_only=False).astype(np.int64)
        title = self.table.header[self.pupil]
        for row in np.flatnonzero(places < 0):
            remedy = _("请核对学生标识；没有参加测验的学生不要列入。")
            self._refuse(int(block.numbers[row]), title, texts[int(row)].as_py(), _("作答表中没有这名学生"), remedy)
        known = np.flatnonzero(places >= 0)
        twice = set(np.flatnonzero(self.rows[places[known]] > 0).tolist())
        twice |= {place for place, _first in repeated_rows(places[known])}
        for spot in sorted(twice):
            again = int(known[spot])
            self._refuse(int(block.numbers[again]), title, texts[again].as_py(), _("学生重复出现"), _("一名学生只保留一行。"))
        self.rows[places[known]] = block.numbers[known]
        for place in wanted:
            self._take_column(block, place, places, known)

    def _take_column(self, block: Block, place: int, places: npt.NDArray[np.int64], known: npt.NDArray[np.intp]) -> None:
        column = self.table.header[place]
        read = numbers(block.columns[place])
        for row in read.wrong:
            text = block.columns[place][int(row)].as_py()
            self._refuse(int(block.numbers[row]), column, text, _("不是数"), _("请填写数字；没有值请留空。"))
        self.columns[column][places[known]] = read.values[known]


def take_weights(table: SourceTable, found: Gathered, problems: Problems) -> None:
    """Weights, zones and replicate units into `found`; every other column becomes a further weight."""
    beside = BesideTable(table, found, problems)
    if not beside.read():
        return
    titles = {key: _title(table, place_of(word, table.header)) for key, word in WEIGHT_WORDS.items()}
    weight, zone, rep = titles["weight"], titles["zone"], titles["rep"]
    if not weight:
        problems.add(table.problem(1, WEIGHT_WORDS["weight"].title, "", _("缺少“权重”列"), _("请补上这一列。")))
        return
    beside.refuse_missing()
    listed = beside.rows > 0
    values = beside.columns[weight]
    beside.refuse_where(weight, listed & ~(values > 0), _("权重必须大于 0"), _("请填写抽样权重。"))
    found.weights = values
    if zone:
        found.zones = _whole(beside, zone, 1, 32_767, np.int16)
    if rep:
        found.reps = _whole(beside, rep, 0, 1, np.int8)
    found.extra_weights = {name: column for name, column in beside.columns.items() if name not in (weight, zone, rep)}


def _whole(beside: BesideTable, column: str, lowest: int, highest: int, kind: npt.DTypeLike) -> Column:
    values = beside.columns[column]
    listed = beside.rows > 0
    wrong = listed & ~((values >= lowest) & (values <= highest) & (values == np.floor(values)))
    remedy = _("请填写 %(lowest)d 到 %(highest)d 的整数。") % {"lowest": lowest, "highest": highest}
    beside.refuse_where(column, wrong, _("不是范围内的整数"), remedy)
    whole: Column = np.where(listed & ~wrong, values, 0).astype(kind)
    return whole


def _title(table: SourceTable, place: int | None) -> str:
    return table.header[place] if place is not None else ""


def take_context(table: SourceTable, found: Gathered, problems: Problems) -> None:
    """Questionnaire answers into `found`; pupils without a row keep missing values."""
    beside = BesideTable(table, found, problems, np.float32)
    if beside.read():
        found.context = dict(beside.columns)


def take_references(table: SourceTable, found: Gathered, problems: Problems) -> None:
    """Reference values, such as published plausible values: kept for comparison, never used to measure."""
    beside = BesideTable(table, found, problems)
    if beside.read():
        found.references = dict(beside.columns)


TAKERS: dict[TableKind, Callable[[SourceTable, Gathered, Problems], None]] = {
    TableKind.WEIGHTS: take_weights,
    TableKind.QUESTIONNAIRE: take_context,
    TableKind.REFERENCES: take_references,
}
