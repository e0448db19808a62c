"""The sheets of an XLSForm as they are read: lines with their cells by column, texts in the languages they are written in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from shuren.intake.data import Finding

SURVEY, CHOICES, SETTINGS = "survey", "choices", "settings"
# What is read of each sheet; the other columns say how others' programs show or send a form.
TAKEN = {
    SURVEY: frozenset(
        {
            *("type", "name", "label", "hint", "required", "relevant", "constraint", "constraint_message", "calculation"),
            *("default", "disabled", "choice_filter", "trigger", "repeat_count", "appearance"),
        }
    ),
    CHOICES: frozenset({"list_name", "name", "label"}),
    SETTINGS: frozenset({"form_title", "default_language"}),
}
MOST_REFUSED = 200
_CHINESE = ("zh", "中文", "汉语", "chinese")
_ENGLISH = ("en", "english", "英文", "英语")


@dataclass(frozen=True, slots=True)
class Line:
    """A row: `number` as Excel counts, cells by column; `label::中文 (zh)` is the column `label` in a language."""

    sheet: str
    number: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        return self.cells.get(column, "")

    def words(self, column: str, default: str = "") -> dict[str, str] | None:
        """The texts of a column in Chinese and English; where only another language is given, that one stands for Chinese."""
        told = {key.removeprefix(column).strip(": "): text for key, text in self.cells.items() if text and _is_of(key, column)}
        if not told:
            return None
        english = next((text for language, text in told.items() if _side(language or default) == "en"), "")
        chinese = next((text for language, text in told.items() if _side(language or default) == "zh"), "")
        chinese = chinese or told.get("") or told.get(default) or english or next(iter(told.values()))
        return {"zh": chinese, "en": english} if english and english != chinese else {"zh": chinese}

    def finding(self, column: str, reason: str, remedy: str = "", *, is_error: bool = True) -> Finding:
        return Finding("", self.sheet, self.number, column, self.text(column)[:80], reason, remedy, is_error)


def _is_of(key: str, column: str) -> bool:
    return key == column or key.startswith(f"{column}:")


def _side(language: str) -> str:
    """Which of our languages a language of the file is: `中文 (zh)`, `English (en)`, `zh-CN`."""
    told = language.casefold()
    code = told.rpartition("(")[2].rstrip(") ")
    if code.startswith("zh") or any(word in told for word in _CHINESE[1:]):
        return "zh"
    return "en" if code.partition("-")[0] in _ENGLISH or any(word in told for word in _ENGLISH[1:]) else ""


class TooManyRefused(Exception):
    """Whoever mends the file reads no further."""


@dataclass(slots=True)
class Book:
    """The sheets of a file, by their usual names; `findings` are filled while it is read.

    `left_out` are the columns of the survey that are filled but not taken over, with the row of their heading.
    """

    survey: list[Line]
    choices: list[Line] = field(default_factory=list)
    settings: list[Line] = field(default_factory=list)
    left_out: Mapping[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    refused: int = 0

    @property
    def default_language(self) -> str:
        return self.settings[0].text("default_language") if self.settings else ""

    def words(self, line: Line, column: str) -> dict[str, str] | None:
        return line.words(column, self.default_language)

    def refuse(self, line: Line, column: str, reason: str, remedy: str = "") -> None:
        """Something that cannot be left out without changing what the form asks; raises `TooManyRefused` after many."""
        if self.refused == MOST_REFUSED:
            raise TooManyRefused
        self.refused += 1
        self.findings.append(line.finding(column, reason, remedy))

    def leave_out(self, line: Line, column: str, reason: str, remedy: str = "") -> None:
        """Something that is not taken over, and the form works without."""
        self.findings.append(line.finding(column, reason, remedy, is_error=False))


def options_by_list(book: Book) -> dict[str, list[dict[str, Any]]]:
    """The choices of every list, in their order; without a label the name stands for it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in book.choices:
        name, code = line.text("list_name"), line.text("name")
        if not name and not code:
            continue
        options = found.setdefault(name, [])
        if not name or not code:
            book.refuse(line, "name" if name else "list_name", _("选项要写 list_name 和 name。"), _("补上，或删掉这一行。"))
        elif len(code) > 40:
            book.refuse(line, "name", _("选项代码超过 40 个字符。"), _("改短一些。"))
        elif any(option["code"] == code for option in options):
            book.refuse(line, "name", _("同一组选项里代码重复。"), _("改掉其中一个。"))
        else:
            options.append({"code": code, "title": book.words(line, "label") or {"zh": code}})
    return found
