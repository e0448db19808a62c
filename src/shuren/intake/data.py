"""Records of an import that other apps may hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from shuren.kernel.data import Actor


class ImportStatus(StrEnum):
    """Where an import stands; `rules.status` says what may follow what."""

    UPLOADED = "uploaded"
    CHECKING = "checking"
    REJECTED = "rejected"
    READY = "ready"
    APPLYING = "applying"
    APPLIED = "applied"
    FAILED = "failed"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """A column of an empty workbook; `width` in characters, `choices` what may be written in it."""

    name: str
    width: int
    is_required: bool = True
    choices: tuple[str, ...] = ()


class FileForm(StrEnum):
    """What a file is by its contents, whatever it is called."""

    TEXT = "text"
    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"
    ZIP = "zip"


class Finding(NamedTuple):
    """One thing wrong with a file, told to a clerk.

    `row` is the row as Excel numbers it, 0 when the whole file or sheet is meant; `column` is the heading as it
    stands in the file. `reason` names neither row nor value, so that equal reasons of a column can be counted together.
    """

    file: str
    sheet: str
    row: int
    column: str
    value: str
    reason: str
    remedy: str = ""
    is_error: bool = True


class Row(NamedTuple):
    """A row of a table: `number` as Excel counts, `values` as stripped text, as many as there are headings."""

    number: int
    values: list[str]
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Table:
    """A table being read once, from top to bottom; `findings` are about its heading, a row's own come with the row."""

    file: str
    sheet: str
    header: list[str]
    header_row: int
    rows: Iterator[Row]
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """Findings of one column for one reason, counted."""

    number: int
    column: str
    reason: str
    remedy: str
    is_error: bool
    count: int


@dataclass(frozen=True, slots=True)
class ImportState:
    """An import as a page shows it. `counts` and `difference` are the words of its kind."""

    id: int
    kind: str
    title: str
    status: ImportStatus
    file_name: str
    size: int
    sha256: str
    options: Mapping[str, Any]
    counts: Mapping[str, Any]
    difference: Mapping[str, Any]
    error_count: int
    warning_count: int
    job_id: int | None
    error: str
    owner_account_id: int | None
    owner_person_id: int | None
    owner_name: str
    created_at: datetime
    checked_at: datetime | None
    applied_at: datetime | None
    undone_at: datetime | None

    @property
    def owner(self) -> Actor:
        """Whose rights the import is checked by; without an owner it was brought on the command line."""
        is_system = self.owner_person_id is None and self.owner_account_id is None
        return Actor(self.owner_person_id, self.owner_account_id, self.owner_name, is_system=is_system)

    @property
    def is_busy(self) -> bool:
        return self.status in {ImportStatus.UPLOADED, ImportStatus.CHECKING, ImportStatus.APPLYING}
