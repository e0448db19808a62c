"""A school chooses an app, agrees to a newer entry of it, or lets it go."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.interop.data import AppStatus
from shuren.interop.models import App, Installation, Listing
from shuren.interop.selectors.apps import chain_of, entry_of
from shuren.interop.services.ask_people import ask_people, stop_asking
from shuren.interop.services.clients import settle_purpose
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound


def install_app(*, actor: Actor, app_id: int, org_id: int, has_read_data: bool, now: datetime) -> int:
    """Use an app in the org and everything below it; returns the installation's id. Publishes `interop.app_installed`.

    Needs `CHOOSE_APPS` on the org, a listing at or above it, and that whoever chooses has read which data is asked for.
    Where the org uses an older entry, this agrees to the listed one. Personal data still flows only by consent.
    """
    org = _org(actor, org_id, now)
    if not has_read_data:
        raise Invalid(_("请先看清应用要用哪些数据，再勾选“已了解”。"))
    listing = (
        Listing.objects.filter(app_id=app_id, org_id__in=chain_of(org.path), ended_at__isnull=True)
        .select_related("app", "version")
        .order_by("-org_path")
        .first()
    )
    if listing is None:
        raise NotFound(_("这个应用没有在您所在的地区上架。"))
    if listing.app.status != AppStatus.ACTIVE:
        raise Conflict(_("这个应用已停用或即将下架，不能选用。"))
    with transaction.atomic():
        standing = Installation.objects.select_for_update().filter(app_id=app_id, org_id=org.id, ended_at__isnull=True).first()
        if standing is not None and standing.version_id == listing.version_id:
            return standing.pk
        if standing is not None:
            standing.ended_at = now
            standing.save(update_fields=["ended_at"])
        texts = ask_people(listing.app, entry_of(listing.version), org_id=org.id, actor=actor, now=now)
        if standing is not None:
            stop_asking(standing.consent_texts, actor=actor, now=now)
            settle_purpose(listing.app, actor=actor, now=now)
        row = Installation.objects.create(
            app_id=app_id,
            version_id=listing.version_id,
            org_id=org.id,
            org_path=org.path,
            chosen_at=now,
            chosen_by_id=actor.person_id,
            consent_texts=texts,
        )
        details = {"org_id": org.id, "version_id": row.version_id, "replaces": standing.version_id if standing else None}
        audit.record(actor=actor, action="interop.app_installed", target=f"app:{app_id}", details=details, now=now)
        payload = {"app_id": app_id, "installation_id": row.pk, "org_id": org.id, "org_path": org.path}
        events.publish("interop.app_installed", payload, now=now)
    return row.pk


def remove_app(*, actor: Actor, app_id: int, org_id: int, now: datetime) -> None:
    """Stop using an app in the org; nothing of it opens from there any more. Publishes `interop.app_removed`."""
    org = _org(actor, org_id, now)
    with transaction.atomic():
        row = Installation.objects.select_for_update().filter(app_id=app_id, org_id=org.id, ended_at__isnull=True).first()
        if row is None:
            raise NotFound(_("这里没有选用这个应用。"))
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        stop_asking(row.consent_texts, actor=actor, now=now)
        settle_purpose(App.objects.select_related("current").get(pk=app_id), actor=actor, now=now)
        details = {"org_id": org.id}
        audit.record(actor=actor, action="interop.app_removed", target=f"app:{app_id}", details=details, now=now)
        payload = {"app_id": app_id, "installation_id": row.pk, "org_id": org.id, "org_path": org.path}
        events.publish("interop.app_removed", payload, now=now)


def _org(actor: Actor, org_id: int, now: datetime) -> OrgData:
    return directory.access_org(actor=actor, id=org_id, permission=Permission.CHOOSE_APPS, now=now)
