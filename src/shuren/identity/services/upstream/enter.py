"""From what a provider proved to an account here, and back out when somebody has left there."""

from datetime import UTC, datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.identity.models import Account, SignIn, Upstream, UpstreamLink, UpstreamSession
from shuren.identity.selectors.accounts import actor_of_account
from shuren.identity.selectors.belonging import is_only_of_branch
from shuren.identity.services.sign_in import end_sign_in
from shuren.identity.services.tell_owner import tell_of_way_in
from shuren.identity.services.upstream.proven import Above, Proven
from shuren.kernel import audit
from shuren.kernel.data import ANONYMOUS, Actor
from shuren.kernel.errors import Conflict, NotFound, Refused
from shuren.trust.api import blind_index


def session_key(text: str) -> str:
    return blind_index(text, purpose="identity.upstream_session") if text else ""


def session_above(*, upstream: Upstream, proven: Proven, now: datetime) -> Above:
    """What is remembered of the session there until its sign-in here stands."""
    return Above(upstream.pk, proven.subject, session_key(proven.session), now.timestamp())


@transaction.atomic
def account_of_proven(*, upstream: Upstream, proven: Proven, now: datetime) -> int | None:
    """The account of whoever the provider proved, by a kept link or by number or sourced id; None where nobody is found.

    Only people of the roster, only those who lie wholly in the provider's branch, never by e-mail or name. What is
    found is kept as a link. Raises `Refused` for somebody whom this provider may not name.
    """
    link = UpstreamLink.objects.select_related("account").filter(upstream=upstream, subject=proven.subject).first()
    account = link.account if link else _matched(upstream, proven)
    if account is None:
        return None
    _check_branch(upstream, account, now=now)
    if link is None:
        _keep(upstream, proven.subject, account, now=now)
    return account.pk


@transaction.atomic
def link_account(*, actor: Actor, upstream: Upstream, subject: str, now: datetime) -> None:
    """Link the actor's account, who has just shown who they are here and there."""
    account = Account.objects.get(pk=actor.account_id or 0)
    _check_branch(upstream, account, now=now)
    _keep(upstream, subject, account, now=now)


@transaction.atomic
def unlink_account(*, actor: Actor, link_id: int, now: datetime) -> None:
    """Forget one of the actor's own links. One found by number comes back when they next sign in there, and they are told."""
    link = UpstreamLink.objects.filter(pk=link_id, account_id=actor.account_id or 0).first()
    if link is None:
        raise NotFound(_("没有绑定。"))
    link.delete()
    audit.record(
        actor=actor,
        action="identity.upstream_unlinked",
        target=f"account:{link.account_id}",
        details={"upstream": link.upstream_id},
        now=now,
    )


@transaction.atomic
def note_session(*, above: Above, account_id: int, sign_in_id: int) -> None:
    """Remember which session there this sign-in came from; it counts from its proof, so that a sign-out after that ends it."""
    UpstreamSession.objects.update_or_create(
        sign_in_id=sign_in_id,
        defaults={
            "upstream_id": above.upstream_id,
            "account_id": account_id,
            "subject": above.subject,
            "key": above.key,
            "begun_at": datetime.fromtimestamp(above.proven_at, UTC),
        },
    )


@transaction.atomic
def end_from_above(*, upstream: Upstream, subject: str, session: str, until: datetime, now: datetime) -> int:
    """End the sign-ins that came from a session there (or all of a subject) before `until`; returns how many."""
    rows = UpstreamSession.objects.select_related("account__person").filter(upstream=upstream, begun_at__lte=until)
    rows = rows.filter(key=session_key(session)) if session else rows.filter(subject=subject)
    ended = 0
    for row in list(rows):
        if SignIn.objects.filter(pk=row.sign_in_id).exists():
            end_sign_in(actor=actor_of_account(row.account), sign_in_id=row.sign_in_id, now=now)
            ended += 1
        row.delete()
    return ended


def _matched(upstream: Upstream, proven: Proven) -> Account | None:
    value = proven.matched_by.strip()
    if not value or upstream.matching not in ("number", "sourced_id"):
        return None
    find = directory.person_ids_by_number if upstream.matching == "number" else directory.person_ids_by_sourced
    person_id = find([value]).get(value)
    return Account.objects.filter(person_id=person_id).first() if person_id is not None else None


def _check_branch(upstream: Upstream, account: Account, *, now: datetime) -> None:
    is_fit = account.is_active and account.person_id is not None
    if not is_fit or not is_only_of_branch(account.person_id or 0, upstream.org.path, now=now):
        audit.record(
            actor=ANONYMOUS,
            action="identity.upstream_refused",
            target=f"account:{account.pk}",
            details={"upstream": upstream.pk},
            now=now,
        )
        raise Refused(_("这个账号不能用“%(name)s”登录。") % {"name": upstream.name}, remedy=_("请用本平台的账号和密码登录。"))


def _keep(upstream: Upstream, subject: str, account: Account, *, now: datetime) -> None:
    try:
        with transaction.atomic():
            UpstreamLink.objects.create(upstream=upstream, subject=subject, account=account, linked_at=now)
    except IntegrityError as fault:
        raise Conflict(_("这个账号已经和对方的另一个账号绑定。"), remedy=_("请联系本单位管理员。")) from fault
    audit.record(
        actor=actor_of_account(account),
        action="identity.upstream_linked",
        target=f"account:{account.pk}",
        details={"upstream": upstream.pk},
        now=now,
    )
    tell_of_way_in(account=account, name=upstream.name, now=now)
