"""Urging everybody who has not answered, with one press: at most once an hour per org, by a job that may be killed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.casework.data import CollectionState
from shuren.casework.models import Collection, CollectionTarget
from shuren.casework.rules.collections import OPEN_STATES, URGE_PAUSE
from shuren.casework.selectors.collections.reach import access_collection
from shuren.casework.services.collections.issue import OWN_PAGE, fillers_of
from shuren.identity import api as identity
from shuren.kernel import audit
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict
from shuren.kernel.scope import path_q
from shuren.messaging import api as messaging
from shuren.messaging.data import Channel, Letter
from shuren.work import api as work

CHANNELS = (Channel.SMS, Channel.EMAIL, Channel.DINGTALK, Channel.WECOM)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Urged:
    """What an urge came to: orgs reached, people told inside, messages to the outside, orgs where nobody may fill in."""

    orgs: int = 0
    people: int = 0
    messages: int = 0
    without_filler: int = 0

    def plus(self, other: "Urged") -> "Urged":
        return Urged(
            self.orgs + other.orgs,
            self.people + other.people,
            self.messages + other.messages,
            self.without_filler + other.without_filler,
        )


@transaction.atomic
def urge_collection(
    *, actor: Actor, collection_id: int, path: str = "", only_late: bool = False, channels: Iterable[Channel] = (), now: datetime
) -> int:
    """Urge every org in the actor's reach (in the branch `path` of it) that has not answered; returns the job's id."""
    reach = access_collection(actor=actor, id=collection_id, now=now).narrowed(path)
    row = reach.collection
    if row.state != CollectionState.OPEN:
        raise Conflict(_("这项采集没有开放，不用催办。"))
    chosen = [channel.value for channel in dict.fromkeys(channels) if channel in CHANNELS]
    asked = {"collection_id": row.pk, "paths": list(reach.paths), "only_late": only_late, "channels": chosen}
    audit.record(
        actor=actor,
        action="casework.collection_urged",
        target=f"collection:{row.pk}",
        details={**asked, "orgs": _to_urge(row, reach.paths, only_late, now).count()},
        now=now,
    )
    job_id = work.enqueue(
        "shuren.casework.jobs.collections.urge_targets",
        {**asked, "at": now.isoformat()},
        key=f"collection:{row.pk}:urge:{','.join(reach.paths)[:120]}",
        title=gettext_lazy("催办“%(title)s”"),
        title_words={"title": row.title},
        actor=actor,
    )
    Collection.objects.filter(pk=row.pk).update(urge_job_id=job_id)
    return job_id


def count_to_urge(row: Collection, paths: Iterable[str], *, only_late: bool = False, now: datetime) -> int:
    """How many orgs an urge would reach now."""
    return _to_urge(row, paths, only_late, now).count()


def urge_targets(
    *,
    collection_id: int,
    paths: list[str],
    only_late: bool,
    channels: list[str],
    asked_at: datetime,
    on_progress: Callable[[int, int], None],
    now: datetime,
) -> Urged:
    """Tell the fillers, five hundred orgs in a transaction: an org that was told is marked in the same, and passed over again.

    `asked_at` is when it was asked for, so that a second run counts the hour from there.
    """
    row = Collection.objects.get(pk=collection_id)
    waiting = list(_to_urge(row, paths, only_late, asked_at).order_by("org_path").values_list("pk", flat=True))
    urged = Urged()
    for start in range(0, len(waiting), _AT_ONCE):
        urged = urged.plus(_urge_some(row, waiting[start : start + _AT_ONCE], channels, asked_at, now))
        on_progress(min(start + _AT_ONCE, len(waiting)), len(waiting))
    return urged


@transaction.atomic
def _urge_some(row: Collection, target_ids: list[int], channels: list[str], asked_at: datetime, now: datetime) -> Urged:
    rows = _not_urged(CollectionTarget.objects.filter(pk__in=target_ids), asked_at)
    targets = list(rows.select_for_update().only("pk", "org_id", "urges", "due_at"))
    fillers = fillers_of(row, [target.org_id for target in targets], now=now)
    title = _("催办：请尽快填报“%(title)s”") % {"title": row.title}
    body = _("截止时间 %(day)s。") % {"day": day_of(row.due_at).isoformat()}
    people = sorted({person_id for ids in fillers.values() for person_id in ids})
    # The moment it was asked for is in the key: whoever answers for two orgs hears of it once.
    key = f"collection:{row.pk}:urge:{asked_at:%Y%m%d%H%M%S}"
    messaging.notify(person_ids=people, title=title, body=body, url=OWN_PAGE, key=key, now=now)
    sent = _send_outside(people, [Channel(channel) for channel in channels], key, title, body, now) if channels else 0
    CollectionTarget.objects.filter(pk__in=[target.pk for target in targets]).update(urged_at=asked_at, urges=F("urges") + 1)
    without = sum(not fillers[target.org_id] for target in targets)
    return Urged(len(targets), len(people), sent, without)


def _send_outside(people: list[int], channels: list[Channel], key: str, title: str, body: str, now: datetime) -> int:
    addresses = identity.addresses_of(people)
    sent = 0
    for channel in channels:
        letters = {
            f"{key}:{person_id}:{channel.value}": Letter(to[channel], f"{title} {body}", title, (("title", title), ("due", body)))
            for person_id, to in addresses.items()
            if channel in to
        }
        sent += messaging.send_many(channel=channel, letters=letters, now=now)
    return sent


def _to_urge(row: Collection, paths: Iterable[str], only_late: bool, now: datetime) -> QuerySet[CollectionTarget]:
    rows = CollectionTarget.objects.filter(path_q("org_path", paths), collection=row)
    return _not_urged(rows.filter(due_at__lt=now) if only_late else rows, now)


def _not_urged(rows: QuerySet[CollectionTarget], now: datetime) -> QuerySet[CollectionTarget]:
    is_quiet = Q(urged_at__isnull=True) | Q(urged_at__lte=now - URGE_PAUSE)
    return rows.filter(is_quiet, state__in=[state.value for state in OPEN_STATES])
