"""Merge two person rows into one, or note that they are two people."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from shuren.directory.data import Permission, Role
from shuren.directory.models import (
    Affiliation,
    BreakGlass,
    Consent,
    Disclosure,
    DuplicatePair,
    Enrollment,
    FormerNumber,
    Grant,
    GuardianLink,
    Person,
    SubjectRequest,
)
from shuren.directory.rules.permissions import excluded_by
from shuren.directory.selectors.duplicates import pair_row_for
from shuren.directory.selectors.grants import held_roles
from shuren.directory.selectors.people import person_row_for
from shuren.directory.selectors.placement import open_q
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor, Period
from shuren.kernel.errors import Conflict, Invalid, Refused

_FILLED = ("birth_date", "pupil_number", "staff_number", "email", "phone", "grade", "username")


def merge_people(*, actor: Actor, keep_id: int, drop_id: int, now: datetime, reason: str = "") -> None:
    """Move everything of `drop_id` to `keep_id`; the dropped row stays, points to the kept one and gives up its number.

    Blank facts of the kept row are filled from the dropped one, its numbers become former numbers. Nobody merges an entry
    of their own, which is audited, and no role is left that its holder gave or confirmed themself. Publishes
    `directory.person_merged`, on which accounts follow.
    """
    try:
        _merge(actor, keep_id, drop_id, reason, now)
    except Refused as refusal:
        details = {"other_id": drop_id, "reason": refusal.message}
        audit.record(actor=actor, action="directory.merge_refused", target=f"person:{keep_id}", details=details, now=now)
        raise


@transaction.atomic
def _merge(actor: Actor, keep_id: int, drop_id: int, reason: str, now: datetime) -> None:
    if keep_id == drop_id:
        raise Invalid(_("请选择两个不同的人。"))
    for id in (keep_id, drop_id):
        person_row_for(actor=actor, id=id, permission=Permission.MANAGE_PEOPLE, now=now)
    rows = {row.pk: row for row in Person.objects.select_for_update().filter(pk__in=(keep_id, drop_id)).order_by("pk")}
    keep, drop = rows[keep_id], rows[drop_id]
    if keep.merged_into_id or drop.merged_into_id:
        raise Conflict(_("其中一人已经合并过。"), remedy=_("请刷新页面。"))
    _check_roles(keep, drop, now)
    _check_hands(actor, keep, drop, now)
    moved = {
        "affiliations": _move_affiliations(keep, drop, day_of(now)),
        "enrollments": _move_enrollments(keep, drop, day_of(now)),
        "guardian_links": _move_links(keep, drop),
        "grants": Grant.objects.filter(person=drop).update(person=keep),
        "consents": _move_consents(keep, drop),
    }
    Grant.objects.filter(granted_by=drop).update(granted_by=keep)
    BreakGlass.objects.filter(subject=drop).update(subject=keep)
    SubjectRequest.objects.filter(subject=drop).update(subject=keep)
    SubjectRequest.objects.filter(asked_by=drop).update(asked_by=keep)
    _move_numbers(keep, drop, now)
    Person.objects.filter(merged_into=drop).update(merged_into=keep)
    drop.merged_into, drop.is_active = keep, False
    drop.save(update_fields=["merged_into", "is_active"])
    first, second = sorted((keep.pk, drop.pk))
    DuplicatePair.objects.filter(first_id=first, second_id=second).update(decided_at=now, decision="merged")
    DuplicatePair.objects.filter(Q(first=drop) | Q(second=drop), decided_at__isnull=True).delete()
    details = {"dropped_id": drop.pk, "dropped_number": drop.number, "reason": reason, **moved}
    audit.record(actor=actor, action="directory.person_merged", target=f"person:{keep.pk}", details=details, now=now)
    events.publish("directory.person_merged", {"kept_id": keep.pk, "dropped_id": drop.pk}, now=now)


@transaction.atomic
def dismiss_duplicate(*, actor: Actor, pair_id: int, now: datetime, reason: str = "") -> None:
    """Note that a proposed pair is two people: it is never proposed again. Publishes `directory.duplicate_dismissed`."""
    pair = pair_row_for(actor=actor, id=pair_id, now=now)
    DuplicatePair.objects.filter(pk=pair.pk).update(decided_at=now, decision="dismissed")
    details = {"first_id": pair.first_id, "second_id": pair.second_id, "reason": reason}
    audit.record(actor=actor, action="directory.duplicate_dismissed", target=f"pair:{pair.pk}", details=details, now=now)
    events.publish("directory.duplicate_dismissed", {"pair_id": pair.pk, **details}, now=now)


def _check_roles(keep: Person, drop: Person, now: datetime) -> None:
    held = held_roles(keep.pk, now=now)
    rival = next((role for role in held_roles(drop.pk, now=now) if excluded_by(role, held)), None)
    if rival is not None:
        raise Conflict(_("两人的角色不能由同一个人担任。"), remedy=_("请先收回其中一人的授权。"))


def _check_hands(actor: Actor, keep: Person, drop: Person, now: datetime) -> None:
    """Two entries of one person must not be two pairs of eyes."""
    both = (keep.pk, drop.pk)
    if actor.person_id in both:
        raise Refused(_("不能合并自己的档案。"), remedy=_("请由另一位管理员办理。"))
    in_force = Grant.objects.filter(Q(end_at__isnull=True) | Q(end_at__gt=now), person_id__in=both, revoked_at__isnull=True)
    by_either = Q(granted_by_id__in=both) | Q(confirmed_by_id__in=both)
    # The grant of an office is used up once it is confirmed; the office is the affiliation that came of it.
    offices = Grant.objects.filter(by_either, person_id__in=both, office__isnull=False, confirmed_at__isnull=False)
    lasting = Affiliation.objects.filter(open_q(day_of(now)), person_id__in=both)
    stands = any(lasting.filter(role=role, org_id=org_id).exists() for role, org_id in offices.values_list("role", "org_id"))
    if stands or in_force.filter(by_either).exists():
        raise Conflict(_("其中一人给另一人授过权，合并后就成了给自己授权。"), remedy=_("请先收回这项授权。"))


def _move_affiliations(keep: Person, drop: Person, day: date) -> int:
    kept = [(row.org_id, row.role, Period(row.begin_date, row.end_date)) for row in keep.affiliations.all()]
    rows = list(Affiliation.objects.filter(person=drop))
    for row in rows:
        row.person = keep
        _empty_if_doubled(row, row.org_id, Role(row.role).value, kept, day)
        row.save(update_fields=["person", "begin_date", "end_date"])
    return len(rows)


def _move_enrollments(keep: Person, drop: Person, day: date) -> int:
    mine = list(keep.enrollments.all())
    kept = [(row.class_org_id, row.role, Period(row.begin_date, row.end_date)) for row in mine]
    homes = [Period(row.begin_date, row.end_date) for row in mine if row.is_primary and row.role == "student"]
    rows = list(Enrollment.objects.filter(person=drop))
    for row in rows:
        row.person = keep
        _empty_if_doubled(row, row.class_org_id, row.role, kept, day)
        if row.role == "student" and any(home.overlaps(Period(row.begin_date, row.end_date)) for home in homes):
            row.is_primary = False
        row.save(update_fields=["person", "is_primary", "begin_date", "end_date"])
    return len(rows)


def _empty_if_doubled(
    row: Affiliation | Enrollment, org_id: int, role: str, kept: list[tuple[int, str, Period]], day: date
) -> None:
    """A row that says what the kept person's own row already says gets an empty period: kept on file, in force never."""
    period = Period(row.begin_date, row.end_date)
    if any(org_id == other and role == same and span.overlaps(period) for other, same, span in kept):
        row.begin_date = row.begin_date or day
        row.end_date = row.begin_date


def _move_links(keep: Person, drop: Person) -> int:
    moved = 0
    for side, other in (("guardian", "ward"), ("ward", "guardian")):
        taken = set(GuardianLink.objects.filter(**{side: keep}).values_list(f"{other}_id", flat=True)) | {keep.pk}
        rows = GuardianLink.objects.filter(**{side: drop})
        rows.filter(**{f"{other}_id__in": taken}).delete()
        moved += rows.update(**{side: keep})
    return moved


def _move_consents(keep: Person, drop: Person) -> int:
    """Answers move along; where both rows answered, the kept one's answer goes on to hold."""
    answered = keep.consents.filter(is_current=True).values_list("base_id", "decided_as")
    for base_id, decided_as in list(answered):
        drop.consents.filter(base_id=base_id, decided_as=decided_as, is_current=True).update(is_current=False)
    told = set(keep.disclosures.values_list("day", "recipient", "purpose", "elements"))
    for row in list(drop.disclosures.all()):
        if (row.day, row.recipient, row.purpose, row.elements) not in told:
            Disclosure.objects.filter(pk=row.pk).update(person=keep)
    drop.disclosures.all().delete()
    Consent.objects.filter(decided_by=drop).update(decided_by=keep)
    return drop.consents.update(person=keep)


def _move_numbers(keep: Person, drop: Person, now: datetime) -> None:
    FormerNumber.objects.filter(person=drop).update(person=keep)
    former = [("number", drop.number)]
    former += [(kind, getattr(drop, kind)) for kind in ("pupil_number", "staff_number")]
    for column in _FILLED:
        if not getattr(keep, column):
            setattr(keep, column, getattr(drop, column))
    if not keep.national_id_index:
        keep.national_id_index, keep.national_id_sealed = drop.national_id_index, drop.national_id_sealed
    keep.save()
    current = {keep.number, keep.pupil_number, keep.staff_number, ""}
    FormerNumber.objects.bulk_create(
        FormerNumber(person=keep, kind=kind, value=value, until=now) for kind, value in former if value not in current
    )
