"""Records of accounts, credentials and sign-ins that other apps may hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shuren.directory.data import Permission, Role


@dataclass(frozen=True, slots=True)
class AccountData:
    """An account without its password; `is_usable` tells whether credentials were ever handed out."""

    id: int
    person_id: int | None
    username: str
    is_active: bool
    is_usable: bool
    must_change_password: bool
    locked_until: datetime | None
    last_sign_in_at: datetime | None
    language: str
    sleep_reason: "SleepReason | None" = None


class SleepReason(StrEnum):
    """Why an account sleeps: its person belongs nowhere any more or was erased, it was unused or merged, or stopped.

    HELD was stopped by an officer, and only by hand is it let go; SUSPENDED by the system that provisions it.
    """

    LEFT = "left"
    UNUSED = "unused"
    HELD = "held"
    SUSPENDED = "suspended"
    MERGED = "merged"
    ERASED = "erased"


class AccountState(StrEnum):
    """What a list of accounts is narrowed to."""

    ASLEEP = "asleep"
    NEVER_HANDED_OUT = "never_handed_out"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """Somebody in a list of accounts, and where they belong; `account` is None until they have one."""

    person_id: int
    name: str
    number: str
    org_name: str
    account: AccountData | None


@dataclass(frozen=True, slots=True)
class Slip:
    """Credentials as handed to a person once: `password` is kept nowhere and must be changed at the first sign-in."""

    person_id: int
    number: str
    name: str
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class BindingSlip:
    """Binding codes as handed to a pupil's parents once; `codes` are kept as hashes only."""

    person_id: int
    public_id: str
    name: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Binding:
    """What a right code leads to: the child, and until when the code is good."""

    code_id: int
    ward_id: int
    ward_name: str
    expires_at: datetime


class Recipients(StrEnum):
    """Whom a batch of first passwords is for."""

    PUPILS = "pupils"
    PARENTS = "parents"
    STAFF = "staff"


class BatchReach(StrEnum):
    """Who among them: those nobody ever gave a password, those who never came in, or everybody anew."""

    NEW = "new"
    UNUSED = "unused"
    ALL = "all"


class SlipForm(StrEnum):
    """On what paper: a folded, sealed sheet for each person, or strips to cut, eight on a page."""

    ENVELOPES = "envelopes"
    SLIPS = "slips"


class LeftOutReason(StrEnum):
    """Why somebody gets no password from this person."""

    SELF = "self"
    OUTSIDE = "outside"
    WIDER_DUTIES = "wider_duties"
    HELD = "held"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchData:
    """First passwords for a branch. `people` have one now, `skipped` needed none, `left_out` may not get one from the asker."""

    id: int
    public_id: str
    org_id: int
    recipients: tuple[Recipients, ...]
    reach: BatchReach
    form: SlipForm
    files: int
    waiting: int
    people: int
    skipped: int
    left_out: int
    job_id: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFileData:
    """A sealed file of a batch: it waits until it is taken once, or until `kept_until`."""

    id: int
    public_id: str
    org_name: str
    part: int
    people: int
    size: int
    made_at: datetime
    kept_until: datetime
    taken_at: datetime | None
    purged_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutData:
    """Somebody a batch gave nothing to, and why."""

    name: str
    number: str
    org_name: str
    reason: LeftOutReason


class SignInMethod(StrEnum):
    """What somebody showed to come in; `rules.factors.amr_of` says it in the words of RFC 8176."""

    PASSWORD = "password"  # noqa: S105  # the word, not one
    PASSKEY = "passkey"
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"
    SMS_CODE = "sms_code"
    EMAIL_CODE = "email_code"
    QR = "qr"
    PICTURE = "picture"
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    WECHAT = "wechat"
    CERTIFICATE = "certificate"
    UPSTREAM = "upstream"


class Assurance(StrEnum):
    """How sure a sign-in is, weakest first: a picture password, one factor, two, or a key that cannot be copied."""

    WEAK = "weak"
    SINGLE = "single"
    MULTI = "multi"
    CRYPTOGRAPHIC = "cryptographic"


class Requirement(StrEnum):
    """What a role must show beyond its first factor, weakest first; `RISK` asks only when something is unusual."""

    RISK = "risk"
    SECOND = "second"
    CRYPTOGRAPHIC = "cryptographic"


class Purpose(StrEnum):
    """What is sensitive enough to ask who is there once more."""

    ISSUE_CREDENTIALS = "issue_credentials"
    REVEAL = "reveal"
    GRANT = "grant"
    EXPORT = "export"
    FACTORS = "factors"
    SIGN_IN_POLICY = "sign_in_policy"
    CONNECTIONS = "connections"
    SCREEN = "screen"


class RiskReason(StrEnum):
    """What was unusual about a sign-in."""

    NEW_DEVICE = "new_device"
    NEW_NETWORK = "new_network"
    MANY_FAILURES = "many_failures"
    IMPOSSIBLE_SPEED = "impossible_speed"


class RiskDecision(StrEnum):
    ALLOW = "allow"
    STEP_UP = "step_up"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Visit:
    """From where somebody knocks: network address, browser, and the token of the browser's device cookie, if any.

    `mark` tells browsers behind one school's address apart that nobody came in by yet (see `views.door_cookie`).
    """

    address: str = ""
    agent: str = ""
    device: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What an account showed and when: kept in the session, told to apps as `amr` and `auth_time`."""

    account_id: int
    methods: tuple[SignInMethod, ...]
    assurance: Assurance
    at: datetime
    sign_in_id: int | None = None


@dataclass(frozen=True, slots=True)
class HeldFactors:
    """The second factors of an account; `codes_left` counts unused recovery codes."""

    passkeys: int = 0
    has_totp: bool = False
    codes_left: int = 0

    @property
    def has_second(self) -> bool:
        return self.passkeys > 0 or self.has_totp


class SignInRefusal(StrEnum):
    """Why a sign-in was refused, as far as the person may know."""

    WRONG = "wrong"
    LOCKED = "locked"
    TOO_MANY = "too_many"
    RISKY = "risky"
    INACTIVE = "inactive"
    ASLEEP = "asleep"


@dataclass(frozen=True, slots=True)
class SignInOutcome:
    """Either the account that may come in, or the refusal; `until` is when a locked door opens again."""

    account_id: int | None
    refusal: SignInRefusal | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignInData:
    """One place where an account is signed in."""

    id: int
    public_id: str
    address: str
    agent: str
    begun_at: datetime
    seen_at: datetime
    is_current: bool
    methods: tuple[SignInMethod, ...] = ()
    place: str = ""
    risks: tuple[RiskReason, ...] = ()


@dataclass(frozen=True, slots=True)
class Hat:
    """A role the signed-in person may choose; `org_id` is the first org it comes from, None for guardians."""

    role: Role
    org_id: int | None
    org_name: str


@dataclass(frozen=True, slots=True)
class Wardrobe:
    """What the signed-in person may be and do: kept in the session for some minutes, for menus only.

    Access itself is always decided afresh by `directory.scope_of`. `trail` is the way from the root to the org of the
    first hat worn; where the person may not look, the id is None.
    """

    hats: tuple[Hat, ...] = ()
    permissions: frozenset[Permission] = frozenset()
    trail: tuple[tuple[int | None, str], ...] = ()


class GrantType(StrEnum):
    """How a client may come by a token (RFC 6749, RFC 8628); implicit and password grants do not exist here."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105  # the name of a grant
    CLIENT_CREDENTIALS = "client_credentials"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class ClientAuth(StrEnum):
    """How a client proves itself at the token endpoint (OpenID Connect Core 9); exactly the registered way is taken."""

    NONE = "none"
    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    PRIVATE_KEY_JWT = "private_key_jwt"


class SubjectType(StrEnum):
    """Whether apps that compare notes see one `sub` or each their own (OpenID Connect Core 8)."""

    PUBLIC = "public"
    PAIRWISE = "pairwise"


class ClientStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient:
    """A client to be registered; the names are those of RFC 7591.

    `org_id` bounds what the client reaches in its own name. `sector` is the host its pairwise subjects are made for,
    taken from the redirect addresses when empty. `purpose` is what consents are asked for. Only an installation's own
    services are first-party: nobody is asked before data goes to them. A governed client belongs to an app of the
    register, which says each time whether it may.
    """

    name: str
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: frozenset[GrantType] = frozenset({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN})
    scopes: frozenset[str] = frozenset({"openid"})
    auth: ClientAuth = ClientAuth.BASIC
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str = ""
    subject_type: SubjectType = SubjectType.PAIRWISE
    sector: str = ""
    is_first_party: bool = False
    org_id: int | None = None
    backchannel_logout_uri: str = ""
    id_token_alg: str = "RS256"  # noqa: S105  # names an algorithm
    purpose: str = "sign_in"
    is_governed: bool = False


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """What the owner of a client is told once: `client_secret` is kept as a hash only; empty where none is used."""

    id: int
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientData:
    """A client as other apps and pages see it."""

    id: int
    public_id: str
    client_id: str
    name: str
    status: ClientStatus
    auth: ClientAuth
    grant_types: frozenset[GrantType]
    scopes: frozenset[str]
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    jwks: Mapping[str, Any] | None
    jwks_uri: str
    subject_type: SubjectType
    sector: str
    is_first_party: bool
    org_id: int | None
    backchannel_logout_uri: str
    id_token_alg: str
    purpose: str
    is_governed: bool
    created_at: datetime


class AppFault(StrEnum):
    """Why an app is not let in: it was stopped or taken off the list, this person's school did not choose it, too many calls."""

    STOPPED = "stopped"
    NOT_CHOSEN = "not_chosen"
    OVER_QUOTA = "over_quota"


@dataclass(frozen=True, slots=True)
class AppRefusal:
    """An app that may not now; `retry_after` are the seconds after which an exhausted quota opens again."""

    fault: AppFault
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who calls with an access token: an app in its own name (`person_id` and `account_id` None) or for a person."""

    client_id: str
    name: str
    scopes: frozenset[str]
    person_id: int | None
    account_id: int | None
    org_id: int | None
    expires_at: datetime
    is_first_party: bool = False
    purpose: str = "sign_in"
