"""Coming in by a code sent to the own phone: one factor, for whom no stronger one is demanded.

Whoever asks is told the same whether the number is known or not, and nothing is sent to a number that opens no account, or
several. Where no gateway is configured the code is recorded in the outbox and goes nowhere.
"""

from contextlib import suppress
from datetime import datetime

from django.utils.translation import gettext as _

from shuren.identity.data import Requirement, SignInMethod, Visit
from shuren.identity.models import Account
from shuren.identity.rules import locks
from shuren.identity.rules.networks import counted_network
from shuren.identity.selectors.accounts import account_by_name
from shuren.identity.selectors.factors import held_factors, requirement_of
from shuren.identity.services import throttle
from shuren.identity.services.codes import send_code, used_code
from shuren.identity.services.second_factors import TooManyTries
from shuren.kernel import audit
from shuren.kernel.data import ANONYMOUS
from shuren.kernel.errors import Conflict
from shuren.messaging.data import Channel

# A family behind one address asks some times; who walks through numbers asks more often.
MAX_ASKED = 20


def ask_code(*, phone: str, visit: Visit, now: datetime) -> int | None:
    """Send a code to whoever comes in by this phone; their account's id, for the session and for nobody's eyes.

    Raises `TooManyTries` where this network has asked too often.
    """
    key = f"sms:{counted_network(visit.address)}"
    if throttle.add(key, window=locks.ADDRESS_WINDOW, now=now) > MAX_ASKED:
        raise TooManyTries(_("这个网络里要验证码的次数太多了。"), remedy=_("请过十五分钟再试，或者用密码登录。"))
    account = _account_of(phone, now=now)
    if account is None:
        return None
    # One sent a moment ago still counts, and saying so would tell that the number is known.
    with suppress(Conflict):
        send_code(account=account, channel=Channel.SMS, now=now, even_recorded=True)
    return account.pk


def check_code(*, account_id: int | None, code: str, visit: Visit, now: datetime) -> bool:
    """Whether the code is the one that was sent; wrong ones count against the account and this origin."""
    origin = throttle.origin_of(account_id=account_id, name="sms", visit=visit)
    key = f"verify:{origin.pair}"
    if throttle.blocked_until(key, now=now):
        raise TooManyTries(_("输错的次数太多了。"), remedy=_("请过几分钟再试。"))
    if account_id is not None and used_code(account_id=account_id, typed=code.strip(), now=now) is SignInMethod.SMS_CODE:
        throttle.forget_key(key)
        return True
    if throttle.count_key(key, now=now):
        raise TooManyTries(_("输错的次数太多了。"), remedy=_("请过几分钟再试。"))
    if account_id is not None:
        details = {"address": visit.address}
        audit.record(actor=ANONYMOUS, action="identity.sign_in_refused", target=f"account:{account_id}", details=details, now=now)
    return False


def _account_of(phone: str, *, now: datetime) -> Account | None:
    """The one account whose person has this phone, may come in, and needs nothing stronger."""
    account = account_by_name(phone)
    if account is None or account.person is None or account.person.phone != phone or not account.is_active:
        return None
    requirement, _is_in_grace = requirement_of(account, now=now)
    is_enough = requirement is Requirement.RISK and not held_factors(account.pk).has_second
    return account if is_enough and account.has_usable_password() else None
