"""The OneRoster 1.2 service over HTTP, for clients with an access token; sessions are not looked at."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from shuren.identity.api import actor_of, admit_bearer, bearer_of, confine_bearer
from shuren.interop.rules.oneroster.asked import pages_around, read_asked, selected
from shuren.interop.rules.oneroster.description import FILES, description
from shuren.interop.rules.oneroster.faults import Fault, status_info, unknown_object
from shuren.interop.rules.oneroster.places import gradebook_scopes, resource_scopes
from shuren.interop.selectors.agreed import paths_of_app
from shuren.interop.selectors.apps import app_of_client
from shuren.interop.selectors.people import scopes_for
from shuren.interop.services.oneroster.marks import delete_mark, post_marks, put_mark
from shuren.interop.services.oneroster.read_marks import (
    Narrowing,
    access_line_item,
    read_mark_of,
    read_marks,
)
from shuren.interop.services.oneroster.read_roster import (
    COLLECTIONS,
    Page,
    access_row,
    read_list,
    read_one,
    scopes_for_place,
)
from shuren.interop.services.oneroster.readers import Reader, reader_paths
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import ShurenError

ROOT = "/ims/oneroster"
_MAX_BODY = 4 * 2**20
Served = Callable[[HttpRequest, str], HttpResponse]


def _service(view: Served) -> Callable[..., HttpResponse]:
    """A view that asks for a token itself and puts every error into the shape of the standard."""

    @csrf_exempt
    @open_door
    def served(request: HttpRequest, place: str = "") -> HttpResponse:
        try:
            return view(request, place)
        except Fault as fault:
            return fault_answer(fault.status, fault.description, minor=fault.minor, headers=fault.headers)
        except ShurenError as error:
            return fault_answer(error.status, f"{error.message} {error.remedy}".strip())

    return served


@_service
def rostering(request: HttpRequest, place: str) -> HttpResponse:
    parts = place.split("/")
    if parts == ["discovery", FILES["rostering"]]:
        allow(request, "GET")
        return answer(_described(request, "rostering"))
    scopes = scopes_for_place(parts)
    if scopes is None:
        raise unknown_object()
    reader = reader_of(request, scopes)
    allow(request, "GET")
    asked = read_asked(request.GET.dict())
    if len(parts) == 2 and parts[0] in COLLECTIONS:
        name, told = read_one(reader, parts[0], parts[1])
        return answer({name: selected(told, asked.fields)})
    return listed(request, read_list(reader, parts, asked))


@_service
def gradebook(request: HttpRequest, place: str) -> HttpResponse:
    parts = place.split("/")
    if parts == ["discovery", FILES["gradebook"]]:
        allow(request, "GET")
        return answer(_described(request, "gradebook"))
    found = gradebook_scopes(parts)
    if found is None:
        raise unknown_object()
    method = "GET" if request.method == "HEAD" else str(request.method)
    reader = reader_of(request, found.get(method, next(iter(found.values()))))
    allow(request, *found)
    if method == "POST":
        return answer({"sourcedIdPairs": _posted(reader, parts, _body(request))}, 201)
    if method == "PUT":
        is_new = put_mark(reader, parts[0], parts[1], _body(request))
        return HttpResponse(status=201 if is_new else 200, content_type="application/json")
    if method == "DELETE":
        delete_mark(reader, parts[0], parts[1])
        return HttpResponse(status=204)
    asked = read_asked(request.GET.dict())
    if len(parts) == 2:
        name, told = read_mark_of(reader, parts[0], parts[1])
        return answer({name: selected(told, asked.fields)})
    name = parts[-1]
    return listed(request, read_marks(reader, name, asked, _narrowing(reader, parts)))


@_service
def resources(request: HttpRequest, place: str) -> HttpResponse:
    """The house keeps no list of digital resources for others to read yet: every list is empty, and so it is told."""
    parts = place.split("/")
    if parts == ["discovery", FILES["resources"]]:
        allow(request, "GET")
        return answer(_described(request, "resources"))
    scopes = resource_scopes(parts)
    if scopes is None:
        raise unknown_object()
    reader = reader_of(request, scopes)
    allow(request, "GET")
    if len(parts) == 2:
        raise unknown_object()
    if len(parts) == 3:
        access_row(reader, parts[0], parts[1])
    read_asked(request.GET.dict())
    return listed(request, Page("resources", [], 0))


def _described(request: HttpRequest, service: str) -> dict[str, Any]:
    token_url = request.build_absolute_uri(reverse("identity:token"))
    return description(service, request.build_absolute_uri(ROOT), token_url)


def _narrowing(reader: Reader, parts: Sequence[str]) -> Narrowing:
    if len(parts) == 1:
        return Narrowing()
    owner = access_row(reader, parts[0], parts[1])
    if parts[0] == "schools":
        return Narrowing(branch=str(owner.cells["path"]))
    if len(parts) == 3:
        return Narrowing(uses=owner.id) if parts[2] == "categories" else Narrowing(class_id=owner.id)
    if parts[2] == "students":
        return Narrowing(class_id=owner.id, person_id=access_row(reader, "students", parts[3]).id)
    return Narrowing(class_id=owner.id, line_item=access_line_item(reader, parts[3]))


def _posted(reader: Reader, parts: Sequence[str], body: object) -> list[dict[str, str]]:
    name = parts[-1]
    if parts[0] == "lineItems":
        line_item = access_line_item(reader, parts[1])
        return post_marks(reader, name, body, given={"lineItem": line_item})
    owner = access_row(reader, parts[0], parts[1])
    if len(parts) == 5:
        access_row(reader, "academicSessions", parts[3])
    given = {"class": parts[1]} if parts[0] == "classes" else {}
    return post_marks(reader, name, body, given=given, branch=str(owner.cells["path"]))


def _body(request: HttpRequest) -> object:
    if len(request.body) > _MAX_BODY:
        raise Fault(413, f"At most {_MAX_BODY} bytes.")
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        raise Fault(400, "The body is not JSON.") from None


@_service
def nothing(request: HttpRequest, place: str) -> HttpResponse:
    """Whatever else is asked for under the root of the standard."""
    raise unknown_object()


def reader_of(request: HttpRequest, scopes: Sequence[str]) -> Reader:
    """The client behind the token; any one of the scopes is enough."""
    bearer = bearer_of(request)
    if bearer is None or not admit_bearer(request):
        header = {"WWW-Authenticate": 'Bearer realm="shuren", error="invalid_token"'}
        raise Fault(401, "A valid access token is needed.", headers=header)
    held = bearer.scopes & set(scopes)
    if not held:
        header = {"WWW-Authenticate": f'Bearer realm="shuren", error="insufficient_scope", scope="{" ".join(scopes)}"'}
        raise Fault(403, f"One of these scopes is needed: {', '.join(scopes)}", headers=header)
    app, now = app_of_client(bearer.client_id), clock.now()
    if app is not None:
        confine_bearer(request, paths=paths_of_app(app, scopes=held))
        if not scopes_for(app, actor_of(request), held, now=now):
            raise Fault(403, "The school agreed to a version of this app without this scope.")
    actor = actor_of(request)
    return Reader(
        actor=actor,
        client_id=bearer.client_id,
        recipient=actor.app.recipient if actor.app else "",
        purpose=bearer.purpose,
        root=request.build_absolute_uri(ROOT),
        paths=reader_paths(actor, now=now),
        now=now,
        app=app,
    )


def allow(request: HttpRequest, *methods: str) -> None:
    if request.method not in methods and not (request.method == "HEAD" and "GET" in methods):
        raise Fault(405, f"Allowed here: {', '.join(methods)}.", headers={"Allow": ", ".join(methods)})


def listed(request: HttpRequest, page: Page) -> HttpResponse:
    asked = read_asked(request.GET.dict())
    response = answer({page.name: [selected(one, asked.fields) for one in page.objects]})
    url = request.build_absolute_uri(request.path)
    links = [
        f'<{url}?{urlencode(query)}>; rel="{relation}"' for relation, query in pages_around(asked, page.total, request.GET.dict())
    ]
    response.headers["X-Total-Count"] = str(page.total)
    response.headers["Link"] = ", ".join(links)
    return response


def answer(body: Mapping[str, Any], status: int = 200) -> HttpResponse:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return HttpResponse(content, status=status, content_type="application/json")


def fault_answer(status: int, description: str, *, minor: str = "", headers: Mapping[str, str] | None = None) -> HttpResponse:
    response = answer(status_info(status, description, minor=minor), status)
    response.is_shaped = True  # type: ignore[attr-defined]  # the middleware puts every other error into this shape
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response
