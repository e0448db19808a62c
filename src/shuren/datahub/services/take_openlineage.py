"""Taking OpenLineage events in: each once, whatever it carries besides what we read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.data import Asset, AssetKind, RunState
from shuren.datahub.models import LineageEvent, LineageRun
from shuren.datahub.rules.openlineage import NAMESPACE, ReadDataset, ReadEvent, UnreadableEvent, read_event
from shuren.datahub.services.record_run import FOLD_JOB
from shuren.datahub.services.register_assets import register_assets
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid
from shuren.work.api import enqueue

# What a later event says of a run holds, but a run that ended is not begun again by an event that was late.
_ORDER = (RunState.START, RunState.RUNNING, RunState.OTHER, RunState.ABORT, RunState.FAIL, RunState.COMPLETE, RunState.EVENT)
_MOST_KEYS = 5_000


@transaction.atomic
def take_openlineage(*, actor: Actor, body: Mapping[str, Any], now: datetime) -> bool:
    """Keep one event; False when it came before. Raises `Invalid` for what is no event."""
    try:
        event = read_event(body)
    except UnreadableEvent as fault:
        raise Invalid(_("这不是一个 OpenLineage 事件。"), remedy=str(fault)) from fault
    client_id = actor.app.client_id if actor.app else ""
    if event.namespace == NAMESPACE:
        raise Invalid(_("命名空间“shuren”只属于本平台自己的任务。"), remedy=_("请在 job.namespace 里写您的系统的名称。"))
    row = LineageEvent(mark=event.mark, body=dict(body), client_id=client_id, received_at=now)
    if LineageEvent.objects.filter(mark=event.mark).exists():
        return False
    LineageEvent.objects.bulk_create([row], ignore_conflicts=True)
    _register((*event.inputs, *event.outputs), client_id, now)
    if event.state is not None:
        _keep(event)
        enqueue(FOLD_JOB, key=FOLD_JOB)
    details = {"job": f"{event.namespace}/{event.job}"[:200], "run": event.run_id}
    audit.record(actor=actor, action="datahub.lineage_taken", target="catalogue:0", details=details, now=now)
    return True


def _register(datasets: tuple[ReadDataset, ...], client_id: str, now: datetime) -> None:
    """Of what lies outside, the columns last told; of our own assets nobody else tells anything."""
    told = {each.ref.key: each for each in datasets if each.columns is not None and each.ref.kind is AssetKind.OUTSIDE}
    found = [
        Asset(
            kind=AssetKind.OUTSIDE,
            name=each.ref.name,
            title_zh=each.title,
            title_en=each.title,
            owner=client_id,
            description=each.description,
            columns=each.columns or (),
        )
        for each in told.values()
    ]
    register_assets(found, source=f"openlineage:{client_id}", now=now)


def _keep(event: ReadEvent) -> None:
    assert event.state is not None
    inputs = [each.ref.key for each in event.inputs]
    outputs = [each.ref.key for each in event.outputs]
    run, is_new = LineageRun.objects.select_for_update().get_or_create(
        run_id=event.run_id,
        namespace=event.namespace,
        job=event.job,
        defaults={
            "state": event.state.value,
            "began_at": event.at,
            "ended_at": event.at if event.state is not RunState.START else None,
            "inputs": list(dict.fromkeys(inputs)),
            "outputs": list(dict.fromkeys(outputs)),
            "flows": event.flows(),
            "sql": event.sql,
            "producer": event.producer,
            "is_ours": False,
        },
    )
    if is_new:
        return
    before = (run.inputs, run.outputs, run.flows)
    run.inputs = list(dict.fromkeys([*run.inputs, *inputs]))[:_MOST_KEYS]
    run.outputs = list(dict.fromkeys([*run.outputs, *outputs]))[:_MOST_KEYS]
    seen = {tuple(flow) for flow in run.flows}
    run.flows = [*run.flows, *(flow for flow in event.flows() if tuple(flow) not in seen)]
    run.sql = run.sql or event.sql
    if _ORDER.index(event.state) > _ORDER.index(RunState(run.state)):
        run.state = event.state.value
    run.began_at = min(run.began_at, event.at)
    run.ended_at = max(run.ended_at or event.at, event.at)
    if before != (run.inputs, run.outputs, run.flows):
        run.folded_at = None
    run.save(update_fields=["inputs", "outputs", "flows", "sql", "state", "began_at", "ended_at", "folded_at"])
