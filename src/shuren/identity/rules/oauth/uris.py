"""Return addresses: how they must look when registered, and when an asked one is a registered one."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?(/[^\s#]*)?")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\]")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/[^\s#\\]*")
_ALLOWED = re.compile(r"[\x21-\x7e]+")
MAX_LENGTH = 500


def address_fault(uri: str, *, is_native: bool) -> str:
    """Why `uri` cannot be a return address, in English for developers; empty when it can.

    Web clients return to https, or to this machine while they are built. Native ones may use a private scheme that
    carries a domain name (RFC 8252 7.1).
    """
    if len(uri) > MAX_LENGTH or not _ALLOWED.fullmatch(uri) or "\\" in uri or "#" in uri:
        return "must be an absolute address of printable ASCII without fragment and backslash"
    if _LOOPBACK.fullmatch(uri):
        return "" if _has_port(uri) else "has no valid port"
    if uri.startswith("https://"):
        return _web_fault(uri)
    if is_native and _PRIVATE_SCHEME.fullmatch(uri):
        return ""
    return "must begin with https:// (or http://127.0.0.1 while the app is built)"


def is_registered(uri: str, registered: Collection[str], *, is_native: bool) -> bool:
    """Exact text comparison (RFC 9700 4.1.3); only a native app on this machine may come with any port (RFC 8252 7.3)."""
    if uri in registered:
        return True
    if not is_native or not _LOOPBACK.fullmatch(uri) or not _has_port(uri) or "localhost" in uri:
        return False
    return _without_port(uri) in {_without_port(other) for other in registered if _LOOPBACK.fullmatch(other)}


def host_of(uri: str) -> str:
    return urlsplit(uri).hostname or ""


def origin_of(uri: str) -> str:
    """The source expression of a content policy that lets a form be sent there."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def _web_fault(uri: str) -> str:
    parts = urlsplit(uri)
    host = parts.netloc.rpartition(":")[0] if _has_explicit_port(parts.netloc) else parts.netloc
    if "@" in parts.netloc or not _HOST.fullmatch(host) or not _has_port(uri):
        return "must name a host in lower case, without user name"
    if any(part in (".", "..") for part in parts.path.split("/")) or "%2e" in parts.path.lower():
        return "must not climb"
    return ""


def _has_explicit_port(netloc: str) -> bool:
    return netloc.rpartition(":")[2].isdigit()


def _has_port(uri: str) -> bool:
    try:
        return urlsplit(uri).port != 0
    except ValueError:
        return False


def _without_port(uri: str) -> tuple[str, str, str]:
    parts = urlsplit(uri)
    return (parts.hostname or "", parts.path, parts.query)
