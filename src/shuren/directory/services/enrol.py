"""Put a person into a class, out of it, or from one class into another."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import CountKind, EnrollmentRole, OrgStatus, OrgType, Permission, Role
from shuren.directory.models import Enrollment, Org, Person
from shuren.directory.rules.sourced import fresh_sourced_id
from shuren.directory.selectors.orgs import org_row_for
from shuren.directory.services.affiliate import check_exclusion
from shuren.directory.services.end_tie import end_tie
from shuren.directory.services.shift_counts import shift_counts
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor, Period
from shuren.kernel.errors import Conflict, Invalid, NotFound


@transaction.atomic
def enrol(
    *,
    actor: Actor,
    person_id: int,
    class_id: int,
    now: datetime,
    role: EnrollmentRole = EnrollmentRole.STUDENT,
    is_primary: bool = False,
    begin_date: date | None = None,
    end_date: date | None = None,
) -> int:
    """Enrol a pupil or a teacher; returns the enrollment's id and publishes `directory.person_enrolled`.

    A primary student enrollment is the home class, of which there is one at a time; a primary teacher enrollment makes
    the class teacher.
    """
    org_row_for(actor=actor, id=class_id, permission=Permission.MANAGE_PEOPLE, now=now)
    org = Org.objects.select_for_update().get(pk=class_id)
    if org.type != OrgType.CLASS or org.status != OrgStatus.ACTIVE:
        raise Invalid(_("只能编入在办的班级。"), remedy=_("请另选班级。"))
    if not Person.objects.select_for_update().filter(pk=person_id, merged_into__isnull=True).exists():
        raise NotFound(_("没有找到这个人。"))
    if role is EnrollmentRole.TEACHER and is_primary:
        check_exclusion(person_id, Role.CLASS_TEACHER, now=now)
    begin = begin_date or day_of(now)
    if end_date is not None and end_date <= begin:
        raise Invalid(_("结束日期必须晚于开始日期。"), remedy=_("请修改结束日期。"))
    _check_overlap(person_id, class_id, role, is_primary, Period(begin, end_date))
    row = Enrollment.objects.create(
        sourced_id=fresh_sourced_id(),
        person_id=person_id,
        class_org=org,
        org_path=org.path,
        role=role.value,
        is_primary=is_primary,
        begin_date=begin,
        end_date=end_date,
    )
    if Period(begin, end_date).covers(day_of(now)):
        count_enrolled(org, role, 1)
    details = {"class_id": org.pk, "role": role.value, "begin_date": begin.isoformat(), "is_primary": is_primary}
    audit.record(actor=actor, action="directory.person_enrolled", target=f"person:{person_id}", details=details, now=now)
    events.publish("directory.person_enrolled", {"person_id": person_id, **details}, now=now)
    return row.pk


@transaction.atomic
def end_enrollment(*, actor: Actor, enrollment_id: int, now: datetime, end_date: date | None = None) -> None:
    """Take a person out of a class, today unless said otherwise; publishes `directory.enrollment_ended`."""
    row = Enrollment.objects.select_for_update().filter(pk=enrollment_id).first()
    if row is None:
        raise NotFound(_("没有找到这条编班记录。"))
    org_row_for(actor=actor, id=row.class_org_id, permission=Permission.MANAGE_PEOPLE, now=now)
    end, is_counted_no_more = end_tie(row, end_date=end_date, now=now)
    if is_counted_no_more:
        count_enrolled(row.class_org, EnrollmentRole(row.role), -1)
    details = {"class_id": row.class_org_id, "role": row.role, "end_date": end.isoformat()}
    audit.record(actor=actor, action="directory.enrollment_ended", target=f"person:{row.person_id}", details=details, now=now)
    events.publish("directory.enrollment_ended", {"person_id": row.person_id, **details}, now=now)


@transaction.atomic
def transfer(*, actor: Actor, enrollment_id: int, class_id: int, now: datetime, on: date | None = None) -> int:
    """End one enrollment and begin the same in another class on the same day; returns the new enrollment's id."""
    row = Enrollment.objects.filter(pk=enrollment_id).first()
    if row is None:
        raise NotFound(_("没有找到这条编班记录。"))
    day = on or day_of(now)
    end_enrollment(actor=actor, enrollment_id=enrollment_id, now=now, end_date=day)
    return enrol(
        actor=actor,
        person_id=row.person_id,
        class_id=class_id,
        now=now,
        role=EnrollmentRole(row.role),
        is_primary=row.is_primary,
        begin_date=day,
    )


def count_enrolled(class_org: Org, role: EnrollmentRole, by: int) -> None:
    """Classes and grades count who is enrolled; schools and above count affiliations."""
    kind = CountKind.PUPILS if role is EnrollmentRole.STUDENT else CountKind.TEACHERS
    below = [class_org.pk]
    if class_org.parent is not None and class_org.parent.type == OrgType.GRADE:
        below.append(class_org.parent.pk)
    shift_counts(below, kind, by)


def _check_overlap(person_id: int, class_id: int, role: EnrollmentRole, is_primary: bool, period: Period) -> None:
    rows = Enrollment.objects.filter(person_id=person_id, role=role).values_list(
        "class_org_id", "is_primary", "begin_date", "end_date"
    )
    for other_class, other_primary, begin, end in rows:
        if not Period(begin, end).overlaps(period):
            continue
        if other_class == class_id:
            raise Conflict(_("这个人在这段时间已经在这个班。"))
        if is_primary and other_primary and role is EnrollmentRole.STUDENT:
            raise Conflict(_("学生同时只能有一个行政班。"), remedy=_("请用“转班”，或先结束原来的班级。"))
