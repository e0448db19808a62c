"""What lets data leave: a live grant of the unit that the node stands for, or a duty to report to the level above."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from django.utils.translation import gettext as _

from shuren.datahub.data import DatasetSpec, Reader, SharedColumn, SharingWay
from shuren.datahub.models import ExchangeAgreement, ExchangeNode, ReportDuty, SharingGrant
from shuren.datahub.rules.exchange.terms import TermColumn, Terms, goes_up
from shuren.datahub.rules.names import view_name
from shuren.datahub.rules.sharing import WHOLE, reader_of_grant, rows_sql
from shuren.datahub.selectors.exchange.own_node import own_card
from shuren.datahub.selectors.shared_datasets import columns_of_shared, shared_dataset
from shuren.datahub.selectors.sharing import refuse_unusable
from shuren.datahub.services.ask import stream_lake
from shuren.datahub.services.sharing.read import reader_of
from shuren.directory import api as directory
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, Refused


@dataclass(frozen=True, slots=True)
class Basis:
    """What may leave now: these columns under these masks, of the rows that the reader sees."""

    dataset: str
    masks: dict[str, str]
    reader: Reader
    ground: str
    grant: SharingGrant | None
    duty: ReportDuty | None

    @property
    def sql(self) -> str:
        return rows_sql(view_name(self.dataset), self.masks)

    @property
    def limits(self) -> dict[str, object]:
        """All that decides what leaves of a partition: whenever it changes, everything is another state."""
        return {"masks": dict(self.reader.masks), "scope": list(self.reader.scope), "whole": self.reader.is_region}


def basis_of(agreement: ExchangeAgreement, *, now: datetime) -> Basis:
    """The live basis of an agreement; raises `Refused` as soon as it was revoked, has ended or is not shared any more."""
    if agreement.grant_id is not None:
        return basis_of_grant(SharingGrant.objects.select_related("application").get(pk=agreement.grant_id), agreement.node, now)
    if agreement.duty_id is None:
        raise Refused(_("这份约定没有法定依据。"))
    return basis_of_duty(ReportDuty.objects.get(pk=agreement.duty_id), agreement.node, now)


def basis_of_grant(grant: SharingGrant, node: ExchangeNode, now: datetime) -> Basis:
    refuse_unusable(grant, now)
    if grant.applicant_org_id != node.org_id:
        raise Refused(_("这项授权不是给对方所代表的机构的。"))
    if SharingWay.FILE.value not in grant.ways:
        raise Refused(_("这项授权不包括以文件方式提供。"))
    return Basis(
        grant.dataset, _sent(grant.dataset, grant.masks), reader_of(grant, WHOLE), grant.application.purpose, grant, None
    )


def basis_of_duty(duty: ReportDuty, node: ExchangeNode, now: datetime) -> Basis:
    card, root = own_card(), directory.root_org()
    if duty.revoked_at is not None or not duty.begins_at <= now < duty.ends_at:
        raise Refused(_("这项上报义务已经结束。"))
    if card is None or root is None or not goes_up(card.level, node.level):
        raise Refused(_("上报只能向上级进行。"), remedy=_("向同级或下级提供数据，请由对方申请共享。"))
    spec = shared_dataset(duty.dataset).spec
    reader = reader_of_grant(
        spec,
        duty.masks,
        columns_of_shared(spec),
        paths=(root.path,),
        is_region=True,
        purpose=duty.ground,
        most_rows=WHOLE,
    )
    return Basis(duty.dataset, _sent(duty.dataset, duty.masks), reader, duty.ground, None, duty)


def _sent(dataset: str, masks: Mapping[str, str]) -> dict[str, str]:
    """Columns that are sent: the keys go along as the names of partitions."""
    keys = shared_dataset(dataset).spec.partition_keys
    return {name: mask for name, mask in masks.items() if name not in keys}


def terms_of(basis: Basis, *, now: datetime) -> Terms:
    """The words of an agreement, with the types that the columns have once they are masked."""
    if not basis.masks:
        raise Invalid(_("没有可以发送的列。"))
    found = shared_dataset(basis.dataset)
    held = columns_of_shared(found.spec)
    batches = stream_lake(basis.sql, reader=basis.reader, actor=SYSTEM, now=now)
    schema: pa.Schema = next(batches).schema
    columns = {field.name: _column(field, held[field.name], basis, found.spec) for field in schema}
    kind = "grant" if basis.grant is not None else "duty"
    spec = found.spec
    return Terms(spec.name, spec.description, spec.grade, spec.partition_keys, columns, kind, basis.ground)


def _column(field: pa.Field, held: SharedColumn, basis: Basis, spec: DatasetSpec) -> TermColumn:
    mask = basis.reader.masks[f"{spec.name}.{field.name}"]
    return TermColumn(str(field.type), held.grade, held.element, mask)
