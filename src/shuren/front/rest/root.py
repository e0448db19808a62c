"""The root of the API: session sign-in, forgery tokens on every write, one shape for every error."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.security import HttpBearer, SessionAuth

from shuren.front.description import complete
from shuren.front.errors import details_of, json_error
from shuren.identity.api import actor_of, bearer_of, confine_bearer
from shuren.interop import api as interop
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, ShurenError
from shuren.pages.api import holds_unfit

ROUTERS = {
    "identity": "/me/",
    "directory": "",
    "assessment": "/assessments",
    "evaluation": "/reports",
    "standards": "/standards",
}
# What only apps of the register call, with the OAuth scope they need for it.
APP_ROUTERS = {"crypto": "crypto", "webhooks": "webhooks"}
# The OAuth scope that lets an app read what a router offers; what is not named here is for signed-in people only.
READ_SCOPES = {
    "directory": "directory.read",
    "assessment": "assessments.read",
    "evaluation": "reports.read",
    # What the fields of the directory mean is no secret of anybody: whoever reads them may know.
    "standards": "directory.read",
}


class SignedIn(SessionAuth):
    """The session cookie of a signed-in person; writes need the forgery token in `X-CSRFToken`."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        actor = actor_of(request)
        return actor if actor.account_id is not None and actor.app is None else None


class AppToken(HttpBearer):
    """An access token of an app with the scope of this part of the API: one to read, and where tokens write one to write."""

    def __init__(self, reads: str, *, writes: str = "") -> None:
        super().__init__()
        self.reads, self.writes = reads, writes

    def scope_for(self, methods: Iterable[str | None]) -> str:
        return self.reads if set(methods) <= {"GET", "HEAD"} else self.writes

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        bearer = bearer_of(request)
        if bearer is None:
            return None
        scope = self.scope_for([request.method])
        if not scope or scope not in bearer.scopes:
            raise HttpError(403, _("这个应用没有得到这项授权。"))
        app = interop.app_of_client(bearer.client_id)
        if app is not None:
            # An org that agreed to another scope of the app has not agreed to this one.
            confine_bearer(request, paths=interop.paths_of_app(app, scopes=(scope,)))
        return actor_of(request)


class KeptTextParser(Parser):
    """Refuses text that no database keeps before anybody works with it."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        told = super().parse_body(request)
        _refuse_unfit(told)
        return told

    def parse_querydict(self, data: Any, list_fields: list[str], request: HttpRequest) -> dict[str, Any]:
        told = super().parse_querydict(data, list_fields, request)
        _refuse_unfit(told)
        return told


def _refuse_unfit(told: object) -> None:
    if holds_unfit(told):
        raise Invalid(_("内容里有不能保存的字符：NUL，或残缺的 Unicode 代理对。"), remedy=_("请去掉这样的字符再发送。"))


class DescribedAPI(NinjaAPI):
    """An API whose OpenAPI document says for every operation which scope opens it and what its errors look like."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        scopes = {
            operation.operation_id or operation.view_func.__name__: callback.scope_for(operation.methods)
            for router in self._get_bound_routers()
            for view in router.path_operations.values()
            for operation in view.operations
            for callback in operation.auth_callbacks
            if isinstance(callback, AppToken)
        }
        return complete(super().get_openapi_schema(**options), scopes)


api = DescribedAPI(
    title="Shuren 树人",
    version="1",
    description=(
        "Ids are opaque text. What lies outside the caller's scope answers 404. Lists are paged by `page` (from 1) and `size`; "
        "`total` is a lower bound where `is_exact` is false. Every error has the shape of `ErrorOut`."
    ),
    auth=SignedIn(),
    parser=KeptTextParser(),
    urls_namespace="api-v1",
    openapi_url="/openapi.json",
    docs_url=None,
)
for app, prefix in ROUTERS.items():
    auth = [AppToken(READ_SCOPES[app]), SignedIn()] if app in READ_SCOPES else SignedIn()
    api.add_router(prefix, f"shuren.{app}.rest.router", auth=auth)
for name, scope in APP_ROUTERS.items():
    api.add_router(f"/{name}", f"shuren.interop.rest.{name}.router", auth=AppToken(scope, writes=scope))
api.add_router("", "shuren.datahub.rest.events.router", auth=AppToken("lineage.write", writes="lineage.write"))
api.add_router("/catalogue", "shuren.datahub.rest.catalogue.router")
api.add_router("/sharing", "shuren.datahub.rest.sharing.router")
api.add_router("/exchange", "shuren.datahub.rest.exchange.router")
api.add_router("/exchange/views", "shuren.datahub.rest.view_sources.router")
api.add_router("/workbench", "shuren.datahub.rest.workbench.router")
api.add_router("", "shuren.datahub.rest.life_cycle.router")
api.add_router("", "shuren.front.rest.quarantine.router")
api.add_router("", "shuren.records.rest.courses.router")
api.add_router("", "shuren.records.rest.learning.router")
api.add_router("", "shuren.casework.rest.cases.router")
registers = [AppToken("registers.read", writes="registers.write"), SignedIn()]
api.add_router("", "shuren.casework.rest.entries.router", auth=registers)
api.add_router("/apps", "shuren.interop.rest.catalogue.router")
api.add_router("/developer", "shuren.interop.rest.developer.router")
api.add_router("/roster-sources", "shuren.interop.rest.roster_sources.router")
api.add_router("/statistics", "shuren.interop.rest.statistics.router")


@api.exception_handler(ShurenError)
def answer_expected(request: HttpRequest, error: Any) -> HttpResponse:
    response = json_error(error.status, error.message, error.remedy, **details_of(error))
    if hasattr(error, "retry_after"):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


@api.exception_handler(HttpError)
def answer_http(request: HttpRequest, error: Any) -> HttpResponse:
    # A body that cannot be read is told of by the library, without our words about it.
    if isinstance(error.__cause__, ShurenError):
        return answer_expected(request, error.__cause__)
    return json_error(error.status_code, str(error), "")


@api.exception_handler(ValidationError)
def answer_invalid(request: HttpRequest, error: Any) -> HttpResponse:
    places = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors]
    return json_error(422, _("内容不合要求。"), "; ".join(places))
