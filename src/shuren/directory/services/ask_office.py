"""Ask for a strong role at an org: it is entered in the roster once a second pair of eyes has confirmed it."""

from datetime import date, datetime, time

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shuren.directory.data import Role
from shuren.directory.models import Grant
from shuren.directory.rules.permissions import CONFIRM_WITHIN, STRONG
from shuren.directory.services.affiliate import Entry, affiliate, checked_entry
from shuren.directory.services.grant_role import note_refusal, right_to_give
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Refused


def enter_role(
    *,
    actor: Actor,
    person_id: int,
    org_id: int,
    role: Role,
    now: datetime,
    begin_date: date | None = None,
    end_date: date | None = None,
) -> bool:
    """Enter a role at an org, or ask for it; returns whether it waits for somebody else (`confirm_grant`)."""
    if role not in STRONG or actor.is_system:
        affiliate(actor=actor, person_id=person_id, org_id=org_id, role=role, begin_date=begin_date, end_date=end_date, now=now)
        return False
    try:
        ask_office(actor=actor, person_id=person_id, org_id=org_id, role=role, begin_date=begin_date, end_date=end_date, now=now)
    except Refused as refusal:
        note_refusal(actor=actor, person_id=person_id, role=role, org_id=org_id, refusal=refusal, now=now)
        raise
    return True


@transaction.atomic
def ask_office(
    *,
    actor: Actor,
    person_id: int,
    org_id: int,
    role: Role,
    now: datetime,
    begin_date: date | None = None,
    end_date: date | None = None,
) -> int:
    """Let a strong role wait as a grant does; returns the grant's id and publishes `directory.role_granted`."""
    entry = checked_entry(
        actor=actor, person_id=person_id, org_id=org_id, role=role, begin_date=begin_date, end_date=end_date, now=now
    )
    right_to_give(actor, role, entry.org.path, now, _end_of(end_date), now)
    if waits_already(entry, now=now):
        raise Conflict(_("这个角色已经在等第二人确认。"), remedy=_("请在“授权”页面查看。"))
    return write_asked(entry, actor=actor, now=now)


def waits_already(entry: Entry, *, now: datetime) -> bool:
    """Whether somebody has asked for the same before, and it neither lapsed nor was confirmed or taken back."""
    waiting = Grant.objects.filter(confirm_by__gt=now, confirmed_at__isnull=True, revoked_at__isnull=True, office__isnull=False)
    return waiting.filter(person=entry.person, org=entry.org, role=entry.role).exists()


def write_asked(entry: Entry, *, actor: Actor, now: datetime, import_id: int | None = None) -> int:
    """Write the waiting grant of an office that was checked."""
    office = {
        "sourced_id": entry.sourced_id,
        "begin_date": entry.begin_date.isoformat() if entry.begin_date else "",
        "end_date": entry.end_date.isoformat() if entry.end_date else "",
        "is_primary": entry.is_primary,
        "import_id": import_id,
    }
    grant = Grant.objects.create(
        person=entry.person,
        role=entry.role.value,
        org=entry.org,
        org_path=entry.org.path,
        begin_at=now,
        end_at=_end_of(entry.end_date),
        granted_by_id=actor.person_id,
        confirm_by=now + CONFIRM_WITHIN,
        office=office,
    )
    details = {"person_id": entry.person.pk, "role": entry.role.value, "org_id": entry.org.pk, "waits": True, "office": True}
    audit.record(actor=actor, action="directory.role_granted", target=f"grant:{grant.pk}", details=details, now=now)
    events.publish("directory.role_granted", {"grant_id": grant.pk, **details}, now=now)
    return grant.pk


def _end_of(day: date | None) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None
