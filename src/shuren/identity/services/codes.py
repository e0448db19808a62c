"""Codes by SMS or e-mail: six digits, five minutes, five tries, one a minute and ten a day per address."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from hmac import compare_digest

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from shuren.identity.data import SignInMethod
from shuren.identity.models import Account, OneTimeCode
from shuren.kernel import audit
from shuren.kernel.data import ANONYMOUS
from shuren.kernel.errors import Conflict, Invalid
from shuren.messaging import api as messaging
from shuren.messaging.data import Channel
from shuren.trust import api as trust

LASTS = timedelta(minutes=5)
MAX_TRIES = 5
_PAUSE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_A_DAY = 10
_METHODS = {Channel.SMS: SignInMethod.SMS_CODE, Channel.EMAIL: SignInMethod.EMAIL_CODE}


def addresses_of(account: Account, *, even_recorded: bool = False) -> dict[Channel, str]:
    """Where a code can reach the account's person: only by channels that have a gateway here, unless recording is enough."""
    person = account.person
    if person is None:
        return {}
    found = {Channel.SMS: person.phone or "", Channel.EMAIL: person.email or ""}
    return {channel: to for channel, to in found.items() if to and (even_recorded or messaging.gateway_settings(channel.value))}


def fresh_channels(account: Account, shown: Collection[SignInMethod]) -> dict[Channel, str]:
    """Where a code can be sent that proves more than what was shown already."""
    return {channel: to for channel, to in addresses_of(account).items() if _METHODS[channel] not in shown}


def send_code(*, account: Account, channel: Channel, now: datetime, even_recorded: bool = False) -> str:
    """Send a fresh code; returns the address it went to. An older code is void from now on."""
    to = addresses_of(account, even_recorded=even_recorded).get(channel)
    if to is None:
        raise Invalid(_("这里没有登记可以收验证码的手机或邮箱。"), remedy=_("请换一种方式，或者联系本单位管理员。"))
    to_hash = trust.blind_index(to, purpose="identity.code_address")
    recent = OneTimeCode.objects.filter(to_hash=to_hash)
    if recent.filter(sent_at__gt=now - _PAUSE).exists() or recent.filter(sent_at__gt=now - _DAY).count() >= _A_DAY:
        raise Conflict(_("验证码发得太频繁了。"), remedy=_("请一分钟以后再试；每天最多 10 条。"))
    code = f"{secrets.randbelow(1_000_000):06d}"
    with transaction.atomic():
        OneTimeCode.objects.filter(account=account, channel=channel.value, used_at__isnull=True).update(used_at=now)
        row = OneTimeCode.objects.create(
            account=account, channel=channel.value, to_hash=to_hash, code_hash=_code_hash(account.pk, code), sent_at=now
        )
        messaging.send(
            channel=channel,
            to=to,
            title=_("登录验证码"),
            text=_("您的登录验证码是 %(code)s，5 分钟内有效。不要告诉任何人。") % {"code": code},
            words={"code": code},
            key=f"code:{row.pk}",
            now=now,
        )
        audit.record(
            actor=ANONYMOUS, action="identity.code_sent", target=f"account:{account.pk}", details={"channel": channel}, now=now
        )
    return to


def used_code(*, account_id: int, typed: str, now: datetime) -> SignInMethod | None:
    """What the typed digits were, if they are the newest code of a channel; a code serves once and bears five tries."""
    if not (len(typed) == 6 and typed.isdecimal()):
        return None
    wanted = _code_hash(account_id, typed)
    rows = OneTimeCode.objects.filter(account_id=account_id, used_at__isnull=True, sent_at__gt=now - LASTS, tries__lt=MAX_TRIES)
    for row in rows:
        # Counted before it is compared: of requests at the same time none is free.
        OneTimeCode.objects.filter(pk=row.pk).update(tries=F("tries") + 1)
        if compare_digest(row.code_hash, wanted) and OneTimeCode.objects.filter(pk=row.pk, used_at__isnull=True).update(
            used_at=now
        ):
            return _METHODS[Channel(row.channel)]
    return None


def _code_hash(account_id: int, code: str) -> str:
    return trust.blind_index(f"{account_id}:{code}", purpose="identity.one_time_code")
