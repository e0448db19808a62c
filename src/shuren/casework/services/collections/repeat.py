"""Collections that come again: the next one when its period begins, until somebody stops it."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shuren.casework.models import Collection
from shuren.casework.rules.collections import NewCollection, choice_in
from shuren.casework.rules.periods import period_on
from shuren.casework.rules.specs.words import Span
from shuren.casework.rules.workdays import add_span
from shuren.casework.selectors.collections.reach import access_managed
from shuren.casework.selectors.collections.repeating import next_period_of, repeating_collections
from shuren.casework.selectors.collections.sources import collection_spec
from shuren.casework.selectors.holidays import holidays
from shuren.casework.services.collections.issue import issue_collection
from shuren.directory.data import OrgType, Role
from shuren.kernel import audit
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, ShurenError
from shuren.messaging import api as messaging

LIST_PAGE = "/collections/"


def issue_next_collections(*, on_progress: Callable[[int, int], None], now: datetime) -> int:
    """Issue whatever is to come again now; returns how many. Each is followed once, however often this runs."""
    waiting = list(repeating_collections().order_by("pk").values_list("pk", flat=True))
    issued = 0
    for done, collection_id in enumerate(waiting, start=1):
        issued += issue_next_collection(collection_id=collection_id, now=now) is not None
        on_progress(done, len(waiting))
    return issued


@transaction.atomic
def issue_next_collection(*, collection_id: int, now: datetime) -> Collection | None:
    """The one that follows, once its period has begun; what cannot be issued any more stops, and its issuer is told."""
    row = repeating_collections().select_for_update(of=("self",)).filter(pk=collection_id).first()
    coming = next_period_of(row) if row else None
    if row is None or coming is None or coming.begin > day_of(now):
        return None
    try:
        return issue_collection(actor=SYSTEM, new=_next(row, now), follows=row, now=now)
    except ShurenError as error:
        _stop(row, SYSTEM, now, reason=str(error))
        if row.issued_by_id is not None:
            title = _("没能自动再下发，已停止：%(title)s") % {"title": row.title}
            messaging.notify(person_ids=[row.issued_by_id], title=title, body=str(error), url=LIST_PAGE, now=now)
        return None


@transaction.atomic
def stop_repeating(*, actor: Actor, collection_id: int, now: datetime) -> None:
    """Let nothing follow this collection; it goes on itself."""
    access_managed(actor=actor, id=collection_id, now=now)
    row = Collection.objects.select_for_update().get(pk=collection_id)
    if next_period_of(row) is None:
        raise Conflict(_("这项采集不会再自动下发。"), remedy=_("已经下发了下一期的，请在最近一期的页面停止。"))
    _stop(row, actor, now)


def _stop(row: Collection, actor: Actor, now: datetime, *, reason: str = "") -> None:
    Collection.objects.filter(pk=row.pk).update(repeats="")
    told = {"repeats": row.repeats, "reason": reason[:200]}
    audit.record(actor=actor, action="casework.collection_repeat_stopped", target=f"collection:{row.pk}", details=told, now=now)


def _next(row: Collection, now: datetime) -> NewCollection:
    """The same again for the period that is now; periods that nobody was there for are passed over."""
    assert row.definition is not None
    return NewCollection(
        title=row.title,
        form=collection_spec(row.definition.key).form,
        org_id=row.org_id,
        due_at=_due_at(row, now),
        types=tuple(OrgType(kind) for kind in row.types),
        filled_by=tuple(Role(role) for role in row.filled_by),
        flow=row.flow_version.definition.key if row.flow_version else "",
        collection=row.definition.key,
        note=row.note,
        period=period_on(row.repeats, day_of(now)).label,
        choice=choice_in(row.choice),
        is_repeated=True,
    )


def _due_at(row: Collection, now: datetime) -> datetime:
    """As many working days after the issue as the first one gave, at the same time of day; one at least."""
    last_day = add_span(now, Span(working_days=max(row.repeat_workdays, 1)), holidays=holidays())
    moment = timezone.localtime(row.due_at).time()
    return datetime.combine(timezone.localdate(last_day), moment, tzinfo=timezone.get_default_timezone())
