"""Coming in on a screen by way of a phone that is signed in already.

The code on the screen serves once, for two minutes, and is replaced every minute. The screen proves itself by a secret
that only its browser holds; the phone's owner sees where the screen stands and picks the number shown on it, so that a
picture of somebody else's code leads nowhere.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import SystemRandom

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.identity.data import Visit
from shuren.identity.models import QrTicket
from shuren.identity.rules.risk import network_prefix
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound, Refused
from shuren.trust import api as trust

LASTS = timedelta(minutes=2)
RENEWED = timedelta(minutes=1)
_SWEPT = timedelta(minutes=30)
_NUMBERS = range(10, 100)


class QrState(StrEnum):
    """Where the code on a screen stands."""

    SHOWN = "shown"
    SCANNED = "scanned"
    APPROVED = "approved"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class NewTicket:
    """What the screen is given: `code` to draw, `screen` to prove itself, `number` to show."""

    code: str
    screen: str
    number: int


@dataclass(frozen=True, slots=True)
class Screen:
    """What the phone is told of the screen, and three numbers of which one is right."""

    address: str
    agent: str
    is_same_network: bool
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Poll:
    """How the screen's code stands; `account_id` once the phone has said yes, the ticket is spent by that answer."""

    state: QrState
    number: int = 0
    is_old: bool = False
    account_id: int | None = None
    is_strong: bool = False


def show_ticket(*, visit: Visit, now: datetime) -> NewTicket:
    """A fresh code for this screen."""
    code, screen, number = secrets.token_urlsafe(24), secrets.token_urlsafe(32), secrets.choice(_NUMBERS)
    QrTicket.objects.filter(made_at__lt=now - _SWEPT).delete()
    QrTicket.objects.create(
        code_hash=_hash(code),
        screen_hash=_hash(screen),
        number=number,
        address=visit.address[:64],
        agent=visit.agent[:200],
        made_at=now,
    )
    return NewTicket(code, screen, number)


def scan_ticket(*, actor: Actor, code: str, visit: Visit, now: datetime) -> Screen:
    """What the phone's owner is asked; the first account to scan a code is the only one that can answer it."""
    ticket = _living(code, now=now)
    first = QrTicket.objects.filter(pk=ticket.pk, account__isnull=True)
    if not first.update(account_id=actor.account_id, scanned_at=now) and ticket.account_id != actor.account_id:
        raise _gone()
    others = SystemRandom().sample([number for number in _NUMBERS if number != ticket.number], 2)
    numbers = [ticket.number, *others]
    SystemRandom().shuffle(numbers)
    is_same = bool(visit.address) and network_prefix(visit.address) == network_prefix(ticket.address)
    return Screen(ticket.address, ticket.agent, is_same, tuple(numbers))


def answer_ticket(*, actor: Actor, code: str, number: int | None, is_strong: bool, now: datetime) -> None:
    """Say yes by the number on the screen, or no with None; a wrong number is a no for good.

    `is_strong` tells that a key or an app's number was shown on the phone just now, which the screen then need not repeat.
    """
    with transaction.atomic():
        ticket = _living(code, now=now)
        if ticket.account_id != actor.account_id or actor.account_id is None:
            raise _gone()
        is_yes = number == ticket.number
        open_rows = QrTicket.objects.filter(pk=ticket.pk, approved_at__isnull=True, refused_at__isnull=True)
        if not (open_rows.update(approved_at=now, is_strong=is_strong) if is_yes else open_rows.update(refused_at=now)):
            raise _gone()
        action = "identity.qr_approved" if is_yes else "identity.qr_refused"
        details = {"address": ticket.address}
        audit.record(actor=actor, action=action, target=f"account:{actor.account_id}", details=details, now=now)
    if number is not None and not is_yes:
        raise Refused(_("这个数字和电脑屏幕上的不一样，没有登录。"), remedy=_("请确认扫的是您面前的屏幕，再扫一次。"))


def poll_ticket(*, screen: str, now: datetime) -> Poll:
    """Ask for the screen how its code stands; a yes is told once."""
    ticket = QrTicket.objects.filter(screen_hash=_hash(screen)).order_by("-made_at").first() if screen else None
    if ticket is None or ticket.refused_at or ticket.used_at or now - ticket.made_at >= LASTS:
        return Poll(QrState.GONE)
    if ticket.approved_at:
        if not QrTicket.objects.filter(pk=ticket.pk, used_at__isnull=True).update(used_at=now):
            return Poll(QrState.GONE)
        return Poll(QrState.APPROVED, account_id=ticket.account_id, is_strong=ticket.is_strong)
    if ticket.scanned_at:
        return Poll(QrState.SCANNED, number=ticket.number)
    return Poll(QrState.SHOWN, number=ticket.number, is_old=now - ticket.made_at >= RENEWED)


def _living(code: str, *, now: datetime) -> QrTicket:
    ticket = QrTicket.objects.filter(code_hash=_hash(code)).first()
    if ticket is None or ticket.used_at or ticket.approved_at or ticket.refused_at or now - ticket.made_at >= LASTS:
        raise _gone()
    return ticket


def _gone() -> Conflict | NotFound:
    return NotFound(_("这个二维码已经失效。"), remedy=_("请扫电脑上新的二维码。"))


def _hash(secret: str) -> str:
    return trust.blind_index(secret, purpose="identity.qr")
