"""The root of the API: session sign-in, forgery tokens on every write, one shape for every error."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.security import SessionAuth

from shuren.front.errors import json_error
from shuren.identity.api import actor_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import ShurenError

ROUTERS = {"identity": "/me/", "directory": "", "assessment": "/assessments", "evaluation": "/reports"}


class SignedIn(SessionAuth):
    """The session cookie of a signed-in person; writes need the forgery token in `X-CSRFToken`."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        actor = actor_of(request)
        return actor if actor.account_id is not None else None


api = NinjaAPI(
    title="Shuren 树人",
    version="1",
    description="Ids are opaque text. What lies outside the caller's scope answers 404.",
    auth=SignedIn(),
    urls_namespace="api-v1",
    openapi_url="/openapi.json",
    docs_url=None,
)
for app, prefix in ROUTERS.items():
    api.add_router(prefix, f"shuren.{app}.rest.router")


@api.exception_handler(ShurenError)
def answer_expected(request: HttpRequest, error: Any) -> HttpResponse:
    return json_error(error.status, error.message, error.remedy)


@api.exception_handler(HttpError)
def answer_http(request: HttpRequest, error: Any) -> HttpResponse:
    return json_error(error.status_code, str(error), "")


@api.exception_handler(ValidationError)
def answer_invalid(request: HttpRequest, error: Any) -> HttpResponse:
    places = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors]
    return json_error(422, _("内容不合要求。"), "; ".join(places))
