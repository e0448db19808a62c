"""Sessions ended by a service, and services told by SOAP that a session has ended."""

from datetime import datetime, timedelta

from django.db import transaction
from saml2.saml import NameID

from shuren.identity.models import SamlService, SamlSession, SignIn
from shuren.identity.rules.saml import names
from shuren.identity.rules.saml.messages import LogoutRequest
from shuren.identity.rules.saml.metadata import read_metadata
from shuren.identity.selectors.accounts import actor_of_account
from shuren.identity.services.saml.idp import Address, server_for
from shuren.identity.services.sign_in import end_sign_in
from shuren.kernel import outward
from shuren.work.api import enqueue

_TELL = "shuren.identity.jobs.tell_saml_service"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_KEPT = timedelta(days=30)


@transaction.atomic
def end_named_sessions(*, service: SamlService, request: LogoutRequest, now: datetime) -> int:
    """End our sessions that the service was told of under this name (and index, where given); returns how many."""
    rows = SamlSession.objects.select_related("account__person").filter(service=service, name_id=request.name_id, ended_at=None)
    if request.session_indexes:
        rows = rows.filter(session_index__in=request.session_indexes)
    found = list(rows)
    SamlSession.objects.filter(pk__in=[row.pk for row in found]).update(ended_at=now)
    standing = set(SignIn.objects.filter(pk__in={row.sign_in_id for row in found}).values_list("pk", flat=True))
    accounts = {row.sign_in_id: row.account for row in found}
    for sign_in_id in sorted(standing):
        end_sign_in(actor=actor_of_account(accounts[sign_in_id]), sign_in_id=sign_in_id, now=now)
    return len(standing)


@transaction.atomic
def tell_saml_services(*, sign_in_id: int, base: str, now: datetime) -> int:
    """Queue a notice for every service that was told of this session and takes notices by SOAP; returns how many."""
    told = 0
    for row in SamlSession.objects.select_related("service").filter(
        sign_in_id=sign_in_id, ended_at=None, service__is_enabled=True
    ):
        if base and read_metadata(row.service.metadata.encode()).logout(names.SOAP) is not None:
            enqueue(_TELL, {"session_id": row.pk, "base": base}, key=f"saml_sign_out:{row.pk}", is_once=True)
            told += 1
        else:
            SamlSession.objects.filter(pk=row.pk).update(ended_at=now)
    return told


def tell_saml_service(*, session_id: int, base: str, now: datetime) -> int:
    """Send one signed `LogoutRequest` by SOAP; returns the status answered. Raises `OutwardFailed` to be tried again."""
    row = SamlSession.objects.select_related("service").filter(pk=session_id, ended_at=None).first()
    endpoint = read_metadata(row.service.metadata.encode()).logout(names.SOAP) if row else None
    if row is None or endpoint is None:
        return 0
    server = server_for(Address(base), row.service.metadata)
    name_id = NameID(
        format=names.PERSISTENT if row.service.user == "pairwise" else names.UNSPECIFIED,
        name_qualifier=Address(base).entity_id,
        sp_name_qualifier=row.service.entity_id,
        text=row.name_id,
    )
    _request_id, request = server.create_logout_request(
        endpoint.url,
        row.service.entity_id,
        name_id=name_id,
        session_indexes=[row.session_index],
        sign=True,
        sign_alg=names.RSA_SHA256,
        digest_alg=names.SHA256,
    )
    signed = str(request).partition("?>")[2] if str(request).startswith("<?xml") else str(request)
    body = f'<soap:Envelope xmlns:soap="{_SOAP}"><soap:Body>{signed.strip()}</soap:Body></soap:Envelope>'
    status = 0
    try:
        headers = {"Content-Type": "text/xml", "SOAPAction": "http://www.oasis-open.org/committees/security"}
        status = outward.call(endpoint.url, method="POST", body=body.encode(), headers=headers).status
    except outward.OutwardRefused:
        pass
    if status >= 500:
        raise outward.OutwardFailed(str(status))
    SamlSession.objects.filter(pk=session_id).update(ended_at=now)
    return status


def sweep_saml_sessions(*, now: datetime) -> int:
    """Forget what was told of sessions long over; returns how many."""
    old = SamlSession.objects.filter(begun_at__lt=now - _KEPT).exclude(sign_in_id__in=SignIn.objects.values("pk"))
    return old.delete()[0]
