"""Applying a checked results file: the responses into the lake first, then one transaction that shows everything."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.assessment.data import RESPONSES, AssessmentStatus
from shuren.assessment.models import Assessment, Item, Participation
from shuren.assessment.services.check.stage import FORMAT, stage_folder
from shuren.datahub.api import prepare_partition, publish_partition, record_run, same_columns
from shuren.datahub.data import AssetKind, AssetRef, PreparedPartition
from shuren.directory.api import orgs_by_ids
from shuren.intake.api import import_file, import_state, record_applied
from shuren.intake.data import ImportState, ImportStatus
from shuren.kernel import audit, clock, events, ids
from shuren.kernel.errors import Invalid
from shuren.work.data import JobContext

BATCH_ROWS = 32_768
_UNCHANGED = {"added": 0, "removed": 0, "changed": 0}


def apply_results(job: JobContext, import_id: int) -> Mapping[str, Any]:
    """Make the staged outcome the state of its test; publishes `assessment.results_imported`.

    A kill leaves a file in the lake that nobody sees, and at most a pending test; running again begins anew.
    """
    state = import_state(import_id)
    if state.status == ImportStatus.APPLIED:
        return dict(state.counts)
    folder = stage_folder(import_file(import_id))
    outcome = _outcome(folder)
    now = clock.now()
    change = outcome["difference"]
    if change["unchanged"] and not (change["added"] or change["removed"] or change["changed"] or change["is_described_anew"]):
        with transaction.atomic():
            _locked(outcome)
            record_applied(import_id, _UNCHANGED, now=now)
        return dict(_UNCHANGED)
    pending = _reserve(outcome, import_id, now)
    with pq.ParquetFile(folder / "responses.parquet") as staged:
        prepared = prepare_partition(
            RESPONSES, {"assessment": pending}, staged.iter_batches(BATCH_ROWS), schema=staged.schema_arrow
        )
    job.progress(outcome["pupils"], outcome["pupils"], _("作答已写入数据湖"))
    with transaction.atomic():
        _show(outcome, prepared, state, now)
        counts = {name: change[name] for name in ("added", "removed", "changed")}
        record_applied(import_id, counts, now=now)
    return counts


def _outcome(folder: Path) -> dict[str, Any]:
    path = folder / "outcome.json"
    if not path.exists():
        raise Invalid(_("检查结果已被清理。"), remedy=_("请重新检查这个文件，再导入。"))
    outcome: dict[str, Any] = json.loads(path.read_text())
    if outcome["description"]["format"] != FORMAT:
        raise Invalid(_("检查结果来自旧版本。"), remedy=_("请重新检查这个文件，再导入。"))
    return outcome


def _locked(outcome: Mapping[str, Any]) -> Assessment | None:
    """The test as it stands, locked; refuses when it is no longer what the difference was counted against."""
    row = Assessment.objects.select_for_update().filter(code=outcome["description"]["code"]).first()
    if (row.snapshot_id if row else None) != outcome["against"]:
        raise Invalid(_("检查之后，这次测验的数据又有变化。"), remedy=_("请重新检查这个文件，再导入。"))
    return row


def _reserve(outcome: Mapping[str, Any], import_id: int, now: datetime) -> int:
    """The id of the test; a new one is pending, and seen by nobody, until everything is there."""
    description = outcome["description"]
    with transaction.atomic():
        row = _locked(outcome)
        if row is None:
            row = Assessment.objects.create(
                code=description["code"],
                name=description["name"],
                org_id=description["org_id"],
                org_path=_org_path(description),
                import_id=import_id,
                imported_at=now,
                status=AssessmentStatus.PENDING,
            )
    return row.pk


def _org_path(description: Mapping[str, Any]) -> str:
    org = orgs_by_ids([description["org_id"]]).get(description["org_id"])
    if org is None:
        raise Invalid(_("参测范围的机构已不存在。"), remedy=_("请重新检查这个文件，再导入。"))
    return org.path


def _show(outcome: Mapping[str, Any], prepared: PreparedPartition, state: ImportState, now: datetime) -> None:
    description = outcome["description"]
    row = _locked(outcome)
    if row is None:
        raise Invalid(_("这次测验在导入时被删除。"), remedy=_("请重新检查这个文件，再导入。"))
    actor = state.owner
    snapshot = publish_partition(prepared, actor=actor, now=now)
    for name in (
        *("name", "subjects", "grade", "session", "is_simulated", "source_note", "population_note", "report_scale"),
        *("booklets", "context", "references", "org_id"),
    ):
        setattr(row, name, description[name])
    row.org_path = _org_path(description)
    row.held_date = date.fromisoformat(description["held_date"])
    row.status = AssessmentStatus.READY
    row.pupils = outcome["pupils"]
    row.snapshot_id = snapshot.id
    row.import_id = state.id
    row.content_hash = outcome["content_hash"]
    row.imported_at = now
    row.save()
    _replace_items(row, outcome)
    Participation.objects.filter(assessment=row).delete()
    Participation.objects.bulk_create(
        [
            Participation(assessment=row, org_id=org_id, org_path=path, level=level, pupils=pupils)
            for org_id, path, level, pupils in outcome["participation"]
        ],
        batch_size=2_000,
    )
    details = {"import": state.id, "snapshot": snapshot.id, "pupils": row.pupils, **outcome["difference"]}
    audit.record(actor=actor, action="assessment.results_imported", target=f"assessment:{row.pk}", details=details, now=now)
    file, answers = AssetRef(AssetKind.FILE, "results"), AssetRef(AssetKind.DATASET, RESPONSES)
    record_run(
        job="assessment.results_import",
        inputs=[file],
        outputs=[answers],
        flows=same_columns(file, answers, list(prepared.columns)),
        key=f"import:{state.id}",
        facts={"import": ids.encode("import", state.id)},
        now=now,
    )
    news = {"assessment_id": row.pk, "import_id": state.id, "snapshot_id": snapshot.id}
    events.publish("assessment.results_imported", news, now=now)


def _replace_items(row: Assessment, outcome: Mapping[str, Any]) -> None:
    """Items keep their ids where their codes stay; positions are set aside first because each is unique."""
    described = zip(outcome["description"]["items"], outcome["counts"], strict=True)
    wanted = {item["code"]: {**item, **count} for item, count in described}
    kept = {item.code: item for item in Item.objects.filter(assessment=row)}
    Item.objects.filter(assessment=row).exclude(code__in=list(wanted)).delete()
    stay = [item for code, item in kept.items() if code in wanted]
    for place, item in enumerate(stay):
        item.position = 30_000 - place
    Item.objects.bulk_update(stay, ["position"], batch_size=200)
    for item in stay:
        for name, value in wanted[item.code].items():
            setattr(item, name, value)
    if stay:
        Item.objects.bulk_update(stay, [name for name in wanted[stay[0].code] if name != "code"], batch_size=50)
    Item.objects.bulk_create(
        [Item(assessment=row, **values) for code, values in wanted.items() if code not in kept], batch_size=200
    )
