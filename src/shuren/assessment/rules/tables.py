"""The three small tables of a results file, read into what they say; every wrong cell becomes a finding."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _

from shuren.assessment.data import ContextColumn, ReportScale
from shuren.assessment.rules.scoring import HIGHEST_SCORE
from shuren.assessment.rules.words import (
    CODEBOOK_WORDS,
    INFO_WORDS,
    ITEM_WORDS,
    ItemSpec,
    MissingCodes,
    TestInfo,
    Word,
    matches,
    place_of,
)
from shuren.intake.data import Finding

MOST_ITEMS = 2_000
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,59}")
_YES, _NO = {"是", "yes", "true", "1"}, {"否", "no", "false", "0", ""}
_EMPTY_WORDS = {"空", "空白", "empty", "blank"}


@dataclass(frozen=True, slots=True)
class Grid:
    """A small table in memory: where it stands, its header, and its rows with their numbers (the header is row 1)."""

    file: str
    sheet: str
    header: list[str]
    rows: list[tuple[int, list[str]]]

    def problem(self, row: int, column: str, value: str, reason: str, remedy: str) -> Finding:
        return Finding(file=self.file, sheet=self.sheet, row=row, column=column, value=value[:200], reason=reason, remedy=remedy)


@dataclass
class Reading:
    """Findings gathered while a grid is read."""

    grid: Grid
    findings: list[Finding] = field(default_factory=list)

    def refuse(self, row: int, column: str, value: str, reason: str, remedy: str) -> None:
        self.findings.append(self.grid.problem(row, column, value, reason, remedy))


class InfoReading(Reading):
    """The same for `测验信息`, whose columns are the same for every setting: the reason names the setting."""

    def refuse(self, row: int, column: str, value: str, reason: str, remedy: str) -> None:
        self.findings.append(info_problem(self.grid, row, column, value, reason, remedy))


def info_problem(grid: Grid, row: int, title: str, value: str, reason: str, remedy: str) -> Finding:
    """A finding about the content of one setting, at the cell where it stands."""
    column = grid.header[1] if row and len(grid.header) > 1 else title
    return grid.problem(row, column, value, f"{title}：{reason}", remedy)


def row_of_setting(grid: Grid, key: str) -> int:
    """The row of a setting, 0 if it is not there."""
    return next((number for number, cells in grid.rows if cells and matches(INFO_WORDS[key], cells[0])), 0)


def read_info(grid: Grid) -> tuple[TestInfo | None, list[Finding]]:
    """What `测验信息` says: two columns, setting and content. None when something in it is wrong."""
    reading = InfoReading(grid)
    given = _settings(reading)
    for key, word in INFO_WORDS.items():
        if word.is_required and not given.get(key, (0, ""))[1]:
            reading.refuse(given.get(key, (0, ""))[0], word.title, "", _("缺少“%(title)s”") % {"title": word.title}, word.note)
    info = TestInfo(
        code=_shaped(reading, given, "code", _CODE),
        name=_text(reading, given, "name", 120),
        grade=_text(reading, given, "grade", 20),
        held_date=_day(reading, given),
        session=_text(reading, given, "session", 60),
        org=_text(reading, given, "org", 64),
        is_simulated=_chosen(reading, given, "is_simulated", _YES, _NO),
        source_note=_text(reading, given, "source_note", 300),
        population_note=_text(reading, given, "population_note", 500),
        by_number=_chosen(reading, given, "pupil_id", {"学号", "学籍号", "一人一号", "number"}, {"sourcedid", ""}),
        by_options=_chosen(reading, given, "scoring", {"选项", "options"}, {"得分", "scores", ""}),
        missing=_missing_codes(reading, given),
        scale=_scale(reading, given),
    )
    return (None if reading.findings else info), reading.findings


def read_items(grid: Grid, *, by_options: bool) -> tuple[tuple[ItemSpec, ...], list[Finding]]:
    """The items in the order of the table."""
    reading = Reading(grid)
    places = _places(reading, ITEM_WORDS)
    if not grid.rows:
        reading.refuse(0, "", "", _("题目表没有题目"), _("一行填写一道题。"))
    if len(grid.rows) > MOST_ITEMS:
        reading.refuse(0, "", "", _("题目超过 %(most)d 道") % {"most": MOST_ITEMS}, _("请把测验分开导入。"))
    items: dict[str, ItemSpec] = {}
    for number, cells in grid.rows[:MOST_ITEMS]:
        row = {key: cells[place].strip() if place < len(cells) else "" for key, place in places.items()}
        item = _item(reading, number, row, by_options=by_options)
        if item.code in items:
            reading.refuse(number, ITEM_WORDS["code"].title, item.code, _("题号重复"), _("每个题号只能出现一次。"))
        items.setdefault(item.code, item)
    return tuple(items.values()), reading.findings


def read_codebook(grid: Grid) -> tuple[dict[str, ContextColumn], list[Finding]]:
    """What the questionnaire's variables mean, by name."""
    reading = Reading(grid)
    places = _places(reading, CODEBOOK_WORDS)
    found: dict[str, ContextColumn] = {}
    for number, cells in grid.rows:
        row = {key: cells[place].strip() if place < len(cells) else "" for key, place in places.items()}
        name = row.get("name", "")
        if not name or name in found:
            reading.refuse(number, CODEBOOK_WORDS["name"].title, name, _("变量名为空或重复"), _("每个变量只能出现一次。"))
        found[name] = ContextColumn(name=name, label=row.get("label", "")[:200], values=row.get("values", "")[:500])
    return found, reading.findings


def _places(reading: Reading, words: Mapping[str, Word]) -> dict[str, int]:
    places: dict[str, int] = {}
    for key, word in words.items():
        place = place_of(word, reading.grid.header)
        if place is not None:
            places[key] = place
        elif word.is_required:
            reading.refuse(1, word.title, "", _("缺少“%(title)s”列") % {"title": word.title}, _("请补上这一列。"))
    return places


def _settings(reading: Reading) -> dict[str, tuple[int, str]]:
    """Setting → (row, content); the header row may itself be a setting when somebody deleted the titles."""
    given: dict[str, tuple[int, str]] = {}
    for number, cells in [(1, reading.grid.header), *reading.grid.rows]:
        name, content = (cells[0].strip() if cells else ""), (cells[1].strip() if len(cells) > 1 else "")
        key = next((key for key, word in INFO_WORDS.items() if matches(word, name)), None)
        if key is None:
            if number > 1 and name:
                reading.refuse(number, name, content, _("没有这个项目"), _("请按模板填写项目名称。"))
        elif key in given:
            reading.refuse(number, name, content, _("项目重复"), _("每个项目只能出现一次。"))
        else:
            given[key] = (number, content)
    return given


Given = Mapping[str, tuple[int, str]]


def _content(given: Given, key: str) -> tuple[int, str]:
    return given.get(key, (0, ""))


def _text(reading: Reading, given: Given, key: str, longest: int) -> str:
    row, text = _content(given, key)
    if len(text) > longest:
        reading.refuse(row, INFO_WORDS[key].title, text, _("内容太长"), _("最多 %(longest)d 个字。") % {"longest": longest})
    return text[:longest]


def _shaped(reading: Reading, given: Given, key: str, shape: re.Pattern[str]) -> str:
    row, text = _content(given, key)
    if text and not shape.fullmatch(text):
        reading.refuse(row, INFO_WORDS[key].title, text, _("写法不合规"), INFO_WORDS[key].note)
    return text


def _day(reading: Reading, given: Given) -> str:
    row, text = _content(given, "held_date")
    plain = text.partition(" ")[0].partition("T")[0].replace("/", "-").replace(".", "-")
    parts = plain.split("-")
    try:
        return date(*(int(part) for part in parts)).isoformat() if text else ""
    except (TypeError, ValueError, OverflowError):
        reading.refuse(row, INFO_WORDS["held_date"].title, text, _("不是日期"), _("请写成 2025-06-18 这样的形式。"))
        return ""


def _chosen(reading: Reading, given: Given, key: str, yes: set[str], no: set[str]) -> bool:
    row, text = _content(given, key)
    if text.lower() not in yes | no:
        reading.refuse(row, INFO_WORDS[key].title, text, _("不是可选的内容"), INFO_WORDS[key].note)
    return text.lower() in yes


def _missing_codes(reading: Reading, given: Given) -> MissingCodes:
    defaults = {"omitted": "9", "not_reached": "8", "not_administered": ""}
    codes: dict[str, frozenset[str]] = {}
    declared: set[str] = set()
    for key, default in defaults.items():
        row, text = _content(given, key)
        parts = {"" if part.strip() in _EMPTY_WORDS else part.strip() for part in re.split("[,，]", text)} if text else {default}
        clash = parts & declared
        if text and clash:
            reading.refuse(row, INFO_WORDS[key].title, text, _("同一个代码有两种含义"), _("每个缺失代码只能用于一种情况。"))
        if text:
            declared |= parts
        codes[key] = frozenset(parts)
    for key in defaults:
        if key not in given or not given[key][1]:
            codes[key] -= declared
    return MissingCodes(codes["omitted"], codes["not_reached"], codes["not_administered"], frozenset(declared))


def _scale(reading: Reading, given: Given) -> ReportScale:
    mean, sd = _number(reading, given, "scale_mean", 500.0), _number(reading, given, "scale_sd", 100.0)
    if sd <= 0:
        reading.refuse(*_spot(given, "scale_sd"), _("标准差必须大于 0"), INFO_WORDS["scale_sd"].note)
    cuts = tuple(_numbers(reading, given, "cuts"))
    if list(cuts) != sorted(set(cuts)):
        reading.refuse(*_spot(given, "cuts"), _("划界分数没有由低到高"), INFO_WORDS["cuts"].note)
    levels = tuple(part.strip() for part in re.split("[,，]", _content(given, "levels")[1]) if part.strip())
    if levels and len(levels) != len(cuts) + 1:
        reading.refuse(*_spot(given, "levels"), _("水平名称的个数不对"), INFO_WORDS["levels"].note)
    return ReportScale(mean=mean, sd=sd, cuts=cuts, levels=levels)


def _spot(given: Given, key: str) -> tuple[int, str, str]:
    row, text = _content(given, key)
    return row, INFO_WORDS[key].title, text


def _number(reading: Reading, given: Given, key: str, default: float) -> float:
    found = list(_numbers(reading, given, key))
    return found[0] if found else default


def _numbers(reading: Reading, given: Given, key: str) -> Iterator[float]:
    for part in re.split("[,，]", _content(given, key)[1]):
        if part.strip():
            number = plain_number(part)
            if number is None:
                reading.refuse(*_spot(given, key), _("不是数"), INFO_WORDS[key].note)
            else:
                yield number


def plain_number(text: str) -> float | None:
    """A finite decimal number, or None."""
    if not re.fullmatch(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?\s*", text, re.ASCII):
        return None
    return float(text)


def _item(reading: Reading, number: int, row: Mapping[str, str], *, by_options: bool) -> ItemSpec:
    code = row.get("code", "")
    if not _CODE.fullmatch(code):
        reading.refuse(
            number, ITEM_WORDS["code"].title, code, _("题号为空或写法不合规"), _("题号用字母、数字、点、横线，不超过 60 个。")
        )
    if not row.get("subject"):
        reading.refuse(number, ITEM_WORDS["subject"].title, "", _("没有填学科"), _("请填写学科，如：数学。"))
    for key, longest in (("label", 200), ("subject", 40), ("content_domain", 60), ("cognitive_domain", 60), ("key", 60)):
        if len(row.get(key, "")) > longest:
            reading.refuse(
                number, ITEM_WORDS[key].title, row[key], _("内容太长"), _("最多 %(longest)d 个字。") % {"longest": longest}
            )
    highest = _highest(reading, number, row.get("max_score", ""))
    options, marks = frozenset[str](), dict[str, int]()
    if by_options:
        options = _options(row.get("options", "") or "A,B,C,D")
        marks = _marks(reading, number, row.get("key", ""), options, highest)
    units = tuple(part.strip()[:100] for part in re.split("[;；]", row.get("knowledge_units", "")) if part.strip())
    return ItemSpec(
        code=code,
        label=row.get("label", ""),
        subject=row.get("subject", ""),
        content_domain=row.get("content_domain", ""),
        cognitive_domain=row.get("cognitive_domain", ""),
        knowledge_units=units,
        max_score=highest,
        key=row.get("key", ""),
        options=options,
        marks=marks,
    )


def _highest(reading: Reading, number: int, text: str) -> int:
    shape = re.fullmatch(r"(?:0\s*[-~–—]\s*)?(\d{1,3})(?:\.0*)?", text or "1", re.ASCII)
    if not shape or not 1 <= int(shape[1]) <= HIGHEST_SCORE:
        remedy = _("请填 1 到 %(highest)d 的整数，或 0-3 这样的范围。") % {"highest": HIGHEST_SCORE}
        reading.refuse(number, ITEM_WORDS["max_score"].title, text, _("不是满分或得分范围"), remedy)
        return 1
    return int(shape[1])


def _options(text: str) -> frozenset[str]:
    return frozenset(part.strip().upper() for part in re.split("[,，、]", text) if part.strip())


def _marks(reading: Reading, number: int, key: str, options: frozenset[str], highest: int) -> dict[str, int]:
    marks: dict[str, int] = {}
    for part in re.split(r"[|｜]", key.upper()):
        option, equals, score = (piece.strip() for piece in part.partition("="))
        worth = int(score) if re.fullmatch(r"\d{1,3}", score, re.ASCII) else (None if equals else highest)
        if option not in options or worth is None or worth > highest:
            remedy = _("答案应是合法选项之一，如 B；部分得分写成 A=2|B=1，且不超过满分。")
            reading.refuse(number, ITEM_WORDS["key"].title, key, _("答案无法用于判分"), remedy)
            break
        marks[option] = worth
    return marks
