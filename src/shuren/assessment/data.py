"""Records of tests and responses that other apps may hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum

import numpy as np
import numpy.typing as npt

RESPONSES = "assessment.responses"


class Missing(IntEnum):
    """Why a cell of the response matrix holds no score."""

    NOT_ADMINISTERED = -1
    OMITTED = -2
    NOT_REACHED = -3


class AssessmentStatus(StrEnum):
    """A pending test is being imported for the first time and shown to nobody."""

    PENDING = "pending"
    READY = "ready"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ReportScale:
    """How abilities are told: mean and standard deviation of the scale, cut scores, and the levels they part.

    `levels` has one name more than there are `cuts`, lowest first.
    """

    mean: float = 500.0
    sd: float = 100.0
    cuts: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContextColumn:
    """A questionnaire variable: its name in the data, its wording, and what its values mean."""

    name: str
    label: str = ""
    values: str = ""


@dataclass(frozen=True, slots=True)
class AssessmentData:
    """A test that was held: what, where, when, and under which note it is shown.

    `population_note` says who took part and what is invented; `source_note` stands on every page that shows the data.
    `snapshot_id` names the state of its responses in the lake.
    """

    id: int
    public_id: str
    code: str
    name: str
    subjects: tuple[str, ...]
    grade: str
    held_date: date | None
    session: str
    org_id: int
    org_path: str
    is_simulated: bool
    source_note: str
    population_note: str
    scale: ReportScale
    status: AssessmentStatus
    pupils: int
    item_count: int
    booklets: tuple[str, ...]
    context: tuple[ContextColumn, ...]
    references: tuple[str, ...]
    snapshot_id: int | None
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class ItemData:
    """One scored question. `position` counts from 1 and is the column `r<position>` in the lake."""

    id: int
    code: str
    position: int
    label: str
    subject: str
    content_domain: str
    cognitive_domain: str
    knowledge_units: tuple[str, ...]
    max_score: int
    key: str


@dataclass(frozen=True, slots=True)
class ItemResult:
    """How an item went in the whole population; shares are weighted and between 0 and 1.

    `mean_share` is the mean score divided by the maximum among those who were given the item, omitted and not
    reached counting as 0; `discrimination` is the correlation with the mean share of the other items.
    """

    item: ItemData
    given: int
    answered: int
    omitted: int
    not_reached: int
    mean_share: float | None
    discrimination: float | None


@dataclass(frozen=True, slots=True)
class UnitCount:
    """How many pupils of one org took part."""

    org_id: int
    org_path: str
    level: str
    pupils: int


@dataclass(frozen=True, slots=True, eq=False)
class ResponseData:
    """Responses as arrays, one row per pupil in order of person id.

    `scores` is int8 (pupils × items): a score, or a `Missing` code. `booklets` indexes `booklet_names`. `context` is
    float32 (pupils × context columns), NaN where missing; `references` float64 likewise. Zones are 0 and reps 0 where
    the import gave none; districts are 0 where the tree has no such level.
    """

    assessment_id: int
    snapshot_id: int
    person_ids: npt.NDArray[np.int64]
    class_ids: npt.NDArray[np.int64]
    school_ids: npt.NDArray[np.int64]
    district_ids: npt.NDArray[np.int64]
    class_paths: Mapping[int, str]
    scores: npt.NDArray[np.int8]
    item_codes: tuple[str, ...]
    max_scores: npt.NDArray[np.int8]
    weights: npt.NDArray[np.float64]
    extra_weights: Mapping[str, npt.NDArray[np.float64]]
    zones: npt.NDArray[np.int16]
    reps: npt.NDArray[np.int8]
    booklets: npt.NDArray[np.int16]
    booklet_names: tuple[str, ...]
    context: npt.NDArray[np.float32]
    context_names: tuple[str, ...]
    references: npt.NDArray[np.float64]
    reference_names: tuple[str, ...]

    @property
    def pupils(self) -> int:
        return len(self.person_ids)
