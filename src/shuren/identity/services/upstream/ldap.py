"""A school's or a bureau's LDAP directory: the person is looked for, then bound with their own password."""

import ssl
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from shuren.identity.models import Upstream
from shuren.identity.services.upstream._optional import ldap3
from shuren.identity.services.upstream.oidc import SEALED_FOR
from shuren.identity.services.upstream.proven import NotProven, Proven
from shuren.kernel import outward
from shuren.trust.api import unseal

_SECONDS = 5


def is_available() -> bool:
    return ldap3 is not None


def prove(upstream: Upstream, *, name: str, password: str) -> Proven:
    """Who this name and password belong to in the directory; an empty password, which LDAP takes for nobody, never does."""
    if ldap3 is None:
        raise NotProven("the extra `ldap` is not installed")
    if not name or not password or "\x00" in name + password:
        raise NotProven("name or password is empty")
    wanted = [upstream.user_attribute, *([upstream.claim] if upstream.claim else [])]
    try:
        with _connection(upstream, upstream.client_id, _secret(upstream)) as service:
            asked = f"({upstream.user_attribute}={ldap3.utils.conv.escape_filter_chars(name)})"
            service.search(upstream.base_dn, asked, attributes=wanted, size_limit=2, paged_size=2)
            found = [entry for entry in service.response or [] if entry.get("type") == "searchResEntry"]
        if len(found) != 1:
            raise NotProven("nobody, or more than one, goes by this name")
        with _connection(upstream, found[0]["dn"], password):
            pass
    except ldap3.core.exceptions.LDAPException as fault:
        raise NotProven(type(fault).__name__) from fault
    facts = found[0]["attributes"]
    return Proven(
        found[0]["dn"].lower()[:255], _first(facts.get(upstream.claim)) if upstream.claim else _first(facts.get(wanted[0]))
    )


def check(upstream: Upstream) -> None:
    """Bind as the service account; raises `NotProven`."""
    if ldap3 is None:
        raise NotProven("the extra `ldap` is not installed")
    try:
        with _connection(upstream, upstream.client_id, _secret(upstream)):
            pass
    except ldap3.core.exceptions.LDAPException as fault:
        raise NotProven(type(fault).__name__) from fault


def _secret(upstream: Upstream) -> str:
    return unseal(bytes(upstream.secret_sealed or b""), purpose=SEALED_FOR).decode()


def _connection(upstream: Upstream, user: str, password: str) -> Any:
    """A bound connection, always encrypted (ldaps, or StartTLS) except inside `SHUREN_PRIVATE_TARGETS`.

    Where `SHUREN_LDAP_CA_FILE` names an authority, servers are believed by it alone, and plain ones nowhere.
    """
    assert ldap3 is not None
    parts = urlsplit(upstream.address)
    try:
        outward.target_of(f"https://{parts.hostname}:{parts.port or 636}")
    except outward.OutwardRefused as fault:
        raise NotProven(str(fault)) from fault
    authority = {"ca_certs_file": settings.SHUREN_LDAP_CA_FILE} if settings.SHUREN_LDAP_CA_FILE else {}
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, **authority)
    server = ldap3.Server(
        parts.hostname, port=parts.port, use_ssl=parts.scheme == "ldaps", tls=tls, get_info=ldap3.NONE, connect_timeout=_SECONDS
    )
    connection = ldap3.Connection(
        server, user=user, password=password, raise_exceptions=True, receive_timeout=_SECONDS, read_only=True
    )
    if parts.scheme == "ldap" and (authority or not _is_inside(parts.hostname, parts.port or 389)):
        connection.start_tls()
    return connection


def _is_inside(host: str | None, port: int) -> bool:
    """Whether the server stands inside `SHUREN_PRIVATE_TARGETS`, as plain http would be allowed to."""
    try:
        outward.target_of(f"http://{host}:{port}")
    except outward.OutwardRefused:
        return False
    return True


def _first(value: Any) -> str:
    found = value[0] if isinstance(value, list) and value else value
    return found.decode(errors="replace") if isinstance(found, bytes) else str(found or "")
