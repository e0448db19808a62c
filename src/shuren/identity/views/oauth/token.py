"""Doors for programs: tokens, what they are worth, taking them back, and questions that come by the back door."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from shuren.identity.rules.oauth.faults import OAuthFault
from shuren.identity.services.oauth.devices import ask_for_device
from shuren.identity.services.oauth.families import revoke_token
from shuren.identity.services.oauth.grant import grant_token
from shuren.identity.services.oauth.introspect import introspection
from shuren.identity.services.oauth.prove import proved_client
from shuren.identity.services.oauth.push import push_request
from shuren.identity.views.oauth.answers import address_of_view, endpoint, issuer_of, json_answer, proof_of
from shuren.kernel import clock

_SECRETS = ("client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "device_code", "token")


@endpoint
@sensitive_post_parameters(*_SECRETS)
def token(request: HttpRequest) -> HttpResponse:
    return json_answer(grant_token(proof=proof_of(request), now=clock.now()))


@endpoint
@sensitive_post_parameters(*_SECRETS)
def introspect(request: HttpRequest) -> HttpResponse:
    return json_answer(introspection(proof=proof_of(request), issuer=issuer_of(request), now=clock.now()))


@endpoint
@sensitive_post_parameters(*_SECRETS)
def revoke(request: HttpRequest) -> HttpResponse:
    """Answers 200 whether or not there was anything to revoke (RFC 7009 2.2)."""
    proof, now = proof_of(request), clock.now()
    client = proved_client(proof=proof, now=now)
    if not proof.form.get("token"):
        raise OAuthFault("invalid_request", "token is missing")
    revoke_token(text=proof.form["token"], client_pk=client.id, now=now)
    return HttpResponse(status=200)


@endpoint
@sensitive_post_parameters(*_SECRETS)
def push(request: HttpRequest) -> HttpResponse:
    """Pushed authorization requests (RFC 9126)."""
    proof, now = proof_of(request), clock.now()
    client = proved_client(proof=proof, now=now)
    return json_answer(push_request(client=client, form=proof.form, now=now), status=201)


@endpoint
@sensitive_post_parameters(*_SECRETS)
def device_authorization(request: HttpRequest) -> HttpResponse:
    proof, now = proof_of(request), clock.now()
    client = proved_client(proof=proof, now=now)
    answer = ask_for_device(
        client=client,
        scope=proof.form.get("scope", ""),
        issuer=issuer_of(request),
        page=address_of_view(request, "identity:device"),
        now=now,
    )
    return json_answer(answer)
