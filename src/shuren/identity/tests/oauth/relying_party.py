"""A small site of somebody else that lets people in through us: Django with mozilla-django-oidc, run as its own process.

`python relying_party.py PORT ISSUER CLIENT_ID CLIENT_SECRET`; `/me/` shows who is in, `/told/` takes logout tokens.
"""

import json
import sys
from typing import Any

import django
import requests
from django.conf import settings
from django.core.management import call_command
from joserfc import jwt
from joserfc.jwk import KeySet

PORT, ISSUER, CLIENT_ID, CLIENT_SECRET = sys.argv[1:5]
_FOUND = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=10).json()

settings.configure(
    SECRET_KEY="of the relying party alone",
    ROOT_URLCONF="relying_party",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "mozilla_django_oidc"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "mozilla_django_oidc.middleware.SessionRefresh",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "file:rp?mode=memory&cache=shared"}},
    AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    SESSION_COOKIE_NAME="rp_session",
    OIDC_RP_CLIENT_ID=CLIENT_ID,
    OIDC_RP_CLIENT_SECRET=CLIENT_SECRET,
    OIDC_RP_SIGN_ALGO="ES256",
    OIDC_RP_SCOPES="openid profile",
    OIDC_USE_PKCE=True,
    OIDC_OP_AUTHORIZATION_ENDPOINT=_FOUND["authorization_endpoint"],
    OIDC_OP_TOKEN_ENDPOINT=_FOUND["token_endpoint"],
    OIDC_OP_USER_ENDPOINT=_FOUND["userinfo_endpoint"],
    OIDC_OP_JWKS_ENDPOINT=_FOUND["jwks_uri"],
    OIDC_TOKEN_USE_BASIC_AUTH=True,
    OIDC_STORE_ID_TOKEN=True,
    OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS=2,
    OIDC_OP_LOGOUT_URL_METHOD="relying_party.way_out",
    LOGIN_REDIRECT_URL="/me/",
    LOGOUT_REDIRECT_URL="/",
)
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402  # only after the settings stand
from django.contrib.sessions.models import Session  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from mozilla_django_oidc.auth import OIDCAuthenticationBackend  # noqa: E402


class BySubject(OIDCAuthenticationBackend):  # type: ignore[misc]  # untyped library
    """People are known by `sub`; nobody here needs an e-mail address."""

    def verify_claims(self, claims: dict[str, Any]) -> bool:
        return "sub" in claims

    def filter_users_by_claims(self, claims: dict[str, Any]) -> Any:
        return get_user_model().objects.filter(username=claims["sub"][:150])

    def create_user(self, claims: dict[str, Any]) -> Any:
        return get_user_model().objects.create(username=claims["sub"][:150], first_name=claims.get("name", ""))


settings.AUTHENTICATION_BACKENDS = ["relying_party.BySubject"]


def way_out(request: HttpRequest) -> str:
    hint = request.session.get("oidc_id_token", "")
    return f"{_FOUND['end_session_endpoint']}?id_token_hint={hint}&post_logout_redirect_uri=http://127.0.0.1:{PORT}/"


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("home")


def me(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return HttpResponse("nobody", status=401)
    return JsonResponse({"sub": request.user.username, "name": request.user.first_name})


@csrf_exempt
def told(request: HttpRequest) -> HttpResponse:
    """OpenID Connect Back-Channel Logout 2.6: check the token, then end the sessions of its person."""
    keys = KeySet.import_key_set(requests.get(_FOUND["jwks_uri"], timeout=10).json())
    token = jwt.decode(request.POST["logout_token"], keys, algorithms=["ES256"])
    claims = token.claims
    event = "http://schemas.openid.net/event/backchannel-logout"
    is_good = claims["iss"] == ISSUER and claims["aud"] == CLIENT_ID and event in claims["events"] and "nonce" not in claims
    if not is_good or token.header["typ"] != "logout+jwt":
        return HttpResponse(status=400)
    user = get_user_model().objects.get(username=claims["sub"][:150])
    for session in Session.objects.all():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()
    return HttpResponse(status=200)


urlpatterns = [
    path("", home),
    path("me/", me),
    path("told/", told),
    path("oidc/", include("mozilla_django_oidc.urls")),
]

if __name__ == "__main__":
    sys.modules["relying_party"] = sys.modules["__main__"]
    call_command("migrate", verbosity=0)
    sys.stdout.write(json.dumps({"ready": PORT}) + "\n")
    sys.stdout.flush()
    call_command("runserver", f"127.0.0.1:{PORT}", "--noreload", "--nothreading", verbosity=0)
