"""Records of the lake that other apps may hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """What a column holds: its data element, how carefully it is kept, and the mask (`MaskStyle`) of who may not see it.

    It is called by its title, or by the name of its element where it has none of its own.
    """

    element: str = ""
    grade: str = ""
    mask: str = ""
    title_zh: str = ""
    title_en: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether it says itself how carefully it is kept; what has a title only is as careful as it was without."""
        return bool(self.element or self.grade or self.mask)

    def with_defaults(self, *, grade: str, mask: str) -> "ColumnSpec":
        return replace(self, grade=self.grade or grade, mask=self.mask or mask)


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """What a dataset is: `<app>.<noun>`, the keys that cut it into partitions, and who answers for it.

    `grade` is L1 (public) … L4 (sensitive personal); `owner` names the app or office that answers for the data. Of
    `columns`, those with an element take grade and mask from it; a name with a `*` stands for a family, whose titles have
    `{}` where its members differ, and says nothing but titles. A row belongs to the org whose path stands in
    `scope_column`, or whose id stands in `org_column`. Pieces are compacted in order of `sort_by`; superseded snapshots stay
    readable for `keep_days`.
    """

    name: str
    partition_keys: tuple[str, ...]
    description: str
    grade: str
    owner: str
    columns: Mapping[str, ColumnSpec] = field(default_factory=dict, hash=False)
    scope_column: str = ""
    org_column: str = ""
    sort_by: tuple[str, ...] = ()
    keep_days: int = 0
    title_zh: str = ""
    title_en: str = ""

    def with_columns(self, columns: Mapping[str, ColumnSpec]) -> "DatasetSpec":
        return replace(self, columns=columns)

    def title(self, language: str) -> str:
        """What readers call it; one that nobody gave a title is called by the head of its description, or by its name."""
        own = self.title_en if language.startswith("en") else self.title_zh
        return own or self.title_zh or self.description.partition("：")[0] or self.name

    def titles_of(self, column: str) -> tuple[str, str]:
        """The titles of a column in Chinese and English, its own or its family's; empty where it has none."""
        own = self.columns.get(column)
        if own is not None:
            return own.title_zh, own.title_en
        nearest = max((name for name in self.columns if _is_of(column, name)), key=len, default="")
        if not nearest:
            return "", ""
        head, _star, tail = nearest.partition("*")
        told, rest = self.columns[nearest], column[len(head) : len(column) - len(tail)]
        return told.title_zh.replace("{}", rest), told.title_en.replace("{}", rest)


def _is_of(column: str, family: str) -> bool:
    head, star, tail = family.partition("*")
    return bool(star) and column.startswith(head) and column[len(head) :].endswith(tail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who asks the lake in their own words, as far as the lake must know.

    `scope` are branches by their paths; `is_region` sees every row. Columns graded above `highest_grade` are masked.
    `datasets` and `columns` (by dataset) are what was granted, everything where absent; `masks` has the `MaskStyle` of
    `<dataset>.<column>` where it differs from the element's.
    """

    scope: tuple[str, ...]
    purpose: str
    is_region: bool = False
    highest_grade: str = "L2"
    datasets: frozenset[str] | None = None
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)
    masks: Mapping[str, str] = field(default_factory=dict, hash=False)
    most_rows: int = 10_000
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One written state of one partition: immutable, readable by id until it is swept.

    `columns` maps each column to its Arrow type. A kept snapshot is never swept.
    """

    id: int
    dataset: str
    partition: Mapping[str, str]
    rows: int
    bytes: int
    sha256: str
    columns: Mapping[str, str]
    created_at: datetime
    is_current: bool
    superseded_at: datetime | None
    is_kept: bool


@dataclass(frozen=True, slots=True)
class PreparedPartition:
    """A file written into the lake that no reader sees yet; `file` is relative to the lake folder."""

    dataset: str
    partition: Mapping[str, str]
    file: str
    rows: int
    bytes: int
    sha256: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep removed."""

    snapshots: int
    files: int
    bytes: int


class QualityDimension(StrEnum):
    """What a rule looks at, in the words of GB/T 36344; the order in which pages show them."""

    COMPLETE = "complete"
    VALID = "valid"
    UNIQUE = "unique"
    CONSISTENT = "consistent"
    TIMELY = "timely"
    PLAUSIBLE = "plausible"


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRule:
    """One thing that rows of a dataset must keep to.

    `where` is what the rules of its file look at, and part of `when`. `when` and `holds` are conditions in SQL over the columns
    of one row: rows without `when` are not looked at, those where `holds` is not true have failed. A unique rule names
    `columns` whose value may belong to one `subject` only. A plausible rule names what is `measured` per unit and by which
    `share` it may differ from the run before; units with fewer than `least` rows, then and now, are not compared. `weight` is
    how much a failed row counts; rules of weight 0 only tell.
    """

    code: str
    dataset: str
    title_zh: str
    title_en: str
    dimension: QualityDimension
    where: str = ""
    when: str = ""
    holds: str = ""
    columns: tuple[str, ...] = ()
    subject: str = "id"
    measured: str = ""
    share: float = 0.0
    least: int = 0
    weight: float = 1.0
    element: str = ""
    remedy_zh: str = ""
    remedy_en: str = ""

    def title(self, language: str) -> str:
        return self.title_en if language.startswith("en") else self.title_zh

    def remedy(self, language: str) -> str:
        return self.remedy_en if language.startswith("en") else self.remedy_zh


@dataclass(frozen=True, slots=True)
class QualityTally:
    """What a rule found in one unit: rows looked at, and those of them that failed."""

    rule: str
    checked: int
    failed: int


class AssetKind(StrEnum):
    """What stands in the catalogue; the order in which pages show them."""

    TABLE = "table"
    DATASET = "dataset"
    FORM = "form"
    REGISTER = "register"
    FLOW = "flow"
    INDICATOR = "indicator"
    REPORT = "report"
    API = "api"
    FILE = "file"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class AssetRef:
    """How runs name an asset: its kind and its name there. What lies outside the house is named `<namespace>/<name>`."""

    kind: AssetKind
    name: str

    @property
    def key(self) -> str:
        return f"{self.kind.value}:{self.name}"


@dataclass(frozen=True, slots=True)
class AssetColumn:
    """One column, field, parameter or figure of an asset; `element` and `grade` are empty where nobody said."""

    name: str
    type: str = ""
    title_zh: str = ""
    title_en: str = ""
    element: str = ""
    grade: str = ""


@dataclass(frozen=True, slots=True)
class ColumnFlow:
    """Values that go from one place to another; empty columns mean the whole."""

    source: AssetRef
    target: AssetRef
    source_column: str = ""
    target_column: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """What an app says of one thing it keeps; `flows` are those that its definition states, not its runs."""

    kind: AssetKind
    name: str
    title_zh: str
    title_en: str = ""
    owner: str = ""
    grade: str = ""
    description: str = ""
    columns: tuple[AssetColumn, ...] = ()
    flows: tuple[ColumnFlow, ...] = ()

    @property
    def ref(self) -> AssetRef:
        return AssetRef(self.kind, self.name)


class RunState(StrEnum):
    """How a run stands, in the words of OpenLineage; `EVENT` is a job described without running."""

    START = "START"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    ABORT = "ABORT"
    FAIL = "FAIL"
    OTHER = "OTHER"
    EVENT = "EVENT"


class SubjectKind(StrEnum):
    """What a converged fact is about."""

    PERSON = "person"
    ORG = "org"


class TieRule(StrEnum):
    """What decides between values that one source told at the same moment."""

    AGREED = "agreed"
    FIRST = "first"


class Verdict(StrEnum):
    """Where a chosen value stands with its owner: nothing differs, something does, accepted, overruled."""

    AGREED = "agreed"
    OPEN = "open"
    ACCEPTED = "accepted"
    OVERRULED = "overruled"


@dataclass(frozen=True, slots=True)
class SourceRank:
    """A source in its place of a precedence; what it told holds for `valid_days`, or for ever."""

    source: str
    valid_days: int | None = None


@dataclass(frozen=True, slots=True)
class PrecedenceData:
    """The sources of an element in the order in which they are believed."""

    element: str
    sources: tuple[SourceRank, ...] = ()
    tie: TieRule = TieRule.AGREED
    revision: int = 0


@dataclass(frozen=True, slots=True)
class NewCandidate:
    """A value that a source tells of a subject; `evidence` says where it stands: an import, a message, a case."""

    subject_id: int
    value: str
    seen_at: datetime
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class CandidateData:
    """A candidate as rules weigh it: its value only as a digest."""

    id: int
    source: str
    digest: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ChoiceData:
    """Which candidate holds and by which rule; `evidence` has what was found of each, `values` how many differ."""

    candidate: CandidateData | None
    rule: str
    evidence: tuple[tuple[int, str, str, str], ...]
    values: int
    told: str


@dataclass(frozen=True, slots=True)
class QualityFinding:
    """What the rules that count found in the rows that one organisation holds itself, the worst first."""

    org_id: int
    tallies: tuple[QualityTally, ...]


class OpenShape(StrEnum):
    """What an open dataset holds: counts and means of groups, or one row per record."""

    GROUPS = "groups"
    RECORDS = "records"


class OpenTreatment(StrEnum):
    """What becomes of a column before it is opened; the order in which pages offer it."""

    EXACT = "exact"
    YEAR = "year"
    AGE_BAND = "age_band"
    BAND = "band"
    SCHOOL = "school"
    COUNTY = "county"
    CITY = "city"
    MEAN = "mean"


class OpenState(StrEnum):
    """Where a version of an open dataset stands."""

    DRAFT = "draft"
    WAITING = "waiting"
    REFUSED = "refused"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class OpenColumn:
    """A column of the dataset and what becomes of it."""

    name: str
    treatment: OpenTreatment


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeclaration:
    """All that may leave: the rows that meet `where`, these columns so treated, nothing else.

    With `suppresses` small groups are left out, and as many beside them as totals would betray. `epsilon`, a decimal
    number as text, adds noise to the counts; empty for none.
    """

    dataset: str
    columns: tuple[OpenColumn, ...]
    shape: OpenShape = OpenShape.GROUPS
    where: Mapping[str, str] = field(default_factory=dict, hash=False)
    suppresses: bool = False
    has_totals: bool = False
    epsilon: str = ""

    @property
    def grouped(self) -> tuple[OpenColumn, ...]:
        """The columns that make up groups or records."""
        return tuple(column for column in self.columns if column.treatment is not OpenTreatment.MEAN)

    @property
    def measured(self) -> tuple[OpenColumn, ...]:
        return tuple(column for column in self.columns if column.treatment is OpenTreatment.MEAN)


@dataclass(frozen=True, slots=True)
class OpenFacts:
    """A column as rules judge it: its Arrow type, grade and mask, and whether it says where a row belongs."""

    name: str
    kind: str
    grade: str
    mask: str = ""
    is_place: bool = False


@dataclass(frozen=True, slots=True)
class OpenRemedy:
    """What would help, and how many small groups would still be there; `action` is `drop`, `coarsen` or `suppress`."""

    action: str
    column: str
    small: int


@dataclass(frozen=True, slots=True)
class OpenCheck:
    """What the anonymity check found: counts alone, never a group itself.

    `small` groups have fewer than `k` rows or one value for all; `rows_small` rows lie in them. `hidden` groups are left
    out, those beside the small ones included.
    """

    is_passed: bool
    k: int
    groups: int
    rows: int
    small: int
    rows_small: int
    hidden: int
    remedies: tuple[OpenRemedy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWords:
    """What the public reads about an open dataset; `licence` is its SPDX id."""

    title_zh: str
    title_en: str
    description: str
    licence: str
    keywords: tuple[str, ...] = ()


class SharingAttribute(StrEnum):
    """How far a dataset is shared: with every unit that applies, with those whose application is approved, or with nobody."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    NONE = "none"


class SharingWay(StrEnum):
    """How a grant is used: rows over the API, the whole as a file, or questions in SQL."""

    API = "api"
    FILE = "file"
    QUERY = "query"


class ApplicationState(StrEnum):
    """Where an application for a dataset stands."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class SharedColumn:
    """A column as it may be applied for; `grade` and `mask` (`MaskStyle`) are its own, its element's or the dataset's."""

    name: str
    title_zh: str
    title_en: str
    element: str
    grade: str
    mask: str

    def title(self, language: str) -> str:
        return (self.title_en if language.startswith("en") else self.title_zh) or self.name


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a unit asks for and what an owner gives: rows of branches, ways, the last day, and columns with their `MaskStyle`."""

    masks: Mapping[str, str]
    org_ids: tuple[int, ...]
    ways: tuple[SharingWay, ...]
    ends_on: date


@dataclass(frozen=True, slots=True)
class SharedSource:
    """A dataset that already holds an element and may be applied for; `url` is where."""

    dataset: str
    title: str
    url: str


class NodeState(StrEnum):
    """Where another installation stands with us: known but not believed yet, believed, paused, over."""

    WAITING = "waiting"
    TRUSTED = "trusted"
    SUSPENDED = "suspended"
    ENDED = "ended"


class Carriage(StrEnum):
    """Who carries what goes between us and a node: we call it, it calls us, or a person carries files."""

    CALL = "call"
    WAIT = "wait"
    DROP = "drop"


class AgreementState(StrEnum):
    """Where an exchange agreement stands: one side has accepted, both have, one does not want it, or it is over."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    ENDED = "ended"


class PacketState(StrEnum):
    """Where a packet stands. The sender's: ready, acknowledged, refused, withdrawn. The receiver's: landed, refused."""

    READY = "ready"
    ACKNOWLEDGED = "acknowledged"
    LANDED = "landed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class PacketFault:
    """Why a packet was refused: the file in it, row (from 1) and column where they are known, the reason and the remedy."""

    file: str
    reason: str
    remedy: str
    row: int = 0
    column: str = ""


class ScheduleEvery(StrEnum):
    """How often a scheduled question is asked."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class LifeCycleStart(StrEnum):
    """What a time limit is counted from: the last day that a partition is about, or when it was written."""

    PARTITION = "partition"
    WRITTEN = "written"


class LifeCycleEnd(StrEnum):
    """What becomes of a partition when its time in use is over."""

    KEEP = "keep"
    ARCHIVE = "archive"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeCycle:
    """How long a dataset's partitions are used and archived, and by which law; days None for without end.

    `basis` names an entry of `rules.life_cycle.BASES`, `ground` is what the owner says of it. What `is_declared` False says
    follows from the grade: nothing is done by it before an owner has set it.
    """

    basis: str
    ground: str = ""
    counted_from: LifeCycleStart = LifeCycleStart.WRITTEN
    in_use_days: int | None = None
    then: LifeCycleEnd = LifeCycleEnd.KEEP
    archived_days: int | None = None
    is_declared: bool = False

    @property
    def total_days(self) -> int | None:
        """From the start to destruction; None where nothing is ever destroyed."""
        if self.then is LifeCycleEnd.KEEP or self.in_use_days is None:
            return None
        if self.then is LifeCycleEnd.DESTROY:
            return self.in_use_days
        return None if self.archived_days is None else self.in_use_days + self.archived_days


@dataclass(frozen=True, slots=True)
class LakeFile:
    """A file of the lake by its name there. It never changes, so that a copy of this name and length is the same."""

    file: str
    bytes: int
    written_at: datetime


class ArchiveState(StrEnum):
    """Where an archived partition stands; one that is `CALLED` waits to be put back, `RECALLED` is in use for a while."""

    ARCHIVED = "archived"
    CALLED = "called"
    RECALLED = "recalled"
    DESTROYED = "destroyed"


class DestructionState(StrEnum):
    """Where a destruction stands: drawn up, proposed by a first person, approved by a second, under way, certified."""

    PLANNED = "planned"
    PROPOSED = "proposed"
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"


class TlsMode(StrEnum):
    """How a front database is spoken to: encrypted and believed by its certificate, encrypted only, or in the open."""

    VERIFY = "verify"
    ENCRYPT = "encrypt"
    PLAIN = "plain"


class ViewRunKind(StrEnum):
    """Whether a turn lands what it reads, or only looks."""

    READ = "read"
    TRIAL = "trial"


class ViewRunState(StrEnum):
    """Where a turn of reading a view stands; one that is `HELD` waits until somebody confirms what changed."""

    OPEN = "open"
    LANDED = "landed"
    UNCHANGED = "unchanged"
    TRIED = "tried"
    HELD = "held"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    DROPPED = "dropped"


class ColumnKind(StrEnum):
    """What a column of a view holds, as far as it is taken into the lake."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    MOMENT = "moment"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewViewSource:
    """A view of a front database as an officer writes it down; an empty password keeps the one there is."""

    key: str
    title_zh: str
    title_en: str
    org_id: int
    host: str
    port: int
    database: str
    username: str
    password: str
    tls: TlsMode
    schema: str
    view: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewReading:
    """What is taken of a view: columns, those that make a row one, the growing one, the org's, and how often (0: when asked)."""

    taken: tuple[str, ...]
    keys: tuple[str, ...]
    cursor: str
    org: str
    every_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnWords:
    """What a column is in the lake: its name there, and its data element or else title, grade and mask."""

    lake: str
    element: str
    title_zh: str
    title_en: str
    grade: str
    mask: str
