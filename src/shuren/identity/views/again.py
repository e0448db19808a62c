"""Asking who is there although somebody is signed in: `renew` of CAS, `ForceAuthn` of SAML."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from django.contrib.auth import logout
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from shuren.identity.api import actor_of
from shuren.identity.presence import is_weak, last_verified
from shuren.identity.services.sign_in import record_sign_out
from shuren.kernel import clock

ASKED = "asked"
_SALT = "identity.asked_at"
_LASTS = 1800


def is_fresh(request: HttpRequest) -> bool:
    """Whether somebody showed who they are after the moment that `asked` in the address says, signed by us."""
    try:
        asked = datetime.fromtimestamp(signing.loads(request.GET.get(ASKED, ""), salt=_SALT, max_age=_LASTS), UTC)
    except (signing.BadSignature, ValueError, TypeError):
        return False
    verified_at, _assurance = last_verified(request)
    return verified_at is not None and verified_at >= asked


def ask_again(request: HttpRequest, here: str) -> HttpResponse:
    """To the door, or to the page that confirms who is there, and back to `here` with the moment at which we asked."""
    joint = "&" if "?" in here else "?"
    again = f"{here}{joint}{urlencode({ASKED: signing.dumps(clock.now().timestamp(), salt=_SALT)})}"
    if actor_of(request).account_id is not None and not is_weak(request):
        return redirect(f"{reverse('identity:confirm')}?{urlencode({'next': again})}")
    leave(request)
    return redirect(f"{reverse('identity:sign_in')}?{urlencode({'next': again})}")


def leave(request: HttpRequest) -> None:
    """End the session of this browser."""
    if request.session.session_key and actor_of(request).account_id is not None:
        record_sign_out(actor=actor_of(request), session_key=request.session.session_key, now=clock.now())
    logout(request)
