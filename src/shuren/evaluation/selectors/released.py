"""Finished runs and the classes they have scores of, for those who hand scores on; callers checked access to the branches."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from shuren.evaluation.data import Level, ReleasedClass, ReleasedRun, RunStatus
from shuren.evaluation.models import EvaluationRun, UnitReport
from shuren.evaluation.rules.declaration import from_json
from shuren.evaluation.rules.words import level_names
from shuren.evaluation.selectors.runs import KIND
from shuren.kernel import ids
from shuren.kernel.scope import path_q

_HEAVY = ("calibration", "certificate", "truth")


def released_runs(
    paths: Sequence[str], *, begin: datetime | None = None, end: datetime | None = None, run_ids: Collection[int] | None = None
) -> list[ReleasedRun]:
    """Finished runs that reach into the branches, in the order of their ids; `begin` ≤ end of the run < `end`."""
    above = {path[: at + 1] for path in paths for at, letter in enumerate(path) if letter == "/"}
    rows = EvaluationRun.objects.filter(path_q("org_path", paths) | Q(org_path__in=sorted(above)), status=RunStatus.DONE)
    if run_ids is not None:
        rows = rows.filter(pk__in=run_ids)
    if begin is not None:
        rows = rows.filter(finished_at__gte=begin)
    if end is not None:
        rows = rows.filter(finished_at__lt=end)
    return [_released(run) for run in rows.defer(*_HEAVY).order_by("pk")]


def released_class_count(run_ids: Collection[int], paths: Sequence[str], *, class_ids: Collection[int] | None = None) -> int:
    """How many classes of the runs lie within the branches."""
    return _classes(run_ids, paths, class_ids).count()


def released_classes(
    run_ids: Collection[int],
    paths: Sequence[str],
    *,
    class_ids: Collection[int] | None = None,
    skip: int = 0,
    size: int | None = None,
) -> list[ReleasedClass]:
    """The classes of the runs within the branches, run by run; of `class_ids` only where they are named."""
    rows = _classes(run_ids, paths, class_ids).order_by("run_id", "pk")
    found = rows.values_list("run_id", "org_id", "org_path")[skip : None if size is None else skip + size]
    return [ReleasedClass(run_id, class_id, path) for run_id, class_id, path in found]


def _classes(run_ids: Collection[int], paths: Sequence[str], class_ids: Collection[int] | None) -> QuerySet[UnitReport]:
    rows = UnitReport.objects.filter(path_q("org_path", paths), run_id__in=run_ids, level=Level.CLASS)
    return rows if class_ids is None else rows.filter(org_id__in=class_ids)


def _released(run: EvaluationRun) -> ReleasedRun:
    assert run.finished_at is not None
    scale = from_json(run.declaration).scale
    names = level_names(scale) if scale.cuts else []
    begins = [None, *(cut.score for cut in scale.cuts)]
    return ReleasedRun(
        id=run.pk,
        public_id=ids.encode(KIND, run.pk),
        title=run.title,
        source_note=run.source_note,
        held_date=run.held_date,
        is_simulated=run.is_simulated,
        org_path=run.org_path,
        finished_at=run.finished_at,
        levels=tuple(zip(names, begins, strict=False)),
    )
