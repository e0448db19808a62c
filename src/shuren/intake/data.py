"""Records of an import that other apps may hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
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


class RowPlace(NamedTuple):
    """Where a row stands in what was sent: `sheet` is empty for text, `row` as Excel counts."""

    file: str
    sheet: str
    row: int


class BadRow(NamedTuple):
    """A row that a check sets aside: as it stands in the file, with what was found in it and the unit it belongs to."""

    place: RowPlace
    header: tuple[str, ...]
    cells: tuple[str, ...]
    findings: tuple[Finding, ...]
    org_id: int | None = None
    org_path: str = ""


class QuarantineState(StrEnum):
    """What has become of a row in quarantine; `pending` is seen by nobody: its import is not applied yet."""

    PENDING = "pending"
    WAITING = "waiting"
    SETTLED = "settled"
    DISCARDED = "discarded"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class QuarantineReach:
    """Whose rows somebody sees: those of files they sent, of the kinds they may import, and those of their units.

    `paths` is by the kind and topic of the import: branches whose data the reader keeps. Of what they keep `everywhere` they see
    rows that name no unit, too.
    """

    account_id: int | None
    own_kinds: frozenset[str]
    paths: Mapping[tuple[str, str], tuple[str, ...]]
    everywhere: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class QuarantineQuery:
    """Which rows to list; what is empty is not asked."""

    kind: str = ""
    org_path: str = ""
    reason: str = ""
    import_id: int | None = None
    state: QuarantineState | None = QuarantineState.WAITING


@dataclass(frozen=True, slots=True)
class QuarantinedRowData:
    """A row in quarantine without what stands in it; `sent_import_id` is the last import that it was sent in with."""

    id: int
    public_id: str
    import_id: int
    kind: str
    topic: str
    org_id: int | None
    org_path: str
    place: RowPlace
    reason: str
    fault_count: int
    state: QuarantineState
    quarantined_at: datetime
    corrected_at: datetime | None
    kept_until: date
    sent_import_id: int | None
    end_reason: str


@dataclass(frozen=True, slots=True)
class RowContent:
    """What stands in a row in quarantine, unsealed."""

    header: tuple[str, ...]
    cells: tuple[str, ...]
    findings: tuple[Finding, ...]


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
    def quarantines(self) -> bool:
        """Whether whoever brought it wants the good rows taken and the others kept in quarantine."""
        return bool(self.options.get("quarantine"))

    @property
    def is_sent_again(self) -> bool:
        """Whether it brings rows out of quarantine: never a full list of anything."""
        return bool(self.options.get("resends"))

    @property
    def is_busy(self) -> bool:
        return self.status in {ImportStatus.UPLOADED, ImportStatus.CHECKING, ImportStatus.APPLYING}
