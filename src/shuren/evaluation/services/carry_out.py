"""Carrying a run out: measure, write the scores to the lake, build the unit reports, check, sign off.

Scores become visible before the run is done, reports with it. A run killed at any point is started over: the numbers are
the same, the lake partition is replaced as a whole and the report rows are written in the transaction that ends the run.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import numpy as np
import pyarrow as pa
from django.db import transaction

from shuren.datahub.api import record_run, snapshot_of, write_partition
from shuren.directory.api import orgs_by_ids
from shuren.directory.data import OrgType
from shuren.evaluation.data import Declaration, Level, RunStatus
from shuren.evaluation.models import EvaluationRun, UnitReport
from shuren.evaluation.rules import lineage
from shuren.evaluation.rules.bodies import UnitBody, unit_bodies
from shuren.evaluation.rules.certificate import calibration_json, certificate_json, line_from_json, parameters_from_json
from shuren.evaluation.rules.declaration import digest, from_json
from shuren.evaluation.rules.measuring import Answers, Measurement, measure
from shuren.evaluation.rules.truth import truth_rows
from shuren.evaluation.rules.units import unit_tree
from shuren.evaluation.selectors.answers import answers_of
from shuren.evaluation.selectors.scores import ITEMS, SCORES
from shuren.kernel import audit, events, ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict
from shuren.kernel.statistics import refresh_statistics

TOP_LEVELS = {
    OrgType.PROVINCE: Level.CITY,
    OrgType.CITY: Level.CITY,
    OrgType.COUNTY: Level.DISTRICT,
    OrgType.AGENCY: Level.DISTRICT,
    OrgType.GROUP: Level.DISTRICT,
}
BATCH_PUPILS = 65_536
BATCH_REPORTS = 2_000
COMPRESSION = 6
STEPS = 10

Progress = Callable[[int, str], None]


def carry_out(*, run_id: int, now: datetime, progress: Progress = lambda _step, _note: None) -> dict[str, int]:
    """Do everything a declared run promises; returns how many pupils and reports came of it."""
    run = EvaluationRun.objects.select_related("org").get(pk=run_id)
    if run.status == RunStatus.DONE:
        return {"pupils": int(run.certificate.get("pupils", 0)), "reports": run.unit_reports.count()}
    if digest(run.declaration) != run.declaration_hash:
        raise Conflict(f"run {run_id}: the stored declaration does not fit its hash")
    declaration = from_json(run.declaration)
    answers = answers_of(declaration)
    measurement = measured(answers, declaration, progress=progress)
    progress(7, "scores")
    write_scores(run_id, answers, measurement, now=now)
    progress(8, "reports")
    tree = unit_tree(answers, root_id=run.org_id, top=TOP_LEVELS.get(OrgType(run.org.type), Level.SCHOOL))
    rows = [packed(run_id, body) for body in unit_bodies(answers, measurement, tree, declaration)]
    truth = truth_rows(answers, measurement, declaration.reference, declaration.published)
    progress(9, "save")
    certificate = certificate_json(answers, measurement, declaration, reports=len(rows))
    _sign_off(run, rows, calibration_json(answers, measurement), certificate, [_plain(row) for row in truth], now=now)
    progress(STEPS, "done")
    return {"pupils": answers.n, "reports": len(rows)}


def measured(answers: Answers, declaration: Declaration, *, progress: Progress = lambda _step, _note: None) -> Measurement:
    """Measure, linked to the anchoring run where the declaration names one."""
    anchor_id = declaration.scale.anchor_run_id
    if anchor_id is None:
        return measure(answers, declaration, progress=progress)
    anchor = EvaluationRun.objects.get(pk=anchor_id, status=RunStatus.DONE)
    return measure(
        answers,
        declaration,
        anchor=parameters_from_json(anchor.calibration),
        anchor_line=line_from_json(anchor.calibration),
        progress=progress,
    )


def write_scores(run_id: int, answers: Answers, measurement: Measurement, *, now: datetime) -> None:
    """Replace the run's score partition, one row per pupil in order of person id, and its item partition."""
    write_partition(SCORES, {"run": run_id}, _score_batches(answers, measurement), actor=SYSTEM, now=now)
    fit = measurement.fit
    items = {
        "item": [item.code for item in answers.items],
        "slope": fit.slopes,
        "slope_se": fit.slope_se,
        "difficulty": fit.difficulties,
        "difficulty_se": fit.difficulty_se,
    }
    write_partition(ITEMS, {"run": run_id}, pa.table(items), actor=SYSTEM, now=now)


def packed(run_id: int, unit: UnitBody) -> UnitReport:
    text = json.dumps(unit.body, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return UnitReport(
        run_id=run_id,
        org_id=unit.org_id,
        level=unit.level.value,
        is_withheld=unit.is_withheld,
        body=zlib.compress(text.encode(), COMPRESSION),
    )


def _score_batches(answers: Answers, measurement: Measurement) -> Iterator[pa.RecordBatch]:
    scores = measurement.scores
    columns: dict[str, np.ndarray] = {
        "person_id": answers.person_ids,
        "class_id": answers.class_ids,
        "school_id": answers.school_ids,
        "district_id": answers.district_ids,
        "weight": answers.weights,
        "raw": scores.raw,
        "eap": scores.eap,
        "eap_se": scores.eap_se,
        "wle": scores.wle,
        "wle_se": scores.wle_se,
    }
    columns |= {f"pv{at}": draw for at, draw in enumerate(scores.pvs, start=1)}
    for at, (eap, se) in enumerate(scores.domains.values(), start=1):
        columns |= {f"domain{at}_eap": eap, f"domain{at}_se": se}
    for start in range(0, answers.n, BATCH_PUPILS):
        part = slice(start, start + BATCH_PUPILS)
        yield pa.RecordBatch.from_pydict({name: pa.array(values[part]) for name, values in columns.items()})


def _sign_off(
    run: EvaluationRun,
    rows: list[UnitReport],
    calibration: dict[str, object],
    certificate: dict[str, object],
    truth: list[dict[str, object]],
    *,
    now: datetime,
) -> None:
    paths = {org_id: org.path for org_id, org in orgs_by_ids(row.org_id for row in rows).items()}
    known = [row for row in rows if row.org_id in paths]
    for row in known:
        row.org_path = paths[row.org_id]
    with transaction.atomic():
        UnitReport.objects.filter(run=run).delete()
        for batch in _batches(known):
            UnitReport.objects.bulk_create(batch)
        EvaluationRun.objects.filter(pk=run.pk).update(
            status=RunStatus.DONE,
            calibration=calibration,
            certificate=certificate,
            truth=truth,
            error="",
            finished_at=now,
        )
        audit.record(
            actor=SYSTEM,
            action="evaluation.run_finished",
            target=f"run:{run.pk}",
            details={"hash": run.declaration_hash, "reports": len(known)},
            now=now,
        )
        _record_lineage(run, now=now)
        events.publish("evaluation.run_finished", {"run_id": run.pk, "assessment_id": run.assessment_id}, now=now)
    refresh_statistics(UnitReport)


def _record_lineage(run: EvaluationRun, *, now: datetime) -> None:
    """From the answers through the scores to the figures of the reports."""
    answers = snapshot_of(lineage.ANSWERS.name, {"assessment": run.assessment_id})
    scores = snapshot_of(SCORES, {"run": run.pk})
    record_run(
        job="evaluation.run",
        inputs=[lineage.ANSWERS],
        outputs=[lineage.SCORES, lineage.ITEMS],
        flows=lineage.flows_of_run(answers.columns if answers else (), scores.columns if scores else ()),
        key=f"evaluation:{run.pk}",
        facts={"run": ids.encode("run", run.pk)},
        now=now,
    )


def _batches(rows: list[UnitReport]) -> Iterable[list[UnitReport]]:
    for start in range(0, len(rows), BATCH_REPORTS):
        yield rows[start : start + BATCH_REPORTS]


def _plain(row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__slots__}  # type: ignore[attr-defined]  # a slotted dataclass
