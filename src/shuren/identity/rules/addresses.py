"""Addresses of other people's services: how they are compared, and which are no addresses at all."""

from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

LONGEST = 2000
_PORTS = {"http": 80, "https": 443}


def normal_address(text: str) -> str | None:
    """The address as it is compared: scheme and host in lower case, no default port, no fragment; None when it is none.

    Refused are other schemes than http and https, names and passwords before the host, backslashes, blanks and control
    characters, and dots that climb: browsers and libraries do not agree on where such an address leads.
    """
    if not text or len(text) > LONGEST or "\\" in text or any(ord(letter) <= 32 or ord(letter) == 127 for letter in text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in _PORTS or not parts.hostname or "@" in parts.netloc or not parts.netloc.isascii():
        return None
    if any(letter in parts.hostname for letter in "%,;'\"<>") or parts.hostname.endswith(".") or climbs(parts.path):
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port in (None, _PORTS[parts.scheme.lower()]) else f"{host}:{port}"
    return urlunsplit((parts.scheme.lower(), netloc, parts.path or "/", parts.query, ""))


def climbs(path: str) -> bool:
    """Whether a path holds `.` or `..` as a step, encoded or not, or a control character that some would leave out."""
    plain = unquote(unquote(path)).replace("\\", "/")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in plain):
        return True
    return any(step.split(";")[0] in {".", ".."} for step in plain.split("/"))


def origin_of(address: str) -> str:
    """`https://host:port` of a normal address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def path_of(address: str) -> str:
    return urlsplit(address).path or "/"


def is_below(path: str, prefix: str) -> bool:
    """Whether `path` is `prefix` or lies beneath it, step by step: `/a` holds `/a/b` but not `/ab`."""
    bare = path.split(";")[0]
    return bare == prefix or bare.startswith(prefix if prefix.endswith("/") else prefix + "/")


def with_parameter(address: str, name: str, value: str) -> str:
    """The address with one more query parameter; what is there already stays as it was written."""
    parts = urlsplit(address)
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query + urlencode({name: value}), parts.fragment))


def without_parameter(address: str, name: str) -> str:
    parts = urlsplit(address)
    if not parts.query or name not in dict(parse_qsl(parts.query, keep_blank_values=True)):
        return address
    kept = [piece for piece in parts.query.split("&") if unquote(piece.split("=")[0]) != name]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "&".join(kept), parts.fragment))
