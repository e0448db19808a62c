"""A run of the rules over one dataset: measured, written down, scored up the tree, and shown by one switch."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from shuren.datahub.data import ColumnSpec, DatasetSpec, QualityRule
from shuren.datahub.models import QualityRun, QualityScore
from shuren.datahub.rules.quality.scores import tallies_up
from shuren.datahub.selectors.quality import TALLIES
from shuren.datahub.selectors.quality_rules import datasets_to_measure, rules_to_run
from shuren.datahub.selectors.rows import read_partition
from shuren.datahub.selectors.snapshots import current, state_of_datasets
from shuren.datahub.services.quality.measure import TALLY_SCHEMA, Measured, measure_dataset
from shuren.datahub.services.quality.mirror import mirror_directory
from shuren.datahub.services.write import write_partition
from shuren.directory import api as directory
from shuren.kernel import audit, clock, events
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import NotFound

_WORDS = (
    ("measured", "数据（作为分区），或测得的数", "Dataset (as partition), or the figure measured"),
    ("org_path", "机构路径", "Path of the organisation"),
    ("rule", "规则代码", "Code of the rule"),
    ("dimension", "方面", "Dimension"),
    ("weight", "权重", "Weight"),
    ("checked", "查了多少行", "Rows looked at"),
    ("failed", "多少行不符", "Rows that failed"),
)
TALLIES_SPEC = DatasetSpec(
    TALLIES,
    ("measured",),
    "数据质量：每条规则在每个单位查了多少行、多少行不符",
    "L2",
    "datahub",
    columns={name: ColumnSpec(title_zh=zh, title_en=en) for name, zh, en in _WORDS},
    title_zh="数据质量检查结果",
    title_en="Findings of quality",
)
_ROWS_PER_BATCH = 2_000
_KEPT = timedelta(days=400)


def measure_quality(*, now: datetime, actor: Actor = SYSTEM) -> dict[str, int]:
    """Mirror the roster into the lake and run the rules of every dataset there; returns the rows measured, by dataset."""
    mirror_directory(now=now, actor=actor)
    return {dataset: run_quality(dataset=dataset, now=now, actor=actor).rows for dataset in datasets_to_measure()}


def run_quality(*, dataset: str, now: datetime, actor: Actor = SYSTEM) -> QualityRun:
    """Run every rule over the dataset as it stands; publishes `datahub.quality_measured` {dataset, run, rows}.

    A second run on the same day, of the same data by the same rules, answers the first. Scores appear all at once: a kill
    leaves those of the run before.
    """
    rules, layout = rules_to_run(dataset)
    if not rules or layout is None:
        raise NotFound(_("这份数据还没有质量规则。"))
    today = clock.day_of(now)
    key = _key(rules, dataset, today.isoformat())
    done = QualityRun.objects.filter(dataset=dataset, key=key, is_current=True).first()
    if done is not None:
        return done
    measured = measure_dataset(dataset, rules, _measured_before(dataset), today=today, layout=layout)
    write_partition(TALLIES, {"measured": dataset}, iter(measured.batches()), actor=actor, now=now, schema=TALLY_SCHEMA)
    _forget_old(dataset, now)
    run = QualityRun.objects.create(
        dataset=dataset, key=key, day=today, rules=len(rules), rows=measured.rows, measured_at=now, is_current=False
    )
    _keep_scores(run, measured)
    return _show(run, actor, now)


def _forget_old(dataset: str, now: datetime) -> None:
    """Runs past the time that trends look back, and what a killed run left."""
    past = QualityRun.objects.filter(dataset=dataset, is_current=False)
    past.filter(Q(shown_at__isnull=True) | Q(measured_at__lt=now - _KEPT)).delete()


def _key(rules: Iterable[QualityRule], dataset: str, day: str) -> str:
    """What a run depends on: the files of the dataset, the rules, and the day that `today` stands for."""
    files = ",".join(str(row.pk) for row in state_of_datasets([dataset])[dataset])
    return hashlib.sha256(repr((sorted(rules, key=lambda rule: rule.code), files, day)).encode()).hexdigest()


def _measured_before(dataset: str) -> dict[tuple[str, str], float]:
    if current(TALLIES, {"measured": dataset}) is None:
        return {}
    held = read_partition(TALLIES, {"measured": dataset}, columns=["rule", "org_path", "measured"])
    held = held.filter(pc.is_valid(held.column("measured")))
    rows = zip(*(held.column(name).to_pylist() for name in ("rule", "org_path", "measured")), strict=True)
    return {(rule, unit): value for rule, unit, value in rows}


def _keep_scores(run: QualityRun, measured: Measured) -> None:
    table = pa.Table.from_batches(measured.batches(), TALLY_SCHEMA)
    sums = table.group_by(["org_path", "dimension", "weight"]).aggregate([("checked", "sum"), ("failed", "sum")])
    names = ("org_path", "dimension", "weight", "checked_sum", "failed_sum")
    tallies = tallies_up(zip(*(sums.column(name).to_pylist() for name in names), strict=True))
    orgs = {org.path: org for org in directory.orgs_above(tallies).values()}
    rows = [
        QualityScore(
            run=run,
            org_id=orgs[path].id,
            org_path=path,
            org_type=orgs[path].type,
            checked=tally.checked,
            failed=tally.failed,
            score=tally.score,
            by_dimension=tally.by_dimension(),
        )
        for path, tally in tallies.items()
        if path in orgs
    ]
    for first in range(0, len(rows), _ROWS_PER_BATCH):
        QualityScore.objects.bulk_create(rows[first : first + _ROWS_PER_BATCH])


def _show(run: QualityRun, actor: Actor, now: datetime) -> QualityRun:
    with transaction.atomic():
        QualityRun.objects.filter(dataset=run.dataset, is_current=True).update(is_current=False)
        run.is_current, run.shown_at = True, now
        run.save(update_fields=["is_current", "shown_at"])
        details = {"dataset": run.dataset, "rows": run.rows, "rules": run.rules}
        audit.record(actor=actor, action="datahub.quality_measured", target=f"quality_run:{run.pk}", details=details, now=now)
        news = {"dataset": run.dataset, "run": run.pk, "rows": run.rows}
        events.publish("datahub.quality_measured", news, now=now)
    return run
