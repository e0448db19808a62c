"""Authenticator apps (RFC 6238) and recovery codes."""

import secrets
from base64 import b64decode, b64encode
from datetime import datetime
from hmac import compare_digest

import pyotp
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.identity.data import SignInMethod, Visit
from shuren.identity.models import Account, RecoveryCode, TotpSecret
from shuren.identity.rules import locks
from shuren.identity.services import throttle
from shuren.identity.services.codes import used_code
from shuren.kernel import audit
from shuren.kernel.data import ANONYMOUS, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.messaging import api as messaging
from shuren.trust import api as trust

RECOVERY_CODES = 10
_PURPOSE = "identity.totp"
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_STEP = 30


class WrongCode(Invalid):
    """The code is wrong, was used before, or came too late."""


class TooManyTries(Conflict):
    """Wrong codes in a row: this origin waits."""

    status = 429


def new_totp_secret() -> str:
    """A fresh secret, sealed as text fit for the session until its owner has confirmed it."""
    return b64encode(trust.seal(pyotp.random_base32().encode(), purpose=_PURPOSE)).decode()


def totp_address(sealed: str, *, username: str) -> str:
    """The `otpauth://` address that authenticator apps read from a QR code."""
    return pyotp.TOTP(_opened(sealed)).provisioning_uri(name=username, issuer_name=settings.SHUREN_REGION_NAME)


def totp_words(sealed: str) -> str:
    """The secret in groups of four, to be typed where no camera is."""
    secret = _opened(sealed)
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


@transaction.atomic
def confirm_totp(*, actor: Actor, sealed: str, code: str, now: datetime) -> None:
    """Keep the new secret once its app has shown a right code; raises `WrongCode`. Replaces an older app."""
    assert actor.account_id is not None
    counter = _counter_of(_opened(sealed), code, after=0, now=now)
    if counter is None:
        raise WrongCode(_("这个数字不对。"), remedy=_("请看应用里现在显示的 6 位数字，并检查手机的时间是否准确。"))
    TotpSecret.objects.update_or_create(
        account_id=actor.account_id,
        defaults={"secret_sealed": b64decode(sealed), "last_counter": counter, "confirmed_at": now, "created_at": now},
    )
    _record(actor, "identity.totp_added", now=now)


@transaction.atomic
def remove_totp(*, actor: Actor, now: datetime) -> None:
    """Forget the actor's authenticator app."""
    if not TotpSecret.objects.filter(account_id=actor.account_id or 0).delete()[0]:
        raise NotFound(_("没有登记验证器应用。"))
    _record(actor, "identity.totp_removed", now=now)


@transaction.atomic
def make_recovery_codes(*, actor: Actor, now: datetime) -> list[str]:
    """Ten new codes, shown once and kept only as keyed hashes; older ones are void."""
    assert actor.account_id is not None
    codes = ["".join(secrets.choice(_LETTERS) for _place in range(10)) for _code in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(account_id=actor.account_id).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(account_id=actor.account_id, code_hash=_recovery_hash(actor.account_id, code)) for code in codes
    )
    _record(actor, "identity.recovery_codes_made", now=now)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def verify_code(*, account: Account, code: str, visit: Visit, now: datetime) -> SignInMethod:
    """What a typed second factor was: an app's number, a recovery code or one that was sent.

    Raises `WrongCode` or `TooManyTries`. Five wrong ones from one origin make it wait, longer each time; twenty in an hour,
    wherever from, make everybody wait, for whoever types them knows the password, and its owner is told.
    """
    key = f"verify:{throttle.origin_of(account_id=account.pk, visit=visit).pair}"
    together = f"verify:account:{account.pk}"
    if throttle.blocked_until(key, now=now) or throttle.is_spent(
        together, most=locks.MAX_FACTOR_FAILURES, window=locks.STRANGE_WINDOW, now=now
    ):
        raise TooManyTries(_("输错的次数太多了。"), remedy=_("请过几分钟再试。"))
    typed = code.strip().lower().replace(" ", "").replace("-", "")
    method = (
        _used_totp(account.pk, typed, now=now)
        or _used_recovery(account.pk, typed, now=now)
        or used_code(account_id=account.pk, typed=typed, now=now)
    )
    if method is None:
        with transaction.atomic():
            until = throttle.count_key(key, now=now)
            if throttle.add(together, window=locks.STRANGE_WINDOW, now=now) == locks.MAX_FAILURES:
                _warn_owner(account, now=now)
            audit.record(
                actor=ANONYMOUS,
                action="identity.second_factor_refused",
                target=f"account:{account.pk}",
                details={"address": visit.address},
                now=now,
            )
        if until:
            raise TooManyTries(_("输错的次数太多了。"), remedy=_("请过几分钟再试。"))
        raise WrongCode(_("这个数字不对，或者已经用过。"), remedy=_("请等应用里出现新的数字再试。"))
    throttle.forget_key(key)
    return method


def _warn_owner(account: Account, *, now: datetime) -> None:
    if account.person_id is None:
        return
    messaging.notify(
        person_ids=[account.person_id],
        title=_("有人用您的密码登录，第二步输错了多次"),
        body=_("如果不是您本人，说明密码已被别人知道：请马上修改密码。"),
        url=reverse("identity:change_password"),
        key=f"second_factor:{account.pk}:{now:%Y-%m-%dT%H}",
        now=now,
    )


def _used_totp(account_id: int, typed: str, *, now: datetime) -> SignInMethod | None:
    row = TotpSecret.objects.filter(account_id=account_id, confirmed_at__isnull=False).first()
    if row is None or not (len(typed) == 6 and typed.isdecimal() and typed.isascii()):
        return None
    secret = trust.unseal(bytes(row.secret_sealed), purpose=_PURPOSE).decode()
    counter = _counter_of(secret, typed, after=row.last_counter, now=now)
    # The newest counter moves on in one statement: of two requests with one code only one comes in.
    if counter is None or not TotpSecret.objects.filter(pk=row.pk, last_counter__lt=counter).update(last_counter=counter):
        return None
    return SignInMethod.TOTP


def _used_recovery(account_id: int, typed: str, *, now: datetime) -> SignInMethod | None:
    if len(typed) != 10:
        return None
    rows = RecoveryCode.objects.filter(account_id=account_id, code_hash=_recovery_hash(account_id, typed), used_at__isnull=True)
    if not rows.update(used_at=now):
        return None
    audit.record(actor=ANONYMOUS, action="identity.recovery_code_used", target=f"account:{account_id}", now=now)
    return SignInMethod.RECOVERY_CODE


def _counter_of(secret: str, typed: str, *, after: int, now: datetime) -> int | None:
    """The time step the code belongs to: now, the one before or after, never one up to `after`."""
    totp, present = pyotp.TOTP(secret), int(now.timestamp()) // _STEP
    found = None
    for counter in (present - 1, present, present + 1):
        if compare_digest(totp.generate_otp(counter), typed.strip()) and counter > after:
            found = counter
    return found


def _recovery_hash(account_id: int, code: str) -> str:
    return trust.blind_index(f"{account_id}:{code}", purpose="identity.recovery_code")


def _opened(sealed: str) -> str:
    return trust.unseal(b64decode(sealed), purpose=_PURPOSE).decode()


def _record(actor: Actor, action: str, *, now: datetime) -> None:
    audit.record(actor=actor, action=action, target=f"account:{actor.account_id}", now=now)
