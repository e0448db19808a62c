"""A second pair of eyes on strong roles."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import OrgStatus, Role
from shuren.directory.models import Affiliation, Grant, Org, Person
from shuren.directory.rules.permissions import excluded_by
from shuren.directory.selectors.grants import giving_rights, grants_in_scope, held_roles
from shuren.directory.services.affiliate import Entry, holds_already, write_entry
from shuren.directory.services.grant_role import note_refusal
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound, Refused


def confirm_grant(*, actor: Actor, grant_id: int, now: datetime) -> None:
    """Put a waiting grant into force; publishes `directory.grant_confirmed`.

    Whoever confirms could give the role there themself, and is neither giver nor receiver. What is refused is audited. An
    office (`ask_office`) is thereby entered at its org, and the grant that waited for it has done its work.
    """
    try:
        _confirm(actor, grant_id, now)
    except Refused as refusal:
        row = Grant.objects.get(pk=grant_id)
        note_refusal(actor=actor, person_id=row.person_id, role=Role(row.role), org_id=row.org_id, refusal=refusal, now=now)
        raise


@transaction.atomic
def _confirm(actor: Actor, grant_id: int, now: datetime) -> None:
    visible = Grant.objects.all() if actor.is_system else grants_in_scope(actor=actor, now=now)
    if not visible.filter(pk=grant_id).exists():
        raise NotFound(_("没有找到这条授权。"))
    grant = Grant.objects.select_for_update().get(pk=grant_id)
    if grant.confirm_by is None or grant.confirmed_at is not None or grant.revoked_at is not None:
        raise Conflict(_("这条授权不需要确认，或已经确认过。"), remedy=_("请刷新页面。"))
    if grant.confirm_by <= now:
        raise Conflict(_("确认期限已过，这条授权不再生效。"), remedy=_("请重新授权。"))
    if not actor.is_system and actor.person_id in (grant.person_id, grant.granted_by_id):
        raise Refused(_("授权人和被授权人都不能确认。"), remedy=_("请由另一位有权授予这个角色的人确认。"))
    rights = giving_rights(actor=actor, now=now)
    if not actor.is_system and not any(right.reaches(Role(grant.role), grant.org_path) for right in rights):
        raise Refused(_("您没有权力在这个机构授予这个角色。"), remedy=_("请由另一位有权授予这个角色的人确认。"))
    others = held_roles(grant.person_id, now=now) - {Role(grant.role)}
    if excluded_by(Role(grant.role), others) is not None:
        raise Conflict(_("这个人现在担任的角色与这个角色不能兼任。"), remedy=_("请先收回其中一个。"))
    grant.confirmed_at, grant.confirmed_by_id = now, actor.person_id
    if grant.office is not None:
        _enter(actor, grant, now)
        grant.revoked_at = now
    grant.save(update_fields=["confirmed_at", "confirmed_by", "revoked_at"])
    details = {"person_id": grant.person_id, "role": grant.role, "org_id": grant.org_id, "granted_by": grant.granted_by_id}
    audit.record(actor=actor, action="directory.grant_confirmed", target=f"grant:{grant.pk}", details=details, now=now)
    events.publish("directory.grant_confirmed", {"grant_id": grant.pk, **details}, now=now)


def _enter(actor: Actor, grant: Grant, now: datetime) -> None:
    """Write the affiliation that waited: under the id that its roster gave it, or from today where it began since."""
    office = grant.office or {}
    sourced_id, begin, end = office["sourced_id"], _date(office["begin_date"]), _date(office["end_date"])
    org = Org.objects.select_for_update().filter(pk=grant.org_id, status=OrgStatus.ACTIVE).first()
    person = Person.objects.select_for_update().filter(pk=grant.person_id, merged_into__isnull=True).first()
    if org is None or person is None:
        raise Conflict(_("这个人或这个机构已经不在了。"), remedy=_("请收回这条授权。"))
    if not sourced_id or Affiliation.objects.filter(sourced_id=sourced_id).exists():
        sourced_id, begin = "", max(begin or day_of(now), day_of(now))
    if end is not None and end <= max(begin or day_of(now), day_of(now)):
        raise Conflict(_("任期在确认之前已经结束。"), remedy=_("请重新添加角色。"))
    entry = Entry(person, org, Role(grant.role), begin, end, is_primary=office["is_primary"], sourced_id=sourced_id)
    if holds_already(entry):
        raise Conflict(_("这个人在这段时间已经在这个机构担任这个角色。"), remedy=_("请收回这条授权。"))
    write_entry(entry, actor=actor, now=now)


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
