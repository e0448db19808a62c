"""Signing out at an app's wish (OpenID Connect RP-Initiated Logout 1.0)."""

from collections.abc import Mapping

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from shuren.identity.api import actor_of
from shuren.identity.data import ClientData, ClientStatus
from shuren.identity.selectors.clients import client_by_client_id
from shuren.identity.services.oauth.id_tokens import read_own_token, session_id_of
from shuren.identity.services.sign_in import record_sign_out
from shuren.identity.views.oauth.answers import issuer_of
from shuren.identity.views.oauth.entry import entry_of
from shuren.identity.views.oauth.leave import leave
from shuren.kernel import clock
from shuren.kernel.doors import before_entry, open_door

_FIELDS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


@open_door
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def end_session(request: HttpRequest) -> HttpResponse:
    """With the id token of this very session the person goes at once; else they are asked, for anybody can send them here."""
    sent = request.POST if request.method == "POST" else request.GET
    fields = {name: sent[name] for name in _FIELDS if sent.get(name)}
    hint = read_own_token(fields.get("id_token_hint", ""), issuer=issuer_of(request))
    client = _client(fields, hint)
    if actor_of(request).account_id is None:
        return _gone(request, fields, client)
    entry = entry_of(request)
    if request.method != "POST" and entry and client and hint.get("sid") == session_id_of(entry.sign_in_id):
        _leave_session(request)
        return _gone(request, fields, client)
    return render(request, "identity/oauth/sign_out.html", {"fields": fields, "app_name": client.name if client else ""})


@before_entry
@never_cache
@require_POST
def end_session_confirmed(request: HttpRequest) -> HttpResponse:
    if request.POST.get("decision") != "leave":
        return redirect("front:home")
    fields = {name: request.POST[name] for name in _FIELDS if request.POST.get(name)}
    client = _client(fields, read_own_token(fields.get("id_token_hint", ""), issuer=issuer_of(request)))
    _leave_session(request)
    return _gone(request, fields, client)


def _client(fields: Mapping[str, str], hint: Mapping[str, object]) -> ClientData | None:
    """The app that asks: named by its own id token or by `client_id`; two names that differ are nobody."""
    audience = str(hint.get("aud", ""))
    named = fields.get("client_id", audience)
    client = client_by_client_id(named) if named and (not audience or audience == named) else None
    return client if client and client.status is ClientStatus.ACTIVE else None


def _leave_session(request: HttpRequest) -> None:
    if request.session.session_key:
        record_sign_out(actor=actor_of(request), session_key=request.session.session_key, now=clock.now())
    logout(request)


def _gone(request: HttpRequest, fields: Mapping[str, str], client: ClientData | None) -> HttpResponse:
    uri = fields.get("post_logout_redirect_uri", "")
    if client is None or uri not in client.post_logout_redirect_uris:
        return render(request, "identity/oauth/signed_out.html")
    return leave(request, uri, {"state": fields["state"]} if "state" in fields else {})
