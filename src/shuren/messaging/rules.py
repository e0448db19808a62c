"""What may be shown of a message, and how vendors want to be spoken to; free of database and network."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import quote


def masked_address(to: str) -> str:
    """A phone number or address with its middle hidden: `138****5678`, `z***@example.org`."""
    if "@" in to:
        name, _at, domain = to.partition("@")
        return f"{name[:1]}***@{domain}"[:120]
    return f"{to[:3]}****{to[-4:]}" if len(to) >= 9 else f"{to[:1]}***"


def masked_text(text: str) -> str:
    """The text with every run of four or more digits hidden, for it may be a code, and every query of a link."""
    return re.sub(r"\?\S+", "?…", re.sub(r"\d{4,}", "••••", text))[:500]


def acs3_headers(
    *,
    host: str,
    action: str,
    version: str,
    query: Mapping[str, str],
    key_id: str,
    secret: str,
    date: str,
    nonce: str,
) -> tuple[str, dict[str, str]]:
    """The query and signed headers of an Alibaba Cloud RPC call without a body (signature version 3).

    `date` is UTC as `2026-10-12T01:00:00Z`. Source: the vendor's "V3 request body and signature mechanism".
    """
    canonical_query = "&".join(f"{_quoted(name)}={_quoted(query[name])}" for name in sorted(query))
    body_hash = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": body_hash,
        "x-acs-date": date,
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    signed = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n{canonical_query}\n{lines}\n{signed}\n{body_hash}"
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    authorization = f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={signed},Signature={signature}"
    return canonical_query, {**headers, "Authorization": authorization}


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
