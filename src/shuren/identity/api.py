"""The face of identity: who is acting and with which hats, accounts, first passwords."""

from django.http import HttpRequest

from shuren.identity.data import Wardrobe
from shuren.identity.models import Account
from shuren.identity.selectors import accounts_of_people, actor_of_account, person_ids_of_accounts
from shuren.identity.services.credentials import create_accounts, issue_credentials
from shuren.identity.services.passwords import set_password
from shuren.identity.services.profile import choose_language
from shuren.identity.services.sign_in import sweep_sign_ins
from shuren.identity.wardrobe import ROLE_KEY, wardrobe_of
from shuren.identity.words import role_name
from shuren.kernel import clock
from shuren.kernel.data import ANONYMOUS, Actor

__all__ = [
    "accounts_of_people",
    "actor_of",
    "choose_language",
    "create_accounts",
    "issue_credentials",
    "must_change_password",
    "person_ids_of_accounts",
    "role_name",
    "set_password",
    "sweep_sign_ins",
    "wardrobe",
]


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person with the role chosen for this session, or `ANONYMOUS`; read once per request."""
    actor: Actor | None = getattr(request, "_shuren_actor", None)
    if actor is None:
        actor = _read_actor(request)
        request._shuren_actor = actor  # type: ignore[attr-defined]  # the cache lives as long as the request
    return actor


def wardrobe(request: HttpRequest) -> Wardrobe:
    """The hats and permissions of the signed-in person, for menus; up to five minutes old."""
    return wardrobe_of(request, actor_of(request), now=clock.now())


def must_change_password(request: HttpRequest) -> bool:
    """Whether the signed-in person still has a password that somebody else chose."""
    return isinstance(request.user, Account) and request.user.must_change_password


def _read_actor(request: HttpRequest) -> Actor:
    account = request.user
    if not isinstance(account, Account):
        return ANONYMOUS
    return actor_of_account(account, role=request.session.get(ROLE_KEY) or None)
