"""Identity providers: added, corrected, tried, switched on and off."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.models import Upstream
from shuren.identity.rules.addresses import normal_address
from shuren.identity.selectors.upstreams import access_upstream
from shuren.identity.services.upstream import ldap, oidc
from shuren.identity.services.upstream.proven import NotProven
from shuren.kernel import audit, outward
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid
from shuren.trust.api import seal

KINDS = ("oidc", "cas", "ldap")
MATCHINGS = ("number", "sourced_id", "linked")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUpstream:
    """What is written down about a provider; an empty `secret` keeps the one there is."""

    name: str
    kind: str
    org_id: int
    address: str
    client_id: str = ""
    secret: str = ""
    matching: str = "number"
    claim: str = ""
    base_dn: str = ""
    user_attribute: str = "uid"


@transaction.atomic
def register_upstream(*, actor: Actor, upstream: NewUpstream, now: datetime) -> int:
    """Add a provider; `actor` manages sign-in in its branch. Returns the row id."""
    row = Upstream.objects.create(created_at=now, **_facts(actor, upstream, now=now))
    _record(actor, "identity.upstream_registered", row, now=now)
    return row.pk


@transaction.atomic
def correct_upstream(*, actor: Actor, upstream_id: int, upstream: NewUpstream, now: datetime) -> None:
    """Write other facts down. Another address is another provider: the links of the old one are forgotten."""
    old = access_upstream(actor=actor, id=upstream_id, now=now)
    facts = _facts(actor, upstream, now=now)
    if not upstream.secret:
        facts.pop("secret_sealed")
    Upstream.objects.filter(pk=upstream_id).update(**facts)
    row = Upstream.objects.get(pk=upstream_id)
    if (old.address, old.kind) != (row.address, row.kind):
        row.links.all().delete()
    _record(actor, "identity.upstream_corrected", row, now=now)


@transaction.atomic
def switch_upstream(*, actor: Actor, upstream_id: int, is_enabled: bool, now: datetime) -> None:
    """Switch a provider on or off; off means nobody comes in by it from this moment."""
    access_upstream(actor=actor, id=upstream_id, now=now)
    Upstream.objects.filter(pk=upstream_id).update(is_enabled=is_enabled)
    action = "identity.upstream_enabled" if is_enabled else "identity.upstream_disabled"
    audit.record(actor=actor, action=action, target=f"upstream:{upstream_id}", now=now)


def try_upstream(*, actor: Actor, upstream_id: int, now: datetime) -> None:
    """Ask whether the provider answers; raises `Invalid` with what it says."""
    row = access_upstream(actor=actor, id=upstream_id, now=now)
    try:
        if row.kind == "oidc":
            oidc.discovered(row)
        elif row.kind == "ldap":
            ldap.check(row)
        elif outward.call(f"{row.address.rstrip('/')}/login").status >= 400:
            raise NotProven("/login is not there")
    except (NotProven, outward.OutwardRefused, outward.OutwardFailed) as fault:
        raise Invalid(_("没有连上：%(why)s。") % {"why": fault}, remedy=_("请核对网址、编号和密钥。")) from fault


def _facts(actor: Actor, upstream: NewUpstream, *, now: datetime) -> dict[str, Any]:
    directory.access_org(actor=actor, id=upstream.org_id, permission=Permission.MANAGE_SIGN_IN, now=now)
    if upstream.kind not in KINDS or upstream.matching not in MATCHINGS:
        raise Invalid(_("没有这种登录方式。"), remedy=_("请从列表中选择。"))
    return {
        "name": upstream.name,
        "kind": upstream.kind,
        "org_id": upstream.org_id,
        "address": _address(upstream),
        "client_id": upstream.client_id.strip(),
        "secret_sealed": seal(upstream.secret.encode(), purpose=oidc.SEALED_FOR),
        "matching": upstream.matching,
        "claim": _word(upstream.claim),
        "base_dn": upstream.base_dn.strip(),
        "user_attribute": _word(upstream.user_attribute) or "uid",
    }


def _address(upstream: NewUpstream) -> str:
    text = upstream.address.strip()
    if upstream.kind == "ldap":
        parts = urlsplit(text)
        if parts.scheme in ("ldap", "ldaps") and parts.hostname and not parts.path.strip("/") and "@" not in parts.netloc:
            return f"{parts.scheme}://{parts.netloc}"
    elif normal_address(text) is not None and "?" not in text:
        return text
    raise Invalid(_("地址不对。"), remedy=_("请写完整的网址，例如 https://id.example.org 或 ldaps://ldap.example.org。"))


def _word(text: str) -> str:
    """An attribute's name: it goes into filters and paths, so it is letters, digits, `_` and `-` only."""
    word = text.strip()
    if (word and not word.replace("_", "").replace("-", "").isalnum()) or not word.isascii():
        raise Invalid(_("属性的名称不对。"), remedy=_("只能用字母、数字、横线和下划线。"))
    return word


def _record(actor: Actor, action: str, row: Upstream, *, now: datetime) -> None:
    details = {"kind": row.kind, "address": row.address, "matching": row.matching, "claim": row.claim, "org_id": row.org_id}
    audit.record(actor=actor, action=action, target=f"upstream:{row.pk}", details=details, now=now)
