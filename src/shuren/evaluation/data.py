"""Words and records of measurement runs and reports that other apps may hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class RunStatus(StrEnum):
    """Declared → running → done; a failed or cancelled run may be started again."""

    DECLARED = "declared"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Level(StrEnum):
    """The five levels a report is made for, outermost first."""

    CITY = "city"
    DISTRICT = "district"
    SCHOOL = "school"
    CLASS = "class"
    PUPIL = "pupil"


class DomainKind(StrEnum):
    """The two ways an item table sorts items into domains."""

    CONTENT = "content"
    COGNITIVE = "cognitive"


@dataclass(frozen=True, slots=True)
class Domain:
    """A group of items that is reported on its own; `key` is unique within a run, e.g. ``content:数``."""

    kind: DomainKind
    name: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class Cut:
    """The lowest score of a level; the level below the first cut has no cut of its own."""

    score: float
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How measured ability becomes a reported score.

    `method` is ``declared`` (population mean and sd become `mean` and `sd`), ``reference`` (mean and sd of the
    reference plausible values) or ``anchor`` (linked to run `anchor_run_id` by their common items). Runs that share
    `key` may be compared over years.
    """

    method: str = "declared"
    mean: float = 500.0
    sd: float = 100.0
    cuts: tuple[Cut, ...] = ()
    lowest_name: str = ""
    anchor_run_id: int | None = None
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published population mean with its standard error, and how far rounding lets a recomputation lie from them."""

    name: str
    mean: float
    se: float
    mean_within: float = 0.6
    se_within: float = 0.15


# Means of Austria, grade 4, in the TIMSS 2011 international reports, by stem of the plausible values' columns.
TIMSS_2011_AUSTRIA = {
    "ASMMAT": Published(name="TIMSS 2011 mathematics, grade 4", mean=508.0, se=2.6),
    "ASSSCI": Published(name="TIMSS 2011 science, grade 4", mean=532.0, se=2.8),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """Everything that decides a run's numbers; stored as canonical JSON and hashed.

    `snapshots` are the lake snapshots read, `conditioning` the context columns in the latent regression (besides the
    school), `contrasts` the context columns by which city and district reports compare groups,
    `reference` the official plausible values of the run's own subject, `published` the means to check them against, by
    the columns' name without its number.
    """

    title: str
    programme: str
    assessment_ids: tuple[int, ...]
    org_id: int
    snapshots: Mapping[str, str]
    models: Mapping[str, str]
    scale: Scale
    omitted_as: str = "wrong"
    not_reached_in_calibration: str = "missing"
    not_reached_in_scoring: str = "wrong"
    conditioning: tuple[str, ...] = ()
    condition_on_school: bool = True
    contrasts: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    seed: int = 20110501
    plausible_values: int = 5
    minimum_group: int = 10
    published: Mapping[str, Published] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunState:
    """A run as pages and other apps see it; `certificate` is filled once it is done."""

    id: int
    public_id: str
    title: str
    programme: str
    assessment_id: int
    org_id: int
    org_path: str
    status: RunStatus
    declaration_hash: str
    declaration: Mapping[str, object]
    certificate: Mapping[str, object]
    held_date: date | None
    is_simulated: bool
    source_note: str
    job_id: int | None
    error: str
    declared_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReleasedRun:
    """A finished run as those see it who hand its scores on: it never changes again.

    `levels` are the names of its levels with the score from which each begins, lowest first and without a score.
    """

    id: int
    public_id: str
    title: str
    source_note: str
    held_date: date | None
    is_simulated: bool
    org_path: str
    finished_at: datetime
    levels: tuple[tuple[str, float | None], ...]


@dataclass(frozen=True, slots=True)
class ReleasedClass:
    """A class of which a finished run has scores."""

    run_id: int
    class_id: int
    class_path: str


@dataclass(frozen=True, slots=True)
class TruthRow:
    """One line of the truth check: what, what was published, what this run found, the bar and whether it holds."""

    key: str
    what: str
    published: str
    found: str
    bar: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of the way from the run's population down to the unit shown; no url where the reader may not go."""

    label: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A report ready to be drawn in any form: `body` follows the schema in docs/apps/evaluation.md."""

    run: RunState
    level: Level
    unit_id: int
    unit_public_id: str
    unit_name: str
    crumbs: tuple[Crumb, ...]
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ReportLink:
    """A report somebody may open, for homes and search."""

    title: str
    url: str
    level: Level
    unit_name: str
    held_date: date | None
    is_simulated: bool
