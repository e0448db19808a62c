"""What a vendor does on its pages, for programs: enter an app, test it, ask for approval, see where it stands."""

import base64
import binascii
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Router, Schema, Status

from shuren.identity.api import actor_of
from shuren.interop.data import (
    AppCategory,
    AppStatus,
    ConformityRun,
    DataPurpose,
    DataWish,
    Decision,
    Entry,
    EventType,
    LaunchKind,
    RunStatus,
    VersionStatus,
)
from shuren.interop.models import App, AppVersion
from shuren.interop.rest.callers import ERRORS
from shuren.interop.selectors.apps import access_own_app, entry_of, latest_test, newest_version, own_apps, submissions_of
from shuren.interop.selectors.vendors import branches_to_ask, own_vendor
from shuren.interop.services.clients import draw_secret
from shuren.interop.services.conformity.service import start_conformity
from shuren.interop.services.review import submit_version, withdraw_submission
from shuren.interop.services.sandbox import make_sandbox
from shuren.interop.services.webhook_keys import rotate_webhook_key
from shuren.interop.services.write_entry import add_app, revise_entry
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound, Refused
from shuren.kernel.paging import SIZES, page_of
from shuren.standards.api import elements
from shuren.standards.data import Grade

router = Router(tags=["developer"])


class ElementOut(Schema):
    """A data element an app may ask for."""

    code: str
    name: str
    name_en: str
    grade: Grade


class BranchOut(Schema):
    """A branch that may be asked for approval."""

    id: str
    name: str


class WishIn(Schema):
    """One data element, what for, and why in at least five characters."""

    element: str
    purpose: DataPurpose
    reason: str


class EntryIn(Schema):
    """What an app says of itself; `icon` is a square PNG in base64, and left empty keeps the one at hand."""

    name: str
    name_en: str
    category: AppCategory
    description: str
    description_en: str
    kind: LaunchKind
    launch_url: str
    redirect_uris: list[str] = Field(default_factory=list)
    logout_url: str = ""
    webhook_url: str = ""
    privacy_url: str = ""
    privacy_text: str = ""
    serves_minors: bool = True
    scopes: list[str] = Field(default_factory=list)
    events: list[EventType] = Field(default_factory=list)
    wishes: list[WishIn] = Field(default_factory=list)
    icon: str = ""
    jwks_uri: str = ""


class StepOut(Schema):
    """One step of a conformity test: what we sent, what came back, and what to mend."""

    key: str
    is_passed: bool
    message: str
    remedy: str
    request: str
    response: str


class ConformityOut(Schema):
    """One run of the conformity test; `is_stale` when the entry was changed after it."""

    id: str
    status: RunStatus
    is_stale: bool
    started_at: datetime
    finished_at: datetime | None
    steps: list[StepOut]


class SubmissionOut(Schema):
    """A version laid before a branch; without `decision` it waits."""

    branch: str
    version: int
    submitted_at: datetime
    decision: Decision | None
    reason: str
    decided_at: datetime | None


class OwnAppOut(Schema):
    """Where an app stands: `is_listed` once a branch approved it; the newest version is what can be changed and tested."""

    id: str
    name: str
    status: AppStatus
    is_listed: bool
    version: int
    version_status: VersionStatus
    client_id: str
    sandbox_client_id: str


class OwnAppDetail(OwnAppOut):
    """An app with its newest entry, last test and submissions."""

    entry: EntryIn
    test: ConformityOut | None
    submissions: list[SubmissionOut]


class OwnAppPage(Schema):
    """One page of a vendor's apps, newest first."""

    rows: list[OwnAppOut]
    total: int
    is_exact: bool
    page: int


class AccountOut(Schema):
    """A synthetic person of the sandbox, with the password shown this once."""

    role: str
    name: str
    username: str
    password: str


class SecretOut(Schema):
    """Credentials shown this once; an LTI app has no secret, for it signs with its own key."""

    client_id: str
    client_secret: str


class KeyOut(Schema):
    """The key that signs messages to the app, shown this once."""

    key: str


@router.get(
    "/elements", response={200: list[ElementOut], **ERRORS}, operation_id="list_wishable_elements", summary="Data elements"
)
def list_elements(request: HttpRequest) -> list[ElementOut]:
    """What an app may ask for, with the grade that decides about consent."""
    _vendor_actor(request)
    return [ElementOut(code=row.code, name=row.name_zh, name_en=row.name_en, grade=row.grade) for row in elements()]


@router.get("/branches", response={200: list[BranchOut], **ERRORS}, operation_id="list_branches", summary="Branches that approve")
def list_branches(request: HttpRequest) -> list[BranchOut]:
    """Where a version may be laid before."""
    _vendor_actor(request)
    return [BranchOut(id=org.public_id, name=org.name) for org in branches_to_ask()]


@router.post("/sandbox", response={200: list[AccountOut], **ERRORS}, operation_id="open_sandbox", summary="Open the sandbox")
def open_sandbox(request: HttpRequest) -> list[AccountOut]:
    """Build the vendor's synthetic school where there is none, and give its people new passwords."""
    return [
        AccountOut(role=row.role, name=row.name, username=row.username, password=row.password)
        for row in make_sandbox(actor=_vendor_actor(request), now=clock.now())
    ]


@router.get("/apps", response={200: OwnAppPage, **ERRORS}, operation_id="list_own_apps", summary="Own apps")
def list_own_apps(request: HttpRequest, page: int = 1, size: int = 50) -> OwnAppPage:
    """The apps of the vendor the caller acts for."""
    rows = own_apps(actor=_vendor_actor(request), now=clock.now())
    found = page_of(rows, _out, number=max(1, page), size=min(max(1, size), SIZES[-1]))
    return OwnAppPage(rows=list(found.rows), total=found.total, is_exact=found.is_exact, page=found.number)


@router.post("/apps", response={201: OwnAppDetail, **ERRORS}, operation_id="add_own_app", summary="Enter an app")
def add_own_app(request: HttpRequest, sent: EntryIn) -> Status[OwnAppDetail]:
    """Enter a new app as a draft; 400 says every fault of the entry."""
    actor, now = _vendor_actor(request), clock.now()
    app_id = add_app(actor=actor, entry=_entry(sent, b""), now=now)
    return Status(201, _detail(access_own_app(actor=actor, id=app_id, now=now)))


@router.get("/apps/{app_id}", response={200: OwnAppDetail, **ERRORS}, operation_id="read_own_app", summary="Where an app stands")
def read_own_app(request: HttpRequest, app_id: str) -> OwnAppDetail:
    """404 for the app of another vendor."""
    return _detail(_own(request, app_id))


@router.put("/apps/{app_id}", response={200: OwnAppDetail, **ERRORS}, operation_id="revise_own_app", summary="Change the entry")
def revise_own_app(request: HttpRequest, app_id: str, sent: EntryIn) -> OwnAppDetail:
    """Change the draft, or begin the next version of a listed app; 409 while it is under review."""
    row = _own(request, app_id)
    newest = newest_version(row)
    entry = _entry(sent, bytes(newest.icon) if newest else b"")
    revise_entry(actor=actor_of(request), app_id=row.pk, entry=entry, now=clock.now())
    return _detail(_own(request, app_id))


@router.post(
    "/apps/{app_id}/secret", response={200: SecretOut, **ERRORS}, operation_id="draw_own_secret", summary="Draw a secret"
)
def draw_own_secret(request: HttpRequest, app_id: str, is_sandbox: bool = False) -> SecretOut:
    """A further secret of the app's client, or of its sandbox client; the older ones stay good for seven days."""
    row = _own(request, app_id)
    drawn = draw_secret(actor=actor_of(request), app_id=row.pk, is_sandbox=is_sandbox, now=clock.now())
    return SecretOut(client_id=drawn.client_id, client_secret=drawn.client_secret)


@router.post(
    "/apps/{app_id}/webhook-key", response={200: KeyOut, **ERRORS}, operation_id="make_webhook_key", summary="Make a key"
)
def make_webhook_key(request: HttpRequest, app_id: str) -> KeyOut:
    """A new key that signs messages; the older one signs beside it for 24 hours."""
    return KeyOut(key=rotate_webhook_key(actor=actor_of(request), app_id=_own(request, app_id).pk, now=clock.now()))


@router.post(
    "/apps/{app_id}/conformity",
    response={202: ConformityOut, **ERRORS},
    operation_id="start_conformity",
    summary="Start the test",
)
def start_test(request: HttpRequest, app_id: str) -> Status[ConformityOut]:
    """Test the newest version; ask `read_conformity` until it is no longer waiting. At most one in five seconds, else 409."""
    row = _own(request, app_id)
    issuer = str(settings.SHUREN_PUBLIC_URL) or request.build_absolute_uri("/").rstrip("/")
    start_conformity(actor=actor_of(request), app_id=row.pk, issuer=issuer, now=clock.now())
    return Status(202, _test_of(row))


@router.get(
    "/apps/{app_id}/conformity", response={200: ConformityOut, **ERRORS}, operation_id="read_conformity", summary="Read the test"
)
def read_test(request: HttpRequest, app_id: str) -> ConformityOut:
    """The last test of the newest version, step by step; 404 where it was never tested."""
    return _test_of(_own(request, app_id))


@router.post(
    "/apps/{app_id}/submissions/{branch_id}",
    response={200: OwnAppDetail, **ERRORS},
    operation_id="submit_own_app",
    summary="Ask for approval",
)
def submit_own_app(request: HttpRequest, app_id: str, branch_id: str) -> OwnAppDetail:
    """Lay the newest version before a branch; 409 unless its test has passed within 30 days."""
    row = _own(request, app_id)
    submit_version(actor=actor_of(request), app_id=row.pk, org_id=ids.decode("org", branch_id), now=clock.now())
    return _detail(_own(request, app_id))


@router.delete(
    "/apps/{app_id}/submissions", response={200: OwnAppDetail, **ERRORS}, operation_id="withdraw_own_app", summary="Take it back"
)
def withdraw_own_app(request: HttpRequest, app_id: str) -> OwnAppDetail:
    """Take every open submission back, so that the entry can be changed."""
    withdraw_submission(actor=actor_of(request), app_id=_own(request, app_id).pk, now=clock.now())
    return _detail(_own(request, app_id))


def _vendor_actor(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    if own_vendor(actor=actor, now=clock.now()) is None:
        raise Refused(_("您不是登记的应用服务商。"))
    return actor


def _own(request: HttpRequest, app_id: str) -> App:
    return access_own_app(actor=actor_of(request), id=ids.decode("app", app_id), now=clock.now())


def _entry(sent: EntryIn, icon: bytes) -> Entry:
    try:
        icon = base64.b64decode(sent.icon, validate=True) if sent.icon else icon
    except binascii.Error:
        raise Invalid(_("icon 不是 base64。")) from None
    facts = sent.dict(exclude={"icon", "wishes", "redirect_uris", "scopes", "events"})
    return Entry(
        **facts,
        redirect_uris=tuple(sent.redirect_uris),
        scopes=tuple(sent.scopes),
        events=tuple(sent.events),
        wishes=tuple(DataWish(wish.element, wish.purpose, wish.reason, Grade.PUBLIC) for wish in sent.wishes),
        icon=icon,
    )


def _facts(row: App, newest: AppVersion) -> dict[str, object]:
    return {
        "id": ids.encode("app", row.pk),
        "name": row.name,
        "status": AppStatus(row.status),
        "is_listed": row.listings.filter(ended_at__isnull=True).exists(),
        "version": newest.number,
        "version_status": VersionStatus(newest.status),
        "client_id": row.client_id or "",
        "sandbox_client_id": row.sandbox_client_id or "",
    }


def _newest(row: App) -> AppVersion:
    newest = newest_version(row)
    if newest is None:
        raise NotFound(_("没有找到这个应用。"))
    return newest


def _out(row: App) -> OwnAppOut:
    return OwnAppOut.model_validate(_facts(row, _newest(row)))


def _detail(row: App) -> OwnAppDetail:
    version = _newest(row)
    entry = entry_of(version)
    shown = {name: getattr(entry, name) for name in EntryIn.model_fields if name not in ("wishes", "icon")}
    shown["wishes"] = [{"element": wish.element, "purpose": wish.purpose, "reason": wish.reason} for wish in entry.wishes]
    test = latest_test(version.pk)
    return OwnAppDetail.model_validate(
        {
            **_facts(row, version),
            "entry": shown | {"icon": base64.b64encode(entry.icon).decode()},
            "test": _test(test, version.content_hash) if test else None,
            "submissions": [
                SubmissionOut(
                    branch=laid.org.name,
                    version=laid.version.number,
                    submitted_at=laid.submitted_at,
                    decision=Decision(laid.decision) if laid.decision else None,
                    reason=laid.reason,
                    decided_at=laid.decided_at,
                )
                for laid in submissions_of(row)
            ],
        }
    )


def _test_of(row: App) -> ConformityOut:
    version = newest_version(row)
    test = latest_test(version.pk) if version else None
    if version is None or test is None:
        raise NotFound(_("还没有做过符合性测试。"))
    return _test(test, version.content_hash)


def _test(test: ConformityRun, content_hash: str) -> ConformityOut:
    return ConformityOut(
        id=test.public_id,
        status=test.status,
        is_stale=test.content_hash != content_hash,
        started_at=test.started_at,
        finished_at=test.finished_at,
        steps=[StepOut.model_validate(step) for step in test.steps],
    )
