"""A tool as others write them: Django with PyLTI1p3, run as its own process. `python lti_tool.py PORT`.

`POST /configure/` says whom it belongs to; `/done/` carries out what a teacher's or a test's click would start.
"""

import json
import sys
from typing import Any

import django
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

PORT = sys.argv[1]
OWN = f"http://127.0.0.1:{PORT}"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = _KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
PUBLIC = _KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

settings.configure(
    SECRET_KEY="of the tool alone",
    ROOT_URLCONF="lti_tool",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    SESSION_COOKIE_NAME="tool_session",
)
django.setup()

from django.core.management import call_command  # noqa: E402  # only after the settings stand
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from pylti1p3.contrib.django import (  # noqa: E402
    DjangoCacheDataStorage,
    DjangoMessageLaunch,
    DjangoOIDCLogin,
)
from pylti1p3.deep_link_resource import DeepLinkResource  # noqa: E402
from pylti1p3.exception import LtiException, LtiServiceException  # noqa: E402
from pylti1p3.grade import Grade  # noqa: E402
from pylti1p3.lineitem import LineItem  # noqa: E402
from pylti1p3.registration import Registration  # noqa: E402
from pylti1p3.service_connector import ServiceConnector  # noqa: E402
from pylti1p3.tool_config import ToolConfDict  # noqa: E402

CONFIG: dict[str, Any] = {}


def conf() -> ToolConfDict:
    found = ToolConfDict(CONFIG)
    for issuer in CONFIG:
        found.set_private_key(issuer, PRIVATE)
        found.set_public_key(issuer, PUBLIC)
    return found


def configure(request: HttpRequest) -> HttpResponse:
    facts = json.loads(request.body)
    issuer = facts["issuer"]
    CONFIG[issuer] = {
        "default": True,
        "client_id": facts["client_id"],
        "auth_login_url": f"{issuer}/lti/authorize/",
        "auth_token_url": f"{issuer}/oauth/token/",
        "key_set_url": f"{issuer}/oauth/jwks/",
        "deployment_ids": [facts["deployment_id"]],
    }
    return HttpResponse("done")


def register(request: HttpRequest) -> HttpResponse:
    """Register ourselves where a vendor's browser comes from (LTI Dynamic Registration 1.0)."""
    platform = requests.get(request.GET["openid_configuration"], timeout=60).json()
    ourselves = {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": f"{OWN}/login/",
        "redirect_uris": [f"{OWN}/other/", f"{OWN}/launch/"],
        "client_name": "Sums every day",
        "client_name#zh": "每日口算",
        "jwks_uri": f"{OWN}/jwks/",
        "policy_uri": f"{OWN}/privacy/",
        "token_endpoint_auth_method": "private_key_jwt",
        "https://purl.imsglobal.org/spec/lti-tool-configuration": {
            "domain": f"127.0.0.1:{PORT}",
            "description": "每天十道口算题。",
            "target_link_uri": f"{OWN}/launch/",
            "claims": ["iss", "sub", "name", "email", "phone_number"],
            "messages": [{"type": "LtiDeepLinkingRequest"}, {"type": "LtiResourceLinkRequest"}],
        },
    }
    bearer = {"Authorization": f"Bearer {request.GET['registration_token']}"}
    answer = requests.post(platform["registration_endpoint"], json=ourselves, headers=bearer, timeout=60)
    return JsonResponse({"platform": platform, "status": answer.status_code, "answer": answer.json()})


def jwks(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"keys": [Registration.get_jwk(PUBLIC)]})


def login(request: HttpRequest) -> HttpResponse:
    if request.GET.get("iss") not in CONFIG:
        return HttpResponse("not ours", status=400)
    found = DjangoOIDCLogin(request, conf(), launch_data_storage=DjangoCacheDataStorage())
    answer: HttpResponse = found.redirect(request.GET["target_link_uri"])
    return answer


def launch(request: HttpRequest) -> HttpResponse:
    try:
        found = DjangoMessageLaunch(request, conf(), launch_data_storage=DjangoCacheDataStorage())
        claims = found.get_launch_data()
    except LtiException as fault:
        return JsonResponse({"fault": str(fault)}, status=403)
    if found.is_deep_link_launch():
        column = LineItem().set_score_maximum(20).set_label("口算练习").set_tag("daily").set_resource_id("r-1")
        chosen = (
            DeepLinkResource().set_url(f"{OWN}/launch/").set_title("口算练习").set_custom_params({"set": "7", "who": "$User.id"})
        )
        chosen.set_lineitem(column)
        return HttpResponse(found.get_deep_link().output_response_form([chosen]))
    return JsonResponse({"launch": found.get_launch_id(), "claims": claims})


def done(request: HttpRequest) -> HttpResponse:
    """Call the platform's services for a launch that was kept: members, or a score given to `user`."""
    kept = DjangoMessageLaunch.from_cache(request.GET["launch"], request, conf(), launch_data_storage=DjangoCacheDataStorage())
    try:
        return JsonResponse({"answer": _called(kept, request.GET)})
    except LtiServiceException as fault:
        return JsonResponse({"fault": fault.response.status_code, "said": fault.response.text})


def token(request: HttpRequest) -> HttpResponse:
    """An access token as this tool draws it."""
    connector = ServiceConnector(conf().find_registration_by_issuer(request.GET["iss"]))
    return JsonResponse({"token": connector.get_access_token(request.GET["scope"].split())})


def _called(kept: Any, asked: Any) -> Any:
    if asked["do"] == "members":
        return kept.get_nrps().get_members()
    if asked["do"] == "page":
        return kept.get_nrps().get_members_page(asked["url"])
    ags = kept.get_ags()
    if asked["do"] == "columns":
        return ags.get_lineitems()
    if asked["do"] == "column":
        column = LineItem().set_tag(asked["tag"]).set_score_maximum(100).set_label("单元测验").set_resource_id("r-2")
        return json.loads(ags.find_or_create_lineitem(column).get_value())
    if asked["do"] == "grades":
        return ags.get_grades()
    grade = Grade().set_score_given(float(asked["given"])).set_score_maximum(float(asked["maximum"]))
    grade.set_timestamp(asked["at"]).set_activity_progress("Completed").set_grading_progress("FullyGraded")
    ags.put_grade(grade.set_user_id(asked["user"]))
    return "done"


urlpatterns = [
    path("configure/", configure),
    path("register/", register),
    path("jwks/", jwks),
    path("login/", login),
    path("launch/", launch),
    path("done/", done),
    path("token/", token),
]

if __name__ == "__main__":
    sys.modules["lti_tool"] = sys.modules["__main__"]
    sys.stdout.write(json.dumps({"ready": PORT}) + "\n")
    sys.stdout.flush()
    call_command("runserver", f"127.0.0.1:{PORT}", "--noreload", "--skip-checks", verbosity=0)
