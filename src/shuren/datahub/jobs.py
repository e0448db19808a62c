"""The lake's housekeeping."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shuren.datahub.data import DestructionState
from shuren.datahub.rules.assets import declare_assets
from shuren.datahub.rules.catalogue import declare
from shuren.datahub.selectors import own_assets
from shuren.datahub.selectors.catalogue import spec_named
from shuren.datahub.selectors.dataset_formats import dataset_formats
from shuren.datahub.services.compact import compact_lake as compact
from shuren.datahub.services.converge.choose import converge_element as converge
from shuren.datahub.services.converge.follow_people import follow_merge as follow
from shuren.datahub.services.converge.follow_people import forget_person as forget
from shuren.datahub.services.converge.tell_owners import tell_refusals
from shuren.datahub.services.exchange.exchange_with import ask_for_turns, exchange_with
from shuren.datahub.services.exchange.take_held import take_held
from shuren.datahub.services.fold_runs import fold_runs, sweep_runs
from shuren.datahub.services.follow_imports import record_roster
from shuren.datahub.services.front_views.read import read_view as read_front_view
from shuren.datahub.services.front_views.runs import queue_views as queue_front_views
from shuren.datahub.services.life_cycle.destroy import LATER, unfinished
from shuren.datahub.services.life_cycle.destroy import carry_out_destruction as carry_out
from shuren.datahub.services.life_cycle.plan import follow_life_cycle as follow_rule
from shuren.datahub.services.life_cycle.plan import follow_life_cycles as follow_rules
from shuren.datahub.services.life_cycle.recall import put_back
from shuren.datahub.services.quality.mirror import SPECS
from shuren.datahub.services.quality.run import TALLIES_SPEC
from shuren.datahub.services.quality.run import measure_quality as measure
from shuren.datahub.services.register_assets import refresh_catalogue as refresh
from shuren.datahub.services.send_openlineage import send_runs
from shuren.datahub.services.sharing.tell import tell_ends
from shuren.datahub.services.sweep import sweep
from shuren.datahub.services.workbench.ask import sweep_answers
from shuren.datahub.services.workbench.follow_people import follow_merge_of_owner, forget_owner
from shuren.datahub.services.workbench.save import sweep_questions
from shuren.datahub.services.workbench.schedule import queue_due
from shuren.datahub.services.workbench.schedule import run_question as run
from shuren.kernel import clock
from shuren.standards.api import declare_formats
from shuren.work.api import enqueue, register_periodic
from shuren.work.data import JobContext

_DESTROY = "shuren.datahub.jobs.carry_out_destruction"
_REFRESH = "shuren.datahub.jobs.refresh_catalogue"


def sweep_lake(job: JobContext) -> dict[str, int]:
    """Remove superseded snapshots and orphaned files past the grace."""
    swept = sweep(now=clock.now())
    return {"snapshots": swept.snapshots, "files": swept.files, "bytes": swept.bytes}


def compact_lake(job: JobContext) -> dict[str, int]:
    """Gather partitions that came in many pieces."""
    return {"partitions": compact(now=clock.now())}


def measure_quality(job: JobContext) -> Mapping[str, int]:
    """Mirror the roster and run the rules over it."""
    return measure(now=clock.now())


def converge_element(job: JobContext, *, element: str) -> Mapping[str, int]:
    """Choose every value of an element anew; killed anywhere it goes on after the last subject it kept."""
    kept = job.state.get("after") or ["", 0]
    before = int(job.state.get("subjects", 0))

    def on_chunk(last: tuple[str, int], done: int) -> None:
        job.checkpoint(after=list(last), subjects=before + done)
        job.progress(before + done)

    after = (str(kept[0]), int(kept[1]))
    subjects, changed = converge(element_code=element, after=after, now=clock.now(), on_chunk=on_chunk)
    return {"subjects": before + subjects, "changed": changed}


def follow_merge(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """Two entries were one person; subscribed to `directory.person_merged`."""
    now, kept_id, dropped_id = clock.now(), int(payload["kept_id"]), int(payload["dropped_id"])
    questions = follow_merge_of_owner(kept_id=kept_id, dropped_id=dropped_id, now=now)
    return {"moved": follow(kept_id=kept_id, dropped_id=dropped_id, now=now), "questions": questions}


def forget_person(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """Subscribed to `directory.person_erased`."""
    now, person_id = clock.now(), int(payload["person_id"])
    return {"questions": forget_owner(person_id=person_id, now=now), "erased": forget(person_id=person_id, now=now)}


def tell_owners(job: JobContext) -> Mapping[str, int]:
    """Once a day, tell the owners of elements what was refused beside them."""
    return {"told": tell_refusals(now=clock.now())}


def tell_sharing_ends(job: JobContext) -> Mapping[str, int]:
    """Once a day, tell both sides which grants end soon and which have ended."""
    return {"told": tell_ends(now=clock.now())}


def run_exchange(job: JobContext) -> Mapping[str, int]:
    """Once a minute, a turn with every node that is trusted."""
    return {"nodes": ask_for_turns()}


def exchange_with_node(job: JobContext, *, node_id: int) -> Mapping[str, str]:
    """One turn with a node; killed anywhere, the next one goes on."""
    return {"error": exchange_with(node_id, now=clock.now())}


def take_exchange_packet(job: JobContext, *, agreement_id: int, digest: str) -> Mapping[str, str]:
    """Land a packet that came whole, and answer at once."""
    return {"state": take_held(agreement_id, digest, now=clock.now())}


def queue_views(job: JobContext) -> Mapping[str, int]:
    """Once a minute, open a turn of every view of a front database that is due."""
    return {"begun": queue_front_views(now=clock.now())}


def read_view(job: JobContext, *, run_id: int) -> Mapping[str, str]:
    """Read a view of a front database, or only try it; killed anywhere it is read again and lands once."""
    return {"state": read_front_view(run_id, now=clock.now())}


def queue_questions(job: JobContext) -> Mapping[str, int]:
    """Every few minutes, put scheduled questions that are due into the queue."""
    return {"queued": queue_due(now=clock.now())}


def run_question(job: JobContext, *, schedule_id: int, due_at: str) -> Mapping[str, int]:
    """Ask a scheduled question for one due time; run again after a kill it leaves one answer."""
    return {"rows": run(schedule_id=schedule_id, due_at=datetime.fromisoformat(due_at), now=clock.now())}


def sweep_workbench(job: JobContext) -> Mapping[str, int]:
    """Forget old answers, and questions that were deleted long ago."""
    now = clock.now()
    return {"answers": sweep_answers(now=now), "questions": sweep_questions(now=now)}


def refresh_catalogue(job: JobContext) -> dict[str, int]:
    """Bring the catalogue up to what the apps say."""
    return refresh(now=clock.now())


def follow_packs(job: JobContext, **_event: Any) -> None:
    """Subscribed to `casework.pack_installed`: many packs come together and are looked at once."""
    enqueue(_REFRESH, key=_REFRESH, run_after=clock.now() + timedelta(seconds=30))


def fold_lineage(job: JobContext) -> dict[str, int]:
    """Draw the edges of the runs that were put down."""
    return {"runs": fold_runs(now=clock.now())}


def send_lineage(job: JobContext) -> dict[str, int]:
    """Tell others of our runs, where that is set."""
    return {"runs": send_runs(now=clock.now())}


def sweep_lineage(job: JobContext) -> dict[str, int]:
    """Forget runs of long ago."""
    return {"rows": sweep_runs(now=clock.now())}


def follow_roster(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> None:
    """Subscribed to `directory.roster_applied`."""
    record_roster(import_id=int(payload["import_id"]), counts=payload["counts"], now=clock.now())


def follow_life_cycles(job: JobContext) -> Mapping[str, int]:
    """Once a day: archive what is due, draw up what is to be destroyed, end what a kill or a hold left unfinished."""
    for destruction_id in unfinished():
        _enqueue_destruction(destruction_id)
    return follow_rules(now=clock.now())


def follow_life_cycle(job: JobContext, *, dataset: str) -> Mapping[str, int]:
    """The same for one dataset, because somebody asked."""
    return follow_rule(spec_named(dataset), now=clock.now(), is_asked=True)


def recall_partition(job: JobContext, *, archive_id: int) -> Mapping[str, bool]:
    """Put an archived partition back into the lake."""
    return {"recalled": put_back(archive_id=archive_id, now=clock.now())}


def carry_out_destruction(job: JobContext, *, destruction_id: int) -> Mapping[str, str]:
    """Destroy what two people approved; killed anywhere it goes on where it stopped."""
    state = carry_out(destruction_id=destruction_id, now=clock.now())
    if state is DestructionState.RUNNING:
        enqueue(_DESTROY, {"destruction_id": destruction_id}, run_after=clock.now() + LATER)
    return {"state": state.value}


def _enqueue_destruction(destruction_id: int) -> None:
    enqueue(_DESTROY, {"destruction_id": destruction_id}, key=f"{_DESTROY}:{destruction_id}")


for _spec in (*SPECS, TALLIES_SPEC):
    declare(_spec)
declare_formats("datasets", dataset_formats)
register_periodic("shuren.datahub.jobs.sweep_lake", timedelta(hours=1))
register_periodic("shuren.datahub.jobs.compact_lake", timedelta(hours=6))
register_periodic("shuren.datahub.jobs.measure_quality", timedelta(days=1))
register_periodic("shuren.datahub.jobs.tell_owners", timedelta(days=1))
register_periodic("shuren.datahub.jobs.tell_sharing_ends", timedelta(days=1))
register_periodic("shuren.datahub.jobs.run_exchange", timedelta(minutes=1))
register_periodic("shuren.datahub.jobs.queue_views", timedelta(minutes=1))
register_periodic("shuren.datahub.jobs.queue_questions", timedelta(minutes=5))
register_periodic("shuren.datahub.jobs.sweep_workbench", timedelta(days=1))
register_periodic("shuren.datahub.jobs.follow_life_cycles", timedelta(days=1))
for _source in (own_assets.tables, own_assets.datasets, own_assets.files):
    declare_assets(_source)
register_periodic(_REFRESH, timedelta(hours=1))
register_periodic("shuren.datahub.jobs.fold_lineage", timedelta(minutes=10))
register_periodic("shuren.datahub.jobs.send_lineage", timedelta(minutes=1))
register_periodic("shuren.datahub.jobs.sweep_lineage", timedelta(days=1))
