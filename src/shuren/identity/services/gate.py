"""The one door for apps of the register: whichever protocol an app speaks, whether it may is decided here.

The register stands above identity, so its answer is looked up by the dotted name in `SHUREN_APP_GATE`. Every question but
one about a stopped client takes a call off the app's quota.
"""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from shuren.identity.data import AppFault, AppRefusal, ClientData, ClientStatus
from shuren.identity.models import Client
from shuren.identity.rules.oauth.faults import OAuthFault, invalid_client
from shuren.kernel.data import Actor
from shuren.kernel.errors import Refused


def refusal_of_app(client: Client | ClientData | None, *, actor: Actor | None, now: datetime) -> AppRefusal | None:
    """Why the app behind `client` may not now, None when it may; `actor` is the person who would be let in, if there is one.

    Without a client there is no app of the register: a service of the house itself.
    """
    if client is None:
        return None
    if client.status != ClientStatus.ACTIVE:
        return AppRefusal(AppFault.STOPPED)
    return _asked(client.client_id, actor=actor, now=now) if client.is_governed else None


def check_governed(client_id: str, *, now: datetime) -> None:
    """Raise `OAuthFault` where a governed client, known to be active, may not call now."""
    _raise_fault(_asked(client_id, actor=None, now=now))


def check_program(client: ClientData, *, actor: Actor | None = None, now: datetime) -> None:
    """Raise `OAuthFault` where the app may not call now, or not for this person."""
    _raise_fault(refusal_of_app(client, actor=actor, now=now))


def check_person(client: Client | ClientData | None, *, actor: Actor, now: datetime) -> None:
    """Raise `Refused`, in words for the person who is on the way in, where the app may not let them in."""
    refusal = refusal_of_app(client, actor=actor, now=now)
    if refusal is None or client is None:
        return
    name = {"name": client.name}
    if refusal.fault is AppFault.NOT_CHOSEN:
        raise Refused(_("您的学校没有选用“%(name)s”。") % name, remedy=_("请联系学校管理员。"))
    if refusal.fault is AppFault.OVER_QUOTA:
        raise Refused(_("“%(name)s”用得太多，超出了配额。") % name, remedy=_("请过一会儿再试。"))
    raise Refused(_("“%(name)s”现在停用，不能用本平台的账号登录。") % name, remedy=_("请联系学校管理员。"))


def _asked(client_id: str, *, actor: Actor | None, now: datetime) -> AppRefusal | None:
    ask: Callable[..., AppRefusal | None] = import_string(settings.SHUREN_APP_GATE)
    return ask(client_id, actor=actor, now=now)


def _raise_fault(refusal: AppRefusal | None) -> None:
    if refusal is None:
        return
    if refusal.fault is AppFault.OVER_QUOTA:
        raise OAuthFault("temporarily_unavailable", "over quota", status=429, retry_after=refusal.retry_after)
    if refusal.fault is AppFault.NOT_CHOSEN:
        raise OAuthFault("access_denied", "the person's school does not use this app")
    raise invalid_client("the app was stopped or delisted")
