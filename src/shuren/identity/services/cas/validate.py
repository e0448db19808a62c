"""Tickets checked: each of them once, whatever comes of it."""

from datetime import datetime
from urllib.parse import urlencode

from django.db import transaction

from shuren.identity.models import Account, CasService, CasTicket
from shuren.identity.rules import addresses
from shuren.identity.rules.cas.answers import Failure, Success
from shuren.identity.selectors.accounts import actor_of_account
from shuren.identity.selectors.cas import verified_at_of
from shuren.identity.services.cas.issue import GRANTING_LASTS, is_alive, new_ticket, refusal_of_service, ticket_digest
from shuren.identity.services.release import release_attributes, user_name
from shuren.kernel import audit, outward
from shuren.trust.api import seal

SEALED_FOR = "identity.cas_ticket"


def validate_ticket(
    *, ticket: str, service: str, is_renewed: bool, allows_proxies: bool, pgt_url: str = "", now: datetime
) -> Success | Failure:
    """Who came with this ticket. It is burnt by asking, and stays burnt where the answer is no: no transaction around."""
    if not ticket or not service:
        return Failure("INVALID_REQUEST", "ticket and service are required")
    row = _burn(ticket, now=now)
    if row is None:
        return Failure("INVALID_TICKET", "the ticket is not known or was used before")
    fault = _fault(row, service=service, is_renewed=is_renewed, allows_proxies=allows_proxies, now=now)
    if fault is not None:
        return fault
    pgtiou = ""
    if pgt_url:
        found = _call_back(row, pgt_url, now=now)
        if isinstance(found, Failure):
            return found
        pgtiou = found
    with transaction.atomic():
        CasTicket.objects.filter(pk=row.pk).update(sealed=seal(ticket.encode(), purpose=SEALED_FOR))
        attributes = _attributes(row, now=now)
        audit.record(
            actor=actor_of_account(row.account),
            action="identity.cas_ticket_validated",
            target=f"cas_service:{row.service_id}",
            details={"attributes": sorted(row.service.attributes)},
            now=now,
        )
    return Success(user_of(row.service, row.account), attributes, pgtiou, tuple(row.chain))


def user_of(service: CasService, account: Account) -> str:
    """The name by which a service knows somebody."""
    return user_name(account, service.user, audience=f"cas:{service.pk}")


def comparable(address: str) -> str | None:
    """What two mentions of one service have in common: some clients leave the ticket in the address."""
    normal = addresses.normal_address(address)
    return addresses.without_parameter(normal, "ticket") if normal else None


def _burn(ticket: str, *, now: datetime) -> CasTicket | None:
    """The ticket, if nobody has used it before; used from this moment."""
    if len(ticket) > 256 or not ticket.startswith(("ST-", "PT-")):
        return None
    digest = ticket_digest(ticket)
    if not CasTicket.objects.filter(digest=digest, used_at__isnull=True, kind__in=("ST", "PT")).update(used_at=now):
        return None
    return CasTicket.objects.select_related("service__org", "service__client", "account__person").get(digest=digest)


def _fault(row: CasTicket, *, service: str, is_renewed: bool, allows_proxies: bool, now: datetime) -> Failure | None:
    if row.expires_at <= now:
        return Failure("INVALID_TICKET", "the ticket is too old")
    if row.kind == "PT" and not allows_proxies:
        return Failure("INVALID_TICKET_SPEC", "a proxy ticket is not accepted here")
    if comparable(service) != comparable(row.service_url):
        return Failure("INVALID_SERVICE", "the ticket was issued for another service")
    if is_renewed and not row.is_fresh:
        return Failure("INVALID_TICKET_SPEC", "the ticket does not come from a sign-in of its own")
    if not row.service.is_enabled:
        return Failure("UNAUTHORIZED_SERVICE", "the service is not registered")
    if not is_alive(row):
        return Failure("INVALID_TICKET", "the session has ended")
    return refusal_of_service(row.service, row.account, now=now)


def _attributes(row: CasTicket, *, now: datetime) -> dict[str, tuple[str, ...]]:
    verified_at = verified_at_of(row.sign_in_id) or row.issued_at
    return {
        "authenticationDate": (verified_at.strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "longTermAuthenticationRequestTokenUsed": ("false",),
        "isFromNewLogin": ("true" if row.is_fresh else "false",),
        **release_attributes(row.account, row.service, now=now),
    }


def _call_back(row: CasTicket, pgt_url: str, *, now: datetime) -> str | Failure:
    """Hand a proxy-granting ticket to the service by calling it; returns the `pgtiou` that names it, or what is wrong.

    The address must be one of the registered service itself, so that a ticket is never given to a third.
    """
    address, service = addresses.normal_address(pgt_url), row.service
    is_own = address is not None and addresses.origin_of(address) == service.origin
    if address is None or not is_own or not addresses.is_below(addresses.path_of(address), service.path):
        return Failure("INVALID_PROXY_CALLBACK", "pgtUrl is not an address of the registered service")
    if not service.may_proxy:
        return Failure("INVALID_PROXY_CALLBACK", "the service may not act as a proxy")
    granting, pgtiou = new_ticket("PGT"), new_ticket("PGTIOU")
    question = urlencode({"pgtId": granting, "pgtIou": pgtiou})
    try:
        answer = outward.call(f"{address}{'&' if '?' in address else '?'}{question}")
    except (outward.OutwardRefused, outward.OutwardFailed) as fault:
        return Failure("INVALID_PROXY_CALLBACK", f"pgtUrl cannot be called: {fault}")
    if answer.status != 200:
        return Failure("INVALID_PROXY_CALLBACK", f"pgtUrl answered {answer.status}")
    CasTicket.objects.create(
        kind="PGT",
        digest=ticket_digest(granting),
        service=service,
        service_url=address,
        account=row.account,
        sign_in_id=row.sign_in_id,
        chain=[address, *row.chain],
        issued_at=now,
        expires_at=now + GRANTING_LASTS,
    )
    return pgtiou
