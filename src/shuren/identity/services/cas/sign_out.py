"""Services told that a session has ended (single logout, appendix C of the specification)."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db import transaction
from django.utils.crypto import get_random_string

from shuren.identity.models import CasTicket, SignIn
from shuren.identity.rules.cas.answers import logout_request
from shuren.identity.services.cas.validate import SEALED_FOR, user_of
from shuren.kernel import outward
from shuren.trust.api import unseal
from shuren.work.api import enqueue

_TELL = "shuren.identity.jobs.tell_cas_service"
_KEPT = timedelta(days=2)


@transaction.atomic
def tell_cas_services(*, sign_in_id: int) -> int:
    """Queue one notice for every service that took a ticket of this session; returns how many. May run twice."""
    rows = CasTicket.objects.filter(
        sign_in_id=sign_in_id, sealed__isnull=False, told_at__isnull=True, service__signs_out=True, service__is_enabled=True
    )
    ticket_ids = list(rows.values_list("pk", flat=True))
    for ticket_id in ticket_ids:
        enqueue(_TELL, {"ticket_id": ticket_id}, key=f"cas_sign_out:{ticket_id}", is_once=True)
    return len(ticket_ids)


def tell_cas_service(*, ticket_id: int, now: datetime) -> int:
    """Send one notice; returns the status answered. Raises `OutwardFailed` so that the job tries again.

    An address that may not be called is never tried again.
    """
    row = CasTicket.objects.select_related("service", "account__person").filter(pk=ticket_id, told_at__isnull=True).first()
    if row is None or row.sealed is None:
        return 0
    ticket = unseal(bytes(row.sealed), purpose=SEALED_FOR).decode()
    body = logout_request(id=get_random_string(32), ticket=ticket, user=user_of(row.service, row.account), now=now)
    try:
        answer = outward.call(
            row.service_url,
            method="POST",
            body=urlencode({"logoutRequest": body}).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
    except outward.OutwardRefused:
        CasTicket.objects.filter(pk=ticket_id).update(told_at=now)
        return 0
    if answer.status >= 500:
        raise outward.OutwardFailed(str(answer.status))
    CasTicket.objects.filter(pk=ticket_id).update(told_at=now)
    return answer.status


def sweep_cas_tickets(*, now: datetime) -> int:
    """Forget tickets that were never used, and those whose session is long over; returns how many."""
    unused = CasTicket.objects.filter(expires_at__lt=now, sealed__isnull=True).delete()[0]
    old = CasTicket.objects.filter(expires_at__lt=now - _KEPT).exclude(sign_in_id__in=SignIn.objects.values("pk"))
    return unused + old.delete()[0]
