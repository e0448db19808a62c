"""Whether an app may, whatever it speaks: asked by identity at every door, by the middleware at every call."""

from collections.abc import Collection
from datetime import datetime

from shuren.identity.data import AppFault, AppRefusal
from shuren.interop.data import AppData
from shuren.interop.selectors.apps import app_of_client
from shuren.interop.selectors.people import may_sign_in, scopes_for
from shuren.interop.services.count_calls import count_call
from shuren.kernel.data import Actor


def admit_app(client_id: str, *, actor: Actor | None, now: datetime) -> AppRefusal | None:
    """Why the app of this client may not now, None when it may: it runs, it is chosen where `actor` is, its quota lasts.

    A client that belongs to no app has left the register, and is refused. Takes one call off the quota.
    """
    app = app_of_client(client_id)
    return AppRefusal(AppFault.STOPPED) if app is None else refusal_of(app, actor=actor, now=now)


def refusal_of(app: AppData, *, actor: Actor | None, now: datetime) -> AppRefusal | None:
    """The same for an app at hand."""
    if not app.is_running:
        return AppRefusal(AppFault.STOPPED)
    if actor is not None and not may_sign_in(app, actor, now=now):
        return AppRefusal(AppFault.NOT_CHOSEN)
    allowance = count_call(app, now=now)
    return None if allowance.is_allowed else AppRefusal(AppFault.OVER_QUOTA, allowance.retry_after)


def agreed_scopes(client_id: str, *, actor: Actor, scopes: Collection[str], now: datetime) -> frozenset[str]:
    """Those of `scopes` that the app of this client may have for `actor`: none beyond the version agreed to where they are.

    Takes nothing off the quota.
    """
    app = app_of_client(client_id)
    return frozenset() if app is None else scopes_for(app, actor, scopes, now=now)
