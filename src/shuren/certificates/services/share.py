"""Links by which a holder, or their guardian, shows certificates to others."""

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from shuren.certificates.models import Share
from shuren.certificates.selectors.certificates import holders_for
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound
from shuren.trust import api as trust

PURPOSE = "certificates.share"
LONGEST_DAYS = 90


@transaction.atomic
def share_certificates(*, actor: Actor, holder_id: int, days: int, now: datetime) -> str:
    """Make a link for 1 to 90 days; returns its secret, which is kept nowhere. For the holder and their guardians."""
    if holder_id not in holders_for(actor, now=now):
        raise NotFound(_("没有找到这个人。"))
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid(_("链接的期限是 1 至 90 天。"))
    secret = secrets.token_urlsafe(24)
    row = Share.objects.create(
        holder_id=holder_id,
        digest=trust.blind_index(secret, purpose=PURPOSE),
        made_at=now,
        expires_at=now + timedelta(days=days),
    )
    audit.record(
        actor=actor, action="certificates.shared", target=f"person:{holder_id}", details={"share": row.pk, "days": days}, now=now
    )
    return secret


@transaction.atomic
def end_share(*, actor: Actor, share_id: int, now: datetime) -> None:
    """Let the link show nothing from now on."""
    row = Share.objects.select_for_update().filter(pk=share_id, holder_id__in=holders_for(actor, now=now)).first()
    if row is None:
        raise NotFound(_("没有找到这个链接。"))
    if row.ended_at is None:
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        audit.record(
            actor=actor, action="certificates.share_ended", target=f"person:{row.holder_id}", details={"share": row.pk}, now=now
        )


def open_share(secret: str, *, now: datetime) -> Share:
    """The link behind a secret while it lasts, counted as seen; otherwise `NotFound`."""
    row = Share.objects.filter(
        digest=trust.blind_index(secret, purpose=PURPOSE), ended_at__isnull=True, expires_at__gt=now
    ).first()
    if row is None:
        raise NotFound(_("这个分享链接不存在或已结束。"), remedy=_("请向分享的人要一个新的链接。"))
    Share.objects.filter(pk=row.pk).update(seen=F("seen") + 1)
    return row
