"""Issuing: the collection at once, its orgs by a job that may be killed and goes on where it stopped."""

from collections.abc import Callable, Iterator
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.casework.data import CollectionState, DefinitionKind, TargetState
from shuren.casework.models import Collection, CollectionTarget, Definition
from shuren.casework.rules.collections import OPEN_STATES, Choice, NewCollection, choice_in
from shuren.casework.rules.periods import period_on
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.rules.workdays import workdays_between
from shuren.casework.selectors.collections.sources import collection_spec
from shuren.casework.selectors.definitions import definition_named, flow_of
from shuren.casework.selectors.holidays import holidays
from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType, Permission, Role
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Invalid, Refused
from shuren.messaging import api as messaging
from shuren.work import api as work

_AT_ONCE = 2_000
_JOB = "shuren.casework.jobs.collections."
OWN_PAGE = "/collections/mine/"


class NobodyIsAsked(Invalid):
    """The branch holds no org of these types, or the choice leaves none."""

    def __init__(self) -> None:
        super().__init__(_("这样选，没有一个单位要填报。"), remedy=_("请检查范围、单位类型和进一步的选择。"))


def orgs_asked(*, path: str, types: tuple[OrgType, ...], choice: Choice) -> Iterator[OrgData]:
    """The orgs that a collection would be issued to, the exempt among them, in order of path; a thousand at a time."""
    ids = directory.org_ids_within(path, types=types)
    if choice.org_ids:
        ids = [org_id for org_id in ids if org_id in choice.org_ids]
    for start in range(0, len(ids), 1_000):
        some = ids[start : start + 1_000]
        found = directory.orgs_by_ids(some)
        yield from (found[org_id] for org_id in some if org_id in found and choice.takes(found[org_id]))


def count_asked(*, path: str, types: tuple[OrgType, ...], choice: Choice) -> int:
    """How many orgs would have to fill in: what the page says before anything is sent."""
    return sum(org.id not in choice.exempt_ids for org in orgs_asked(path=path, types=types, choice=choice))


@transaction.atomic
def issue_collection(*, actor: Actor, new: NewCollection, now: datetime, follows: Collection | None = None) -> Collection:
    """Issue a form to a branch; `actor` issues collections there. The orgs' rows are made by a job.

    `follows` is the one of the period before, where this one comes by itself.

    Publishes `casework.collection_issued` once every org has its row.
    """
    org = directory.access_org(actor=actor, id=new.org_id, permission=Permission.ISSUE_COLLECTIONS, now=now)
    _check(new, now)
    form = _usable(DefinitionKind.FORM, new.form, org)
    flow = _usable(DefinitionKind.FLOW, new.flow, org) if new.flow else None
    if flow is not None:
        _check_flow(flow_of(_version(flow)), new)
    if not count_asked(path=org.path, types=new.types, choice=new.choice):
        raise NobodyIsAsked
    repeats = _repeats(new)
    row = Collection.objects.create(
        title=new.title.strip(),
        note=new.note.strip(),
        definition=definition_named(DefinitionKind.COLLECTION, new.collection) if new.collection else None,
        form_version_id=_version(form),
        flow_version_id=_version(flow) if flow else None,
        period=new.period.strip() or (period_on(repeats, day_of(now)).label if repeats else ""),
        org_id=org.id,
        path=org.path,
        types=[kind.value for kind in new.types],
        filled_by=[role.value for role in new.filled_by],
        choice=new.choice.kept(),
        state=CollectionState.ISSUING.value,
        before=_before(form, org),
        repeats=repeats,
        repeat_workdays=workdays_between(day_of(now), day_of(new.due_at), holidays=holidays()) if repeats else 0,
        follows=follows,
        issued_by_id=follows.issued_by_id if follows else actor.person_id,
        issued_at=now,
        due_at=new.due_at,
    )
    told = {"form": new.form, "flow": new.flow, "org_id": org.id, "due_at": new.due_at.isoformat(), "period": row.period}
    if repeats:
        told |= {"repeats": repeats, "follows": follows.pk if follows else None}
    audit.record(actor=actor, action="casework.collection_issued", target=f"collection:{row.pk}", details=told, now=now)
    _enqueue_issue(row, actor)
    return row


def _repeats(new: NewCollection) -> str:
    every = collection_spec(new.collection).every if new.is_repeated and new.collection else "once"
    return "" if every == "once" else every


def _enqueue_issue(row: Collection, actor: Actor) -> None:
    row.issue_job_id = work.enqueue(
        f"{_JOB}issue_targets",
        {"collection_id": row.pk},
        key=f"collection:{row.pk}:issue",
        title=gettext_lazy("下发采集“%(title)s”"),
        title_words={"title": row.title},
        actor=actor,
    )
    row.save(update_fields=["issue_job_id"])


def issue_targets(*, collection_id: int, on_progress: Callable[[int, int], None], now: datetime) -> int:
    """Make the rows of the orgs, two thousand in a transaction, and open the collection; returns how many there are.

    Run again it passes over orgs that have their row, so a kill costs at most the last two thousand.
    """
    row = Collection.objects.get(pk=collection_id)
    if row.state != CollectionState.ISSUING:
        return row.targets.count()
    choice = choice_in(row.choice)
    types = tuple(OrgType(kind) for kind in row.types)
    total = len(directory.org_ids_within(row.path, types=types))
    has_row = set(row.targets.values_list("org_id", flat=True))
    waiting: list[CollectionTarget] = []
    done = len(has_row)
    for org in orgs_asked(path=row.path, types=types, choice=choice):
        if org.id not in has_row:
            waiting.append(_target(row, org, is_exempt=org.id in choice.exempt_ids))
        if len(waiting) >= _AT_ONCE:
            done += _keep(waiting)
            on_progress(done, total)
    done += _keep(waiting)
    on_progress(done, done)
    _open(row, done, now)
    return done


def tell_fillers(*, collection_id: int, on_progress: Callable[[int, int], None], now: datetime) -> int:
    """A notice to everybody who may fill in, once each however often this runs; returns how many orgs were told."""
    row = Collection.objects.get(pk=collection_id)
    org_ids = list(row.targets.filter(state__in=[state.value for state in OPEN_STATES]).values_list("org_id", flat=True))
    for start in range(0, len(org_ids), 500):
        people = fillers_of(row, org_ids[start : start + 500], now=now)
        messaging.notify(
            person_ids=sorted({person_id for ids in people.values() for person_id in ids}),
            title=_("请填报：%(title)s") % {"title": row.title},
            body=_("截止 %(day)s。") % {"day": day_of(row.due_at).isoformat()},
            url=OWN_PAGE,
            key=f"collection:{row.pk}",
            now=now,
        )
        on_progress(min(start + 500, len(org_ids)), len(org_ids))
    return len(org_ids)


def fillers_of(row: Collection, org_ids: list[int], *, now: datetime) -> dict[int, list[int]]:
    """Person ids of whoever may fill in at each of these orgs."""
    found: dict[int, dict[int, None]] = {org_id: {} for org_id in org_ids}
    for role in row.filled_by:
        for org_id, people in directory.holders_of(Role(role), org_ids, now=now).items():
            found[org_id].update(dict.fromkeys(people))
    return {org_id: list(people) for org_id, people in found.items()}


def _check(new: NewCollection, now: datetime) -> None:
    if not new.title.strip():
        raise Invalid(_("采集要有名称。"))
    if new.due_at <= now:
        raise Invalid(_("截止时间已经过去。"), remedy=_("请选择今天以后的日期。"))
    if not new.types or not new.filled_by:
        raise Invalid(_("请选择填报的单位类型和填报人。"))


def _check_flow(flow: FlowSpec, new: NewCollection) -> None:
    if flow.form != new.form:
        raise Invalid(_("这个流程不是审核这张表的。"), remedy=_("请选择这张表的流程，或者不审核。"))
    if not flow.filed_by.anyone and not set(new.filled_by) <= set(flow.filed_by.roles):
        raise Invalid(_("这个流程不接受所选的填报人发起。"), remedy=_("请改选填报人，或者换一个流程。"))


def _usable(kind: DefinitionKind, key: str, org: OrgData) -> Definition:
    """A definition in force that this org may use: of a pack, or built at the org or above it."""
    found = definition_named(kind, key)
    if found.org_path and not org.path.startswith(found.org_path):
        raise Refused(_("这个定义是别的单位自己用的。"))
    return found


def _version(definition: Definition) -> int:
    assert definition.current_id is not None
    return definition.current_id


def _before(form: Definition, org: OrgData) -> Collection | None:
    rows = Collection.objects.filter(form_version__definition=form, path=org.path)
    return rows.exclude(state=CollectionState.CANCELLED.value).order_by("-issued_at", "-pk").first()


def _target(row: Collection, org: OrgData, *, is_exempt: bool) -> CollectionTarget:
    state = TargetState.EXEMPT if is_exempt else TargetState.MISSING
    reason = _("下发时选择不填报") if is_exempt else ""
    return CollectionTarget(collection=row, org_id=org.id, org_path=org.path, state=state.value, reason=reason, due_at=row.due_at)


def _keep(waiting: list[CollectionTarget]) -> int:
    with transaction.atomic():
        CollectionTarget.objects.bulk_create(waiting, ignore_conflicts=True)
    kept = len(waiting)
    waiting.clear()
    return kept


@transaction.atomic
def _open(row: Collection, total: int, now: datetime) -> None:
    """Only one run opens it, however many came here."""
    opened = Collection.objects.filter(pk=row.pk, state=CollectionState.ISSUING.value).update(state=CollectionState.OPEN.value)
    if not opened:
        return
    told = {"orgs": total}
    audit.record(actor=SYSTEM, action="casework.collection_opened", target=f"collection:{row.pk}", details=told, now=now)
    events.publish("casework.collection_issued", {"collection_id": row.pk, "org_path": row.path, "orgs": total}, now=now)
    work.enqueue(f"{_JOB}tell_fillers", {"collection_id": row.pk}, key=f"collection:{row.pk}:tell")
