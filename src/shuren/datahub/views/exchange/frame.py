"""What the pages of the exchange have in common: tabs, crumbs, addresses, states, and the page that asks for a reason."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from shuren.datahub.data import AgreementState, NodeState, PacketState
from shuren.datahub.models import ExchangeAgreement, ExchangeNode, ExchangePacket
from shuren.datahub.views.sharing_forms import ReasonForm
from shuren.datahub.views.words import AGREEMENT_STATES, NODE_STATES, PACKET_STATES, TONES
from shuren.kernel import ids
from shuren.pages.api import form_page, posted
from shuren.pages.data import Choice, Filter, Status, Tab

StateT = TypeVar("StateT", bound=StrEnum)


def crumbs(title: str, *, between: tuple[tuple[str, str], ...] = ()) -> list[dict[str, str]]:
    way = [(_("数据共享"), reverse("datahub:sharing")), (_("节点交换"), reverse("datahub:exchange")), *between, (title, "")]
    return [{"label": label, "url": url} for label, url in way]


def tabs(current: str) -> list[Tab]:
    names = (
        ("exchange", _("节点")),
        ("exchange_agreements", _("交换约定")),
        ("exchange_packets", _("收发记录")),
        ("report_duties", _("上报义务")),
        ("view_sources", _("数据库视图")),
    )
    return [Tab(label=label, url=reverse(f"datahub:{name}"), is_current=name == current) for name, label in names]


def state_filter(words: Mapping[StateT, str | Promise]) -> Filter:
    return Filter(
        key="state",
        label=_("状态"),
        choices=tuple(Choice(value=state.value, label=str(word)) for state, word in words.items()),
    )


def reason_page(
    request: HttpRequest,
    act: Callable[[str], object],
    *,
    of: tuple[str, str],
    title: str,
    submit: str,
    lead: str,
    done: str = "",
) -> HttpResponseBase:
    """Ask for the reason and `act` on it; `of` is what it is done to, with its address, which leads back."""
    form, (_label, back) = ReasonForm(posted(request)), of

    def save() -> str:
        act(form.cleaned_data["reason"])
        return back

    return form_page(
        request,
        form,
        save,
        title=title,
        submit=submit,
        back=back,
        lead=lead,
        is_danger=True,
        done=done,
        breadcrumbs=crumbs(title, between=(of,)),
    )


def node_number(node: ExchangeNode) -> str:
    return ids.encode("exchange_node", node.pk)


def node_address(node: ExchangeNode) -> str:
    return reverse("datahub:exchange_node", args=[node_number(node)])


def agreement_number(row: ExchangeAgreement) -> str:
    return ids.encode("exchange_agreement", row.pk)


def packet_address(row: ExchangePacket) -> str:
    return reverse("datahub:exchange_packet", args=[ids.encode("exchange_packet", row.pk)])


def node_state(node: ExchangeNode) -> Status:
    return Status(text=str(NODE_STATES[NodeState(node.state)]), tone=TONES.get(node.state, "plain"))


def agreement_state(row: ExchangeAgreement) -> Status:
    return Status(text=str(AGREEMENT_STATES[AgreementState(row.state)]), tone=TONES.get(row.state, "plain"))


def packet_state(row: ExchangePacket) -> Status:
    return Status(text=str(PACKET_STATES[PacketState(row.state)]), tone=TONES.get(row.state, "plain"))


def direction(row: ExchangeAgreement) -> str:
    return _("发送") if row.is_sender else _("接收")
