"""What machines fetch: credentials, issuers' keys, status lists, and the Open Badges 3.0 API."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from shuren.certificates.data import CertificateKind
from shuren.certificates.models import Certificate, TemplateVersion
from shuren.certificates.rules.credentials import ACHIEVEMENT_TYPES, CONTEXTS, did_of
from shuren.certificates.selectors.certificates import certificate_by_number, certificates_of, credential_of
from shuren.certificates.selectors.issuer import base_url, issuer_document
from shuren.certificates.services.disclose import tell_certificates, tell_name
from shuren.certificates.services.present import status_list as signed_list
from shuren.certificates.services.present import token_of
from shuren.directory import api as directory
from shuren.identity.api import actor_of, admit_bearer, bearer_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.doors import open_door
from shuren.kernel.errors import Refused

READ_SCOPE = "https://purl.imsglobal.org/spec/ob/v3p0/scope/credential.readonly"
PROFILE_SCOPE = "https://purl.imsglobal.org/spec/ob/v3p0/scope/profile.readonly"
_AT_MOST = 100


def _json(document: object, *, kind: str = "application/json") -> HttpResponse:
    response = JsonResponse(document, safe=False, json_dumps_params={"ensure_ascii": False}, content_type=kind)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _by_number(number: str) -> Certificate:
    row = certificate_by_number(number)
    if row is None:
        raise Http404
    return row


@open_door
@never_cache
@require_safe
def credential(request: HttpRequest, number: str) -> HttpResponse:
    return _json(credential_of(_by_number(number)), kind="application/vc")


@open_door
@never_cache
@require_safe
def token(request: HttpRequest, number: str) -> HttpResponse:
    response = HttpResponse(token_of(_by_number(number), now=clock.now()), content_type="application/vc+jwt")
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@open_door
@cache_control(public=True, max_age=3600)
@require_safe
def achievement(request: HttpRequest, key: str) -> HttpResponse:
    template_id, _dash, number = key.partition("-")
    version = None
    if number.isdecimal() and len(number) < 6:
        rows = TemplateVersion.objects.select_related("template")
        version = rows.filter(template_id=ids.decode("template", template_id), number=int(number)).first()
    if version is None:
        raise Http404
    url = f"{base_url()}/achievements/{key}"
    return _json(
        {
            "@context": CONTEXTS,
            "id": url,
            "type": ["Achievement"],
            "achievementType": ACHIEVEMENT_TYPES[CertificateKind(version.template.kind)],
            "name": version.name,
            "description": version.criteria,
            "criteria": {"id": f"{url}#criteria", "narrative": version.criteria},
        },
        kind="application/ld+json",
    )


# A minute is what a revocation may stay unknown to whoever trusts caches.
@open_door
@cache_control(public=True, max_age=60)
@require_safe
def status_list(request: HttpRequest, number: int) -> HttpResponse:
    return _json(signed_list(number, now=clock.now()), kind="application/vc")


@open_door
@cache_control(public=True, max_age=300)
@require_safe
def issuer(request: HttpRequest, org_id: str) -> HttpResponse:
    return _json(issuer_document(org_id), kind="application/did+json")


@open_door
@cache_control(public=True, max_age=300)
@require_safe
def discovery(request: HttpRequest) -> HttpResponse:
    """The ServiceDescriptionDocument of Open Badges 3.0 § 6.1: an OpenAPI 3.0 document, open to everybody."""
    base = base_url()
    flows = {
        "authorizationCode": {
            "authorizationUrl": f"{base}/oauth/authorize/",
            "tokenUrl": f"{base}/oauth/token/",
            "scopes": {READ_SCOPE: "Read the credentials of the person.", PROFILE_SCOPE: "Read the profile of the person."},
        }
    }
    return _json(
        {
            "openapi": "3.0.1",
            "info": {
                "title": "Open Badges API",
                "version": "3.0",
                "termsOfService": f"{base}/",
                "x-imssf-privacyPolicyUrl": f"{base}/",
            },
            "servers": [{"url": f"{base}/ims/ob/v3p0"}],
            "components": {"securitySchemes": {"OAuth2ACG": {"type": "oauth2", "flows": flows}}},
            "paths": {
                "/credentials": {"get": {"operationId": "getCredentials", "security": [{"OAuth2ACG": [READ_SCOPE]}]}},
                "/profile": {"get": {"operationId": "getProfile", "security": [{"OAuth2ACG": [PROFILE_SCOPE]}]}},
            },
        }
    )


@open_door
@never_cache
@require_safe
def credentials(request: HttpRequest) -> HttpResponse:
    """getCredentials: those of the person behind the token, newest first, by `limit`, `offset` and `since`."""
    actor = _actor_behind(request, READ_SCOPE)
    if isinstance(actor, HttpResponse):
        return actor
    assert actor.person_id is not None
    limit, offset = _number(request, "limit", 20), _number(request, "offset", 0)
    rows = certificates_of([actor.person_id]).defer(None)
    if since := request.GET.get("since", ""):
        try:
            moment = datetime.fromisoformat(since)
        except ValueError:
            return _fault(400, "invaliddata", _("since 不是时间。"))
        rows = rows.filter(given_at__gte=moment if moment.tzinfo else moment.astimezone())
    limit = max(1, min(limit, _AT_MOST))
    found = list(rows[offset : offset + limit])
    try:
        tell_certificates(actor=actor, rows=found, now=clock.now())
    except Refused as refusal:
        return _fault(403, "forbidden", str(refusal))
    response = _json({"credential": [credential_of(row) for row in found], "compactJwsString": []})
    response.headers["X-Total-Count"] = str(rows.count())
    return response


@open_door
@never_cache
@require_safe
def profile(request: HttpRequest) -> HttpResponse:
    """getProfile: the name of the person behind the token, as the app may be told it, and nothing more."""
    actor = _actor_behind(request, PROFILE_SCOPE)
    if isinstance(actor, HttpResponse):
        return actor
    assert actor.person_id is not None
    try:
        name = tell_name(actor=actor, now=clock.now())
    except Refused as refusal:
        return _fault(403, "forbidden", str(refusal))
    root = directory.root_org()
    host = did_of(base_url(), root.public_id if root else "")
    return _json({"id": f"{host}:people:{ids.encode('person', actor.person_id)}", "type": ["Profile"], "name": name})


def _actor_behind(request: HttpRequest, scope: str) -> Actor | HttpResponse:
    """The app acting for a person who allowed it `scope`, or the answer that says why not."""
    bearer = bearer_of(request)
    if bearer is None:
        answer = _fault(401, "unauthorized", _("访问令牌无效或已过期。"))
        answer.headers["WWW-Authenticate"] = 'Bearer realm="shuren", error="invalid_token"'
        return answer
    if bearer.person_id is None or scope not in bearer.scopes:
        return _fault(403, "forbidden", _("这个应用没有得到这项授权。"))
    admit_bearer(request)
    return actor_of(request)


def _number(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 9 else default


def _fault(status: int, minor: str, text: str) -> HttpResponse:
    """Imsx_StatusInfo, the errors of 1EdTech."""
    codes = {"imsx_codeMinorField": [{"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}]}
    body = {"imsx_codeMajor": "failure", "imsx_severity": "error", "imsx_description": text, "imsx_codeMinor": codes}
    return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
