"""The SCIM 2.0 service over HTTP (RFC 7644), for clients with an access token; sessions are not looked at."""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from pydantic import ValidationError
from scim2_models import (
    Context,
    Error,
    ForbiddenException,
    InvalidSyntaxException,
    InvalidValueException,
    ListResponse,
    Meta,
    NotFoundException,
    NotImplementedException,
    PayloadTooLargeException,
    Resource,
    ResponseParameters,
    SCIMException,
    SearchRequest,
    UnauthorizedException,
)

from shuren.identity.api import actor_of, admit_bearer, bearer_of, confine_bearer
from shuren.interop.rules.scim.faults import error_of
from shuren.interop.rules.scim.resources import (
    MAX_PAYLOAD,
    Group,
    User,
    resource_types,
    schemas,
    service_provider_config,
)
from shuren.interop.selectors.agreed import paths_of_app
from shuren.interop.selectors.apps import app_of_client
from shuren.interop.selectors.people import scopes_for
from shuren.interop.services.scim.bulk import serve_bulk
from shuren.interop.services.scim.callers import Caller
from shuren.interop.services.scim.provision_groups import create_group, delete_group, patch_group, replace_group
from shuren.interop.services.scim.provision_users import create_user, delete_user, patch_user, replace_user
from shuren.interop.services.scim.tell_groups import access_group, find_groups, group_told
from shuren.interop.services.scim.tell_users import Found, access_user, find_users, users_of
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import ShurenError

MEDIA_TYPE = "application/scim+json"
SCOPES = frozenset({"scim.read", "scim.write", "scim.people"})
_ROOT = "/scim/v2"
View = Callable[..., HttpResponse]
Served = Callable[..., HttpResponse]


def _endpoint(*methods: str) -> Callable[[Served], View]:
    """A view that asks for a token itself, answers other methods with 405, and puts every error into the shape of SCIM."""

    def mark(view: Served) -> View:
        @csrf_exempt
        @open_door
        @wraps(view)
        def served(request: HttpRequest, **names: str) -> HttpResponse:
            try:
                caller = _caller(request)
                if request.method not in methods:
                    return _fault(Error(status=405, detail=f"Allowed here: {', '.join(methods)}."), Allow=", ".join(methods))
                return view(request, caller, **names)
            except (SCIMException, ShurenError, ValidationError) as error:
                return _fault(error_of(error))

        return served

    return mark


@_endpoint("GET")
def config(request: HttpRequest, caller: Caller) -> HttpResponse:
    return _told(_placed(service_provider_config(), caller, "/ServiceProviderConfig"))


@_endpoint("GET")
def types(request: HttpRequest, caller: Caller, name: str = "") -> HttpResponse:
    found = [_placed(one, caller, f"/ResourceTypes/{one.id}") for one in resource_types()]
    return _described(request, found, name)


@_endpoint("GET")
def schema_list(request: HttpRequest, caller: Caller, name: str = "") -> HttpResponse:
    found = [_placed(one, caller, f"/Schemas/{one.id}") for one in schemas()]
    return _described(request, found, name)


@_endpoint("GET", "POST")
def users(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Find people, or open an account."""
    if request.method == "POST":
        return _told(create_user(caller, _body(request)), 201, _parameters(request, User))
    return _listed(User, find_users, caller, _asked(request.GET, User))


@_endpoint("GET", "PUT", "PATCH", "DELETE")
def user(request: HttpRequest, caller: Caller, user_id: str) -> HttpResponse:
    asked = _parameters(request, User)
    if request.method == "GET":
        return _read(request, users_of(caller, [access_user(caller, user_id)])[0], asked)
    if_match = request.headers.get("If-Match", "")
    if request.method == "DELETE":
        delete_user(caller, user_id, if_match=if_match)
        return HttpResponse(status=204)
    change = replace_user if request.method == "PUT" else patch_user
    return _told(change(caller, user_id, _body(request), if_match=if_match), 200, asked)


@_endpoint("POST")
def search_users(request: HttpRequest, caller: Caller) -> HttpResponse:
    return _listed(User, find_users, caller, _asked(_body(request), User))


@_endpoint("GET", "POST")
def groups(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Find orgs, or make a department."""
    if request.method == "POST":
        return _told(create_group(caller, _body(request)), 201, _parameters(request, Group))
    return _listed(Group, find_groups, caller, _asked(request.GET, Group))


@_endpoint("GET", "PUT", "PATCH", "DELETE")
def group(request: HttpRequest, caller: Caller, group_id: str) -> HttpResponse:
    asked = _parameters(request, Group)
    if request.method == "GET":
        return _read(request, group_told(caller, access_group(caller, group_id), asked), asked)
    if_match = request.headers.get("If-Match", "")
    if request.method == "DELETE":
        delete_group(caller, group_id, if_match=if_match)
        return HttpResponse(status=204)
    change = replace_group if request.method == "PUT" else patch_group
    return _told(change(caller, group_id, _body(request), if_match=if_match), 200, asked)


@_endpoint("POST")
def search_groups(request: HttpRequest, caller: Caller) -> HttpResponse:
    return _listed(Group, find_groups, caller, _asked(_body(request), Group))


@_endpoint("GET")
def me(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The person for whom the client calls; 404 where it calls in its own name (RFC 7644 3.11)."""
    if caller.actor.person_id is None:
        raise NotFoundException(detail="This token belongs to a client, not to a person.")
    return _read(request, users_of(caller, [caller.actor.person_id])[0], _parameters(request, User))


@_endpoint("POST")
def bulk(request: HttpRequest, caller: Caller) -> HttpResponse:
    return _answer(serve_bulk(caller, _body(request)))


@_endpoint("POST")
def search(request: HttpRequest, caller: Caller) -> HttpResponse:
    raise NotImplementedException(detail="Search /Users/.search or /Groups/.search.")


@_endpoint("GET", "POST", "PUT", "PATCH", "DELETE")
def nothing(request: HttpRequest, caller: Caller, rest: str) -> HttpResponse:
    raise NotFoundException(detail="There is no such endpoint.")


def _caller(request: HttpRequest) -> Caller:
    bearer = bearer_of(request)
    if bearer is None or not admit_bearer(request):
        raise UnauthorizedException
    if not bearer.scopes & SCOPES:
        raise ForbiddenException(detail="One of the scopes scim.read, scim.write, scim.people is needed.")
    app = app_of_client(bearer.client_id)
    now, held = clock.now(), bearer.scopes & SCOPES
    if app is not None:
        confine_bearer(request, paths=paths_of_app(app, scopes=held))
        if not scopes_for(app, actor_of(request), held, now=now):
            raise ForbiddenException(detail="The school agreed to a version of this app without SCIM.")
    actor = actor_of(request)
    return Caller(
        actor=actor,
        client_id=bearer.client_id,
        recipient=actor.app.recipient if actor.app else "",
        purpose=bearer.purpose,
        home_id=bearer.org_id,
        base=request.build_absolute_uri(_ROOT),
        now=now,
        app=app,
    )


def _body(request: HttpRequest) -> Mapping[str, Any]:
    if len(request.body) > MAX_PAYLOAD:
        raise PayloadTooLargeException(detail=f"At most {MAX_PAYLOAD} bytes.")
    try:
        body = json.loads(request.body)
    except ValueError:
        raise InvalidSyntaxException(detail="The body is not JSON.") from None
    if not isinstance(body, dict):
        raise InvalidSyntaxException(detail="The body is not an object.")
    return body


def _asked(source: Mapping[str, Any], model: type[Resource[Any]]) -> SearchRequest[Any]:
    known = {key: source[key] for key in source if key != "schemas"}
    try:
        return SearchRequest[model].model_validate(known)  # type: ignore[valid-type]  # the model is known at run time only
    except ValidationError as error:
        raise _of_first(error) from error


def _parameters(request: HttpRequest, model: type[Resource[Any]]) -> ResponseParameters[Any]:
    known = {key: request.GET[key] for key in ("attributes", "excludedAttributes") if key in request.GET}
    return ResponseParameters[model].model_validate(known)  # type: ignore[valid-type]  # the model is known at run time only


def _of_first(error: ValidationError) -> SCIMException:
    fault = error_of(error)
    return InvalidValueException(detail=fault.detail) if fault.scim_type is None else SCIMException.from_error(fault)


def _described(request: HttpRequest, found: list[Any], name: str) -> HttpResponse:
    """A discovery list is a ListResponse; filters are refused on it (RFC 7644 4)."""
    if name:
        for one in found:
            if one.id == name:
                return _told(one)
        raise NotFoundException
    if "filter" in request.GET:
        raise ForbiddenException(detail="No filters here.")
    dumped = [one.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE) for one in found]
    return _answer(_list(len(found), 1, dumped))


def _placed(resource: Any, caller: Caller, place: str) -> Any:
    resource.meta = Meta(resource_type=type(resource).__name__, location=f"{caller.base}{place}")
    return resource


def _listed(
    model: type[Resource[Any]], find: Callable[[Caller, SearchRequest[Any]], Found], caller: Caller, asked: SearchRequest[Any]
) -> HttpResponse:
    found = find(caller, asked)
    dumped = [one.model_dump(scim_ctx=Context.SEARCH_RESPONSE, response_parameters=asked) for one in found.resources]
    return _answer(_list(found.total, found.start, dumped))


def _list(total: int, start: int, resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schemas": [str(ListResponse.__schema__)],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def _read(request: HttpRequest, resource: Resource[Any], asked: ResponseParameters[Any]) -> HttpResponse:
    version = (resource.meta.version or "") if resource.meta else ""
    if version and version in request.headers.get("If-None-Match", ""):
        return HttpResponse(status=304, headers={"ETag": version})
    return _told(resource, 200, asked)


def _told(resource: Any, status: int = 200, asked: ResponseParameters[Any] | None = None) -> HttpResponse:
    context = Context.RESOURCE_CREATION_RESPONSE if status == 201 else Context.RESOURCE_QUERY_RESPONSE
    response = _answer(resource.model_dump(scim_ctx=context, response_parameters=asked), status)
    if resource.meta and resource.meta.version:
        response.headers["ETag"] = resource.meta.version
    if resource.meta and resource.meta.location:
        response.headers["Location" if status == 201 else "Content-Location"] = resource.meta.location
    return response


def _fault(error: Error, **headers: str) -> HttpResponse:
    response = _answer(error.model_dump(scim_ctx=Context.DEFAULT), int(error.status or 400))
    for name, value in headers.items():
        response.headers[name] = value
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="shuren", error="invalid_token"'
    return response


def _answer(body: Mapping[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type=MEDIA_TYPE)
