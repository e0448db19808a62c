"""The response table, wide or long, read block by block into score codes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from shuren.assessment.rules.answers import ScoreReader, repeated_rows
from shuren.assessment.rules.gathering import UNSET, Answers, Gathered, gathered
from shuren.assessment.rules.scoring import UNREADABLE, cell_problem
from shuren.assessment.rules.words import BOOKLET_WORD, LONG_WORDS, PUPIL_WORD, ItemSpec, TestInfo, place_of
from shuren.assessment.selectors.files import Block, SourceTable
from shuren.assessment.selectors.pupils import NO_CLASS, Seating, person_ids_of
from shuren.assessment.services.check.problems import Problems

LARGEST_CHUNK = 65_536


@dataclass(slots=True)
class AnswerCheck:
    """What reading the response table needs at hand."""

    table: SourceTable
    info: TestInfo
    items: tuple[ItemSpec, ...]
    seating: Seating
    problems: Problems
    result: Gathered | None = None

    def refuse(self, row: int, column: str, value: str, reason: str, remedy: str) -> None:
        self.problems.add(self.table.problem(row, column, value, reason, remedy))

    def read(self) -> Iterator[int]:
        """Yields how many rows are read so far, and leaves the `result`."""
        header = self.table.header
        pupil = place_of(PUPIL_WORD, header)
        if pupil is None:
            self.refuse(1, PUPIL_WORD.title, "", _("缺少“%(title)s”列") % {"title": PUPIL_WORD.title}, _("请补上这一列。"))
            return
        places = {key: place_of(word, header) for key, word in LONG_WORDS.items()}
        is_long = all(place is not None for place in places.values())
        reader = _LongReader(self, pupil) if is_long else _WideReader(self, pupil)
        rows = 0
        for block in self.table.blocks():
            self.problems.extend(block.findings)
            reader.take(block)
            rows += len(block)
            yield rows
        result = reader.finish()
        if not result.pupils and not self.problems.has_errors:
            self.refuse(0, "", "", _("作答表没有学生"), _("一行填写一名学生。"))
        self._refuse_repeated(result)
        self.result = result

    def _refuse_repeated(self, result: Gathered) -> None:
        seated = np.flatnonzero(result.seats != NO_CLASS)
        for spot, first_spot in repeated_rows(result.person_ids[seated]):
            place, first = seated[spot], seated[first_spot]
            reason = _("学生重复出现")
            remedy = _("这名学生已在第 %(row)d 行出现，请只保留一行。") % {"row": int(result.rows[first])}
            self.refuse(int(result.rows[place]), self.pupil_title, result.texts[place].as_py(), reason, remedy)

    @property
    def pupil_title(self) -> str:
        place = place_of(PUPIL_WORD, self.table.header)
        return self.table.header[place] if place is not None else PUPIL_WORD.title

    def people(self, texts: Sequence[str], rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Person ids and seats of pupils at their first rows; what is missing becomes a finding."""
        ids = person_ids_of(texts, by_number=self.info.by_number)
        seats = self.seating.places_of(ids)
        for place in np.flatnonzero(seats == NO_CLASS).tolist():
            row, text = int(rows[place]), texts[place]
            if not text:
                self.refuse(row, self.pupil_title, "", _("没有填学生"), _("请填写学生的标识。"))
            elif not ids[place]:
                self.refuse(row, self.pupil_title, text, _("查无此学生"), _("请核对学生标识，或先导入这名学生的名册。"))
            else:
                remedy = _("请核对测验日期、组织编号和这名学生的在班记录。")
                self.refuse(row, self.pupil_title, text, _("测验当天不在参测范围的任何班级"), remedy)
        return ids, seats


class _WideReader:
    """One row per pupil, one column per item."""

    def __init__(self, check: AnswerCheck, pupil: int) -> None:
        self.check = check
        self.pupil = pupil
        self.scores = ScoreReader(check.items, check.info)
        self.answers = Answers()
        header = check.table.header
        self.booklet = place_of(BOOKLET_WORD, header)
        by_code = {item.code: place for place, item in enumerate(check.items)}
        self.columns: dict[int, int] = {}
        for place, title in enumerate(header):
            if title in by_code:
                self.columns.setdefault(by_code[title], place)
            elif place not in (pupil, self.booklet):
                check.refuse(1, title, title, _("题目表中没有这道题"), _("请在题目表中补上这道题，或删去这一列。"))
        for item, place in by_code.items():
            if place not in self.columns:
                check.refuse(1, item, "", _("作答表缺少这道题的一列"), _("请补上这一列，或从题目表中删去这道题。"))

    def take(self, block: Block) -> None:
        if not len(block):
            return
        texts = pc.utf8_trim_whitespace(block.columns[self.pupil])
        ids, seats = self.check.people(texts.to_pylist(), block.numbers)
        scores = np.full((len(block), len(self.check.items)), UNSET, np.int8)
        for item, place in self.columns.items():
            codes = self.scores.codes(item, block.columns[place])
            scores[:, item] = codes
            for row in np.flatnonzero(codes == UNREADABLE):
                self._refuse_cell(block, item, place, int(row))
        self.answers.texts.append(texts)
        self.answers.rows.append(block.numbers)
        self.answers.person_ids.append(ids)
        self.answers.seats.append(seats)
        booklets = block.columns[self.booklet] if self.booklet is not None else pa.array([""] * len(block), pa.string())
        self.answers.booklets.append(self.answers.booklet_codes(booklets))
        self.answers.scores.append(scores)

    def _refuse_cell(self, block: Block, item: int, place: int, row: int) -> None:
        text = block.columns[place][row].as_py()
        reason, remedy = cell_problem(text, self.check.items[item], self.check.info)
        self.check.refuse(int(block.numbers[row]), self.check.table.header[place], text, reason, remedy)

    def finish(self) -> Gathered:
        return gathered(self.answers, len(self.check.items))


class _LongReader:
    """One row per pupil and item, in any order; items that a pupil has no row for were not administered."""

    def __init__(self, check: AnswerCheck, pupil: int) -> None:
        self.check = check
        self.pupil = pupil
        header = check.table.header
        self.item, self.response = (place_of(word, header) or 0 for word in LONG_WORDS.values())
        self.booklet = place_of(BOOKLET_WORD, header)
        self.scores = ScoreReader(check.items, check.info)
        self.by_code = {item.code: place for place, item in enumerate(check.items)}
        self.answers = Answers()
        self.row_of: dict[str, int] = {}
        self.matrix = np.full((LARGEST_CHUNK, len(check.items)), UNSET, np.int8)
        self.booklets = np.full(LARGEST_CHUNK, -1, np.int16)

    def take(self, block: Block) -> None:
        if not len(block):
            return
        pupils = self._pupils(block)
        items = self._items(block)
        codes = self.scores.pair_codes(items, block.columns[self.response])
        for row in np.flatnonzero((codes == UNREADABLE) & (items >= 0)):
            text = block.columns[self.response][int(row)].as_py()
            reason, remedy = cell_problem(text, self.check.items[items[row]], self.check.info)
            self.check.refuse(int(block.numbers[row]), self.check.table.header[self.response], text, reason, remedy)
        known = np.flatnonzero(items >= 0)
        self._refuse_twice(block, pupils, items, known)
        self.matrix[pupils[known], items[known]] = codes[known]
        if self.booklet is not None:
            self._take_booklets(block, pupils, self.booklet)

    def _pupils(self, block: Block) -> npt.NDArray[np.int64]:
        encoded = pc.utf8_trim_whitespace(block.columns[self.pupil]).dictionary_encode()
        words = encoded.dictionary.to_pylist()
        indices = encoded.indices.to_numpy(zero_copy_only=False)
        new = [place for place, word in enumerate(words) if word not in self.row_of]
        if new:
            first = np.full(len(words), len(block), np.int64)
            np.minimum.at(first, indices, np.arange(len(block)))
            texts, rows = [words[place] for place in new], block.numbers[first[new]]
            ids, seats = self.check.people(texts, rows)
            start = len(self.row_of)
            self.row_of.update((text, start + place) for place, text in enumerate(texts))
            self.answers.texts.append(pa.array(texts, pa.string()))
            self.answers.rows.append(rows)
            self.answers.person_ids.append(ids)
            self.answers.seats.append(seats)
            self._grow(len(self.row_of))
        places: npt.NDArray[np.int64] = np.array([self.row_of[word] for word in words], np.int64)[indices]
        return places

    def _grow(self, pupils: int) -> None:
        while len(self.matrix) < pupils:
            more = max(LARGEST_CHUNK, len(self.matrix) // 4)
            self.matrix = np.concatenate([self.matrix, np.full((more, self.matrix.shape[1]), UNSET, np.int8)])
            self.booklets = np.concatenate([self.booklets, np.full(more, -1, np.int16)])

    def _items(self, block: Block) -> npt.NDArray[np.int64]:
        encoded = pc.utf8_trim_whitespace(block.columns[self.item]).dictionary_encode()
        table = np.array([self.by_code.get(word, -1) for word in encoded.dictionary.to_pylist()], np.int64)
        items: npt.NDArray[np.int64] = table[encoded.indices.to_numpy(zero_copy_only=False)]
        for row in np.flatnonzero(items < 0):
            text = block.columns[self.item][int(row)].as_py()
            title = self.check.table.header[self.item]
            self.check.refuse(
                int(block.numbers[row]), title, text, _("题目表中没有这道题"), _("请核对题号，或在题目表中补上这道题。")
            )
        return items

    def _refuse_twice(
        self, block: Block, pupils: npt.NDArray[np.int64], items: npt.NDArray[np.int64], known: npt.NDArray[np.intp]
    ) -> None:
        is_set = self.matrix[pupils[known], items[known]] != UNSET
        cells = pupils[known] * len(self.check.items) + items[known]
        twice = set(np.flatnonzero(is_set).tolist()) | {place for place, _first in repeated_rows(cells)}
        for place in sorted(twice):
            row = int(known[place])
            text = block.columns[self.item][row].as_py()
            title = self.check.table.header[self.item]
            self.check.refuse(int(block.numbers[row]), title, text, _("同一学生的同一题出现多次"), _("请只保留一行。"))

    def _take_booklets(self, block: Block, pupils: npt.NDArray[np.int64], place: int) -> None:
        codes = self.answers.booklet_codes(block.columns[place])
        before = self.booklets[pupils]
        self.booklets[pupils] = codes
        wrong = ((before >= 0) & (before != codes)) | (self.booklets[pupils] != codes)
        for row in np.flatnonzero(wrong):
            text = block.columns[place][int(row)].as_py()
            title = self.check.table.header[place]
            self.check.refuse(int(block.numbers[row]), title, text, _("同一学生的题本前后不一致"), _("一名学生只有一个题本。"))

    def finish(self) -> Gathered:
        pupils = len(self.row_of)
        self.answers.scores.append(self.matrix[:pupils])
        self.answers.booklets.append(self.booklets[:pupils])
        return gathered(self.answers, len(self.check.items))
