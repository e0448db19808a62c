"""A cookie for browsers inside a school's network, where a whole class shares one address.

Wrong passwords are counted by it there, so that a pupil who guesses makes their own browser wait and not the class. It
names nobody; whoever throws it away gets another, and the guesses against one account are counted together as well.
"""

import secrets

from django.core import signing
from django.http import HttpRequest, HttpResponse

from shuren.identity.rules import locks
from shuren.identity.selectors.places import is_school_address

DOOR_COOKIE = "shuren_door"
_SALT = "identity.door"
_LASTS = 180 * 24 * 3600


def browser_of(request: HttpRequest) -> str:
    """What the cookie of this browser says, if it is one of ours; else empty."""
    try:
        return str(signing.loads(request.COOKIES.get(DOOR_COOKIE, ""), salt=_SALT, max_age=_LASTS))
    except signing.BadSignature:
        return ""


def mark_browser(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Give a browser inside a school's network its cookie, once."""
    address = locks.network_address(request.META.get("REMOTE_ADDR", ""))
    if not request.COOKIES.get(DOOR_COOKIE) and is_school_address(address):
        token = signing.dumps(secrets.token_urlsafe(12), salt=_SALT)
        response.set_cookie(
            DOOR_COOKIE, token, max_age=_LASTS, httponly=True, samesite="Lax", secure=request.is_secure(), path="/"
        )
    return response
