"""Give a role on a branch."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from shuren.directory.data import OrgStatus, Role
from shuren.directory.models import Grant, Org, Person
from shuren.directory.rules.permissions import CONFIRM_WITHIN, STRONG, excluded_by, is_within
from shuren.directory.selectors.grants import GivingRight, giving_rights, held_roles
from shuren.directory.selectors.scope import active_grant_q
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused


def grant_role(
    *,
    actor: Actor,
    person_id: int,
    role: Role,
    org_id: int,
    now: datetime,
    purpose: str = "",
    begin_at: datetime | None = None,
    end_at: datetime | None = None,
    may_delegate: bool = False,
) -> int:
    """Give `role` on the branch of `org_id`; returns the grant's id and publishes `directory.role_granted`.

    The giver must hold the role, or a superior one, with the right to delegate on a branch that covers the org, and
    never gives more than they have: not a wider branch, not a longer period, not to themself. A strong role given by a
    person (`rules.permissions.STRONG`) is in force only after `confirm_grant`; it lapses after seven days. What is
    refused is audited.
    """
    wish = _Wish(role, org_id, purpose, begin_at or now, end_at, may_delegate)
    try:
        return _given(actor, person_id, wish, now)
    except Refused as refusal:
        note_refusal(actor=actor, person_id=person_id, role=role, org_id=org_id, refusal=refusal, now=now)
        raise


def note_refusal(*, actor: Actor, person_id: int, role: Role, org_id: int, refusal: Refused, now: datetime) -> None:
    """Write down that somebody tried to give, or to confirm, what they may not."""
    details = {"role": role.value, "org_id": org_id, "reason": refusal.message}
    audit.record(actor=actor, action="directory.grant_refused", target=f"person:{person_id}", details=details, now=now)


@dataclass(frozen=True, slots=True)
class _Wish:
    role: Role
    org_id: int
    purpose: str
    begin_at: datetime
    end_at: datetime | None
    may_delegate: bool


@transaction.atomic
def _given(actor: Actor, person_id: int, wish: _Wish, now: datetime) -> int:
    role, org_id, purpose, begin_at, end_at = wish.role, wish.org_id, wish.purpose, wish.begin_at, wish.end_at
    org = Org.objects.select_for_update().filter(pk=org_id, status=OrgStatus.ACTIVE).first()
    # The person's row is locked so that two givers cannot hand one person two roles that exclude each other.
    person = Person.objects.select_for_update().filter(pk=person_id, merged_into__isnull=True).first()
    if org is None or person is None:
        raise NotFound(_("没有找到这个人或这个机构。"))
    if end_at is not None and end_at <= begin_at:
        raise Invalid(_("授权的结束时间必须晚于开始时间。"), remedy=_("请修改结束时间。"))
    right = right_to_give(actor, role, org.path, begin_at, end_at, now) if not actor.is_system else None
    if person_id == actor.person_id:
        raise Refused(_("不能给自己授权。"), remedy=_("请由上级管理员授权。"))
    rival = excluded_by(role, held_roles(person_id, now=now))
    if rival is not None:
        raise Conflict(
            _("“%(rival)s”与“%(role)s”不能由同一个人担任。") % {"rival": rival.value, "role": role.value},
            remedy=_("请先收回原来的角色，或另选一个人。"),
        )
    same = Grant.objects.filter(person=person, role=role, org=org, purpose=purpose, revoked_at__isnull=True)
    if same.filter(active_grant_q(now) | Q(confirm_by__gt=now, confirmed_at__isnull=True)).exists():
        raise Conflict(_("这个人在这个机构已有同样的授权。"))
    is_strong = role in STRONG and not actor.is_system
    grant = Grant.objects.create(
        person=person,
        role=role.value,
        org=org,
        org_path=org.path,
        purpose=purpose,
        begin_at=begin_at,
        end_at=end_at,
        granted_by_id=actor.person_id,
        may_delegate=wish.may_delegate,
        source_id=right.grant_id if right else None,
        confirm_by=now + CONFIRM_WITHIN if is_strong else None,
    )
    details: dict[str, object] = {"person_id": person_id, "role": role.value, "org_id": org_id, "purpose": purpose}
    if is_strong:
        details |= {"waits": True}
    audit.record(actor=actor, action="directory.role_granted", target=f"grant:{grant.pk}", details=details, now=now)
    events.publish("directory.role_granted", {"grant_id": grant.pk, **details}, now=now)
    return grant.pk


def right_to_give(actor: Actor, role: Role, path: str, begin: datetime, end: datetime | None, now: datetime) -> GivingRight:
    """The right by which `actor` gives the role there for this time; raises `Refused` where there is none."""
    reaching = [right for right in giving_rights(actor=actor, now=now) if right.reaches(role, path)]
    if not reaching:
        raise Refused(_("您没有权力在这个机构授予这个角色。"), remedy=_("请由持有该角色转授权的人办理。"))
    for right in reaching:
        if is_within(begin, end, outer_begin=right.begin_at or begin, outer_end=right.end_at):
            return right
    raise Refused(_("授权的期限不能超出您自己的期限。"), remedy=_("请缩短授权期限。"))
