"""Work of the directory that runs beside the pages: rosters, recounting, indexing, looking for duplicates."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy as _

from shuren.directory.rules.subject_data import register_subject_data
from shuren.directory.selectors.exchanged import codes_stored, roster_formats, words_stored
from shuren.directory.selectors.orgs import root_org
from shuren.directory.selectors.subjects import notices_kept
from shuren.directory.services.apply_roster.pending import sweep_pending
from shuren.directory.services.apply_roster.service import apply_roster as apply_checked_roster
from shuren.directory.services.break_glass import tend_break_glass as tend_glass
from shuren.directory.services.check_roster.remember import remember_roster as remember_lines
from shuren.directory.services.check_roster.service import check_roster as check_roster_file
from shuren.directory.services.consents.lapse import lapse_consents as lapse_agreements
from shuren.directory.services.consents.take_papers import apply_papers as apply_paper_answers
from shuren.directory.services.consents.take_papers import check_papers as check_paper_answers
from shuren.directory.services.index_directory import forget_added, index_branch, index_orgs, index_people, index_trace
from shuren.directory.services.propose_duplicates import propose_duplicates as propose
from shuren.directory.services.rebuild_counts import rebuild_counts, recount_orgs
from shuren.directory.services.tend_grants import tend_grants as tend_all_grants
from shuren.directory.services.trace_roster import trace_renaming, trace_roster
from shuren.intake.api import register_kind
from shuren.kernel import clock
from shuren.standards.api import declare_formats, declare_use
from shuren.work.api import register_periodic
from shuren.work.data import JobContext

register_periodic("shuren.directory.jobs.propose_duplicates", timedelta(days=1))
# A period that begins or ends on a date changes a count without any event.
register_periodic("shuren.directory.jobs.recount", timedelta(days=1))

register_periodic("shuren.directory.jobs.tend_grants", timedelta(days=1))
register_periodic("shuren.directory.jobs.tend_break_glass", timedelta(hours=1))

register_kind(
    "roster",
    title=_("名册"),  # type: ignore[arg-type]  # the face takes a lazy translation too
    check="shuren.directory.jobs.check_roster",
    apply="shuren.directory.jobs.apply_roster",
    quarantines=True,
    pack="shuren.directory.services.export_roster.pack_rows.pack_rows",
)
register_kind(
    "consents",
    title=_("纸质同意书"),  # type: ignore[arg-type]  # the face takes a lazy translation too
    check="shuren.directory.jobs.check_papers",
    apply="shuren.directory.jobs.apply_papers",
)
declare_formats("roster", roster_formats)
declare_use("directory", uses=words_stored, counts=codes_stored)
register_subject_data("notices", notices_kept, title=_("通知"))
register_periodic("shuren.directory.jobs.sweep_rosters", timedelta(hours=1))


def check_roster(job: JobContext, import_id: int) -> Mapping[str, Any]:
    """Check the file of a roster import; a killed check starts again."""
    return check_roster_file(import_id=import_id, now=clock.now(), on_progress=job.progress)


def apply_roster(job: JobContext, import_id: int) -> Mapping[str, Any]:
    """Apply a checked roster; a killed run is undone and starts again."""
    return apply_checked_roster(import_id=import_id, now=clock.now(), on_progress=job.progress)


def check_papers(job: JobContext, import_id: int) -> Mapping[str, Any]:
    """Check a file of answers given on paper."""
    return check_paper_answers(import_id=import_id, now=clock.now())


def apply_papers(job: JobContext, import_id: int) -> Mapping[str, Any]:
    """Write the answers of a checked file, all or none."""
    return apply_paper_answers(import_id=import_id, now=clock.now())


def lapse_consents(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Tell apps of the agreements that ended with a notice, going on where a killed run stopped."""
    after = int(job.state.get("after", 0))
    told = lapse_agreements(payload, after=after, now=clock.now(), keep=lambda person_id: job.checkpoint(after=person_id))
    return {"told": told}


def sweep_rosters(job: JobContext) -> Mapping[str, int]:
    """Undo imports that were killed and will not be tried again."""
    return {"undone": sweep_pending()}


def remember_roster(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Keep the lines of an applied roster, so that the next one is compared in seconds."""
    return {"lines": remember_lines(payload["import_id"])}


def recount(job: JobContext, **_event: Any) -> Mapping[str, int]:
    """Rebuild the kept counters; subscribed to every change of more than one row."""
    return {"counters": rebuild_counts(day=clock.day_of(clock.now()))}


def recount_roster(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Recount where a roster changed something, or everything after a big one."""
    trace = trace_roster(payload["import_id"])
    return recount(job) if trace is None else {"counters": recount_orgs(trace.counted, day=clock.day_of(clock.now()))}


def tend_grants(job: JobContext) -> Mapping[str, int]:
    """Remind of, end and ask about grants; runs daily."""
    return tend_all_grants(now=clock.now())


def tend_break_glass(job: JobContext) -> Mapping[str, int]:
    """Close emergencies that are over and remind of reviews that are due; runs hourly."""
    return tend_glass(now=clock.now())


def propose_duplicates(job: JobContext, **_event: Any) -> Mapping[str, int]:
    """Look for people entered twice; runs every night and after every roster."""
    return {"pairs": propose(now=clock.now(), on_progress=job.progress)}


def index_all(job: JobContext, **_event: Any) -> Mapping[str, int]:
    """Index the whole directory, going on where a killed run stopped."""
    root = root_org()
    return {"documents": _index_branch(job, root.path) if root else 0}


def index_roster(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Index what a roster touched, or everything after a big one, going on where a killed run stopped."""
    trace = trace_roster(payload["import_id"])
    if trace is None:
        return index_all(job)
    return {"documents": index_trace(trace, on_progress=partial(_keep, job), **_going_on(job))}


def index_undone(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Forget what an undone roster had added and index the rest again: nothing tells any more whose ties it had added."""
    forget_added(payload["ranges"])
    return index_all(job)


def index_moved(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Index a branch again after a move, merge or closing changed where it lies."""
    paths = [payload["new_path"]] if "new_path" in payload else [payload["path"]]
    index_orgs([payload["org_id"]])
    return {"documents": sum(_index_branch(job, path) for path in paths)}


def index_org(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    return {"documents": index_orgs([payload["org_id"]])}


def index_renamed(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Index an org again with everything that is found by its name."""
    trace = trace_renaming(payload["org_id"])
    return {"documents": index_trace(trace, on_progress=partial(_keep, job), **_going_on(job))}


def index_person(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Index the people an event names, whatever it calls them."""
    named = [payload[key] for key in ("person_id", "kept_id", "dropped_id") if key in payload]
    return {"documents": index_people(named, day=clock.day_of(clock.now()))}


def _index_branch(job: JobContext, path: str) -> int:
    return index_branch(path, on_progress=partial(_keep, job), **_going_on(job))


def _keep(job: JobContext, last: int, done: int) -> None:
    job.checkpoint(after=last)
    job.progress(done)


def _going_on(job: JobContext) -> dict[str, Any]:
    return {"day": clock.day_of(clock.now()), "after": job.state.get("after", 0)}
