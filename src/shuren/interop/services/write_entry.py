"""A vendor writes the entry of an app."""

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.interop.data import Entry, VersionStatus
from shuren.interop.models import App, AppVersion, ElementWish, Vendor
from shuren.interop.rules.entries import content_hash, entry_faults
from shuren.interop.selectors.apps import access_own_app, draft_of
from shuren.interop.selectors.vendors import own_vendor
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.standards.api import elements

MAX_APPS = 200


class EntryRefused(Invalid):
    """The entry breaks the rules; `faults` says each in a sentence."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


def add_app(*, actor: Actor, entry: Entry, now: datetime) -> int:
    """Enter a new app as a draft, by its vendor; returns the app's id. Raises `EntryRefused`."""
    checked = checked_entry(entry)
    with transaction.atomic():
        vendor = vendor_of(actor, now)
        app = new_app(vendor, checked.name, now=now)
        version = write_version(AppVersion(app=app, number=1), checked, now=now)
        details = {"vendor_id": vendor.pk, "version_id": version.pk}
        audit.record(actor=actor, action="interop.app_added", target=f"app:{app.pk}", details=details, now=now)
    return app.pk


def new_app(vendor: Vendor, name: str, *, now: datetime) -> App:
    """A row for a new app of the vendor, with the quotas of the installation."""
    if vendor.apps.count() >= MAX_APPS:
        raise Conflict(_("一家服务商最多登记 %(limit)d 个应用。") % {"limit": MAX_APPS})
    return App.objects.create(
        vendor=vendor,
        name=name,
        created_at=now,
        quota_per_minute=settings.SHUREN_APP_CALLS_PER_MINUTE,
        quota_per_day=settings.SHUREN_APP_CALLS_PER_DAY,
    )


def revise_entry(*, actor: Actor, app_id: int, entry: Entry, now: datetime) -> int:
    """Change the draft of an app, or begin the next version of a listed one; returns the version's id."""
    checked = checked_entry(entry)
    with transaction.atomic():
        app = App.objects.select_for_update().get(pk=access_own_app(actor=actor, id=app_id, now=now).pk)
        draft = draft_of(app)
        if draft is not None and draft.status == VersionStatus.SUBMITTED:
            raise Conflict(_("这个版本正在审核，不能修改。"), remedy=_("请等审核结果，或先撤回。"))
        if draft is None:
            newest = app.versions.order_by("-number").values_list("number", flat=True).first() or 0
            draft = AppVersion(app=app, number=newest + 1)
        version = write_version(draft, checked, now=now)
        if app.current_id is None:
            App.objects.filter(pk=app.pk).update(name=checked.name)
        details = {"version_id": version.pk, "number": version.number}
        audit.record(actor=actor, action="interop.entry_revised", target=f"app:{app.pk}", details=details, now=now)
    return version.pk


def checked_entry(entry: Entry) -> Entry:
    """The entry with the registry's grade on every wanted element; raises `EntryRefused`."""
    found = graded(entry)
    known = {wish.element for wish in found.wishes}
    faults = [
        _("没有“%(element)s”这个数据项。") % {"element": wish.element} for wish in entry.wishes if wish.element not in known
    ]
    low, _dash, high = settings.SHUREN_APP_NAME_LENGTH.partition("-")
    faults += entry_faults(found, name_range=(int(low), int(high)), may_be_plain=bool(settings.SHUREN_PRIVATE_TARGETS))
    if faults:
        raise EntryRefused(faults)
    return found


def graded(entry: Entry) -> Entry:
    """The entry with the registry's grade on every wanted element that the registry knows, in order."""
    known = {held.code: held.grade for held in elements()}
    wishes = [replace(wish, grade=known[wish.element]) for wish in entry.wishes if wish.element in known]
    return replace(entry, wishes=tuple(sorted(wishes, key=lambda wish: (wish.element, wish.purpose))))


def write_version(row: AppVersion, entry: Entry, *, now: datetime) -> AppVersion:
    """Put a checked entry into a row, with its wishes, as a draft."""
    for name in (
        *("name", "name_en", "description", "description_en", "launch_url", "logout_url", "webhook_url", "jwks_uri"),
        *("privacy_url", "privacy_text", "serves_minors", "icon"),
    ):
        setattr(row, name, getattr(entry, name))
    row.category, row.kind, row.status = entry.category.value, entry.kind.value, VersionStatus.DRAFT
    row.redirect_uris, row.scopes = list(entry.redirect_uris), list(entry.scopes)
    row.events = [event.value for event in entry.events]
    row.content_hash, row.changed_at = content_hash(entry), now
    row.save()
    row.wishes.all().delete()
    ElementWish.objects.bulk_create(
        ElementWish(version=row, element=wish.element, purpose=wish.purpose.value, reason=wish.reason, grade=wish.grade.value)
        for wish in entry.wishes
    )
    return row


def vendor_of(actor: Actor, now: datetime) -> Vendor:
    """The vendor `actor` acts for; raises `NotFound` for everybody else."""
    vendor = own_vendor(actor=actor, now=now)
    if vendor is None:
        raise NotFound(_("您还不是登记的服务商。"), remedy=_("请先申请成为服务商。"))
    return vendor
