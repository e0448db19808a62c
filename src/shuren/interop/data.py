"""Words and records of the open application interface that other apps may hold."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from shuren.standards.data import Grade


class VendorStatus(StrEnum):
    """Where a vendor stands; only an approved one may enter apps."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"


class AppCategory(StrEnum):
    """The eight classes of the eduyun application access specification, in its order."""

    LESSON_PREPARATION = "lesson_preparation"
    INTERACTIVE_CLASSROOM = "interactive_classroom"
    COLLABORATION = "collaboration"
    ONLINE_COURSE = "online_course"
    ONLINE_RESEARCH = "online_research"
    HOMEWORK_ASSESSMENT = "homework_assessment"
    DIGITAL_LIBRARY = "digital_library"
    LANGUAGE_LEARNING = "language_learning"


class LaunchKind(StrEnum):
    """How somebody comes from the portal into the app."""

    OIDC = "oidc"
    CAS = "cas"
    SAML = "saml"
    LTI = "lti"


class AppStatus(StrEnum):
    """Whether an app may be used at all; what schools may choose is said by its listings."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    LEAVING = "leaving"
    DELISTED = "delisted"


class VersionStatus(StrEnum):
    """The state of one version of an app's entry."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    REFUSED = "refused"
    APPROVED = "approved"
    SUPERSEDED = "superseded"


class Decision(StrEnum):
    """What a reviewing officer decides."""

    APPROVE = "approve"
    RETURN = "return"
    REFUSE = "refuse"


class DataPurpose(StrEnum):
    """What an app wants data for; each wanted element names one."""

    SIGN_IN = "sign_in"
    TEACHING = "teaching"
    ASSESSMENT = "assessment"
    MANAGEMENT = "management"
    STATISTICS = "statistics"


class DeliveryStatus(StrEnum):
    """The state of one webhook message."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    DROPPED = "dropped"


class EventType(StrEnum):
    """What a webhook may tell; payloads hold ids only."""

    PERSON_CHANGED = "person.changed"
    PERSON_MERGED = "person.merged"
    PERSON_ERASED = "person.erased"
    ORG_CHANGED = "org.changed"
    ROSTER_APPLIED = "roster.applied"
    CONSENT_GIVEN = "consent.given"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    APP_INSTALLED = "app.installed"
    APP_REMOVED = "app.removed"
    APP_RESUMED = "app.resumed"
    PING = "ping"


# Told to every app whether it asked or not: it must stop using the data, or must know that it stands still.
MANDATORY_EVENTS = frozenset({EventType.CONSENT_WITHDRAWN, EventType.PERSON_ERASED, EventType.APP_RESUMED, EventType.PING})


class RunStatus(StrEnum):
    """The state of one conformity test."""

    WAITING = "waiting"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who asks to become a vendor: the enterprise, and the person who speaks for it."""

    name: str
    credit_code: str
    contact_name: str
    email: str
    phone: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True)
class VendorData:
    """A vendor as officers and its own people see it."""

    id: int
    public_id: str
    name: str
    credit_code: str
    contact_name: str
    email: str
    phone: str
    website: str
    status: VendorStatus
    org_id: int
    org_path: str
    is_email_checked: bool
    registered_at: datetime
    decided_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class DataWish:
    """One data element an app asks for, what for and why; `grade` is the element's in the registry."""

    element: str
    purpose: DataPurpose
    reason: str
    grade: Grade


@dataclass(frozen=True, slots=True)
class Entry:
    """What an app's entry says of itself. Addresses are absolute; `icon` is a PNG."""

    name: str
    name_en: str
    category: AppCategory
    description: str
    description_en: str
    kind: LaunchKind
    launch_url: str
    redirect_uris: tuple[str, ...] = ()
    logout_url: str = ""
    webhook_url: str = ""
    privacy_url: str = ""
    privacy_text: str = ""
    serves_minors: bool = True
    scopes: tuple[str, ...] = ()
    events: tuple[EventType, ...] = ()
    wishes: tuple[DataWish, ...] = ()
    icon: bytes = b""
    jwks_uri: str = ""


@dataclass(frozen=True, slots=True)
class VersionData:
    """One version of an app's entry."""

    id: int
    public_id: str
    app_id: int
    number: int
    status: VersionStatus
    entry: Entry
    content_hash: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class AppData:
    """An app as other apps see it: who offers it, how it is launched, whether it may run."""

    id: int
    public_id: str
    vendor_id: int
    vendor_name: str
    name: str
    name_en: str
    category: AppCategory
    kind: LaunchKind
    status: AppStatus
    client_id: str
    version_id: int | None
    launch_url: str
    quota_per_minute: int
    quota_per_day: int
    status_reason: str = ""
    leaves_on: date | None = None
    is_sandbox: bool = False

    @property
    def is_running(self) -> bool:
        return self.status in (AppStatus.ACTIVE, AppStatus.LEAVING)


@dataclass(frozen=True, slots=True)
class ListingData:
    """An app that may be chosen anywhere in the branch of `org_path`."""

    id: int
    app_id: int
    version_id: int
    org_id: int
    org_path: str
    listed_at: datetime


@dataclass(frozen=True, slots=True)
class InstallationData:
    """An app that an org has chosen, for itself and everything below it; `version_id` is the entry it agreed to."""

    id: int
    app_id: int
    version_id: int
    org_id: int
    org_path: str
    chosen_at: datetime


@dataclass(frozen=True, slots=True)
class Allowance:
    """The answer to one counted call: whether it may pass, and if not, when to try again (whole seconds)."""

    is_allowed: bool
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of a conformity test: what we sent, what came back, and what to mend."""

    key: str
    is_passed: bool
    message: str
    remedy: str = ""
    request: str = ""
    response: str = ""


@dataclass(frozen=True, slots=True)
class ConformityRun:
    """One run of the conformity test against one version of an entry."""

    id: int
    public_id: str
    version_id: int
    status: RunStatus
    content_hash: str
    started_at: datetime
    finished_at: datetime | None
    steps: tuple[StepResult, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class DeliveryData:
    """One webhook message as the log shows it."""

    id: int
    public_id: str
    message_id: str
    event: EventType
    subject: str
    status: DeliveryStatus
    attempts: int
    answer: int | None
    error: str
    created_at: datetime
    next_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class UsageDay:
    """How an app was used on one day; `p95_ms` is the upper edge of the class in which the 95th percentile lies."""

    day: date
    calls: int
    errors: int
    refused: int
    users: int
    launches: int
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class SandboxAccount:
    """One synthetic person of a vendor's sandbox, with a password shown once."""

    role: str
    name: str
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Secret:
    """Credentials shown once: an OAuth client and its secret, or a webhook key."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class ChildUse:
    """One app that may receive data of a child: which elements, what for, and which need the guardian's consent."""

    app: AppData
    org_id: int
    wishes: tuple[DataWish, ...]
    needs_consent: bool


class Seat(StrEnum):
    """How a person sits in a class, for the tools used there."""

    TEACHER = "teacher"
    PUPIL = "pupil"


class ActivityProgress(StrEnum):
    """How far a pupil is with a task (LTI-AGS 2.0, 3.4.4)."""

    INITIALIZED = "Initialized"
    STARTED = "Started"
    IN_PROGRESS = "InProgress"
    SUBMITTED = "Submitted"
    COMPLETED = "Completed"


class GradingProgress(StrEnum):
    """How far the marking is; only a fully graded score is final (LTI-AGS 2.0, 3.4.5)."""

    FULLY_GRADED = "FullyGraded"
    PENDING = "Pending"
    PENDING_MANUAL = "PendingManual"
    FAILED = "Failed"
    NOT_READY = "NotReady"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLink:
    """A place in a class from which a tool opens: the resource link of LTI 1.3. `url` may be empty: the tool's own."""

    id: int
    public_id: str
    app_id: int
    class_id: int
    title: str
    text: str
    url: str
    custom: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLineItem:
    """A column of scores as a tool describes it; the names are those of LTI-AGS 2.0."""

    label: str
    score_maximum: float
    resource_id: str = ""
    tag: str = ""
    link_id: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItemData(NewLineItem):
    """A column of scores that stands."""

    id: int
    public_id: str
    class_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a tool says of one pupil at one time; `given` of `maximum`, both None where nothing is scored yet."""

    subject: str
    given: float | None
    maximum: float | None
    comment: str
    activity: ActivityProgress
    grading: GradingProgress
    scored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultData:
    """The state of one pupil in one column, `score` on the scale of the column and final only where `grading` says so."""

    line_item_id: int
    person_id: int
    score: float | None
    comment: str
    activity: ActivityProgress
    grading: GradingProgress
    scored_at: datetime


class SourceMode(StrEnum):
    """What becomes of a roster taken from a source once its check found no fault."""

    TRIAL = "trial"
    ASK = "ask"
    APPLY = "apply"


class PullKind(StrEnum):
    """Everything, so that what is missing has left; or what changed since the turn before."""

    FULL = "full"
    DELTA = "delta"


class PullStatus(StrEnum):
    """Where a turn of taking a roster stands; the first four are under way."""

    FETCHING = "fetching"
    CHECKING = "checking"
    WAITING = "waiting"
    APPLYING = "applying"
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    TRIED = "tried"
    REFUSED = "refused"
    FAILED = "failed"
    DROPPED = "dropped"
    UNDONE = "undone"


class Resource(StrEnum):
    """The collections of a OneRoster service that a roster is made of, in the order in which they are read."""

    ORGS = "orgs"
    SESSIONS = "academicSessions"
    COURSES = "courses"
    CLASSES = "classes"
    USERS = "users"
    DEMOGRAPHICS = "demographics"
    ENROLLMENTS = "enrollments"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRosterSource:
    """What an officer writes down about a source; an empty `secret` keeps the one there is.

    `takes` names collections beside orgs and users; every `hours` (0: only when asked) a turn, after `full_days` a full one.
    """

    name: str
    org_id: int
    address: str
    token_address: str
    client_id: str
    secret: str
    scope: str
    takes: frozenset[Resource]
    is_same_top: bool
    mode: SourceMode
    hours: int
    full_days: int


class ReportState(StrEnum):
    """Where a statistics form of a unit is; from `SUBMITTED` on it counts above, and `FROZEN` ones never change again."""

    DRAFT = "draft"
    RETURNED = "returned"
    SUBMITTED = "submitted"
    FROZEN = "frozen"
