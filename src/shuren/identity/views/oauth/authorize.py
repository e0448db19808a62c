"""The authorization endpoint: an app sends a person here and gets a code back, or a reason why not."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from shuren.identity.api import actor_of, step_due
from shuren.identity.data import Assurance, ClientData
from shuren.identity.presence import is_weak
from shuren.identity.rules.factors import reaches
from shuren.identity.rules.oauth.asking import PARAMETERS, Asking, asked_of, return_address
from shuren.identity.rules.oauth.claims import assurance_in
from shuren.identity.rules.oauth.faults import AppUnknown, OAuthFault
from shuren.identity.selectors.app_consents import covered_scopes
from shuren.identity.selectors.clients import client_by_client_id
from shuren.identity.selectors.factors import held_factors
from shuren.identity.selectors.notices import notices_about
from shuren.identity.services.gate import check_person, check_program
from shuren.identity.services.oauth.consent import allow_app, answer_notices, refuse_app
from shuren.identity.services.oauth.families import Entry, NewFamily, begin_family, code_for
from shuren.identity.services.oauth.id_tokens import subject_of_account
from shuren.identity.services.oauth.push import PREFIX, drop_pushed, pushed_query
from shuren.identity.services.sign_in import record_sign_out
from shuren.identity.views.oauth.answers import issuer_of
from shuren.identity.views.oauth.entry import entry_of
from shuren.identity.views.oauth.leave import leave
from shuren.identity.views.oauth.words import scope_lines
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.trust.api import blind_index

Query = Mapping[str, Sequence[str]]
AGAIN = "again_after"
_AGAIN_PURPOSE = "identity.oauth_again"
_AGAIN_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Call:
    """A request at a known app: its parameters, where it is answered, and its address at this endpoint."""

    query: Query
    client: ClientData
    redirect_uri: str
    address: str


@open_door
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """A POST from an app's page carries no session cookie, so it goes on as a GET (OpenID Connect Core 3.1.2.1)."""
    if request.method == "POST":
        return redirect(f"{request.path}?{_kept(request.POST).urlencode()}")
    now = clock.now()
    try:
        call = _call(request, now=now)
    except AppUnknown as fault:
        return _unknown(request, fault)
    try:
        asking = asked_of(call.query, client=call.client, redirect_uri=call.redirect_uri)
        return _answered(request, call, asking, now=now)
    except OAuthFault as fault:
        return _back(request, call, {"error": fault.error} | _described(fault))


@never_cache
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Yes, no, or somebody else: what the person chose on the consent page, checked again from the start."""
    now, entry = clock.now(), entry_of(request)
    try:
        call = _call(request, now=now)
    except AppUnknown as fault:
        return _unknown(request, fault)
    try:
        asking = asked_of(call.query, client=call.client, redirect_uri=call.redirect_uri)
        if entry is None or request.POST.get("decision") == "switch":
            return _sign_in_again(request, call, now=now)
        if request.POST.get("decision") != "allow":
            refuse_app(actor=actor_of(request), client_pk=call.client.id, scopes=asking.scopes, now=now)
            raise OAuthFault("access_denied", "the person said no")
        _check_app(request, call, asking, now=now)
        allow_app(actor=actor_of(request), client_pk=call.client.id, scopes=asking.scopes, now=now)
        agreed = request.POST.getlist("notice")
        answer_notices(actor=actor_of(request), client=call.client, agreed=agreed, now=now)
        return _let_in(request, call, asking, entry, now=now)
    except OAuthFault as fault:
        return _back(request, call, {"error": fault.error} | _described(fault))


def _call(request: HttpRequest, *, now: datetime) -> Call:
    query: Query = {key: request.GET.getlist(key) for key in request.GET}
    client_ids = list(query.get("client_id", ()))
    client = client_by_client_id(client_ids[0]) if len(client_ids) == 1 else None
    address = f"{reverse('identity:authorize')}?{_kept(request.GET).urlencode()}"
    names = list(query.get("request_uri", ()))
    if len(names) == 1 and names[0].startswith(PREFIX):
        query = pushed_query(request_uri=names[0], client=client, now=now)
    redirect_uri = return_address(query, client)
    assert client is not None
    return Call(query, client, redirect_uri, address)


def _answered(request: HttpRequest, call: Call, asking: Asking, *, now: datetime) -> HttpResponse:
    entry = entry_of(request)
    _check_app(request, call, asking, now=now)
    if asking.is_silent:
        return _silently(request, call, asking, entry, now=now)
    if entry is None and actor_of(request).account_id is None:
        return redirect(f"{reverse('identity:sign_in')}?{urlencode({'next': call.address})}")
    if entry is None:
        return _sign_in_again(request, call, now=now)
    if _must_come_again(request, asking, entry, now=now):
        if is_weak(request):
            return _sign_in_again(request, replace(call, address=_marked(call, asking, now=now)), now=now)
        return redirect(f"{reverse('identity:confirm')}?{urlencode({'next': _marked(call, asking, now=now)})}")
    if _falls_short(asking, entry):
        return _step_up(request, call, asking, entry, now=now)
    due = step_due(request, authorize)
    if due is not None:
        return redirect(f"{due}?{urlencode({'next': call.address})}")
    return _go_on(request, call, asking, entry, now=now)


def _go_on(request: HttpRequest, call: Call, asking: Asking, entry: Entry, *, now: datetime) -> HttpResponse:
    """To the app, by way of the consent page where something is still to be answered."""
    _check_subject(call, asking, entry)
    if _must_ask(request, asking, entry, now=now) or asking.prompts & {"consent", "select_account"}:
        return _ask(request, call, asking, now=now)
    return _let_in(request, call, asking, entry, now=now)


def _silently(request: HttpRequest, call: Call, asking: Asking, entry: Entry | None, *, now: datetime) -> HttpResponse:
    """prompt=none: an answer at once, never a page (OpenID Connect Core 3.1.2.6)."""
    if entry is None or _is_too_old(asking, entry, now=now):
        raise OAuthFault("login_required")
    if step_due(request, authorize) is not None or (_falls_short(asking, entry) and asking.claims.is_acr_essential):
        raise OAuthFault("interaction_required")
    _check_subject(call, asking, entry)
    if _must_ask(request, asking, entry, now=now):
        raise OAuthFault("consent_required")
    return _let_in(request, call, asking, entry, now=now)


def _check_app(request: HttpRequest, call: Call, asking: Asking, *, now: datetime) -> None:
    """Whether the app may let this person in; who is asked without a page is refused without one."""
    actor = actor_of(request)
    if asking.is_silent:
        check_program(call.client, actor=actor if actor.account_id is not None else None, now=now)
    elif actor.account_id is not None:
        check_person(call.client, actor=actor, now=now)


def _must_ask(request: HttpRequest, asking: Asking, entry: Entry, *, now: datetime) -> bool:
    """Whether a scope was not allowed yet, or a notice of the directory about this app waits for this person's answer."""
    if asking.client.is_first_party:
        return False
    if not set(asking.scopes) <= covered_scopes(account_id=entry.account_id, client_pk=asking.client.id):
        return True
    return any(notice.is_waiting for notice in notices_about(actor=actor_of(request), client=asking.client, now=now))


def _falls_short(asking: Asking, entry: Entry) -> bool:
    """Whether the app wants to be surer of who is there than we are (`acr_values`, or `acr` among the claims)."""
    wanted = asking.claims.wanted()
    unknown = wanted is None and asking.claims.is_acr_essential
    return unknown or (wanted is not None and not reaches(assurance_in(entry.acr), wanted))


def _step_up(request: HttpRequest, call: Call, asking: Asking, entry: Entry, *, now: datetime) -> HttpResponse:
    """Ask for a second factor, once; what cannot be shown is refused where the app insists, and reported where it does not."""
    wanted, held = asking.claims.wanted(), held_factors(entry.account_id)
    can = wanted is not None and (held.passkeys > 0 if wanted is Assurance.CRYPTOGRAPHIC else held.has_second)
    if can and not _was_asked(request, asking, now=now):
        return redirect(f"{reverse('identity:confirm')}?{urlencode({'next': _marked(call, asking, now=now)})}")
    if asking.claims.is_acr_essential:
        raise OAuthFault("unmet_authentication_requirements", "the acr asked for cannot be reached")
    return _go_on(request, call, asking, entry, now=now)


def _check_subject(call: Call, asking: Asking, entry: Entry) -> None:
    """An app that asks for one person by `sub` gets that one or nobody (OpenID Connect Core 5.5.1)."""
    if asking.claims.sub and asking.claims.sub != subject_of_account(entry.account_id, call.client):
        raise OAuthFault("login_required", "somebody else is signed in")


def _is_too_old(asking: Asking, entry: Entry, *, now: datetime) -> bool:
    return asking.max_age is not None and now - entry.authenticated_at > timedelta(seconds=asking.max_age)


def _must_come_again(request: HttpRequest, asking: Asking, entry: Entry, *, now: datetime) -> bool:
    """Whether the app wants a fresh sign-in that has not happened since it asked."""
    if "login" not in asking.prompts and not _is_too_old(asking, entry, now=now):
        return False
    asked_at = _asked_at(request, asking)
    return asked_at is None or not asked_at <= entry.authenticated_at or now - asked_at > _AGAIN_FOR


def _was_asked(request: HttpRequest, asking: Asking, *, now: datetime) -> bool:
    asked_at = _asked_at(request, asking)
    return asked_at is not None and now - asked_at <= _AGAIN_FOR


def _asked_at(request: HttpRequest, asking: Asking) -> datetime | None:
    """Since when a proof counts, as the mark in the address says; None without a mark of ours for this very question."""
    second, _dot, mac = request.GET.get(AGAIN, "").partition(".")
    if not second.isdigit() or not hmac.compare_digest(mac, _again_mac(second, asking)):
        return None
    return datetime.fromtimestamp(int(second), UTC)


def _marked(call: Call, asking: Asking, *, now: datetime) -> str:
    """The address of this request, remembering since when a proof counts, so that it is not asked for for ever."""
    second = str(int(now.timestamp()))
    return f"{call.address}&{urlencode({AGAIN: f'{second}.{_again_mac(second, asking)}'})}"


def _sign_in_again(request: HttpRequest, call: Call, *, now: datetime) -> HttpResponse:
    """End this session and let somebody sign in anew; what comes after it is fresh by itself."""
    if request.session.session_key:
        record_sign_out(actor=actor_of(request), session_key=request.session.session_key, now=now)
    logout(request)
    return redirect(f"{reverse('identity:sign_in')}?{urlencode({'next': call.address})}")


def _again_mac(second: str, asking: Asking) -> str:
    bound = f"{second}\n{asking.client.client_id}\n{asking.code_challenge}\n{asking.state}\n{asking.nonce}"
    return blind_index(bound, purpose=_AGAIN_PURPOSE)


def _ask(request: HttpRequest, call: Call, asking: Asking, *, now: datetime) -> HttpResponse:
    context = {
        "notices": notices_about(actor=actor_of(request), client=call.client, now=now),
        "client": call.client,
        "host": call.client.sector,
        "lines": scope_lines(asking.scopes),
        "decide_url": f"{reverse('identity:decide')}?{call.address.partition('?')[2]}",
        "is_choice": "select_account" in asking.prompts,
    }
    return render(request, "identity/oauth/consent.html", context)


def _let_in(request: HttpRequest, call: Call, asking: Asking, entry: Entry, *, now: datetime) -> HttpResponse:
    family = begin_family(
        actor=actor_of(request),
        family=NewFamily(
            client_pk=call.client.id,
            entry=entry,
            scopes=asking.scopes,
            issuer=issuer_of(request),
            redirect_uri=call.redirect_uri,
            code_challenge=asking.code_challenge,
            nonce=asking.nonce,
            id_claims=asking.claims.in_id_token,
        ),
        now=now,
    )
    drop_pushed(request_uri=request.GET.get("request_uri", ""))
    return _back(request, call, {"code": code_for(family, now=now)})


def _back(request: HttpRequest, call: Call, answer: dict[str, str]) -> HttpResponse:
    """Every answer names its issuer (RFC 9207) and gives the state back as it came."""
    states = list(call.query.get("state", ()))
    state = {"state": states[0]} if len(states) == 1 and states[0] else {}
    is_form_post = list(call.query.get("response_mode", ())) == ["form_post"]
    return leave(request, call.redirect_uri, answer | state | {"iss": issuer_of(request)}, is_form_post=is_form_post)


def _described(fault: OAuthFault) -> dict[str, str]:
    return {"error_description": fault.description} if fault.description else {}


def _kept(sent: QueryDict) -> QueryDict:
    """The parameters that we read, and the mark of a sign-in asked for anew."""
    kept = QueryDict(mutable=True)
    for key in (*PARAMETERS, AGAIN):
        for value in sent.getlist(key):
            kept.appendlist(key, value)
    return kept


def _unknown(request: HttpRequest, fault: AppUnknown) -> HttpResponse:
    """A page for the person; going back to an address that nobody registered would make us an open redirector."""
    reasons = {
        "client": _("这个应用没有在本平台登记，或者已经停用。"),
        "redirect_uri": _("这个应用要求返回的网址没有在本平台登记，为了您的安全，没有继续。"),
        "request_uri": _("应用发来的登录请求已经过期。"),
    }
    return render(request, "identity/oauth/unknown.html", {"reason": reasons[fault.reason]}, status=400)
