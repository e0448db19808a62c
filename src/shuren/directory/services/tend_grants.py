"""What happens to grants by the calendar: reminders, ends, lapses, and the question whether they are still needed."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shuren.directory.data import Role
from shuren.directory.models import Affiliation, Grant
from shuren.directory.rules.permissions import CERTIFY_WITHIN, REMIND_BEFORE
from shuren.directory.rules.tree import prefixes_of
from shuren.directory.selectors.grants import certifiable_grants
from shuren.directory.selectors.offices import certifiable_offices, old_offices
from shuren.directory.selectors.scope import active_grant_q
from shuren.directory.services.revoke_grant import delegated_from
from shuren.kernel import audit, events
from shuren.kernel.data import SYSTEM, Actor
from shuren.messaging.api import notify

_BATCH = 200
_MONTH = timedelta(days=30)


@transaction.atomic
def certify_grants(*, actor: Actor, grant_ids: Collection[int], now: datetime) -> int:
    """Say that grants are still needed; returns how many. The actor's own, and those out of reach, stay as they are."""
    rows = list(certifiable_grants(actor=actor, now=now).filter(pk__in=grant_ids).values_list("pk", "person_id", "role"))
    Grant.objects.filter(pk__in=[pk for pk, _person, _role in rows]).update(certified_at=now, certify_by=None)
    for pk, person_id, role in rows:
        details = {"person_id": person_id, "role": role}
        audit.record(actor=actor, action="directory.grant_certified", target=f"grant:{pk}", details=details, now=now)
    return len(rows)


@transaction.atomic
def certify_offices(*, actor: Actor, affiliation_ids: Collection[int], now: datetime) -> int:
    """Say that offices of the roster are still needed; returns how many. For whoever reviews access, never their own."""
    rows = list(certifiable_offices(actor=actor, now=now).filter(pk__in=affiliation_ids))
    Affiliation.objects.filter(pk__in=[row.pk for row in rows]).update(certified_at=now)
    for row in rows:
        details = {"role": row.role, "org_id": row.org_id}
        audit.record(actor=actor, action="directory.office_certified", target=f"person:{row.person_id}", details=details, now=now)
    return len(rows)


def tend_grants(*, now: datetime) -> dict[str, int]:
    """Run daily: each step goes on where a killed run stopped, and does nothing twice."""
    lapsed = Grant.objects.filter(revoked_at__isnull=True, confirmed_at__isnull=True, confirm_by__lte=now)
    over = Grant.objects.filter(revoked_at__isnull=True, end_at__lte=now)
    # What the installation gave only waits on: a region must not lose its last administrator by silence.
    silent = Grant.objects.filter(active_grant_q(now), certify_by__lte=now, granted_by__isnull=False)
    return {
        "reminded": _remind(now),
        "lapsed": _end_all(lapsed, "not confirmed", now),
        "ended": _end_all(over, "expired", now),
        "uncertified": _end_all(silent, "not certified", now),
        "asked": _ask(now),
        "offices": _ask_about_offices(now),
    }


def _batches(rows: QuerySet[Grant]) -> Iterator[list[Grant]]:
    last = 0
    while batch := list(rows.filter(pk__gt=last).select_related("org", "person").order_by("pk")[:_BATCH]):
        yield batch
        last = batch[-1].pk


def _end_all(rows: QuerySet[Grant], reason: str, now: datetime) -> int:
    ended = 0
    for batch in _batches(rows):
        with transaction.atomic():
            ids = delegated_from([grant.pk for grant in batch])
            standing = list(Grant.objects.select_for_update().filter(pk__in=ids, revoked_at__isnull=True))
            Grant.objects.filter(pk__in=[grant.pk for grant in standing]).update(revoked_at=now, certify_by=None)
            for grant in standing:
                details = {"person_id": grant.person_id, "role": grant.role, "org_id": grant.org_id, "reason": reason}
                audit.record(actor=SYSTEM, action="directory.role_revoked", target=f"grant:{grant.pk}", details=details, now=now)
                events.publish("directory.role_revoked", {"grant_id": grant.pk, **details}, now=now)
            ended += len(standing)
    return ended


def _remind(now: datetime) -> int:
    """Holder and giver, once for each end."""
    told = 0
    soon = Grant.objects.filter(active_grant_q(now), end_at__lte=now + REMIND_BEFORE)
    for batch in _batches(soon):
        with transaction.atomic():
            for grant in batch:
                end = timezone.localtime(grant.end_at).strftime("%Y-%m-%d") if grant.end_at else ""
                people = [id for id in (grant.person_id, grant.granted_by_id) if id is not None]
                title = _("%(name)s 在“%(org)s”的授权 %(day)s 到期") % {
                    "name": grant.person.name,
                    "org": grant.org.name,
                    "day": end,
                }
                body = _("到期后自动失效。还需要的话，请由授权人重新授权。")
                notify(person_ids=people, title=title, body=body, url="/grants/", key=f"grant-end:{grant.pk}:{end}", now=now)
                told += 1
    return told


def _ask(now: datetime) -> int:
    """Ask the giver about grants that nobody looked at for `CERTIFY_MONTHS`, and who reviews access where nobody gave them."""
    before = now - settings.CERTIFY_MONTHS * _MONTH
    is_old = Q(certified_at__lte=before) | Q(certified_at__isnull=True, begin_at__lte=before)
    old = Grant.objects.filter(active_grant_q(now), is_old, certify_by__isnull=True)
    asked = 0
    for batch in _batches(old.exclude(granted_by=F("person"))):
        with transaction.atomic():
            by = now + CERTIFY_WITHIN
            Grant.objects.filter(pk__in=[grant.pk for grant in batch]).update(certify_by=by)
            givers = {grant.granted_by_id for grant in batch if grant.granted_by_id is not None}
            body = _("有些授权已经很久没有核对。请逐条确认是否还需要；%(days)s 天内没有确认的会自动结束。") % {
                "days": CERTIFY_WITHIN.days
            }
            _tell_givers(givers, _("请核对您给出的授权"), body, now)
            unowned = {path for grant in batch if grant.granted_by_id is None for path in prefixes_of(grant.org_path)}
            body = _("有些授权是系统给出的，很久没有核对。请逐条确认是否还需要；没有确认的会一直列在这里。")
            _tell_givers(_reviewers(unowned, now), _("请核对系统给出的授权"), body, now)
            asked += len(batch)
    return asked


def _ask_about_offices(now: datetime) -> int:
    """Tell who reviews access, once a month, that officers of the roster are to be looked through."""
    paths = {path for own in old_offices(now=now).values_list("org_path", flat=True).distinct() for path in prefixes_of(own)}
    people = _reviewers(paths, now)
    body = _("有些区县以上的管理员来自名册，很久没有核对。请逐个确认是否还在任。")
    _tell_givers(people, _("请核对名册里的管理员"), body, now, url="/grants/certify/?kind=office", kind="certify-offices")
    return len(people)


def _reviewers(paths: Collection[str], now: datetime) -> set[int]:
    rows = Grant.objects.filter(active_grant_q(now), role=Role.SECURITY_ADMIN, org_path__in=paths)
    return set(rows.values_list("person_id", flat=True))


def _tell_givers(
    people: Collection[int], title: str, body: str, now: datetime, *, url: str = "/grants/certify/", kind: str = "certify"
) -> None:
    for person_id in sorted(people):
        notify(person_ids=[person_id], title=title, body=body, url=url, key=f"{kind}:{person_id}:{now:%Y-%m}", now=now)
