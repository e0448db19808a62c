"""Calls to addresses that other people wrote down: apps' keys, sign-out notices, webhooks.

Whoever may name an address could name one of ours: a database, a metadata service, the machine itself. So the name is
looked up once, every address behind it must be public (or lie in `SHUREN_PRIVATE_TARGETS`), the connection goes to
exactly that address, and redirects are not followed. Nor may whoever answers keep us: time and bytes of a call are bounded.
"""

import json
import socket
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from threading import Timer
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

_CONNECT_SECONDS = 3.0
_SECONDS = 10.0
_MAX_BYTES = 256 * 1024
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Public by the registries, but the host itself answers here: relays of 6to4 (RFC 7526), the metadata service of one cloud.
_NEAR = (IPv4Network("192.88.99.0/24"), IPv4Network("168.63.129.16/32"))
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_PORTS = {"https": 443, "http": 80}


class OutwardRefused(Exception):
    """The address may not be called; the text says why and is fit for whoever wrote it down."""


class OutwardFailed(Exception):
    """Nobody answered, or not within the time and length allowed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, its body no longer than was allowed."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be called, and the one machine it was found to be."""

    scheme: str
    host: str
    port: int
    ip: str
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def call(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = _MAX_BYTES,
    seconds: float = _SECONDS,
) -> Answer:
    """Call `url` once; raises `OutwardRefused` before, `OutwardFailed` during the call.

    After `seconds` it ends whatever the other side is doing (the lookup of the name is the resolver's own time).
    """
    target = target_of(url)
    try:
        with closing(_connection(target)) as connection, _Deadline(seconds) as deadline:
            connection.connect()
            deadline.guard(connection.sock)
            connection.timeout = seconds
            sent = {"Host": target.authority, "User-Agent": "Shuren", **(headers or {})}
            connection.request(method, target.path, body=body, headers=sent, preload_content=False)
            response = connection.getresponse()
            content = response.read(max_bytes + 1, decode_content=True)
            # A connection cut short reads like the end of an answer that does not say how long it is.
            deadline.check()
    except (HTTPError, HTTPException, OSError) as fault:
        raise OutwardFailed(type(fault).__name__) from fault
    if len(content) > max_bytes:
        raise OutwardFailed("TooLong")
    return Answer(status=response.status, body=content, headers=dict(response.headers))


class _Deadline:
    """Cuts a connection when its time is up: the socket's own timeout begins anew with every byte that trickles in."""

    def __init__(self, seconds: float) -> None:
        self._is_over = False
        self._socket: socket.socket | None = None
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "_Deadline":
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()

    def guard(self, connected: socket.socket | None) -> None:
        """Watch over this socket, which the connection itself forgets as soon as an answer without a length begins."""
        self._socket = connected
        self.check()

    def check(self) -> None:
        if self._is_over:
            raise OutwardFailed("TooSlow")

    def _cut(self) -> None:
        self._is_over = True
        if self._socket is not None:
            # The plain socket's own, not that of TLS, which would touch what the other thread is reading from.
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def json_of(answer: Answer) -> Any:
    """The body read as JSON; None when it is not."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def target_of(url: str) -> Target:
    """Look the address up and decide whether it may be called; plain http only inside `SHUREN_PRIVATE_TARGETS`."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc or "\\" in url:
        raise OutwardRefused("not an https address")
    try:
        port = parts.port or _PORTS[parts.scheme]
        found = {entry[4][0] for entry in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)}
    except (OSError, ValueError, UnicodeError) as fault:
        raise OutwardRefused("the name is not known") from fault
    private = [ip_network(text) for text in settings.SHUREN_PRIVATE_TARGETS]
    addresses = [ip_address(str(text).partition("%")[0]) for text in sorted(found, key=str)]
    refused = next((address for address in addresses if not _is_allowed(address, private)), None)
    if refused is not None:
        raise OutwardRefused("the address is not a public one")
    if parts.scheme == "http" and not all(_is_in(address, private) for address in addresses):
        raise OutwardRefused("not an https address")
    path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe="/?%:@!$&'()*+,;=~")
    return Target(scheme=parts.scheme, host=parts.hostname, port=port, ip=str(addresses[0]), path=path)


def _is_allowed(address: IPv4Address | IPv6Address, private: Iterable[IPv4Network | IPv6Network]) -> bool:
    if _is_in(address, private):
        return True
    inner = _inner(address) if isinstance(address, IPv6Address) else address
    if inner is None:
        return address.is_global and address in _GLOBAL_UNICAST
    return inner.is_global and not inner.is_multicast and not _is_in(inner, _NEAR)


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to: mapped, 6to4 (RFC 3056), Teredo (RFC 4380) or NAT64 (RFC 6052, RFC 8215)."""
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _is_in(address: IPv4Address | IPv6Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _connection(target: Target) -> HTTPConnection:
    if target.scheme == "http":
        return HTTPConnection(target.ip, target.port, timeout=_CONNECT_SECONDS)
    return HTTPSConnection(
        target.ip,
        target.port,
        timeout=_CONNECT_SECONDS,
        server_hostname=target.host,
        assert_hostname=target.host,
        cert_reqs="CERT_REQUIRED",
    )
