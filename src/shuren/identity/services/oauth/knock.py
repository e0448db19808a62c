"""Apps that bring their secret along with the call itself instead of a token, as clients of learning records do."""

from collections.abc import Sequence
from datetime import datetime

from shuren.identity.data import AppFault, AppRefusal, Bearer
from shuren.identity.rules.oauth.faults import OAuthFault
from shuren.identity.selectors.bearers import Proved, app_of_secret
from shuren.identity.services.gate import check_governed
from shuren.identity.services.oauth.prove import Proof, secret_in


def admit_secret(*, header: str, now: datetime) -> Bearer | AppRefusal | None:
    """The app whose id and secret stand in an Authorization header by HTTP Basic, in its own name.

    `AppRefusal` where an app of the register may not call now, of whose quota one call is taken; None for anybody else.
    """
    return admit_secrets(headers=[header], now=now)[0]


def admit_secrets(*, headers: Sequence[str], now: datetime) -> list[Bearer | AppRefusal | None]:
    """`admit_secret` for calls that came at once: each secret is looked up once, each call is taken off the quota."""
    found = {header: _app_of_header(header, now=now) for header in set(headers)}
    return [_admitted(found[header], now=now) for header in headers]


def _app_of_header(header: str, *, now: datetime) -> tuple[Proved, Bearer] | None:
    try:
        secret = secret_in(Proof(header=header, form={}, audiences=frozenset()))
    except OAuthFault:
        return None
    return app_of_secret(secret, now=now) if secret else None


def _admitted(found: tuple[Proved, Bearer] | None, *, now: datetime) -> Bearer | AppRefusal | None:
    if found is None:
        return None
    proved, bearer = found
    try:
        if proved.is_governed:
            check_governed(proved.client_id, now=now)
    except OAuthFault as fault:
        return AppRefusal(AppFault.OVER_QUOTA if fault.retry_after else AppFault.STOPPED, fault.retry_after)
    return bearer
