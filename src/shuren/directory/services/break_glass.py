"""Open data in an emergency, give it up, look into it afterwards."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import OrgStatus, Permission, Role
from shuren.directory.models import Affiliation, BreakGlass, Org, Person
from shuren.directory.rules.permissions import EMERGENCY_HOURS, REVIEW_WITHIN, ROLE_PERMISSIONS
from shuren.directory.rules.tree import prefixes_of
from shuren.directory.selectors.break_glass import access_break_glass, emergency_scope, may_review
from shuren.directory.selectors.consents import places_of
from shuren.directory.selectors.grants import grants_reaching
from shuren.directory.selectors.holdings import holdings_of
from shuren.directory.selectors.people import people_within
from shuren.directory.selectors.scope import current_q
from shuren.directory.services.tell_emergency import tell_concerned, url_of
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.messaging.api import notify

SHORTEST_REASON = 8


@transaction.atomic
def open_break_glass(
    *, actor: Actor, reason: str, hours: int, now: datetime, person_id: int | None = None, org_id: int | None = None
) -> int:
    """Reach one person, or one branch, for at most four hours; returns its id and publishes `directory.break_glass_opened`.

    Needs `BREAK_GLASS`, which reaches one level above where it is held. Security administrators, heads of the place and the
    guardians of a pupil are told at once, and so is the person, who is old enough; of a branch whoever is looked at
    (`note_emergency_read`). Nobody opens again while a review of what they opened before is overdue.
    """
    if (person_id is None) == (org_id is None):
        raise Invalid(_("请选择一个人或一个机构。"))
    if len(reason.strip()) < SHORTEST_REASON:
        raise Invalid(_("请写清楚原因，至少 %(count)s 个字。") % {"count": SHORTEST_REASON})
    if not 1 <= hours <= EMERGENCY_HOURS:
        raise Invalid(_("时间是 1 到 %(hours)s 小时。") % {"hours": EMERGENCY_HOURS})
    path = _path_to(actor, person_id, org_id, now)
    if actor.person_id is None:
        raise NotFound(_("没有找到这个人或这个机构。"))
    if BreakGlass.objects.filter(holder_id=actor.person_id, reviewed_at__isnull=True, review_by__lte=now).exists():
        raise Conflict(_("您上一次的紧急查看还没有复核，已超过期限，不能再次启用。"), remedy=_("请安全管理员先复核上一次。"))
    row = BreakGlass.objects.create(
        holder_id=actor.person_id,
        account_id=actor.account_id,
        role=_role_of(actor, now).value,
        subject_id=person_id,
        org_id=org_id,
        org_path=path,
        reason=reason.strip(),
        begin_at=now,
        end_at=now + timedelta(hours=hours),
        review_by=now + timedelta(hours=hours) + REVIEW_WITHIN,
    )
    details = {"break_glass_id": row.pk, "person_id": person_id, "org_id": org_id, "reason": row.reason, "hours": hours}
    target = f"person:{person_id}" if person_id is not None else f"org:{org_id}"
    audit.record(actor=actor, action="directory.break_glass_opened", target=target, details=details, now=now)
    events.publish("directory.break_glass_opened", {"holder_id": actor.person_id, **details}, now=now)
    _tell(actor, row, person_id, now)
    return row.pk


@transaction.atomic
def close_break_glass(*, actor: Actor, id: int, now: datetime) -> None:
    """Give it up before its end; for the holder. Publishes `directory.break_glass_closed`."""
    row = BreakGlass.objects.select_for_update().filter(pk=id, holder_id=actor.person_id).first()
    if row is None:
        raise NotFound(_("没有找到这次紧急查看。"))
    if row.closed_at is not None or row.end_at <= now:
        raise Conflict(_("这次紧急查看已经结束。"))
    _close([row], actor, now, now)


@transaction.atomic
def review_break_glass(*, actor: Actor, id: int, is_justified: bool, finding: str, now: datetime) -> None:
    """Say whether the emergency was one; publishes `directory.break_glass_reviewed`. Nobody reviews their own."""
    glass = access_break_glass(actor=actor, id=id, now=now)
    row = BreakGlass.objects.select_for_update().get(pk=id)
    if row.reviewed_at is not None:
        raise Conflict(_("这次紧急查看已经复核过。"))
    if not may_review(actor=actor, glass=glass, now=now):
        raise Refused(_("您不能复核这次紧急查看。"), remedy=_("请由安全管理员复核，本人不能复核自己。"))
    if not finding.strip():
        raise Invalid(_("请写下复核意见。"))
    row.reviewed_at, row.reviewed_by_id, row.is_justified, row.finding = now, actor.person_id, is_justified, finding.strip()
    row.save(update_fields=["reviewed_at", "reviewed_by", "is_justified", "finding"])
    if row.closed_at is None and row.end_at > now:
        _close([row], actor, now, now)
    details = {"break_glass_id": row.pk, "is_justified": is_justified}
    audit.record(actor=actor, action="directory.break_glass_reviewed", target=f"person:{row.holder_id}", details=details, now=now)
    events.publish("directory.break_glass_reviewed", details, now=now)
    verdict = _("理由成立") if is_justified else _("理由不成立")
    title = _("您的紧急查看已复核：%(verdict)s") % {"verdict": verdict}
    notify(person_ids=[row.holder_id], title=title, body=row.finding, url=url_of(row.pk), now=now)


def tend_break_glass(*, now: datetime) -> dict[str, int]:
    """Run hourly: write down what ended by itself, and remind the reviewers of what is overdue, once a day."""
    with transaction.atomic():
        over = list(BreakGlass.objects.select_for_update().filter(closed_at__isnull=True, end_at__lte=now)[:500])
        for row in over:
            _close([row], SYSTEM, row.end_at, now)
    overdue = BreakGlass.objects.filter(reviewed_at__isnull=True, review_by__lte=now).select_related("holder")
    reminded = 0
    for row in overdue.iterator(chunk_size=500):
        title = _("%(name)s 的紧急查看还没有复核，已超过期限") % {"name": row.holder.name}
        key = f"break-glass-overdue:{row.pk}:{day_of(now).isoformat()}"
        notify(person_ids=_reviewers(row.org_path, now), title=title, url=url_of(row.pk), key=key, now=now)
        reminded += 1
    return {"closed": len(over), "overdue": reminded}


def _path_to(actor: Actor, person_id: int | None, org_id: int | None, now: datetime) -> str:
    scope = emergency_scope(actor=actor, now=now)
    if scope.is_empty:
        raise NotFound(_("没有找到这个人或这个机构。"))
    if org_id is not None:
        org = Org.objects.visible().filter(pk=org_id, status=OrgStatus.ACTIVE).first()
        if org is None or not scope.covers(org.path):
            raise NotFound(_("没有找到这个人或这个机构。"))
        return org.path
    person = Person.objects.visible().filter(pk=person_id or 0, merged_into__isnull=True).first()
    if person is None or person.pk not in people_within(scope, [person.pk], day=day_of(now)):
        raise NotFound(_("没有找到这个人或这个机构。"))
    places = sorted(places_of([person.pk], day=day_of(now))[person.pk], key=lambda path: (path.count("/"), path))
    return next((path for path in places if scope.covers(path)), scope.paths[0])


def _role_of(actor: Actor, now: datetime) -> Role:
    assert actor.person_id is not None
    return next(
        holding.role
        for holding in holdings_of(actor.person_id, now)
        if Permission.BREAK_GLASS in ROLE_PERMISSIONS[holding.role]
        and holding.opens is None
        and (actor.role is None or holding.role == actor.role)
    )


def _reviewers(path: str, now: datetime) -> list[int]:
    rows = grants_reaching(path, now=now).filter(role=Role.SECURITY_ADMIN)
    return list(rows.values_list("person_id", flat=True))


def _heads(path: str, now: datetime) -> Iterable[int]:
    rows = Affiliation.objects.visible().filter(current_q(day_of(now)), org_path__in=prefixes_of(path), role=Role.HEAD.value)
    return rows.values_list("person_id", flat=True)


def _tell(actor: Actor, row: BreakGlass, person_id: int | None, now: datetime) -> None:
    reviewers = _reviewers(row.org_path, now)
    title = _("%(name)s 启用了紧急查看") % {"name": actor.name}
    body = _("原因：%(reason)s。到时自动结束，请在 3 天内复核。") % {"reason": row.reason}
    notify(person_ids=reviewers, title=title, body=body, url=url_of(row.pk), now=now)
    heads = [id for id in _heads(row.org_path, now) if id not in reviewers and id != actor.person_id]
    notify(person_ids=heads, title=title, body=_("原因：%(reason)s。") % {"reason": row.reason}, now=now)
    if person_id is not None:
        tell_concerned(actor, row, person_id, now)


def _close(rows: list[BreakGlass], actor: Actor, at: datetime, now: datetime) -> None:
    for row in rows:
        row.closed_at = at
        row.save(update_fields=["closed_at"])
        details = {"break_glass_id": row.pk}
        audit.record(
            actor=actor, action="directory.break_glass_closed", target=f"person:{row.holder_id}", details=details, now=now
        )
        events.publish("directory.break_glass_closed", {"holder_id": row.holder_id, **details}, now=now)
