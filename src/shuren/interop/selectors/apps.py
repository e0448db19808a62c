"""Apps: as their vendor sees them, as a reviewing officer sees them, and what an org may choose and has chosen."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.interop.data import (
    AppCategory,
    AppData,
    AppStatus,
    ConformityRun,
    DataPurpose,
    DataWish,
    Entry,
    EventType,
    InstallationData,
    LaunchKind,
    ListingData,
    RunStatus,
    StepResult,
    VersionData,
    VersionStatus,
)
from shuren.interop.models import App, AppVersion, ConformityTest, Installation, Listing, Submission
from shuren.interop.selectors.vendors import own_vendor
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import path_q
from shuren.standards.data import Grade

# What no decision needs, and what is long.
HEAVY = ("app__current__icon", "app__current__privacy_text", "version__icon", "version__privacy_text")


def app_data(row: App, draft: AppVersion | None = None) -> AppData:
    """Needs `vendor` and `current` at hand; an app without a current version says its name, or what stands in `draft`."""
    shown = row.current or draft
    return AppData(
        id=row.pk,
        public_id=ids.encode("app", row.pk),
        vendor_id=row.vendor_id,
        vendor_name=row.vendor.name,
        name=shown.name if shown else row.name,
        name_en=shown.name_en if shown else row.name,
        category=AppCategory(shown.category) if shown else AppCategory.LESSON_PREPARATION,
        kind=LaunchKind(shown.kind) if shown else LaunchKind.OIDC,
        status=AppStatus(row.status),
        client_id=row.client_id or "",
        version_id=row.current_id,
        launch_url=shown.launch_url if shown else "",
        quota_per_minute=row.quota_per_minute,
        quota_per_day=row.quota_per_day,
        status_reason=row.status_reason,
        leaves_on=row.leaves_on,
    )


def newest_version(app: App) -> AppVersion | None:
    """The version its vendor works on: the draft, else the last one laid before an officer."""
    return app.versions.order_by("-number").first()


def _apps() -> QuerySet[App]:
    return App.objects.select_related("vendor", "current").defer("current__icon", "current__privacy_text")


def entry_of(version: AppVersion) -> Entry:
    wishes = tuple(
        DataWish(row.element, DataPurpose(row.purpose), row.reason, Grade(row.grade))
        for row in version.wishes.order_by("element", "purpose")
    )
    return Entry(
        name=version.name,
        name_en=version.name_en,
        category=AppCategory(version.category),
        description=version.description,
        description_en=version.description_en,
        kind=LaunchKind(version.kind),
        launch_url=version.launch_url,
        redirect_uris=tuple(version.redirect_uris),
        logout_url=version.logout_url,
        webhook_url=version.webhook_url,
        privacy_url=version.privacy_url,
        privacy_text=version.privacy_text,
        serves_minors=version.serves_minors,
        scopes=tuple(version.scopes),
        events=tuple(map(EventType, version.events)),
        wishes=wishes,
        icon=bytes(version.icon),
        jwks_uri=version.jwks_uri,
    )


def version_data(version: AppVersion) -> VersionData:
    return VersionData(
        id=version.pk,
        public_id=ids.encode("app_version", version.pk),
        app_id=version.app_id,
        number=version.number,
        status=VersionStatus(version.status),
        entry=entry_of(version),
        content_hash=version.content_hash,
        changed_at=version.changed_at,
    )


def access_own_app(*, actor: Actor, id: int, now: datetime) -> App:
    """An app of the vendor `actor` acts for; another vendor's answers `NotFound`."""
    vendor = own_vendor(actor=actor, now=now)
    row = _apps().filter(pk=id, vendor=vendor).first() if vendor else None
    if row is None:
        raise NotFound(_("没有找到这个应用。"))
    return row


def own_apps(*, actor: Actor, now: datetime) -> QuerySet[App]:
    vendor = own_vendor(actor=actor, now=now)
    return _apps().filter(vendor=vendor).order_by("-id") if vendor else App.objects.none()


def access_app(*, actor: Actor, id: int, permission: Permission, now: datetime) -> App:
    """An app submitted to, listed or chosen in a branch where `actor` holds `permission`; otherwise `NotFound`.

    For `CHOOSE_APPS` it is enough that a branch above lists it.
    """
    scope = directory.scope_of(actor=actor, permission=permission, now=now)
    row = _apps().filter(pk=id).first()
    if row is None or scope.is_empty or not _stands_in(row, scope.paths, permission):
        raise NotFound(_("没有找到这个应用。"))
    return row


def _stands_in(row: App, paths: tuple[str, ...], permission: Permission) -> bool:
    if Installation.objects.filter(path_q("org_path", paths), app=row, ended_at__isnull=True).exists():
        return True
    if permission is Permission.CHOOSE_APPS:
        return any(Listing.objects.filter(app=row, ended_at__isnull=True, org_id__in=chain_of(path)).exists() for path in paths)
    listed = Listing.objects.filter(path_q("org_path", paths), app=row).exists()
    return listed or Submission.objects.filter(path_q("org_path", paths), version__app=row).exists()


def chain_of(path: str) -> list[int]:
    """The ids of the orgs on the way to `path`, itself last."""
    return [int(part) for part in path.split("/") if part]


def app_of_client(client_id: str) -> AppData | None:
    """The app an OAuth client belongs to, in one indexed query; the sandbox's client is told apart by `is_sandbox`."""
    if not client_id:
        return None
    row = _apps().filter(Q(client_id=client_id) | Q(sandbox_client_id=client_id)).first()
    if row is None:
        return None
    found = app_data(row)
    if row.sandbox_client_id != client_id:
        return found
    return AppData(**{name: getattr(found, name) for name in found.__slots__} | {"is_sandbox": True, "client_id": client_id})


def apps_by_ids(app_ids: Iterable[int]) -> dict[int, AppData]:
    return {row.pk: app_data(row) for row in _apps().filter(pk__in=sorted(set(app_ids)))}


def installation_data(row: Installation) -> InstallationData:
    return InstallationData(
        id=row.pk,
        app_id=row.app_id,
        version_id=row.version_id,
        org_id=row.org_id,
        org_path=row.org_path,
        chosen_at=row.chosen_at,
    )


def installations_at(paths: Iterable[str]) -> list[Installation]:
    """What is chosen at or above any of `paths`, apps at hand; one indexed query."""
    wanted = {org_id for path in paths for org_id in chain_of(path)}
    rows = Installation.objects.filter(org_id__in=wanted, ended_at__isnull=True)
    return list(rows.select_related("app__vendor", "app__current", "version").defer(*HEAVY).order_by("app_id", "org_path"))


def listings_for(path: str) -> list[Listing]:
    """What a school at `path` may choose: listed by a branch at or above it; one indexed query."""
    rows = Listing.objects.filter(org_id__in=chain_of(path), ended_at__isnull=True)
    return list(rows.select_related("app__vendor", "app__current", "version").defer(*HEAVY).order_by("app__name", "org_path"))


def listing_data(row: Listing) -> ListingData:
    return ListingData(
        id=row.pk,
        app_id=row.app_id,
        version_id=row.version_id,
        org_id=row.org_id,
        org_path=row.org_path,
        listed_at=row.listed_at,
    )


def access_submission(*, actor: Actor, id: int, now: datetime) -> Submission:
    """A version laid before a branch where `actor` approves apps; otherwise `NotFound`."""
    row = Submission.objects.select_related("version__app__vendor", "org").filter(pk=id).first()
    scope = directory.scope_of(actor=actor, permission=Permission.APPROVE_APPS, now=now)
    if row is None or not scope.covers(row.org_path):
        raise NotFound(_("没有找到这份申请。"))
    return row


def submissions_in_scope(*, actor: Actor, decision: str = "", now: datetime) -> QuerySet[Submission]:
    """Versions laid before the branches where `actor` approves apps; without `decision` those still open."""
    scope = directory.scope_of(actor=actor, permission=Permission.APPROVE_APPS, now=now)
    rows = Submission.objects.select_related("version__app__vendor", "org").defer("version__icon", "version__privacy_text")
    rows = rows.filter(path_q("org_path", scope.paths)).order_by("-submitted_at", "-id")
    return rows if decision == "all" else rows.filter(decision=decision)


def apps_in_scope(*, actor: Actor, status: str = "", search: str = "", now: datetime) -> QuerySet[App]:
    """Apps listed in the branches where `actor` approves apps, or above them."""
    scope = directory.scope_of(actor=actor, permission=Permission.APPROVE_APPS, now=now)
    above = {org_id for path in scope.paths for org_id in chain_of(path)}
    near = Listing.objects.filter(path_q("org_path", scope.paths) | Q(org_id__in=above)).values("app_id")
    rows = _apps().filter(pk__in=near).order_by("name", "id")
    if status in {value.value for value in AppStatus}:
        rows = rows.filter(status=status)
    return rows.filter(name__startswith=search) if search else rows


def page_of_apps(rows: QuerySet[App], *, number: int, size: int) -> Page[AppData]:
    return page_of(rows, app_data, number=number, size=size)


def page_of_own_apps(*, actor: Actor, now: datetime, number: int, size: int) -> Page[AppData]:
    """The apps of the vendor `actor` acts for, newest first; what was never listed shows what its draft says."""
    versions = AppVersion.objects.defer("icon", "privacy_text").order_by("-number")
    rows = own_apps(actor=actor, now=now).prefetch_related(Prefetch("versions", versions, to_attr="drafts"))
    return page_of(rows, lambda row: app_data(row, row.drafts[0]), number=number, size=size)  # type: ignore[attr-defined]


def conformity_data(row: ConformityTest) -> ConformityRun:
    return ConformityRun(
        id=row.pk,
        public_id=ids.encode("conformity_test", row.pk),
        version_id=row.version_id,
        status=RunStatus(row.status),
        content_hash=row.content_hash,
        started_at=row.started_at,
        finished_at=row.finished_at,
        steps=tuple(StepResult(**step) for step in row.steps),
    )


def latest_test(version_id: int) -> ConformityRun | None:
    row = ConformityTest.objects.filter(version_id=version_id).order_by("-id").first()
    return conformity_data(row) if row else None


def submissions_of(app: App) -> list[Submission]:
    """The last twenty times a version of the app was laid before a branch, newest first."""
    rows = Submission.objects.filter(version__app=app).select_related("org", "version").defer("version__icon")
    return list(rows.order_by("-id")[:20])


def draft_of(app: App) -> AppVersion | None:
    """The version its vendor is working on: the newest that is neither approved nor replaced nor refused."""
    open_states = [VersionStatus.DRAFT, VersionStatus.SUBMITTED, VersionStatus.RETURNED]
    return app.versions.filter(status__in=open_states).order_by("-number").first()


def use_by_org(app_id: int, paths: Iterable[str]) -> Mapping[int, int]:
    """Org id → version id of the app's installations inside the branches."""
    rows = Installation.objects.filter(path_q("org_path", paths), app_id=app_id, ended_at__isnull=True)
    return dict(rows.values_list("org_id", "version_id")[:10_000])
