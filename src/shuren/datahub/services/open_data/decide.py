"""A second person opens what was asked for, or sends it back. What is opened is exactly what was checked."""

import hashlib
import secrets
from datetime import datetime

import pyarrow as pa
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from shuren.datahub.data import AssetKind, AssetRef, ColumnFlow, ColumnSpec, DatasetSpec, OpenDeclaration, OpenState
from shuren.datahub.models import OpenDataset, OpenVersion
from shuren.datahub.rules.open_data.columns import output_name
from shuren.datahub.rules.open_data.files import csv_of
from shuren.datahub.selectors.catalogue import column_titles, spec_named
from shuren.datahub.selectors.open_data import access_opening, declaration_of, may_decide
from shuren.datahub.services.offer import offer_dataset
from shuren.datahub.services.open_data.draft import keep_check, told_of
from shuren.datahub.services.open_data.examine import Examined, Table, examine
from shuren.datahub.services.record_run import record_run
from shuren.datahub.services.write import write_partition
from shuren.kernel import audit, clock, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Refused
from shuren.standards.data import Grade

JOB = "datahub.open_data"
_COUNTED = {
    "count": ("行数", "Rows"),
    "group_level": ("分组层次", "Level of the group"),
    "is_suppressed": ("是否隐去", "Left out"),
}


def refuse_opening(*, actor: Actor, id: int, reason: str, now: datetime) -> OpenVersion:
    """Send it back with a reason. By anybody who may open data there, but for who asked."""
    access_opening(actor=actor, id=id, now=now)
    with transaction.atomic():
        version = _decided(id, actor)
        version.state, version.reason = OpenState.REFUSED.value, reason[:300]
        version.decided_by, version.decided_at = actor.person_id, now
        version.save(update_fields=["state", "reason", "decided_by", "decided_at"])
        details = {"dataset": version.dataset.source, "version": version.number, "reason": version.reason}
        audit.record(actor=actor, action="datahub.opening_refused", target=f"open_version:{version.pk}", details=details, now=now)
    return version


def approve_opening(*, actor: Actor, id: int, now: datetime) -> OpenVersion:
    """Publish a version: a number, an immutable file, an address; publishes `datahub.data_opened` {number, version}.

    The data are asked for anew. Where they are not what the check saw, the new check is kept and `Conflict` raised: nobody
    approves what they have not seen. Noise is drawn once, here, from the operating system's source of chance.
    """
    version = access_opening(actor=actor, id=id, now=now)
    _refuse_own(version, actor)
    declaration = declaration_of(version)
    found = examine(declaration, org_path=version.dataset.org_path, actor=actor, now=now)
    if not _is_as_checked(version, found, actor, now):
        raise Conflict(_("来源数据在检查之后变了。"), remedy=_("已重新检查：请看过新的结果再批准。"))
    _refuse_new_noise(version, declaration)
    table = found.table(secrets.randbelow)
    with transaction.atomic():
        version = _decided(id, actor)
        dataset = OpenDataset.objects.select_for_update().get(pk=version.dataset_id)
        if dataset.withdrawn_at:
            raise Conflict(_("这份开放数据已撤回，或来自另一份数据；请另建一份。"))
        _name(dataset, version, now)
        _write(dataset, version, declaration, table, actor, now)
        version.dataset = dataset
        _tell(dataset, version, actor, now)
    return version


def _decided(id: int, actor: Actor) -> OpenVersion:
    version = OpenVersion.objects.select_for_update().select_related("dataset").get(pk=id)
    _refuse_own(version, actor)
    return version


def _refuse_own(version: OpenVersion, actor: Actor) -> None:
    if version.state != OpenState.WAITING:
        raise Conflict(_("这个版本没有在等审批。"))
    if not may_decide(version, actor=actor):
        raise Refused(_("提请的人不能自己批准。"), remedy=_("请另一位有权开放数据的人来审批。"))


def _is_as_checked(version: OpenVersion, found: Examined, actor: Actor, now: datetime) -> bool:
    if found.check.is_passed and found.table(None).digest == version.digest:
        return True
    with transaction.atomic():
        stored = OpenVersion.objects.select_for_update().get(pk=version.pk)
        keep_check(stored, found, now)
        stored.save(update_fields=["check_found", "preview", "digest", "checked_at", "state"])
        details = {"dataset": version.dataset.source, "version": version.number, "passed": found.check.is_passed}
        audit.record(actor=actor, action="datahub.opening_checked", target=f"open_version:{version.pk}", details=details, now=now)
    return False


def _refuse_new_noise(version: OpenVersion, declaration: OpenDeclaration) -> None:
    """The same counts once more under other noise: with enough draws it is averaged away."""
    if not declaration.epsilon:
        return
    states = (OpenState.PUBLISHED, OpenState.WITHDRAWN)
    opened = OpenVersion.objects.filter(state__in=states, dataset__source=version.dataset.source, digest=version.digest)
    same = opened.select_related("dataset").first()
    if same is not None:
        told = {"number": same.dataset.number, "version": same.number}
        raise Conflict(
            _("同样的人数已经加噪公开过：%(number)s 第 %(version)s 版。") % told,
            remedy=_("再加一次噪声，两份相比就会泄露真实人数；来源数据变了再发布。"),
        )


def _name(dataset: OpenDataset, version: OpenVersion, now: datetime) -> None:
    """The number of a first publication, and the words of this one."""
    if dataset.number is None:
        head = f"OD-{clock.day_of(now).year}-"
        last = OpenDataset.objects.filter(number__startswith=head).aggregate(last=Max("number"))["last"]
        dataset.number = f"{head}{int(last.removeprefix(head)) + 1 if last else 1:04d}"
        dataset.opened_at = now
    for name, value in told_of(version.titles).items():
        setattr(dataset, name, value)
    dataset.changed_at = now
    dataset.save()


def _write(
    dataset: OpenDataset, version: OpenVersion, declaration: OpenDeclaration, table: Table, actor: Actor, now: datetime
) -> None:
    columns = _columns(declaration, table)
    text = _("开放数据：%(title)s") % {"title": dataset.title_zh}
    offer_dataset(
        DatasetSpec(
            dataset.lake_name,
            ("version",),
            text,
            Grade.PUBLIC.value,
            "datahub",
            columns=columns,
            title_zh=dataset.title_zh,
            title_en=dataset.title_en,
        )
    )
    rows = arrow_of(table)
    snapshot = write_partition(dataset.lake_name, {"version": version.number}, rows, actor=actor, now=now, schema=rows.schema)
    told = csv_of(table.header, table.rows)
    version.state, version.decided_by, version.decided_at = OpenState.PUBLISHED.value, actor.person_id, now
    version.rows, version.bytes, version.sha256 = snapshot.rows, snapshot.bytes, snapshot.sha256
    version.csv_bytes, version.csv_sha256 = len(told), hashlib.sha256(told).hexdigest()
    version.save()
    source, target = AssetRef(AssetKind.DATASET, declaration.dataset), AssetRef(AssetKind.DATASET, dataset.lake_name)
    flows = [ColumnFlow(source, target, column.name, output_name(column)) for column in declaration.columns]
    record_run(job=JOB, inputs=[source], outputs=[target], flows=flows, key=f"open_version:{version.pk}", now=now)


def _columns(declaration: OpenDeclaration, table: Table) -> dict[str, ColumnSpec]:
    """What is opened of a column is called like the column; what is counted beside it by words of its own."""
    source = spec_named(declaration.dataset)
    titles = {output_name(column): column_titles(source, column.name) for column in declaration.columns} | _COUNTED
    found = {"version": ColumnSpec(title_zh="版本", title_en="Version")}
    for name in table.header:
        zh, en = titles.get(name, ("", ""))
        found[name] = ColumnSpec(grade=Grade.PUBLIC.value, title_zh=zh, title_en=en)
    return found


def arrow_of(table: Table) -> pa.Table:
    """The rows in columns; one without any value is text."""
    values = zip(*table.rows, strict=True) if table.rows else [()] * len(table.header)
    arrays = [pa.array(list(column)) for column in values]
    return pa.table(
        [each.cast(pa.string()) if pa.types.is_null(each.type) else each for each in arrays], names=list(table.header)
    )


def _tell(dataset: OpenDataset, version: OpenVersion, actor: Actor, now: datetime) -> None:
    details = {
        "number": dataset.number,
        "version": version.number,
        "dataset": dataset.source,
        "columns": [name for name, _treatment in version.declaration["columns"]],
        "rows": version.rows,
        "sha256": version.sha256,
        "asked_by": version.asked_by,
    }
    audit.record(actor=actor, action="datahub.data_opened", target=f"open_version:{version.pk}", details=details, now=now)
    events.publish("datahub.data_opened", {"number": dataset.number, "version": version.number}, now=now)
