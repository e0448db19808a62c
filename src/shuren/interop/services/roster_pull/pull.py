"""One turn of taking a roster: page after page, then the package, then the house's roster import."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.intake import api as intake
from shuren.interop.data import PullKind, PullStatus, Resource
from shuren.interop.models import RosterPull, RosterSource
from shuren.interop.selectors.roster_sources import owner_of
from shuren.interop.services.roster_pull.land import forget_pages, land_page
from shuren.interop.services.roster_pull.pack import find_top, pack_pull
from shuren.interop.services.roster_pull.remote import Broken, Later, Remote, RemotePage
from shuren.kernel import audit, ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, NotFound
from shuren.messaging.api import notify
from shuren.work.api import enqueue

# Seconds until the other side is asked again when it does not say itself; after the last the turn has failed.
WAITS = (5, 30, 120, 600, 1_800, 7_200)
_RESTARTS = 3
_ALWAYS = (Resource.ORGS, Resource.USERS)
Progress = Callable[[int, int | None], None]


def begin_pull(*, source: RosterSource, kind: PullKind | None, actor: Actor, now: datetime) -> RosterPull:
    """Open a turn of a source and have it carried on by a job; without `kind` a full one when that is due.

    Callers have locked the source. Raises `Conflict` while another turn is open or the owner's right is gone.
    """
    if RosterPull.objects.filter(source=source, ended_at__isnull=True).exists():
        raise Conflict(str(_("这个来源正在拉取，或有一次拉取在等待处理。")), remedy=str(_("请先处理完那一次。")))
    is_full = kind is PullKind.FULL or source.seen_at is None or source.full_at is None
    is_full = is_full or now - source.full_at >= timedelta(days=source.full_days)  # type: ignore[operator]  # known by now
    pull = RosterPull.objects.create(
        source=source,
        kind=PullKind.FULL if is_full else PullKind.DELTA,
        status=PullStatus.FETCHING,
        since=None if is_full else source.seen_at,
        asked_by="" if actor.is_system else actor.name[:100],
        begun_at=now,
    )
    source.next_at = now + timedelta(hours=source.hours) if source.hours else None
    source.save(update_fields=["next_at"])
    details = {"source": source.name, "kind": pull.kind}
    audit.record(actor=actor, action="interop.roster_pull_begun", target=f"roster_source:{source.pk}", details=details, now=now)
    _enqueue(pull, None)
    return pull


def carry_on(pull_id: int, *, now: datetime, on_progress: Progress, is_cancelled: Callable[[], bool]) -> str:
    """Go on from the last landed page to the import, or until the other side wants to be left alone; returns the status."""
    pull = RosterPull.objects.select_related("source").get(pk=pull_id)
    if pull.status != PullStatus.FETCHING:
        return pull.status
    try:
        _check_right(pull.source, now)
        remote = Remote(pull.source, now)
        while (resource := _resource(pull)) is not None:
            if is_cancelled():
                return _end(pull, PullStatus.DROPPED, {}, now)
            _step(pull, remote, resource, now)
            on_progress(sum(pull.counts.values()), None)
        if pull.fault_count:
            return _end(pull, PullStatus.REFUSED, {"code": "faults"}, now)
        return _hand_over(pull, now)
    except Later as fault:
        return _wait(pull, fault, now)
    except Broken as fault:
        place = {"resource": pull.place.get("resource", ""), "offset": pull.place.get("offset", 0)}
        return _end(pull, PullStatus.FAILED, {"code": fault.code, "detail": fault.detail, **place}, now)
    except NotFound:
        RosterSource.objects.filter(pk=pull.source_id).update(is_paused=True, pause_reason="no_right")
        return _end(pull, PullStatus.FAILED, {"code": "no_right"}, now)


def resources_of(source: RosterSource) -> Sequence[Resource]:
    return [one for one in Resource if one in _ALWAYS or one.value in source.takes]


def _check_right(source: RosterSource, now: datetime) -> None:
    directory.access_org(actor=owner_of(source), id=source.org_id, permission=Permission.IMPORT_ROSTER, now=now)


def _resource(pull: RosterPull) -> Resource | None:
    """The collection to ask for next; None when all were read."""
    if not pull.place:
        pull.place = {"resource": Resource.ORGS.value, "offset": 0, "total": None, "restarts": 0}
    name = pull.place["resource"]
    return Resource(name) if name else None


def _step(pull: RosterPull, remote: Remote, resource: Resource, now: datetime) -> None:
    """Ask for one page, land it, and only then note that it is there."""
    offset = int(pull.place["offset"])
    page = remote.page(resource, offset=offset, since=pull.since)
    if pull.seen_at is None:
        pull.seen_at = page.answered_at or now
    before, pull.tries = pull.place.get("total"), 0
    if page.total is not None and before is not None and page.total < before:
        _restart(pull, resource)
    else:
        land_page(pull, resource, page.objects, offset=offset, now=now)
        _advance(pull, resource, page)
    pull.save()


def _advance(pull: RosterPull, resource: Resource, page: RemotePage) -> None:
    reached = int(pull.place["offset"]) + len(page.objects)
    if page.total is not None:
        is_over = reached >= page.total
        if not page.objects and not is_over:
            raise Broken("short", f"{reached} / {page.total}")
    else:
        is_over = not page.objects or page.has_next is False
    if not is_over:
        pull.place = {**pull.place, "offset": reached, "total": page.total}
        return
    if resource is Resource.ORGS and pull.source.is_same_top and pull.kind == PullKind.FULL:
        pull.source.top_id = find_top(pull)
        pull.source.save(update_fields=["top_id"])
    order = resources_of(pull.source)
    following = order[order.index(resource) + 1 :]
    pull.place = {"resource": following[0].value if following else "", "offset": 0, "total": None, "restarts": 0}


def _restart(pull: RosterPull, resource: Resource) -> None:
    """Rows went away while the collection was read: those behind moved up, and some may not have been seen."""
    if pull.place["restarts"] >= _RESTARTS:
        raise Broken("unsteady")
    pull.counts = {**pull.counts, resource.value: 0}
    pull.place = {"resource": resource.value, "offset": 0, "total": None, "restarts": pull.place["restarts"] + 1}


def _hand_over(pull: RosterPull, now: datetime) -> str:
    path, rows = pack_pull(pull)
    if path is None:
        with transaction.atomic():
            take_note_of(pull)
            return _end(pull, PullStatus.UNCHANGED, {}, now)
    source = pull.source
    name = f"{source.name}-{pull.kind}-{day_of(now):%Y%m%d}.zip"
    with transaction.atomic():
        options = {"is_carried": True, "roster_pull": pull.pk}
        pull.import_id = intake.start_import(
            actor=owner_of(source), kind="roster", file_name=name, content=path, options=options, now=now
        )
        pull.status = PullStatus.CHECKING
        pull.counts = {**pull.counts, "rows": rows}
        pull.save()
    forget_pages(pull.pk)
    return pull.status


def take_note_of(pull: RosterPull) -> None:
    """The next turn asks for what changed since this one began, by the other side's clock."""
    source = pull.source
    source.seen_at = pull.seen_at
    if pull.kind == PullKind.FULL:
        source.full_at = pull.begun_at
    source.save(update_fields=["seen_at", "full_at"])


def _wait(pull: RosterPull, fault: Later, now: datetime) -> str:
    error = {"code": fault.code, "detail": fault.detail, "resource": pull.place.get("resource", "")}
    if pull.tries >= len(WAITS):
        return _end(pull, PullStatus.FAILED, error, now)
    seconds = max(1, fault.seconds) if fault.seconds is not None else WAITS[pull.tries]
    with transaction.atomic():
        pull.tries += 1
        pull.error = error
        pull.save()
        _enqueue(pull, now + timedelta(seconds=seconds))
    return pull.status


def _enqueue(pull: RosterPull, run_after: datetime | None) -> None:
    place = f"{pull.place.get('resource', '')}:{pull.place.get('offset', 0)}:{pull.tries}"
    enqueue(
        "shuren.interop.jobs.pull_roster",
        {"pull_id": pull.pk},
        key=f"roster-pull:{pull.pk}:{place}",
        run_after=run_after,
        title=_("从“%(source)s”拉取名册"),
        title_words={"source": pull.source.name},
    )


@transaction.atomic
def _end(pull: RosterPull, status: PullStatus, error: dict[str, object], now: datetime) -> str:
    end_pull(pull, status, error, now=now)
    return pull.status


def end_pull(pull: RosterPull, status: PullStatus, error: dict[str, object], *, now: datetime) -> None:
    """Close a turn, within the caller's transaction: pages are thrown away, the owner hears of what did not work."""
    pull.status, pull.error, pull.ended_at = status, error, now
    pull.save()
    details = {"status": str(status), "error": error.get("code", ""), "counts": pull.counts}
    audit.record(
        actor=SYSTEM, action="interop.roster_pull_ended", target=f"roster_source:{pull.source_id}", details=details, now=now
    )
    if status in (PullStatus.FAILED, PullStatus.REFUSED):
        tell_owner(pull, str(_("名册来源“%(name)s”的拉取没有成功")) % {"name": pull.source.name}, now=now)
    transaction.on_commit(lambda: forget_pages(pull.pk))


def tell_owner(pull: RosterPull, title: str, *, now: datetime) -> None:
    owner = pull.source.owner_person_id
    if owner is not None:
        url = f"/roster-sources/pulls/{ids.encode('roster_pull', pull.pk)}/"
        notify(person_ids=[owner], title=title, url=url, key=f"roster-pull:{pull.pk}:{pull.status}", now=now)
