"""Tie a person to an org in a role, and end it."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import CountKind, OrgStatus, Permission, Role
from shuren.directory.models import Affiliation, Org, Person
from shuren.directory.rules.permissions import ADMINS, GIVEN_ROLES, STRONG, excluded_by
from shuren.directory.rules.sourced import fresh_sourced_id
from shuren.directory.rules.tree import ids_of
from shuren.directory.selectors.grants import held_roles
from shuren.directory.selectors.orgs import org_row_for
from shuren.directory.selectors.roles import may_hand_out
from shuren.directory.services.end_tie import end_tie
from shuren.directory.services.shift_counts import shift_counts
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor, Period
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused

COUNTED = {Role.PUPIL: CountKind.PUPILS, Role.TEACHER: CountKind.TEACHERS, Role.PARENT: CountKind.PARENTS}


@dataclass(frozen=True, slots=True)
class Entry:
    """A role at an org as it may be entered: everything checked, both rows locked."""

    person: Person
    org: Org
    role: Role
    begin_date: date | None
    end_date: date | None
    is_primary: bool = True
    sourced_id: str = ""


@transaction.atomic
def affiliate(
    *,
    actor: Actor,
    person_id: int,
    org_id: int,
    role: Role,
    now: datetime,
    begin_date: date | None = None,
    end_date: date | None = None,
    is_primary: bool = True,
) -> int:
    """Enter a person's role at an org; returns the affiliation's id and publishes `directory.person_affiliated`.

    Roles that reach a whole branch may only be entered by somebody who could give them; administrators of the
    installation hold grants, never affiliations. A strong role is entered by `ask_office`, never by a person alone.
    """
    if role in STRONG - ADMINS and not actor.is_system:
        raise Refused(_("这个角色要由第二人确认，不能直接登记。"), remedy=_("请在人员页面添加角色，再由另一位有权的人确认。"))
    entry = checked_entry(
        actor=actor, person_id=person_id, org_id=org_id, role=role, begin_date=begin_date, end_date=end_date, now=now
    )
    return write_entry(replace(entry, is_primary=is_primary), actor=actor, now=now)


def checked_entry(
    *,
    actor: Actor,
    person_id: int,
    org_id: int,
    role: Role,
    begin_date: date | None,
    end_date: date | None,
    now: datetime,
) -> Entry:
    """What `actor` may enter, within the caller's transaction; otherwise the refusal."""
    org_row_for(actor=actor, id=org_id, permission=Permission.MANAGE_PEOPLE, now=now)
    org = Org.objects.select_for_update().get(pk=org_id)
    person = Person.objects.select_for_update().filter(pk=person_id, merged_into__isnull=True).first()
    if person is None:
        raise NotFound(_("没有找到这个人。"))
    if org.status != OrgStatus.ACTIVE:
        raise Conflict(_("这个机构已经撤销或并入别的机构。"))
    begin = begin_date or day_of(now)
    if end_date is not None and end_date <= begin:
        raise Invalid(_("结束日期必须晚于开始日期。"), remedy=_("请修改结束日期。"))
    _check_role(actor, person, org, role, now)
    entry = Entry(person, org, role, begin, end_date)
    if holds_already(entry):
        raise Conflict(_("这个人在这段时间已经在这个机构担任这个角色。"))
    return entry


def holds_already(entry: Entry) -> bool:
    """Whether the person holds this role there for a part of the time."""
    same = Affiliation.objects.filter(person=entry.person, org=entry.org, role=entry.role).values_list("begin_date", "end_date")
    return any(Period(*span).overlaps(Period(entry.begin_date, entry.end_date)) for span in same)


def write_entry(entry: Entry, *, actor: Actor, now: datetime) -> int:
    """Write, count, audit and publish what was checked; returns the affiliation's id."""
    row = Affiliation.objects.create(
        sourced_id=entry.sourced_id or fresh_sourced_id(),
        person=entry.person,
        org=entry.org,
        org_path=entry.org.path,
        role=entry.role.value,
        is_primary=entry.is_primary,
        begin_date=entry.begin_date,
        end_date=entry.end_date,
    )
    if Period(entry.begin_date, entry.end_date).covers(day_of(now)):
        count_member(entry.org.path, entry.role, 1)
    begin = entry.begin_date.isoformat() if entry.begin_date else None
    details = {"org_id": entry.org.pk, "role": entry.role.value, "begin_date": begin}
    target = f"person:{entry.person.pk}"
    audit.record(actor=actor, action="directory.person_affiliated", target=target, details=details, now=now)
    events.publish("directory.person_affiliated", {"person_id": entry.person.pk, **details}, now=now)
    return row.pk


@transaction.atomic
def end_affiliation(*, actor: Actor, affiliation_id: int, now: datetime, end_date: date | None = None) -> None:
    """End a role at an org, today unless said otherwise; publishes `directory.affiliation_ended`.

    A role that reaches a whole branch is ended only by somebody who could give it.
    """
    row = Affiliation.objects.select_for_update().filter(pk=affiliation_id).first()
    if row is None:
        raise NotFound(_("没有找到这条任职记录。"))
    org_row_for(actor=actor, id=row.org_id, permission=Permission.MANAGE_PEOPLE, now=now)
    if not may_hand_out(actor=actor, role=Role(row.role), path=row.org_path, now=now):
        raise Refused(_("您没有权力在这个机构结束这个角色。"), remedy=_("请由能授予这个角色的人办理。"))
    end, is_counted_no_more = end_tie(row, end_date=end_date, now=now)
    if is_counted_no_more:
        count_member(row.org_path, Role(row.role), -1)
    details = {"org_id": row.org_id, "role": row.role, "end_date": end.isoformat()}
    audit.record(actor=actor, action="directory.affiliation_ended", target=f"person:{row.person_id}", details=details, now=now)
    events.publish("directory.affiliation_ended", {"person_id": row.person_id, **details}, now=now)


def count_member(path: str, role: Role, by: int) -> None:
    shift_counts(ids_of(path), CountKind.MEMBERS, by)
    if role in COUNTED:
        shift_counts(ids_of(path), COUNTED[role], by)


def check_exclusion(person_id: int, role: Role, *, now: datetime) -> None:
    """Raise `Conflict` where the person holds an administration that excludes `role`."""
    if excluded_by(role, held_roles(person_id, now=now)) is not None:
        raise Conflict(_("这个人是系统、安全或审计管理员，不能再担任这个角色。"), remedy=_("请先收回管理员授权。"))


def _check_role(actor: Actor, person: Person, org: Org, role: Role, now: datetime) -> None:
    if role in ADMINS:
        raise Invalid(_("系统、安全、审计管理员只能通过授权产生。"), remedy=_("请在授权页面办理。"))
    check_exclusion(person.pk, role, now=now)
    if role in GIVEN_ROLES and person.pk == actor.person_id:
        raise Refused(_("不能给自己授权。"), remedy=_("请由上级管理员授权。"))
    if not may_hand_out(actor=actor, role=role, path=org.path, now=now):
        raise Refused(_("您没有权力在这个机构授予这个角色。"), remedy=_("请由持有该角色转授权的人办理。"))
