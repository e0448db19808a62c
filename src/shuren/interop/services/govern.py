"""What an officer does with a listed app: stop it at once, let it run again, set its quota, let it go."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Permission, Role
from shuren.interop.data import AppStatus
from shuren.interop.models import App, Installation, Listing
from shuren.interop.selectors.apps import access_app, access_own_app
from shuren.interop.services.clients import settle_purpose, turn_clients
from shuren.kernel import audit, clock, events
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, Refused
from shuren.messaging.api import notify

_DUTIES = (Role.HEAD, Role.SCHOOL_ADMIN)


def suspend_app(*, actor: Actor, app_id: int, reason: str, now: datetime) -> None:
    """Stop an app everywhere at once: tokens refused, launches blocked, messages held. Publishes `interop.app_suspended`.

    Any officer who approves apps in a branch that lists it, or above, may: danger is not local.
    """
    if len(reason.strip()) < 2:
        raise Invalid(_("请写明停用的原因。"), remedy=_("服务商和学校会看到这段话。"))
    _turn(actor=actor, app_id=app_id, status=AppStatus.SUSPENDED, reason=reason, now=now)


def resume_app(*, actor: Actor, app_id: int, now: datetime) -> None:
    """Let a suspended app run again, by an officer of a branch that contains every listing of it, or where it was stopped."""
    _turn(actor=actor, app_id=app_id, status=AppStatus.ACTIVE, reason="", now=now)


def _turn(*, actor: Actor, app_id: int, status: AppStatus, reason: str, now: datetime) -> None:
    _governed(actor, app_id, now)
    with transaction.atomic():
        app = App.objects.select_for_update().get(pk=app_id)
        is_stopping = status is AppStatus.SUSPENDED
        if (app.status == AppStatus.SUSPENDED) is is_stopping or app.status == AppStatus.DELISTED:
            raise Conflict(_("应用现在的状态不能这样操作。"), remedy=_("请刷新页面。"))
        if not is_stopping and app.leaves_on is not None:
            status = AppStatus.LEAVING
        app.status, app.status_reason, app.status_at = status, reason.strip()[:300], now
        app.save(update_fields=["status", "status_reason", "status_at"])
        turn_clients(app, is_on=not is_stopping, actor=actor, now=now)
        word = "suspended" if is_stopping else "resumed"
        details = {"reason": app.status_reason}
        audit.record(actor=actor, action=f"interop.app_{word}", target=f"app:{app.pk}", details=details, now=now)
        if is_stopping:
            events.publish("interop.app_suspended", {"app_id": app.pk}, now=now)
        else:
            events.publish("interop.app_resumed", {"app_id": app.pk}, now=now)


def _governed(actor: Actor, app_id: int, now: datetime) -> App:
    """The app, for an officer in whose branch, or above which, it is listed."""
    return access_app(actor=actor, id=app_id, permission=Permission.APPROVE_APPS, now=now)


def set_quota(*, actor: Actor, app_id: int, per_minute: int, per_day: int, now: datetime) -> None:
    """How many calls the app may make; takes effect with the next block of calls a process reserves."""
    if not (1 <= per_minute <= 1_000_000 and per_minute <= per_day <= 1_000_000_000):
        raise Invalid(_("配额要是正整数，每天的不能少于每分钟的。"))
    _governed(actor, app_id, now)
    with transaction.atomic():
        App.objects.filter(pk=app_id).update(quota_per_minute=per_minute, quota_per_day=per_day)
        details = {"per_minute": per_minute, "per_day": per_day}
        audit.record(actor=actor, action="interop.quota_set", target=f"app:{app_id}", details=details, now=now)


def announce_leave(*, actor: Actor, app_id: int, leaves_on: date, reason: str, now: datetime) -> None:
    """Say when an app leaves, by its vendor or an officer; schools that use it are told. Publishes `interop.app_leaving`.

    Between the notice and the end lie at least the days of `SHUREN_APP_NOTICE_DAYS`.
    """
    app = _leaving(actor, app_id, now)
    earliest = clock.day_of(now) + timedelta(days=settings.SHUREN_APP_NOTICE_DAYS)
    if leaves_on < earliest:
        raise Invalid(
            _("下架要提前 %(days)d 天通知，最早 %(day)s。")
            % {"days": settings.SHUREN_APP_NOTICE_DAYS, "day": earliest.isoformat()},
            remedy=_("如果有危险，请用“立即停用”。"),
        )
    with transaction.atomic():
        app = App.objects.select_for_update().select_related("vendor").get(pk=app.pk)
        if app.status == AppStatus.DELISTED:
            raise Conflict(_("应用已经下架。"))
        if app.status == AppStatus.ACTIVE:
            app.status = AppStatus.LEAVING
        app.leaves_on, app.status_reason = leaves_on, reason.strip()[:300]
        app.save(update_fields=["status", "leaves_on", "status_reason"])
        details = {"leaves_on": leaves_on.isoformat(), "reason": app.status_reason}
        audit.record(actor=actor, action="interop.app_leaving", target=f"app:{app.pk}", details=details, now=now)
        events.publish("interop.app_leaving", {"app_id": app.pk, "leaves_on": leaves_on.isoformat()}, now=now)


def _leaving(actor: Actor, app_id: int, now: datetime) -> App:
    if directory.scope_of(actor=actor, permission=Permission.APPROVE_APPS, now=now).is_empty:
        return access_own_app(actor=actor, id=app_id, now=now)
    return _governed(actor, app_id, now)


def tell_schools(*, app_id: int, title: str, body: str, key: str, now: datetime) -> int:
    """Tell heads and administrators of every org that uses the app; returns how many orgs."""
    orgs = 0
    for path in Installation.objects.filter(app_id=app_id, ended_at__isnull=True).values_list("org_path", flat=True).iterator():
        people = directory.people_of_org(path, roles=_DUTIES, limit=50)
        notify(person_ids=[person.id for person in people], title=title, body=body, url="/apps/choose/", key=key, now=now)
        orgs += 1
    return orgs


def end_leaving(*, now: datetime) -> int:
    """Delist every app whose day has come; returns how many. Publishes `interop.app_delisted`."""
    due = list(
        App.objects.filter(leaves_on__lte=clock.day_of(now)).exclude(status=AppStatus.DELISTED).values_list("pk", flat=True)
    )
    for app_id in due:
        with transaction.atomic():
            app = App.objects.select_for_update().get(pk=app_id)
            app.status, app.status_at = AppStatus.DELISTED, now
            app.save(update_fields=["status", "status_at"])
            turn_clients(app, is_on=False, actor=SYSTEM, now=now)
            Listing.objects.filter(app_id=app_id, ended_at__isnull=True).update(ended_at=now)
            Installation.objects.filter(app_id=app_id, ended_at__isnull=True).update(ended_at=now)
            audit.record(actor=SYSTEM, action="interop.app_delisted", target=f"app:{app_id}", now=now)
            events.publish("interop.app_delisted", {"app_id": app_id}, now=now)
    return len(due)


def end_listing(*, actor: Actor, app_id: int, org_id: int, now: datetime) -> None:
    """Take an app off one branch's list; schools that use it go on, no further one can choose it."""
    _governed(actor, app_id, now)
    org = directory.access_org(actor=actor, id=org_id, permission=Permission.APPROVE_APPS, now=now)
    with transaction.atomic():
        ended = Listing.objects.filter(app_id=app_id, org_id=org.id, ended_at__isnull=True).update(ended_at=now)
        if not ended:
            raise Refused(_("这个应用没有在该地区上架。"))
        settle_purpose(App.objects.select_related("current").get(pk=app_id), actor=actor, now=now)
        details = {"org_id": org.id}
        audit.record(actor=actor, action="interop.listing_ended", target=f"app:{app_id}", details=details, now=now)
