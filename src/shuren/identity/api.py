"""The face of identity: who is acting and with which hats, accounts, first passwords, and apps that ask for tokens."""

from collections.abc import Collection
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.identity.data import Bearer, Purpose, Wardrobe
from shuren.identity.models import Account
from shuren.identity.presence import is_factor_due, is_weak, last_shown, last_verified, proof_of
from shuren.identity.rules.factors import amr_of, is_fresh
from shuren.identity.rules.oauth.scopes import RECORD_SCOPES
from shuren.identity.selectors.accounts import account_named, accounts_of_people, actor_of_account, person_ids_of_accounts
from shuren.identity.selectors.addresses import addresses_of
from shuren.identity.selectors.app_actors import actor_of_bearer, bearer_in
from shuren.identity.selectors.clients import client_by_client_id
from shuren.identity.selectors.factors import held_factors
from shuren.identity.services.credentials import create_accounts, issue_credentials
from shuren.identity.services.oauth.knock import admit_secret, admit_secrets
from shuren.identity.services.oauth.messages import issue_id_token, read_client_message, spend_once, subjects_of_people
from shuren.identity.services.oauth.register import (
    add_client_secret,
    change_client,
    disable_client,
    drop_old_secrets,
    enable_client,
    register_client,
)
from shuren.identity.services.passwords import set_password
from shuren.identity.services.profile import choose_language
from shuren.identity.services.provision import provision_account, resume_account, suspend_account
from shuren.identity.services.sign_in import sweep_sign_ins
from shuren.identity.wardrobe import ROLE_KEY, wardrobe_of
from shuren.identity.words import role_name
from shuren.kernel import clock
from shuren.kernel.data import ANONYMOUS, Actor
from shuren.kernel.doors import is_before_entry, purpose_of, sensitive
from shuren.kernel.errors import Refused

__all__ = [
    "RECORD_SCOPES",
    "account_named",
    "accounts_of_people",
    "actor_of",
    "add_client_secret",
    "addresses_of",
    "admit_bearer",
    "admit_secret",
    "admit_secrets",
    "amr_of",
    "bearer_of",
    "change_client",
    "choose_language",
    "client_by_client_id",
    "confine_bearer",
    "create_accounts",
    "disable_client",
    "drop_old_secrets",
    "enable_client",
    "issue_credentials",
    "issue_id_token",
    "person_ids_of_accounts",
    "proof_of",
    "provision_account",
    "read_client_message",
    "register_client",
    "require_step_up",
    "resume_account",
    "role_name",
    "set_password",
    "spend_once",
    "step_due",
    "step_up_due",
    "subjects_of_people",
    "suspend_account",
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


def bearer_of(request: HttpRequest) -> Bearer | None:
    """The app that calls with a good access token, and for whom; None without one. Read once per request."""
    if not hasattr(request, "_shuren_bearer"):
        request._shuren_bearer = bearer_in(request, now=clock.now())  # type: ignore[attr-defined]  # lives as long as the request
    bearer: Bearer | None = request._shuren_bearer  # type: ignore[attr-defined]  # just written
    return bearer


def admit_bearer(request: HttpRequest) -> bool:
    """Let the app behind the request's access token act in it; False, and nobody acts, when there is no good token."""
    bearer = bearer_of(request)
    request._shuren_actor = actor_of_bearer(bearer) if bearer else ANONYMOUS  # type: ignore[attr-defined]  # see actor_of
    return bearer is not None


def confine_bearer(request: HttpRequest, *, paths: Collection[str]) -> None:
    """Let an app that acts in its own name reach these branches, and no others, in the rest of the request."""
    actor = actor_of(request)
    if actor.app is not None and actor.person_id is None:
        confined = replace(actor, app=replace(actor.app, paths=tuple(paths)))
        request._shuren_actor = confined  # type: ignore[attr-defined]  # see actor_of


def wardrobe(request: HttpRequest) -> Wardrobe:
    """The hats and permissions of the signed-in person, for menus; up to five minutes old."""
    return wardrobe_of(request, actor_of(request), now=clock.now())


def step_due(request: HttpRequest, view: object) -> str | None:
    """The address of the step a signed-in person must take before `view` opens, or None.

    A password that somebody else chose is changed first, a second factor that is overdue is registered next, and a view
    marked by `require_step_up` (or `kernel.doors.sensitive`) asks who is there once more. Raises `Refused` where a
    picture password is too weak for the view, whatever is shown.
    """
    if not is_before_entry(view):
        if isinstance(request.user, Account) and request.user.must_change_password and not is_weak(request):
            return reverse("identity:change_password")
        if is_factor_due(request):
            return reverse("identity:security")
    purpose = purpose_of(view, request.GET)
    if purpose is None:
        return None
    if is_weak(request):
        raise Refused(_("用图片登录时不能做这件事。"), remedy=_("请用账号和密码重新登录。"))
    return _confirm_address(request, purpose) if step_up_due(request, Purpose(purpose)) else None


def step_up_due(request: HttpRequest, purpose: Purpose) -> bool:
    """Whether the signed-in person must show once more who they are before doing something for `purpose`.

    Ten minutes after the last proof, or at once when that proof was weaker than the best factor they hold.
    """
    account_id = actor_of(request).account_id
    if account_id is None:
        return True
    verified_at, _assurance = last_verified(request)
    return not is_fresh(
        verified_at=verified_at,
        shown=last_shown(request),
        held=held_factors(account_id),
        now=clock.now(),
        is_for_factors=purpose is Purpose.FACTORS,
    )


require_step_up = sensitive
"""Mark a view: `@require_step_up(Purpose.GRANT)`; what it asks is decided by `step_due`, before the view runs."""


def _confirm_address(request: HttpRequest, purpose: str) -> str:
    """Where to confirm. One comes back to the page asked for; after a form, and beside a file, to the page it stood on."""
    referer = urlsplit(request.headers.get("Referer", ""))
    before = referer.path if referer.netloc == request.get_host() and referer.path else "/"
    way = {"next": request.get_full_path() if request.method in ("GET", "HEAD") else before}
    if purpose == Purpose.EXPORT and request.method in ("GET", "HEAD"):
        way = {"file": request.get_full_path(), "next": before}
    return reverse("identity:confirm") + "?" + urlencode({**way, "purpose": purpose})


def _read_actor(request: HttpRequest) -> Actor:
    account = getattr(request, "user", None)  # none where a request was refused before anybody was read, as for a wrong host
    if not isinstance(account, Account):
        return ANONYMOUS
    return actor_of_account(account, role=request.session.get(ROLE_KEY) or None)
