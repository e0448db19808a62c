"""Tickets for services."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from shuren.identity.models import Account, CasService, CasTicket, SignIn
from shuren.identity.rules import addresses
from shuren.identity.rules.cas.answers import Failure, ProxyTicket
from shuren.identity.selectors.accounts import actor_of_account
from shuren.identity.selectors.belonging import is_of_branch
from shuren.identity.selectors.cas import cas_service_of
from shuren.identity.services.gate import check_person, refusal_of_app
from shuren.kernel import audit
from shuren.kernel.errors import Refused
from shuren.trust.api import blind_index

GRANTING_LASTS = timedelta(hours=12)
_LETTERS = 43  # of 62: 256 bits


def ticket_digest(ticket: str) -> str:
    """What is kept of a ticket: a keyed hash."""
    return blind_index(ticket, purpose="identity.cas_ticket")


def new_ticket(kind: str) -> str:
    """`ST-…`: 46 to 50 letters and digits, as the specification allows (3.7)."""
    return f"{kind}-{get_random_string(_LETTERS)}"


@transaction.atomic
def issue_ticket(*, service: CasService, address: str, sign_in: SignIn, is_fresh: bool, now: datetime) -> str:
    """A service ticket for the person signed in; raises `Refused` for people outside the branch of the service or
    the schools that chose its app.

    `address` is the normal address asked for, and the only one the ticket will be good for.
    """
    account = sign_in.account
    check_person(service.client, actor=actor_of_account(account), now=now)
    if not is_of_branch(account.person_id, service.org.path, now=now):
        raise Refused(_("“%(name)s”只对%(org)s开放。") % {"name": service.name, "org": service.org.name})
    ticket = new_ticket("ST")
    row = CasTicket.objects.create(
        kind="ST",
        digest=ticket_digest(ticket),
        service=service,
        service_url=address,
        account=account,
        sign_in_id=sign_in.pk,
        is_fresh=is_fresh,
        issued_at=now,
        expires_at=now + timedelta(seconds=settings.SHUREN_CAS_TICKET_SECONDS),
    )
    audit.record(
        actor=actor_of_account(account),
        action="identity.cas_ticket_issued",
        target=f"cas_service:{service.pk}",
        details={"ticket": row.pk},
        now=now,
    )
    return ticket


@transaction.atomic
def issue_proxy_ticket(*, pgt: str, target: str, now: datetime) -> ProxyTicket | Failure:
    """A proxy ticket for `target` in the name of the person behind a proxy-granting ticket."""
    if not pgt or not target:
        return Failure("INVALID_REQUEST", "pgt and targetService are required")
    granting = (
        CasTicket.objects.select_related("account__person", "service__client")
        .filter(kind="PGT", digest=ticket_digest(pgt))
        .first()
    )
    if granting is None or granting.expires_at <= now or not is_alive(granting):
        return Failure("INVALID_TICKET", "the proxy-granting ticket is not known, or its session has ended")
    address = addresses.normal_address(target)
    service = cas_service_of(address) if address else None
    if address is None or service is None:
        return Failure("UNAUTHORIZED_SERVICE", "targetService is not a registered service")
    if not granting.service.is_enabled or not granting.service.may_proxy:
        return Failure("UNAUTHORIZED_SERVICE", "the service may not act as a proxy")
    if not is_of_branch(granting.account.person_id, service.org.path, now=now):
        return Failure("UNAUTHORIZED_SERVICE", "targetService is not open to this person")
    refusal = refusal_of_service(granting.service, granting.account, now=now) or refusal_of_service(
        service, granting.account, now=now
    )
    if refusal is not None:
        return refusal
    ticket = new_ticket("PT")
    CasTicket.objects.create(
        kind="PT",
        digest=ticket_digest(ticket),
        service=service,
        service_url=address,
        account=granting.account,
        sign_in_id=granting.sign_in_id,
        parent=granting,
        chain=granting.chain,
        issued_at=now,
        expires_at=now + timedelta(seconds=settings.SHUREN_CAS_TICKET_SECONDS),
    )
    audit.record(
        actor=actor_of_account(granting.account),
        action="identity.cas_ticket_issued",
        target=f"cas_service:{service.pk}",
        details={"proxy": granting.service_id},
        now=now,
    )
    return ProxyTicket(ticket)


def refusal_of_service(service: CasService, account: Account, *, now: datetime) -> Failure | None:
    """Why the app behind a service may not be told of a person now."""
    refusal = refusal_of_app(service.client, actor=actor_of_account(account), now=now)
    return None if refusal is None else Failure("UNAUTHORIZED_SERVICE", f"the app of this service may not: {refusal.fault}")


def is_alive(ticket: CasTicket) -> bool:
    """Whether the session behind a ticket still stands, and its account may come in."""
    return ticket.account.is_active and SignIn.objects.filter(pk=ticket.sign_in_id, account_id=ticket.account_id).exists()
