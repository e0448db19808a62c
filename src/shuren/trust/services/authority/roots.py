"""Roots of other regions, and of bridges between them, that are believed here."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.trust.models import TrustedRoot
from shuren.trust.rules.x509.certificates import NotACertificate, certificates_in, read_certificate
from shuren.trust.rules.x509.chains import is_issued_by


@transaction.atomic
def trust_root(*, title: str, certificate: bytes, fingerprint: str, actor: Actor, now: datetime) -> int:
    """Believe the root (PEM or DER) of another region; publishes `trust.root_trusted`; returns its id.

    `fingerprint` is the SHA-256 that the other region told on another way (by telephone, on paper): a file alone
    proves nothing.
    """
    try:
        ders = certificates_in(certificate)
    except NotACertificate:
        ders = []
    if len(ders) != 1:
        raise Invalid(_("请上传恰好一张证书。"), remedy=_("根证书是 PEM 或 DER 文件，只含一张。"))
    root = read_certificate(ders[0])
    if not root.ca or not root.self_issued or not is_issued_by(root, root):
        raise Invalid(_("这不是自签的根证书。"), remedy=_("请向对方索要根证书，不是下级证书。"))
    if root.sha256.hex() != fingerprint.replace(":", "").replace(" ", "").lower():
        raise Invalid(_("指纹与文件不符。"), remedy=_("请向对方当面或电话核对 SHA-256 指纹。"))
    if TrustedRoot.objects.filter(sha256=root.sha256.hex(), removed_at__isnull=True).exists():
        raise Conflict(_("这张根证书已列为信任。"))
    row = TrustedRoot.objects.create(title=title[:100], certificate=ders[0], sha256=root.sha256.hex(), added_at=now)
    _tell(row, "trust.root_trusted", actor=actor, now=now)
    return row.pk


@transaction.atomic
def distrust_root(*, id: int, actor: Actor, now: datetime) -> None:
    """Believe it no more, from now on; publishes `trust.root_distrusted`."""
    row = TrustedRoot.objects.select_for_update().filter(pk=id, removed_at__isnull=True).first()
    if row is None:
        raise NotFound(_("没有找到这张根证书。"))
    row.removed_at = now
    row.save(update_fields=["removed_at"])
    _tell(row, "trust.root_distrusted", actor=actor, now=now)


def _tell(row: TrustedRoot, event: str, *, actor: Actor, now: datetime) -> None:
    audit.record(actor=actor, action=event, target=f"root:{row.pk}", details={"sha256": row.sha256, "title": row.title}, now=now)
    events.publish(event, {"sha256": row.sha256}, now=now)
