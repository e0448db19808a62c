"""Agreements as lists show them."""

from django.utils.translation import gettext as _

from shuren.datahub.models import ExchangeAgreement
from shuren.datahub.services.exchange.agree import agreement_address
from shuren.datahub.views.exchange.frame import agreement_state, direction, node_address
from shuren.datahub.views.words import FREQUENCIES
from shuren.pages.data import CellKind, Column


def agreement_columns(*, with_node: bool) -> tuple[Column[ExchangeAgreement], ...]:
    """Dataset, direction, how often, and how far it has come."""
    node: tuple[Column[ExchangeAgreement], ...] = (
        Column(key="node", title=_("节点"), value=lambda row: row.node.name, url=lambda row: node_address(row.node)),
    )
    return (
        Column(key="dataset", title=_("数据集"), value=lambda row: row.dataset, url=agreement_address),
        *(node if with_node else ()),
        Column(key="direction", title=_("方向"), value=direction),
        Column(key="state", title=_("状态"), value=agreement_state, kind=CellKind.STATUS),
        Column(key="every", title=_("频率"), value=lambda row: str(FREQUENCIES.get(row.every_minutes, row.every_minutes))),
        Column(key="number", title=_("已确认的包"), value=lambda row: row.number, kind=CellKind.NUMBER),
        Column(key="acknowledged", title=_("最近确认"), value=lambda row: row.acknowledged_at, kind=CellKind.DATETIME),
        Column(key="error", title=_("最近的问题"), value=lambda row: row.error or None),
    )
