"""Personal data for an app that a person let in, by the scopes they allowed (OpenID Connect Core 5.3)."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from shuren.identity.api import bearer_of
from shuren.identity.services.oauth.claims import claims_for
from shuren.identity.views.oauth.answers import json_answer, open_to_origins, unstored
from shuren.kernel import clock
from shuren.kernel.doors import open_door


@open_door
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST", "OPTIONS"])
def userinfo(request: HttpRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        return open_to_origins(HttpResponse(status=204))
    bearer = bearer_of(request)
    if bearer is None or bearer.account_id is None:
        return _refused(401, "invalid_token")
    if "openid" not in bearer.scopes:
        return _refused(403, "insufficient_scope")
    return open_to_origins(unstored(json_answer(claims_for(bearer=bearer, now=clock.now()))))


def _refused(status: int, error: str) -> HttpResponse:
    response = open_to_origins(unstored(json_answer({"error": error}, status=status)))
    response.headers["WWW-Authenticate"] = f'Bearer realm="shuren", error="{error}"'
    return response
