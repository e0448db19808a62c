"""Coming in and going out: counted, weighed and written down."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.utils.translation import gettext as _

from shuren.identity.data import (
    Assurance,
    RiskDecision,
    RiskReason,
    SignInMethod,
    SignInOutcome,
    SignInRefusal,
    SleepReason,
    Visit,
)
from shuren.identity.models import Account, Device, Failure, SignIn
from shuren.identity.rules import factors, locks
from shuren.identity.rules.factors import Step
from shuren.identity.rules.life import may_wake_itself
from shuren.identity.rules.risk import Signals, assess, hours_between, kilometres_between
from shuren.identity.selectors import accounts
from shuren.identity.selectors.factors import held_factors, requirement_of
from shuren.identity.selectors.places import place_of, spot_of
from shuren.identity.services import throttle
from shuren.identity.services.codes import fresh_channels
from shuren.identity.services.devices import remember_device
from shuren.kernel import audit, events
from shuren.kernel.data import ANONYMOUS, Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.moments import stored

# Plain SQL: every sign-in writes both.
_SIGN_IN = """
    INSERT INTO identity_signin (account_id, session_key, address, agent, methods, place, risks, begun_at, seen_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
"""
_CAME_IN = "UPDATE identity_account SET first_sign_in_at = COALESCE(first_sign_in_at, %s), last_sign_in_at = %s WHERE id = %s"
_BATCH = 500
_KEPT_FOR = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Entry:
    """What comes after a first factor, and why; nothing comes after a refusal."""

    step: Step
    reasons: tuple[RiskReason, ...] = ()
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Knock:
    """A name and password that were tried; with the account, where it comes from and what failed before, once they fit."""

    outcome: SignInOutcome
    account: Account | None = None
    origin: throttle.Origin | None = None
    strange_failures: int = 0


def check_sign_in(*, name: str, password: str, visit: Visit, now: datetime) -> SignInOutcome:
    """Decide whether this name and password fit, as `knock` does."""
    return knock(name=name, password=password, visit=visit, now=now).outcome


def knock(*, name: str, password: str, visit: Visit, now: datetime) -> Knock:
    """Decide whether this name and password fit; counts a failure against the pair of account and origin.

    A name that nobody has costs one hash and waits after as many failures as a real one, so that neither the time nor
    the message tells which names exist.
    """
    account = accounts.account_by_name(name)
    origin = throttle.origin_of(account_id=account.pk if account else None, name=name, visit=visit)
    record = throttle.record_of(origin, now=now)
    if record.refusal is not None:
        return Knock(record.refusal)
    if account is None:
        make_password(password)
    if account is None or not account.check_password(password):
        return Knock(_refuse_wrong(origin, now=now))
    if not account.is_active and not _wakes_itself(account):
        audit.record(actor=ANONYMOUS, action="identity.sign_in_refused", target=f"account:{account.pk}", now=now)
        return Knock(SignInOutcome(None, SignInRefusal.ASLEEP if account.sleep_reason else SignInRefusal.INACTIVE))
    if record.has_failed:
        throttle.forget(origin)
    return Knock(SignInOutcome(account.pk), account, origin, record.strange)


def weigh_entry(
    *, account: Account, methods: Collection[SignInMethod], visit: Visit, known: Knock | None = None, now: datetime
) -> Entry:
    """What follows a right first factor: in, a second factor first, in but one must be registered, or nothing at all.

    Weighs the browser, the network, failures and the speed of travel against what the person's roles demand. `known` is
    what the password's check has read of the same visit.
    """
    assessment = assess(_signals(account, visit, known, now=now))
    if assessment.decision is RiskDecision.REFUSE:
        details = {"address": visit.address, "reasons": list(assessment.reasons)}
        audit.record(actor=ANONYMOUS, action="identity.sign_in_refused", target=f"account:{account.pk}", details=details, now=now)
        return Entry(Step.VERIFY, assessment.reasons, is_refused=True)
    held = held_factors(account.pk)
    if not account.is_active and not factors.reaches(factors.assurance_of(methods), Assurance.MULTI):
        return Entry(Step.VERIFY, assessment.reasons)
    requirement, is_in_grace = requirement_of(account, now=now)
    step = factors.next_step(
        requirement=requirement,
        held=held,
        shown=methods,
        is_usual=assessment.decision is RiskDecision.ALLOW and RiskReason.NEW_DEVICE not in assessment.reasons,
        is_in_grace=is_in_grace,
        can_receive=assessment.decision is RiskDecision.STEP_UP and bool(fresh_channels(account, methods)),
    )
    return Entry(step, assessment.reasons)


@transaction.atomic(savepoint=False)
def record_sign_in(
    *,
    actor: Actor,
    session_key: str,
    visit: Visit,
    methods: Collection[SignInMethod] = (SignInMethod.PASSWORD,),
    risks: Collection[RiskReason] = (),
    now: datetime,
) -> int:
    """Write down that the actor's account came in with this session; returns the id of the sign-in.

    The browser is known from now on. Publishes `identity.signed_in`.
    """
    assert actor.account_id is not None
    account_id, moment = actor.account_id, stored(now)
    with connection.cursor() as cursor:
        cursor.execute(_CAME_IN, [moment, moment, account_id])
        told = [visit.address[:64], visit.agent[:200], " ".join(methods), place_of(visit.address), " ".join(risks)]
        cursor.execute(_SIGN_IN, [account_id, session_key, *told, moment, moment])
        sign_in_id = int(cursor.fetchone()[0])
    if visit.device:
        remember_device(account_id, visit, now=now)
    details: dict[str, object] = {"address": visit.address, "methods": list(methods)}
    if risks:
        details["risks"] = list(risks)
    audit.record(actor=actor, action="identity.signed_in", target=f"account:{account_id}", details=details, now=now)
    events.publish("identity.signed_in", {"account_id": account_id, "sign_in_id": sign_in_id}, now=now)
    return sign_in_id


@transaction.atomic
def record_sign_out(*, actor: Actor, session_key: str, now: datetime) -> None:
    """Write down that the actor's account left; the caller flushes the session itself. Publishes `identity.signed_out`."""
    for row in SignIn.objects.filter(session_key=session_key):
        events.publish("identity.signed_out", {"account_id": row.account_id, "sign_in_id": row.pk}, now=now)
        row.delete()
    audit.record(actor=actor, action="identity.signed_out", target=f"account:{actor.account_id}", now=now)


@transaction.atomic
def end_sign_in(*, actor: Actor, sign_in_id: int, now: datetime) -> None:
    """End one of the actor's own sessions from elsewhere. Publishes `identity.session_ended`."""
    assert actor.account_id is not None
    if not _end(SignIn.objects.filter(pk=sign_in_id, account_id=actor.account_id), now=now):
        raise NotFound(_("没有找到这次登录。"))
    audit.record(actor=actor, action="identity.session_ended", target=f"account:{actor.account_id}", now=now)


@transaction.atomic
def end_other_sign_ins(*, account_id: int, kept_session_key: str | None, now: datetime) -> int:
    """End every session of the account but one; returns how many. The caller audits why.

    Publishes `identity.session_ended` for each.
    """
    return _end(SignIn.objects.filter(account_id=account_id).exclude(session_key=kept_session_key or ""), now=now)


def note_new_key(*, old_key: str, new_key: str) -> None:
    """Follow a session whose key was renewed."""
    SignIn.objects.filter(session_key=old_key).update(session_key=new_key)


def note_seen(*, session_key: str, now: datetime) -> None:
    SignIn.objects.filter(session_key=session_key).update(seen_at=now)


def sweep_sign_ins(*, now: datetime) -> int:
    """Forget sessions that have run out, closed failure windows and browsers not seen for long; returns how many
    sessions went. Goes in batches, so that a night with a million of them holds no lock for long."""
    Session.objects.filter(expire_date__lt=now).delete()
    gone = 0
    while True:
        stale = SignIn.objects.exclude(session_key__in=Session.objects.values("session_key"))
        with transaction.atomic():
            ended = _end(stale[:_BATCH], now=now)
        gone += ended
        if ended < _BATCH:
            break
    Failure.objects.filter(window_began_at__lt=now - locks.PAIR_WINDOW).delete()
    Device.objects.filter(seen_at__lt=now - _KEPT_FOR).delete()
    return gone


def _end(rows: Iterable[SignIn], *, now: datetime) -> int:
    """Delete these sign-ins and their sessions, and tell whoever listens; a session may only end with its row."""
    ended = list(rows)
    Session.objects.filter(session_key__in=[row.session_key for row in ended]).delete()
    SignIn.objects.filter(pk__in=[row.pk for row in ended]).delete()
    for row in ended:
        events.publish("identity.session_ended", {"account_id": row.account_id, "sign_in_id": row.pk}, now=now)
    return len(ended)


def _wakes_itself(account: Account) -> bool:
    reason = SleepReason(account.sleep_reason) if account.sleep_reason else None
    return may_wake_itself(reason, has_second_factor=reason is not None and held_factors(account.pk).has_second)


def _refuse_wrong(origin: throttle.Origin, *, now: datetime) -> SignInOutcome:
    with transaction.atomic():
        count, until = throttle.count_failure(origin, now=now)
        audit.record(
            actor=ANONYMOUS,
            action="identity.account_locked" if until else "identity.sign_in_refused",
            target=origin.whose,
            details={"address": origin.address, "count": count},
            now=now,
        )
    return SignInOutcome(None, SignInRefusal.LOCKED if until else SignInRefusal.WRONG, until)


def _signals(account: Account, visit: Visit, known: Knock | None, *, now: datetime) -> Signals:
    if known is not None and known.origin is not None:
        origin, failures = known.origin, known.strange_failures
    else:
        origin = throttle.origin_of(account_id=account.pk, visit=visit)
        failures = throttle.record_of(origin, now=now).strange
    here = spot_of(visit.address)
    last = SignIn.objects.filter(account=account).order_by("-seen_at").first() if here else None
    there = spot_of(last.address) if last else None
    return Signals(
        is_first=account.last_sign_in_at is None,
        is_known_device=origin.is_known_device,
        is_known_network=origin.is_known_network,
        failures=failures,
        kilometres=kilometres_between(here, there) if here and there else None,
        hours=hours_between(last.seen_at, now) if last else None,
    )
