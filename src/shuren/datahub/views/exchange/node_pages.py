"""Nodes: who they are, how they come to be trusted, and what waits between us."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.datahub.data import Carriage, NodeState
from shuren.datahub.models import ExchangeAgreement, ExchangeNode
from shuren.datahub.rules.exchange.cards import grouped
from shuren.datahub.selectors.exchange.folders import drop_folders
from shuren.datahub.selectors.exchange.nodes import access_exchange, access_node, agreements, letters_due, nodes
from shuren.datahub.selectors.exchange.own_node import own_card
from shuren.datahub.selectors.sources import orgs_like
from shuren.datahub.services.exchange.exchange_with import ask_for_turn
from shuren.datahub.services.exchange.introduce import introduce_node, invite_node
from shuren.datahub.services.exchange.introduce_now import introduce_now
from shuren.datahub.services.exchange.keep_node import end_node, resume_node, rotate_node_keys, suspend_node, trust_node
from shuren.datahub.services.exchange.take_letter import bring_letters
from shuren.datahub.views.exchange.agreement_columns import agreement_columns
from shuren.datahub.views.exchange.forms import InvitationForm, LetterForm, TrustForm
from shuren.datahub.views.exchange.frame import crumbs, node_address, node_number, node_state, reason_page, state_filter, tabs
from shuren.datahub.views.words import CARRIAGES, LEVELS, NODE_STATES
from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import page_of, stream_of
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Column, EmptyState, Fact, ListSpec


@never_cache
@require_safe
def exchange(request: HttpRequest) -> HttpResponseBase:
    """The nodes that we know, and our own fingerprint to read out."""
    access_exchange(actor=actor_of(request), now=clock.now())
    invite = Action(label=_("邀请节点"), url=reverse("datahub:invite_node"), icon="user-plus", is_post=True, is_primary=True)
    spec: ListSpec[ExchangeNode] = ListSpec(
        name="exchange_nodes",
        title=_("节点交换"),
        columns=(
            Column(key="name", title=_("节点"), value=lambda row: row.name, url=node_address),
            Column(key="level", title=_("层级"), value=lambda row: str(LEVELS.get(row.level, row.level)) or None),
            Column(key="state", title=_("状态"), value=node_state, kind=CellKind.STATUS),
            Column(key="carriage", title=_("传递方式"), value=lambda row: str(CARRIAGES[Carriage(row.carriage)])),
            Column(key="seen", title=_("最近联系"), value=lambda row: row.seen_at, kind=CellKind.DATETIME),
            Column(key="error", title=_("最近的问题"), value=lambda row: row.error or None),
        ),
        rows=lambda query: page_of(
            nodes(state=query.filters.get("state", "")), lambda row: row, number=query.number, size=query.size
        ),
        stream=lambda query: stream_of(nodes(state=query.filters.get("state", "")), lambda rows: rows),
        filters=(state_filter(NODE_STATES),),
        empty=EmptyState(title=_("还没有认识别的节点"), text=_("先邀请对方，或使用对方给的邀请。"), icon="switch-horizontal"),
    )
    context = {
        "title": _("节点交换"),
        "lead": _("与上级、下级和学校的平台交换数据：签名、续传、只传变化、双方留证。"),
        "tabs": tabs("exchange"),
        "breadcrumbs": [*crumbs("")[:1], {"label": _("节点交换"), "url": ""}],
        "facts": _own_facts(),
        "actions": [
            invite,
            Action(label=_("使用邀请"), url=reverse("datahub:introduce_node"), icon="login"),
            Action(label=_("导入交换信"), url=reverse("datahub:bring_letter"), icon="file-import"),
            Action(
                label=_("更换密钥"),
                url=reverse("datahub:rotate_node_keys"),
                icon="rotate",
                is_post=True,
                confirm=_("换钥后会通知所有节点，旧钥三十天内仍有效。要更换吗？"),
            ),
        ],
    }
    return render_list(request, spec, template="front/detail.html", context=context)


def _own_facts() -> list[Fact]:
    card = own_card()
    if card is None:
        return []
    help_text = _("核对时念给对方的管理员听。")
    address_help = _("由 SHUREN_PUBLIC_URL 设定；没有地址的只能由本节点连接对方。")
    return [
        Fact(label=_("本节点"), value=card.name),
        Fact(label=_("本节点的指纹"), value=grouped(card.fingerprint), help=help_text),
        Fact(
            label=_("本节点的地址"),
            value=card.address or None,
            help=address_help,
        ),
    ]


@never_cache
@require_POST
def invite(request: HttpRequest) -> HttpResponseBase:
    """An invitation, shown this once."""
    text = invite_node(actor=actor_of(request), now=clock.now())
    title = _("邀请节点")
    context = {"title": title, "invitation": text, "facts": _own_facts(), "breadcrumbs": crumbs(title)}
    return render(request, "datahub/exchange_invitation.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def introduce(request: HttpRequest) -> HttpResponseBase:
    """Take up another installation's invitation."""
    actor, now = actor_of(request), clock.now()
    access_exchange(actor=actor, now=now)
    form = InvitationForm(posted(request))

    def save() -> str:
        met = introduce_node(actor=actor, text=form.cleaned_data["invitation"], now=now)
        introduce_now(met)
        return node_address(met)

    title = _("使用邀请")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("介绍本节点"),
        back=reverse("datahub:exchange"),
        lead=_("对方会收到本节点的名片；双方核对指纹以后才能交换数据。"),
        breadcrumbs=crumbs(title),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def bring(request: HttpRequest) -> HttpResponseBase:
    """Take a letter that somebody carried here."""
    actor, now = actor_of(request), clock.now()
    access_exchange(actor=actor, now=now)
    form = LetterForm(request.POST, request.FILES) if request.method == "POST" else LetterForm()

    def save() -> str:
        return node_address(bring_letters(form.cleaned_data["letter"], actor=actor, now=now))

    title = _("导入交换信")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("导入"),
        back=reverse("datahub:exchange"),
        lead=_("两边网络不通时，名片、约定和回执可以用文件传递；验证与网上收到的一样。"),
        done=_("已导入。"),
        breadcrumbs=crumbs(title),
        more={"is_multipart": True},
    )


@never_cache
@require_safe
def node(request: HttpRequest, node_id: str) -> HttpResponseBase:
    """One node: what it is, what may be done about it, and what was agreed with it."""
    row = _node(request, node_id)
    spec: ListSpec[ExchangeAgreement] = ListSpec(
        name="exchange_node_agreements",
        title=_("与它的交换约定"),
        columns=agreement_columns(with_node=False),
        rows=lambda query: page_of(agreements(node_id=row.pk), lambda one: one, number=query.number, size=query.size),
        stream=lambda query: stream_of(agreements(node_id=row.pk), lambda rows: rows),
        empty=EmptyState(title=_("还没有约定"), text=_("启用后，由发送的一方提出约定。"), icon="clipboard-list"),
    )
    context = {
        "title": row.name,
        "state": node_state(row),
        "facts": _facts(row),
        "actions": _actions(row),
        "breadcrumbs": crumbs(row.name),
    }
    return render_list(request, spec, template="front/detail.html", context=context)


def _facts(row: ExchangeNode) -> list[Fact]:
    org = directory.orgs_by_ids([row.org_id]).get(row.org_id) if row.org_id is not None else None
    people = directory.people_by_ids([row.trusted_by] if row.trusted_by is not None else [])
    facts = [
        Fact(label=_("层级"), value=str(LEVELS.get(row.level, row.level)) or None),
        Fact(label=_("地址"), value=row.address or None),
        Fact(label=_("指纹"), value=_shown_print(row), help=_("与对方“本节点的指纹”一致才可以启用。")),
        Fact(label=_("代表机构"), value=org.name if org is not None else None),
        Fact(label=_("传递方式"), value=str(CARRIAGES[Carriage(row.carriage)])),
        Fact(label=_("认识时间"), value=row.introduced_at),
    ]
    if row.trusted_at is not None:
        facts += [
            Fact(label=_("启用时间"), value=row.trusted_at),
            Fact(label=_("核对人"), value=people[row.trusted_by].name if row.trusted_by in people else None),
        ]
    facts += [
        Fact(label=_("最近联系"), value=row.seen_at),
        Fact(label=_("等待送出的信"), value=letters_due(row).count()),
    ]
    if row.carriage == Carriage.DROP:
        out, into = drop_folders(row)
        facts.append(Fact(label=_("交换文件夹"), value=f"{out} → {into}", help=_("送出的放在前者，收到的放进后者。")))
    if row.reason:
        facts.append(Fact(label=_("理由"), value=row.reason))
    if row.error:
        facts.append(Fact(label=_("最近的问题"), value=row.error, help=_("会自动重试。")))
    return facts


def _shown_print(row: ExchangeNode) -> str:
    """What is still to be compared keeps its end to itself: that has to be heard from the other side."""
    text = grouped(row.fingerprint)
    return f"{text[:-9]}…" if row.state == NodeState.WAITING else text


def _actions(row: ExchangeNode) -> list[Action]:
    number = [node_number(row)]

    def to(name: str) -> str:
        return reverse(f"datahub:{name}", args=number)

    offered = []
    if row.state == NodeState.WAITING:
        offered.append(Action(label=_("核对并启用"), url=to("trust_node"), icon="shield-check", is_primary=True))
    if row.state == NodeState.TRUSTED:
        offered += [
            Action(label=_("提出约定"), url=to("offer_exchange"), icon="plus", is_primary=True),
            Action(label=_("现在交换"), url=to("exchange_now"), icon="refresh", is_post=True),
        ]
    if row.state != NodeState.ENDED and letters_due(row).exists():
        offered.append(Action(label=_("下载等待送出的信"), url=to("node_letters"), icon="download"))
    if row.state == NodeState.TRUSTED:
        offered.append(Action(label=_("停用"), url=to("suspend_node"), icon="player-pause", is_danger=True))
    if row.state == NodeState.SUSPENDED:
        offered.append(Action(label=_("重新启用"), url=to("resume_node"), icon="player-play", is_post=True))
    if row.state != NodeState.ENDED:
        offered.append(Action(label=_("终止"), url=to("end_node"), icon="x", is_danger=True))
    return offered


@never_cache
@require_http_methods(["GET", "POST"])
def trust(request: HttpRequest, node_id: str) -> HttpResponseBase:
    """Compare the fingerprint and trust the node."""
    actor, now = actor_of(request), clock.now()
    row = _node(request, node_id)
    asked = request.GET.get("q", "").strip()[:60]
    hits = orgs_like(asked or row.name)
    form = TrustForm(
        posted(request),
        orgs=[(org.public_id, org.name) for org in hits],
        initial={"carriage": row.carriage, "org": hits[0].public_id if len(hits) == 1 else ""},
    )

    def save() -> str:
        data = form.cleaned_data
        org_id = ids.decode("org", data["org"]) if data["org"] else None
        carriage = Carriage(data["carriage"])
        trust_node(actor=actor, node_id=row.pk, spoken=data["spoken"], org_id=org_id, carriage=carriage, now=now)
        return node_address(row)

    title = _("核对并启用")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("一致，启用"),
        back=node_address(row),
        lead=_("%(name)s 的指纹：%(print)s") % {"name": row.name, "print": _shown_print(row)},
        done=_("已启用。"),
        breadcrumbs=crumbs(title, between=((row.name, node_address(row)),)),
        template="datahub/producer.html",
        more={"asked": asked, "has_found": bool(hits)},
    )


@never_cache
@require_http_methods(["GET", "POST"])
def suspend(request: HttpRequest, node_id: str) -> HttpResponseBase:
    """Stop everything with a node at once."""
    actor, now, row = actor_of(request), clock.now(), _node(request, node_id)
    return reason_page(
        request,
        lambda reason: suspend_node(actor=actor, node_id=row.pk, reason=reason, now=now),
        of=(row.name, node_address(row)),
        title=_("停用节点"),
        submit=_("停用"),
        lead=_("立即停止收发，可以重新启用。"),
        done=_("已完成。"),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, node_id: str) -> HttpResponseBase:
    """Give a node up."""
    actor, now, row = actor_of(request), clock.now(), _node(request, node_id)
    return reason_page(
        request,
        lambda reason: end_node(actor=actor, node_id=row.pk, reason=reason, now=now),
        of=(row.name, node_address(row)),
        title=_("终止节点"),
        submit=_("终止"),
        lead=_("与它的约定全部终止；再要交换须重新邀请和核对。"),
        done=_("已完成。"),
    )


@require_POST
def resume(request: HttpRequest, node_id: str) -> HttpResponseBase:
    """Take a suspended node up again."""
    row = _node(request, node_id)
    resume_node(actor=actor_of(request), node_id=row.pk, now=clock.now())
    return redirect(node_address(row))


@require_POST
def turn(request: HttpRequest, node_id: str) -> HttpResponseBase:
    """Have a turn with the node now."""
    row = _node(request, node_id)
    ask_for_turn(row.pk)
    return redirect(node_address(row))


@never_cache
@require_safe
def letters(request: HttpRequest, node_id: str) -> HttpResponseBase:
    """The letters that wait, one a line, to be carried by hand; they go on waiting until they were answered or sent."""
    row = _node(request, node_id)
    found = list(letters_due(row))
    if not found:
        raise NotFound(_("没有等待送出的信。"))
    said = {"Content-Disposition": f'attachment; filename="{found[-1].pk:08d}.letter"'}
    text = "".join(f"{letter.text}\n" for letter in found)
    return HttpResponse(text, content_type="application/octet-stream", headers=said)


@require_POST
def rotate(request: HttpRequest) -> HttpResponseBase:
    """Turn our keys over; every node is told."""
    rotate_node_keys(actor=actor_of(request), now=clock.now())
    return redirect("datahub:exchange")


def _node(request: HttpRequest, node_id: str) -> ExchangeNode:
    return access_node(actor=actor_of(request), id=ids.decode("exchange_node", node_id), now=clock.now())
