"""CAS as a client: a ticket checked at `/p3/serviceValidate`, a sign-out notice read."""

from urllib.parse import urlencode

from defusedxml import ElementTree as SafeET
from defusedxml.common import DefusedXmlException

from shuren.identity.models import Upstream
from shuren.identity.rules.cas.answers import CAS
from shuren.identity.services.upstream.proven import NotProven, Proven
from shuren.kernel import outward

_PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
_LONGEST = 64 * 1024


def login_address(upstream: Upstream, *, service: str) -> str:
    return f"{upstream.address.rstrip('/')}/login?{urlencode({'service': service})}"


def prove(upstream: Upstream, *, ticket: str, service: str) -> Proven:
    """Who came with this ticket, asked of the provider itself."""
    if not ticket.startswith("ST-") or len(ticket) > 256:
        raise NotProven("not a service ticket")
    question = urlencode({"ticket": ticket, "service": service})
    try:
        answer = outward.call(f"{upstream.address.rstrip('/')}/p3/serviceValidate?{question}")
        root = SafeET.fromstring(answer.body, forbid_dtd=True)
    except (outward.OutwardRefused, outward.OutwardFailed, SafeET.ParseError, DefusedXmlException, ValueError) as fault:
        raise NotProven(f"the provider does not answer: {fault}") from fault
    success = root.find(f"{{{CAS}}}authenticationSuccess") if root.tag == f"{{{CAS}}}serviceResponse" else None
    user = (success.findtext(f"{{{CAS}}}user") or "").strip() if success is not None else ""
    if success is None or not user:
        raise NotProven("the provider does not know the ticket")
    value = success.findtext(f"{{{CAS}}}attributes/{{{CAS}}}{upstream.claim}") if upstream.claim else user
    return Proven(user, (value or "").strip(), ticket)


def ended_ticket(notice: str) -> str:
    """The ticket whose session a `logoutRequest` ends; empty for what is none."""
    if len(notice) > _LONGEST:
        return ""
    try:
        root = SafeET.fromstring(notice, forbid_dtd=True)
    except (SafeET.ParseError, DefusedXmlException, ValueError):
        return ""
    return (root.findtext(f"{{{_PROTOCOL}}}SessionIndex") or "").strip()
