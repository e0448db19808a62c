"""Authorities below ours: founded here, or a region's whose request was certified."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from shuren.certificates.models.digital import CertifiedRegion
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound, Refused
from shuren.trust import api as trust
from shuren.trust.data import CertificateFacts


@dataclass(frozen=True, slots=True)
class AuthorityBelow:
    """The certificate of an authority below; `is_ours` where its key lies here."""

    title: str
    certificate: CertificateFacts
    is_ours: bool


def check_keeper(actor: Actor, *, now: datetime) -> None:
    """Authorities belong to the whole installation: whoever manages keys of a branch only is refused."""
    root = directory.root_org()
    scope = directory.scope_of(actor=actor, permission=Permission.MANAGE_KEYS, now=now)
    if root is None or not scope.covers(root.path):
        raise Refused(_("您当前的身份不能管理证书机构。"), remedy=_("请联系安全管理员。"))


def authorities_below() -> list[AuthorityBelow]:
    """All of them, those founded here first; there are few."""
    return [*_own(), *_regions()]


def revoked_codes() -> frozenset[str]:
    """Those of our authorities that were taken back, or stand below one that was."""
    revoked = {entry.certificate.der for entry in _own() if entry.certificate.revoked_at is not None}
    return frozenset(facts.code for facts in trust.authorities() if revoked & set(facts.chain))


def access_authority_below(*, actor: Actor, id: int, now: datetime) -> AuthorityBelow:
    """One of them by the row id of its certificate; for whoever manages the keys of the installation."""
    check_keeper(actor, now=now)
    found = next((entry for entry in authorities_below() if entry.certificate.id == id), None)
    if found is None:
        raise NotFound(_("没有找到这个证书机构。"))
    return found


def _own() -> Iterator[AuthorityBelow]:
    for facts in trust.authorities():
        for issued in trust.certificates_of_key(f"ca.{facts.code}") if facts.parent else ():
            if issued.der == facts.chain[0]:
                yield AuthorityBelow(facts.title, issued, is_ours=True)


def _regions() -> Iterator[AuthorityBelow]:
    rows = list(CertifiedRegion.objects.order_by("pk"))
    found = trust.certificates_by_ids([row.certificate_id for row in rows])
    for row in rows:
        yield AuthorityBelow(row.title, found[row.certificate_id], is_ours=False)
