"""Who we are to those who verify: our address and our keys."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from shuren.certificates.rules.credentials import did_document, did_of
from shuren.certificates.rules.multibase import multikey
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.kernel import ids
from shuren.kernel.errors import NotFound
from shuren.trust import api as trust
from shuren.trust.data import KeyStatus, PublicKey

PROOF_KEY = "certificates.proof"
TOKEN_KEY = "certificates.token"  # noqa: S105  # names a key, is none
PRINT_KEY = "certificates.print"


def base_url() -> str:
    """The address that certificates carry for ever: `SHUREN_PUBLIC_URL`, or the first host where none is set."""
    if settings.SHUREN_PUBLIC_URL:
        return str(settings.SHUREN_PUBLIC_URL)
    hosts = [host for host in settings.ALLOWED_HOSTS if host not in ("*", "")]
    return f"https://{hosts[0].lstrip('.') if hosts else 'localhost'}"


def own_host() -> str:
    """The host of that address, without its port."""
    return urlsplit(base_url()).hostname or ""


def issuing_org(public_id: str) -> OrgData:
    org = directory.orgs_by_ids([id := ids.decode("org", public_id)]).get(id)
    if org is None:
        raise NotFound("没有这个颁发机构。")
    return org


def issuer_document(public_id: str) -> dict[str, Any]:
    """The did:web document of an org: the keys under which its certificates are signed, former versions included.

    A revoked one says since when (`revoked`, Controlled Identifiers v1.0 § 2.2.2), so that others can go on to check what
    it signed before.
    """
    org = issuing_org(public_id)
    keys = trust.key_versions(PROOF_KEY)
    if not keys:
        raise NotFound("这里还没有发过证书。")
    did = did_of(base_url(), org.public_id)
    return did_document(
        did=did,
        keys=[(key.key_id, multikey(key.spki), withdrawn_at(key)) for key in keys],
        jwks=trust.public_jwks([TOKEN_KEY])["keys"],
    )


def withdrawn_at(key: PublicKey) -> datetime | None:
    return key.retired_at if key.status is KeyStatus.REVOKED else None


def own_keys(name: str) -> dict[str, PublicKey]:
    """All versions by key id. What a revoked one signed is believed only where our own row says the same."""
    return {key.key_id: key for key in trust.key_versions(name)}
