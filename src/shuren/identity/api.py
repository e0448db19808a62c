"""The face of identity: who is acting, and which accounts people have."""

from django.http import HttpRequest

from shuren.identity.models import Account
from shuren.identity.selectors import accounts_of_people, actor_of_account
from shuren.kernel.data import ANONYMOUS, Actor

__all__ = ["ROLE_KEY", "accounts_of_people", "actor_of", "must_change_password"]

ROLE_KEY = "role"


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person with the role chosen for this session, or `ANONYMOUS`; read once per request."""
    actor: Actor | None = getattr(request, "_shuren_actor", None)
    if actor is None:
        actor = _read_actor(request)
        request._shuren_actor = actor  # type: ignore[attr-defined]  # the cache lives as long as the request
    return actor


def _read_actor(request: HttpRequest) -> Actor:
    account = request.user
    if not isinstance(account, Account):
        return ANONYMOUS
    return actor_of_account(account, role=request.session.get(ROLE_KEY) or None)


def must_change_password(request: HttpRequest) -> bool:
    """Whether the signed-in person still has a password that somebody else chose."""
    return isinstance(request.user, Account) and request.user.must_change_password
