"""Coming in and going out: counted, locked and written down."""

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from shuren.identity import rules, selectors
from shuren.identity.data import SignInOutcome, SignInRefusal
from shuren.identity.models import Account, Failure, SignIn
from shuren.kernel import audit
from shuren.kernel.data import ANONYMOUS, Actor
from shuren.kernel.errors import NotFound


def check_sign_in(*, name: str, password: str, address: str, now: datetime) -> SignInOutcome:
    """Decide whether this name and password may come in; counts a failure against account and address.

    A name that nobody has costs one hash and locks after as many failures as a real one, so that neither the time
    nor the message tells which names exist.
    """
    if _failures(f"address:{address}", now=now) >= rules.MAX_ADDRESS_FAILURES:
        return SignInOutcome(None, SignInRefusal.TOO_MANY, now + rules.ADDRESS_WINDOW)
    account = selectors.account_by_name(name)
    if account is None:
        make_password(password)
        return _refuse_unknown(name=name, address=address, now=now)
    if account.locked_until and account.locked_until > now:
        make_password(password)
        return SignInOutcome(None, SignInRefusal.LOCKED, account.locked_until)
    if not account.check_password(password):
        return _refuse_wrong(account, address=address, now=now)
    if not account.is_active:
        audit.record(actor=ANONYMOUS, action="identity.sign_in_refused", target=f"account:{account.pk}", now=now)
        return SignInOutcome(None, SignInRefusal.INACTIVE)
    return SignInOutcome(account.pk)


@transaction.atomic
def record_sign_in(*, actor: Actor, session_key: str, address: str, agent: str, now: datetime) -> None:
    """Write down that the actor's account came in with this session, and forget its failures."""
    assert actor.account_id is not None
    Account.objects.filter(pk=actor.account_id).update(failed_count=0, locked_until=None, last_sign_in_at=now)
    SignIn.objects.filter(session_key=session_key).delete()
    SignIn.objects.create(
        account_id=actor.account_id,
        session_key=session_key,
        address=address[:64],
        agent=agent[:200],
        begun_at=now,
        seen_at=now,
    )
    audit.record(
        actor=actor, action="identity.signed_in", target=f"account:{actor.account_id}", details={"address": address}, now=now
    )


@transaction.atomic
def record_sign_out(*, actor: Actor, session_key: str, now: datetime) -> None:
    """Write down that the actor's account left; the caller flushes the session itself."""
    SignIn.objects.filter(session_key=session_key).delete()
    audit.record(actor=actor, action="identity.signed_out", target=f"account:{actor.account_id}", now=now)


@transaction.atomic
def end_sign_in(*, actor: Actor, sign_in_id: int, now: datetime) -> None:
    """End one of the actor's own sessions from elsewhere."""
    assert actor.account_id is not None
    sign_in = SignIn.objects.filter(pk=sign_in_id, account_id=actor.account_id).first()
    if sign_in is None:
        raise NotFound(_("没有找到这次登录。"))
    _end([sign_in.session_key])
    audit.record(actor=actor, action="identity.session_ended", target=f"account:{actor.account_id}", now=now)


@transaction.atomic
def end_other_sign_ins(*, account_id: int, kept_session_key: str | None) -> int:
    """End every session of the account but one; returns how many. The caller audits why."""
    keys = SignIn.objects.filter(account_id=account_id).exclude(session_key=kept_session_key or "")
    return _end(list(keys.values_list("session_key", flat=True)))


@transaction.atomic
def sign_out_elsewhere(*, actor: Actor, kept_session_key: str | None, now: datetime) -> int:
    """End every session of the actor but this one; returns how many."""
    assert actor.account_id is not None
    ended = end_other_sign_ins(account_id=actor.account_id, kept_session_key=kept_session_key)
    audit.record(
        actor=actor, action="identity.sessions_ended", target=f"account:{actor.account_id}", details={"count": ended}, now=now
    )
    return ended


def note_new_key(*, old_key: str, new_key: str) -> None:
    """Follow a session whose key was renewed."""
    SignIn.objects.filter(session_key=old_key).update(session_key=new_key)


def note_seen(*, session_key: str, now: datetime) -> None:
    SignIn.objects.filter(session_key=session_key).update(seen_at=now)


@transaction.atomic
def sweep_sign_ins(*, now: datetime) -> int:
    """Forget sessions that have run out and failure windows that have closed; returns how many sessions went."""
    Session.objects.filter(expire_date__lt=now).delete()
    gone = SignIn.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()[0]
    Failure.objects.filter(window_began_at__lt=now - rules.ADDRESS_WINDOW).delete()
    return gone


def _end(session_keys: list[str]) -> int:
    Session.objects.filter(session_key__in=session_keys).delete()
    return SignIn.objects.filter(session_key__in=session_keys).delete()[0]


def _refuse_wrong(account: Account, *, address: str, now: datetime) -> SignInOutcome:
    with transaction.atomic():
        Account.objects.filter(pk=account.pk).update(failed_count=F("failed_count") + 1)
        count = Account.objects.values_list("failed_count", flat=True).get(pk=account.pk)
        until = rules.locked_until(failed_count=count, now=now)
        if until:
            Account.objects.filter(pk=account.pk).update(locked_until=until)
        _count_failure(f"address:{address}", now=now)
        audit.record(
            actor=ANONYMOUS,
            action="identity.account_locked" if until else "identity.sign_in_refused",
            target=f"account:{account.pk}",
            details={"address": address, "count": count},
            now=now,
        )
    return SignInOutcome(None, SignInRefusal.LOCKED if until else SignInRefusal.WRONG, until)


def _refuse_unknown(*, name: str, address: str, now: datetime) -> SignInOutcome:
    key = "name:" + salted_hmac("identity.sign_in_name", rules.sign_in_name(name), algorithm="sha256").hexdigest()
    with transaction.atomic():
        count = _count_failure(key, now=now)
        _count_failure(f"address:{address}", now=now)
    if count >= rules.MAX_FAILURES:
        return SignInOutcome(None, SignInRefusal.LOCKED, now + rules.LOCKED_FOR)
    return SignInOutcome(None, SignInRefusal.WRONG)


def _failures(key: str, *, now: datetime) -> int:
    failure = Failure.objects.filter(key=key, window_began_at__gt=now - rules.ADDRESS_WINDOW).first()
    return failure.count if failure else 0


def _count_failure(key: str, *, now: datetime) -> int:
    """Add one to the window of `key`, opening a new window when the last has closed; returns the count."""
    Failure.objects.filter(key=key, window_began_at__lte=now - rules.ADDRESS_WINDOW).delete()
    failure, _is_new = Failure.objects.get_or_create(key=key, defaults={"window_began_at": now})
    Failure.objects.filter(pk=failure.pk).update(count=F("count") + 1)
    return failure.count + 1
