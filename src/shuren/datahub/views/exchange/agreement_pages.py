"""What was agreed with other nodes, and every packet that went between us."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.datahub.data import AgreementState
from shuren.datahub.models import ExchangeAgreement, ExchangePacket
from shuren.datahub.rules.exchange.checks import fault_in
from shuren.datahub.rules.exchange.terms import terms_in
from shuren.datahub.selectors.exchange.nodes import (
    access_agreement,
    access_exchange,
    access_node,
    access_packet,
    agreements,
    duties,
    grants_for,
    packets_of,
)
from shuren.datahub.services.exchange.agree import (
    accept_agreement,
    agreement_address,
    end_agreement,
    offer_agreement,
    refuse_agreement,
)
from shuren.datahub.services.exchange.basis import basis_of
from shuren.datahub.services.exchange.exchange_with import ask_for_turn
from shuren.datahub.services.exchange.prepare import parts_due
from shuren.datahub.services.sharing.tell import grant_address
from shuren.datahub.views.exchange.agreement_columns import agreement_columns
from shuren.datahub.views.exchange.forms import OfferForm
from shuren.datahub.views.exchange.frame import (
    agreement_number,
    agreement_state,
    crumbs,
    direction,
    node_address,
    packet_address,
    packet_state,
    reason_page,
    state_filter,
    tabs,
)
from shuren.datahub.views.sharing_forms import year_from
from shuren.datahub.views.words import AGREEMENT_STATES, FREQUENCIES, MASKS, PACKET_STATES
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.clock import day_of
from shuren.kernel.errors import ShurenError
from shuren.kernel.paging import page_of, page_of_rows, stream_of
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Column, EmptyState, Fact, ListSpec
from shuren.standards.data import MaskStyle
from shuren.trust import api as trust


@never_cache
@require_safe
def agreement_list(request: HttpRequest) -> HttpResponseBase:
    """Every agreement, newest first."""
    access_exchange(actor=actor_of(request), now=clock.now())
    title = _("交换约定")
    spec: ListSpec[ExchangeAgreement] = ListSpec(
        name="exchange_agreements",
        title=title,
        columns=agreement_columns(with_node=True),
        rows=lambda query: page_of(
            agreements(state=query.filters.get("state", "")), lambda row: row, number=query.number, size=query.size
        ),
        stream=lambda query: stream_of(agreements(state=query.filters.get("state", "")), lambda rows: rows),
        filters=(state_filter(AGREEMENT_STATES),),
        empty=EmptyState(title=_("还没有约定"), text=_("在节点的页面上提出约定。"), icon="clipboard-list"),
    )
    context = {"title": title, "tabs": tabs("exchange_agreements"), "breadcrumbs": crumbs(title)}
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_safe
def packet_list(request: HttpRequest) -> HttpResponseBase:
    """Every packet, sent or received, newest first."""
    access_exchange(actor=actor_of(request), now=clock.now())
    title = _("收发记录")
    spec = _packets(None, name="exchange_packets", title=title)
    context = {"title": title, "tabs": tabs("exchange_packets"), "breadcrumbs": crumbs(title)}
    return render_list(request, spec, template="front/detail.html", context=context)


def _packets(of: ExchangeAgreement | None, *, name: str, title: str) -> ListSpec[ExchangePacket]:
    whose: tuple[Column[ExchangePacket], ...] = (
        Column(key="dataset", title=_("数据集"), value=lambda row: row.agreement.dataset),
        Column(key="node", title=_("节点"), value=lambda row: row.agreement.node.name),
        Column(key="direction", title=_("方向"), value=lambda row: direction(row.agreement)),
    )
    return ListSpec(
        name=name,
        title=title,
        columns=(
            Column(key="number", title=_("包号"), value=lambda row: f"#{row.number}", url=packet_address),
            *(whose if of is None else ()),
            Column(key="state", title=_("状态"), value=packet_state, kind=CellKind.STATUS),
            Column(key="rows", title=_("行数"), value=lambda row: row.rows, kind=CellKind.NUMBER),
            Column(key="bytes", title=_("字节"), value=lambda row: row.bytes, kind=CellKind.NUMBER),
            Column(key="prepared", title=_("生成时间"), value=lambda row: row.prepared_at, kind=CellKind.DATETIME),
            Column(key="settled", title=_("确认时间"), value=lambda row: row.settled_at, kind=CellKind.DATETIME),
        ),
        rows=lambda query: page_of(
            packets_of(of, state=query.filters.get("state", "")), lambda row: row, number=query.number, size=query.size
        ),
        stream=lambda query: stream_of(packets_of(of, state=query.filters.get("state", "")), lambda rows: rows),
        filters=(state_filter(PACKET_STATES),),
        empty=EmptyState(title=_("还没有收发"), text=_("约定生效后，有变化的数据会自动发送。"), icon="package"),
    )


@never_cache
@require_safe
def agreement(request: HttpRequest, agreement_id: str) -> HttpResponseBase:
    """One agreement: its words, how far it is, and its packets."""
    row = _agreement(request, agreement_id)
    title = f"{row.dataset} · {row.node.name}"
    between = ((_("交换约定"), reverse("datahub:exchange_agreements")),)
    context = {
        "title": title,
        "state": agreement_state(row),
        "facts": [*_terms_facts(row), *_progress_facts(row)],
        "actions": _actions(row),
        "breadcrumbs": crumbs(title, between=between),
    }
    spec = _packets(row, name="exchange_agreement_packets", title=_("收发记录"))
    return render_list(request, spec, template="front/detail.html", context=context)


def _terms_facts(row: ExchangeAgreement) -> list[Fact]:
    terms = terms_in(row.terms)
    columns = "、".join(f"{name}（{MASKS[MaskStyle(one.mask)]}）" for name, one in sorted(terms.columns.items()))
    basis = _("共享授权") if terms.basis == "grant" else _("上报义务")
    url = grant_address(row.grant_id) if row.grant_id is not None else ""
    facts = [
        Fact(label=_("节点"), value=row.node.name, url=node_address(row.node)),
        Fact(label=_("方向"), value=direction(row)),
        Fact(label=_("依据"), value=f"{basis}：{terms.ground}", url=url),
        Fact(label=_("列"), value=columns),
        Fact(label=_("频率"), value=str(FREQUENCIES.get(row.every_minutes, row.every_minutes))),
        Fact(label=_("用到哪天（含）"), value=row.ends_on),
    ]
    if row.landed_in:
        facts.append(Fact(label=_("收到哪里"), value=row.landed_in, help=_("按来源节点分区，与本节点自己的数据分开。")))
    if row.reason:
        facts.append(Fact(label=_("理由"), value=row.reason))
    return facts


def _progress_facts(row: ExchangeAgreement) -> list[Fact]:
    facts = [
        Fact(label=_("已确认的包"), value=row.number),
        Fact(label=_("最近确认"), value=row.acknowledged_at),
    ]
    if row.is_sender and row.state == AgreementState.ACCEPTED:
        try:
            changed, gone = parts_due(row, basis_of(row, now=clock.now()))
            due: str | int = len(changed) + len(gone)
        except ShurenError as fault:
            due = str(fault)
        facts.append(Fact(label=_("待送的分区"), value=due, help=_("上次确认以后有变化的。")))
    if row.error:
        facts += [Fact(label=_("最近的问题"), value=row.error), Fact(label=_("发生时间"), value=row.error_at)]
    return facts


def _actions(row: ExchangeAgreement) -> list[Action]:
    number = [agreement_number(row)]
    offered = []
    if not row.is_sender and row.state == AgreementState.OFFERED:
        offered += [
            Action(
                label=_("接受"), url=reverse("datahub:accept_exchange", args=number), icon="check", is_primary=True, is_post=True
            ),
            Action(label=_("不接受"), url=reverse("datahub:refuse_exchange", args=number), icon="x", is_danger=True),
        ]
    if row.state == AgreementState.ACCEPTED or (row.is_sender and row.state == AgreementState.OFFERED):
        offered.append(Action(label=_("终止"), url=reverse("datahub:end_exchange", args=number), icon="x", is_danger=True))
    return offered


@never_cache
@require_http_methods(["GET", "POST"])
def offer(request: HttpRequest, node_id: str) -> HttpResponseBase:
    """Offer a node what a grant of its org, or a duty to report, lets out."""
    actor, now = actor_of(request), clock.now()
    node = access_node(actor=actor, id=ids.decode("exchange_node", node_id), now=now)
    grants = {f"grant:{ids.encode('sharing_grant', one.pk)}": one for one in grants_for(node, now=now)}
    reports = {f"duty:{ids.encode('report_duty', one.pk)}": one for one in duties(now=now)}
    bases = [(key, _("授权：%(name)s") % {"name": one.dataset}) for key, one in grants.items()]
    bases += [(key, _("上报：%(name)s") % {"name": one.dataset}) for key, one in reports.items()]
    form = OfferForm(posted(request), bases=bases, initial={"every": "60", "ends_on": year_from(day_of(now))})

    def save() -> str:
        data = form.cleaned_data
        row = offer_agreement(
            actor=actor,
            node_id=node.pk,
            grant=grants.get(data["basis"]),
            duty=reports.get(data["basis"]),
            every_minutes=int(data["every"]),
            ends_on=data["ends_on"],
            now=now,
        )
        ask_for_turn(node.pk)
        return agreement_address(row)

    title = _("向“%(name)s”提出约定") % {"name": node.name}
    lead = _("只有对方所代表的机构得到的共享授权，或本节点的上报义务，才可以作为发送的依据。")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("提出"),
        back=node_address(node),
        lead=lead if bases else _("还没有可用的依据：请对方先申请共享，或先登记上报义务。"),
        done=_("已提出，等待对方接受。"),
        breadcrumbs=crumbs(title, between=((node.name, node_address(node)),)),
    )


@require_POST
def accept(request: HttpRequest, agreement_id: str) -> HttpResponseBase:
    """Take what a node offers."""
    row = _agreement(request, agreement_id)
    accept_agreement(actor=actor_of(request), agreement_id=row.pk, now=clock.now())
    ask_for_turn(row.node_id)
    return redirect(agreement_address(row))


@never_cache
@require_http_methods(["GET", "POST"])
def refuse(request: HttpRequest, agreement_id: str) -> HttpResponseBase:
    """Do not take what a node offers, with the reason."""
    actor, now, row = actor_of(request), clock.now(), _agreement(request, agreement_id)
    return reason_page(
        request,
        lambda reason: refuse_agreement(actor=actor, agreement_id=row.pk, reason=reason, now=now),
        of=(row.dataset, agreement_address(row)),
        title=_("不接受约定"),
        submit=_("不接受"),
        lead=_("理由会告诉对方。"),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, agreement_id: str) -> HttpResponseBase:
    """End an agreement."""
    actor, now, row = actor_of(request), clock.now(), _agreement(request, agreement_id)
    return reason_page(
        request,
        lambda reason: end_agreement(actor=actor, agreement_id=row.pk, reason=reason, now=now),
        of=(row.dataset, agreement_address(row)),
        title=_("终止约定"),
        submit=_("终止"),
        lead=_("立即停止收发。已经收到的数据留在接收方，按接收方的保存期限处理。"),
    )


@never_cache
@require_safe
def packet(request: HttpRequest, packet_id: str) -> HttpResponseBase:
    """One packet: what it held, what became of it, its faults, and the evidence."""
    row = access_packet(actor=actor_of(request), id=ids.decode("exchange_packet", packet_id), now=clock.now())
    title = _("第 %(number)s 个包") % {"number": row.number}
    proof = trust.proof_of(row.entry_id) if row.entry_id is not None else None
    facts = [
        Fact(label=_("约定"), value=row.agreement.dataset, url=agreement_address(row.agreement)),
        Fact(label=_("节点"), value=row.agreement.node.name, url=node_address(row.agreement.node)),
        Fact(label=_("方向"), value=direction(row.agreement)),
        Fact(label=_("行数"), value=row.rows),
        Fact(label=_("字节"), value=row.bytes),
        Fact(label=_("清单摘要"), value=row.digest, help=_("SHA-256，两边的记录相同。")),
        Fact(label=_("生成时间"), value=row.prepared_at),
        Fact(label=_("确认时间"), value=row.settled_at),
    ]
    if row.agreement.is_sender:
        facts.append(Fact(label=_("已送出的字节"), value=row.carried, help=_("中断后从这里继续。")))
    if row.entry_id is not None:
        proven = _("第 %(place)s 条") % {"place": proof.leaf_index + 1} if proof is not None else _("等待收录，一分钟内完成")
        facts.append(Fact(label=_("存证"), value=proven, help=_("清单和回执的摘要写入存证日志，双方各存一份。")))
    spec = _faults(row)
    between = ((row.agreement.dataset, agreement_address(row.agreement)),)
    context = {"title": title, "state": packet_state(row), "facts": facts, "breadcrumbs": crumbs(title, between=between)}
    if not row.faults:
        return render(request, "front/detail.html", context)
    return render_list(request, spec, template="front/detail.html", context=context)


def _faults(row: ExchangePacket) -> ListSpec[dict[str, object]]:
    """Faults come from the other side, too: they are read as faults before they are shown."""
    faults = [fault_in(one) for one in row.faults]
    shown: list[dict[str, object]] = [
        {"file": one.file, "row": one.row or None, "column": one.column, "reason": one.reason, "remedy": one.remedy}
        for one in faults
    ]

    def text(key: str) -> Column[dict[str, object]]:
        return Column(key=key, title=titles[key], value=lambda one: str(one[key] or "") or None)

    titles = {"file": _("文件"), "row": _("行"), "column": _("列"), "reason": _("原因"), "remedy": _("怎样改正")}

    def stream(_query: object) -> Iterable[dict[str, object]]:
        return shown

    return ListSpec(
        name="exchange_faults",
        title=_("拒收原因"),
        columns=tuple(text(key) for key in titles),
        rows=lambda query: page_of_rows(shown, number=query.number, size=query.size),
        stream=stream,
    )


def _agreement(request: HttpRequest, agreement_id: str) -> ExchangeAgreement:
    return access_agreement(actor=actor_of(request), id=ids.decode("exchange_agreement", agreement_id), now=clock.now())
