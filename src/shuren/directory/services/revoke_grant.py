"""Take a grant back, with everything that was delegated from it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import Role
from shuren.directory.models import Grant
from shuren.directory.selectors.grants import giving_rights, grants_in_scope
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound, Refused


@transaction.atomic
def revoke_grant(*, actor: Actor, grant_id: int, now: datetime, reason: str = "") -> int:
    """Revoke a grant and its whole chain of delegation; returns how many ended. Publishes `directory.role_revoked`.

    The giver, the holder, and anybody who could give the same role there may do it.
    """
    visible = Grant.objects.all() if actor.is_system else grants_in_scope(actor=actor, now=now)
    if not visible.filter(pk=grant_id).exists():
        raise NotFound(_("没有找到这条授权。"))
    grant = Grant.objects.select_for_update().get(pk=grant_id)
    if grant.revoked_at is not None:
        raise Conflict(_("这条授权已经收回。"))
    if not _may_revoke(actor, grant, now):
        raise Refused(_("您没有权力收回这条授权。"), remedy=_("请由授权人或上级管理员收回。"))
    chain = delegated_from([grant.pk])
    Grant.objects.filter(pk__in=chain, revoked_at__isnull=True).update(revoked_at=now)
    for ended in Grant.objects.filter(pk__in=chain, revoked_at=now):
        details = {"person_id": ended.person_id, "role": ended.role, "org_id": ended.org_id, "reason": reason}
        audit.record(actor=actor, action="directory.role_revoked", target=f"grant:{ended.pk}", details=details, now=now)
        events.publish("directory.role_revoked", {"grant_id": ended.pk, **details}, now=now)
    return len(chain)


def delegated_from(grant_ids: list[int]) -> list[int]:
    """The grants themselves and every unrevoked grant delegated from them, however far."""
    chain = list(grant_ids)
    level = chain
    while level:
        level = list(Grant.objects.filter(source_id__in=level, revoked_at__isnull=True).values_list("pk", flat=True))
        chain += level
    return chain


def _may_revoke(actor: Actor, grant: Grant, now: datetime) -> bool:
    if actor.is_system or actor.person_id in (grant.person_id, grant.granted_by_id):
        return True
    return any(right.reaches(Role(grant.role), grant.org_path) for right in giving_rights(actor=actor, now=now))
