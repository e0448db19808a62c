"""Sources of rosters: written down, corrected, steered by officers who may import rosters of the branch."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.interop.data import NewRosterSource, PullKind, PullStatus, Resource
from shuren.interop.models import RosterPull, RosterSource
from shuren.interop.selectors.roster_sources import access_pull, access_source
from shuren.interop.services.roster_pull.pull import begin_pull, end_pull
from shuren.interop.services.roster_pull.remote import SEALED_FOR
from shuren.kernel import audit, outward
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.trust.api import seal


@transaction.atomic
def register_source(*, actor: Actor, source: NewRosterSource, now: datetime) -> int:
    """Write a source down; `actor` may import rosters of the branch and becomes its owner. Returns the row id."""
    if not source.secret:
        raise Invalid(_("请填写密钥。"))
    facts = _facts(actor, source, now)
    row = RosterSource.objects.create(created_at=now, next_at=now if source.hours else None, **facts)
    _record(actor, "interop.roster_source_registered", row, now)
    return row.pk


@transaction.atomic
def correct_source(*, actor: Actor, source_id: int, source: NewRosterSource, now: datetime) -> None:
    """Write other facts down; whoever does is the owner from now on. Another address wants the secret anew."""
    old = access_source(actor=actor, id=source_id, now=now, locked=True)
    if RosterPull.objects.filter(source=old, ended_at__isnull=True).exists():
        raise Conflict(_("这个来源正在拉取，现在不能修改。"), remedy=_("请等这一次结束，或先放弃它。"))
    facts = _facts(actor, source, now)
    if not source.secret:
        if (_host(old.address), _host(old.token_address)) != (_host(source.address), _host(source.token_address)):
            raise Invalid(_("换了网址，密钥要重新填写。"), remedy=_("请填写新网址那一方给的密钥。"))
        del facts["secret_sealed"]
    is_other = any(getattr(old, name) != facts[name] for name in ("org_id", "address", "takes", "is_same_top"))
    if is_other:
        facts |= {"seen_at": None, "full_at": None, "top_id": ""}
    RosterSource.objects.filter(pk=source_id).update(next_at=now if source.hours else None, **facts)
    _record(actor, "interop.roster_source_corrected", RosterSource.objects.get(pk=source_id), now)


@transaction.atomic
def pause_source(*, actor: Actor, source_id: int, is_paused: bool, now: datetime) -> None:
    """Let the source rest, or go on with it."""
    row = access_source(actor=actor, id=source_id, now=now, locked=True)
    row.is_paused, row.pause_reason = is_paused, "officer" if is_paused else ""
    row.save(update_fields=["is_paused", "pause_reason"])
    _record(actor, "interop.roster_source_paused" if is_paused else "interop.roster_source_resumed", row, now)


@transaction.atomic
def ask_pull(*, actor: Actor, source_id: int, kind: PullKind | None, now: datetime) -> int:
    """Take the roster now, paused or not; returns the id of the turn."""
    return begin_pull(source=access_source(actor=actor, id=source_id, now=now, locked=True), kind=kind, actor=actor, now=now).pk


@transaction.atomic
def drop_pull(*, actor: Actor, pull_id: int, now: datetime) -> None:
    """Give up a turn that is being read or waits for a person; nothing of it is written."""
    pull = access_pull(actor=actor, id=pull_id, now=now, locked=True)
    if pull.status not in (PullStatus.FETCHING, PullStatus.WAITING):
        raise Conflict(_("这次拉取现在不能放弃。"), remedy=_("请刷新页面，看看它的最新状态。"))
    details = {"source": pull.source.name, "kind": pull.kind}
    audit.record(
        actor=actor, action="interop.roster_pull_dropped", target=f"roster_source:{pull.source_id}", details=details, now=now
    )
    end_pull(pull, PullStatus.DROPPED, {}, now=now)


def begin_due_pulls(*, now: datetime) -> int:
    """Open a turn of every source whose time has come and that has none open; returns how many."""
    due = RosterSource.objects.filter(is_paused=False, next_at__lte=now).exclude(
        pulls__ended_at__isnull=True, pulls__isnull=False
    )
    begun = 0
    for source_id in due.order_by("next_at").values_list("pk", flat=True)[:50]:
        with transaction.atomic():
            source = RosterSource.objects.select_for_update().get(pk=source_id)
            if not source.is_paused and not source.pulls.filter(ended_at__isnull=True).exists():
                begin_pull(source=source, kind=None, actor=SYSTEM, now=now)
                begun += 1
    return begun


def _facts(actor: Actor, source: NewRosterSource, now: datetime) -> dict[str, Any]:
    directory.access_org(actor=actor, id=source.org_id, permission=Permission.IMPORT_ROSTER, now=now)
    if Resource.ENROLLMENTS in source.takes and Resource.CLASSES not in source.takes:
        raise Invalid(_("要取选课与任课，就要一并取班级。"), remedy=_("请勾选“班级”。"))
    return {
        "name": source.name,
        "org_id": source.org_id,
        "address": _address(source.address, _("服务网址")),
        "token_address": _address(source.token_address, _("令牌网址")),
        "client_id": source.client_id,
        "secret_sealed": seal(source.secret.encode(), purpose=SEALED_FOR),
        "scope": source.scope,
        "takes": [one.value for one in Resource if one in source.takes],
        "is_same_top": source.is_same_top,
        "mode": source.mode.value,
        "hours": source.hours,
        "full_days": source.full_days,
        "owner_account_id": actor.account_id,
        "owner_person_id": actor.person_id,
        "owner_name": actor.name[:100],
    }


def _address(text: str, what: str) -> str:
    """An address that may be called, as it is kept; what is called is looked up anew every time."""
    text = text.strip().rstrip("/")
    if "?" in text or "#" in text:
        raise Invalid(_("%(what)s不对：不能带参数。") % {"what": what}, remedy=_("请只写到 v1p2 为止。"))
    try:
        outward.target_of(text)
    except outward.OutwardRefused as fault:
        raise Invalid(
            _("%(what)s不能用：%(why)s。") % {"what": what, "why": fault},
            remedy=_("请写公网上的 https 网址；内网的网址请系统管理员先列入 SHUREN_PRIVATE_TARGETS。"),
        ) from fault
    return text


def _host(address: str) -> tuple[str, str]:
    parts = urlsplit(address.strip())
    return parts.scheme, parts.netloc.lower()


def _record(actor: Actor, action: str, row: RosterSource, now: datetime) -> None:
    details = {"source": row.name, "org_id": row.org_id, "address": row.address}
    audit.record(actor=actor, action=action, target=f"roster_source:{row.pk}", details=details, now=now)
