"""Digital certificates end with what they say: whoever left, a unit that is no more, somebody erased."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.certificates.models.digital import AskedKind, AskedStatus, DigitalCertificate
from shuren.certificates.selectors.digital import holder_of
from shuren.certificates.services.digital import notify_holder, tell_step
from shuren.directory import api as directory
from shuren.directory.data import OrgStatus
from shuren.identity import api as identity
from shuren.kernel import audit
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict
from shuren.kernel.scope import path_q
from shuren.trust import api as trust
from shuren.trust.data import RevocationReason

# While a roster is being written its rows are not seen: who seems gone on one night may be there on the next.
LEFT_GRACE = timedelta(days=3)
_AT_ONCE = 500
_WAITING = (AskedStatus.ASKED, AskedStatus.ALLOWED)
Told = Callable[[int, int], None]


def end_for_leaver(*, person_id: int, now: datetime) -> int:
    """A tie of the person has ended: what names an org where they are no more ends, and what they hold of units too.

    A unit's key is in the hands of whoever asked for it; a device's lies in the device, and stays. Returns how many ended.
    """
    account = identity.accounts_of_people([person_id]).get(person_id)
    held = Q(kind=AskedKind.UNIT, asked_by=account.id) if account else Q(pk__in=())
    rows = list(_standing(now).filter(Q(person_id=person_id) | held))
    return sum(_end(row, RevocationReason.AFFILIATION_CHANGED, now) for row in rows if row in _without_tie(rows, now))


def end_for_org(*, path: str, now: datetime) -> int:
    """The branch was closed, or its top became part of another org; returns how many ended."""
    rows = _standing(now).filter(path_q("org__path", [path])).exclude(org__status=OrgStatus.ACTIVE)
    return sum(_end(row, _reason_of_closing(row), now) for row in rows)


def end_for_erased(*, person_id: int, now: datetime) -> int:
    """Nobody of that name is left; returns how many ended."""
    rows = _standing(now).filter(person_id=person_id)
    return sum(_end(row, RevocationReason.CESSATION_OF_OPERATION, now) for row in rows)


def review_holders(*, now: datetime, after: int = 0, on_chunk: Told = lambda _last, _ended: None) -> int:
    """What no event told: ties that ended on their day or by a roster. Whoever is gone for `LEFT_GRACE` loses the certificate.

    `on_chunk(last id, ended so far)` is called after every chunk. Returns how many ended.
    """
    ended = 0
    while rows := list(_standing(now).filter(pk__gt=after).order_by("pk")[:_AT_ONCE]):
        closed = [row for row in rows if row.org.status != OrgStatus.ACTIVE]
        gone = [row for row in _without_tie(rows, now) if row not in closed]
        due = [row for row in gone if row.left_at is not None and row.left_at <= now - LEFT_GRACE]
        DigitalCertificate.objects.filter(pk__in=[row.pk for row in gone], left_at__isnull=True).update(left_at=now)
        back = [row.pk for row in rows if row.left_at is not None and row not in gone]
        DigitalCertificate.objects.filter(pk__in=back).update(left_at=None)
        ended += sum(_end(row, _reason_of_closing(row), now) for row in closed)
        ended += sum(_end(row, RevocationReason.AFFILIATION_CHANGED, now) for row in due)
        after = rows[-1].pk
        on_chunk(after, ended)
    return ended


def _standing(now: datetime) -> QuerySet[DigitalCertificate]:
    """Certificates that are good, and askings that may still become one."""
    good = Q(status=AskedStatus.ISSUED, certificate__revoked_at__isnull=True, certificate__ends_at__gt=now)
    return DigitalCertificate.objects.filter(good | Q(status__in=_WAITING)).select_related("org", "person")


def _without_tie(rows: Iterable[DigitalCertificate], now: datetime) -> list[DigitalCertificate]:
    """Those of people who are not in the org that the certificate names, and of units whose asker has nothing to do with them."""
    ours = [row for row in rows if row.kind != AskedKind.DEVICE]
    askers = identity.person_ids_of_accounts([row.asked_by for row in ours if row.person_id is None and row.asked_by is not None])
    people = {row.person_id for row in ours if row.person_id is not None} | set(askers.values())
    paths = _paths_of(people, now)
    tied = directory.people_with_ties(people, now=now)
    found = []
    for row in ours:
        if row.person_id is not None:
            # Guardians belong to no org; theirs names the region.
            is_tied = any(path.startswith(row.org.path) for path in paths[row.person_id])
            is_tied = is_tied or (row.org.parent_id is None and row.person_id in tied)
        else:
            held = paths.get(askers.get(row.asked_by or 0, 0))
            is_tied = held is None or any(path.startswith(row.org.path) or row.org.path.startswith(path) for path in held)
        if not is_tied:
            found.append(row)
    return found


def _paths_of(people: Collection[int], now: datetime) -> dict[int, set[str]]:
    """Every org and class where people are now, by affiliation, class or grant."""
    day = day_of(now)
    paths: dict[int, set[str]] = {person_id: set(found) for person_id, found in directory.duty_paths_of(people, now=now).items()}
    for tie in directory.affiliations_of_people(people, day=day):
        paths[tie.person_id].add(tie.org_path)
    for place in directory.enrollments_of_people(people, day=day):
        paths[place.person_id].add(place.class_path)
    return paths


def _reason_of_closing(row: DigitalCertificate) -> RevocationReason:
    is_person = row.kind == AskedKind.PERSON
    return RevocationReason.AFFILIATION_CHANGED if is_person else RevocationReason.CESSATION_OF_OPERATION


@transaction.atomic
def _end(row: DigitalCertificate, reason: RevocationReason, now: datetime) -> int:
    """Revoke it, or withdraw what was only asked for, and tell the holder; 0 where somebody was quicker."""
    row = DigitalCertificate.objects.select_for_update(of=("self",)).select_related("org", "person").get(pk=row.pk)
    details: dict[str, object] = {"reason": reason.value, "is_closed": row.org.status != OrgStatus.ACTIVE}
    if row.status in _WAITING:
        _record(row, details, now)
        row.status = AskedStatus.WITHDRAWN
        row.save(update_fields=["status"])
        tell_step(row, "certificates.digital_withdrawn", actor=SYSTEM, now=now)
        return 1
    try:
        trust.revoke_certificate(id=row.certificate_id or 0, reason=reason, actor=SYSTEM, now=now)
    except Conflict:
        return 0
    _record(row, details, now)
    tell_step(row, "certificates.digital_revoked", actor=SYSTEM, now=now)
    words = {"holder": holder_of(row), "org": row.org.name}
    body = _("“%(org)s”已撤销或并入别的单位。") if details["is_closed"] else _("持有人已不在“%(org)s”。")
    notify_holder(row, _("“%(holder)s”的数字证书已吊销，不能再用。") % words, body=body % words, now=now)
    return 1


def _record(row: DigitalCertificate, details: dict[str, object], now: datetime) -> None:
    """Why it ended, beside the step itself."""
    audit.record(actor=SYSTEM, action="certificates.digital_ended", target=f"digital:{row.pk}", details=details, now=now)
