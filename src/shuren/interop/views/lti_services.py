"""Services for tools: who is in the class (NRPS 2.0), and columns, scores and results (AGS 2.0).

A tool proves itself by an access token from `/oauth/token/`, drawn with its own key; each door asks for its scope.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from shuren.directory.data import OrgData
from shuren.identity.api import actor_of, admit_bearer, bearer_of
from shuren.interop.data import AppData, LaunchKind, LineItemData
from shuren.interop.rules.lti import names
from shuren.interop.rules.lti.bodies import line_item_in, line_item_out, score_in
from shuren.interop.rules.lti.launch import roles_of, seat_of_role
from shuren.interop.selectors.agreed import wished_at
from shuren.interop.selectors.apps import app_of_client
from shuren.interop.selectors.lti import (
    class_of_app,
    line_item_data,
    line_item_of_app,
    line_items_of,
    link_of_app,
    members_of_class,
    result_data,
    results_of,
    with_told,
)
from shuren.interop.services.lti.scores import add_line_item, change_line_item, remove_line_item, take_score
from shuren.interop.views.asked import issuer_of
from shuren.interop.views.lti_launch import address
from shuren.kernel import clock, ids
from shuren.kernel.doors import open_door
from shuren.kernel.errors import Invalid, NotFound, ShurenError
from shuren.pages.api import number_in

_MOST_BYTES = 100_000
_MOST_ROWS = 500
Door = Callable[..., HttpResponse]


def _service(scopes: dict[str, Collection[str]], door: Door) -> Door:
    """A door for tools; `scopes` says per method which of them opens it."""

    @wraps(door)
    def guarded(request: HttpRequest, class_id: str, **more: str) -> HttpResponse:
        app = _tool(request)
        bearer = bearer_of(request)
        if app is None or bearer is None:
            return _refused(401, "invalid_token")
        if not bearer.scopes & set(scopes["GET" if request.method == "HEAD" else str(request.method)]):
            return _refused(403, "insufficient_scope")
        try:
            if any("\0" in value for value in request.GET.values()):
                raise Invalid(_("参数里有不能用的字符。"))
            org = class_of_app(app, id=ids.decode("org", class_id))
            return door(request, app, org, **more)
        except ShurenError as error:
            fault = {"error": {"status": error.status, "message": error.message, "remedy": error.remedy}}
            return JsonResponse(fault, status=error.status)

    return open_door(csrf_exempt(never_cache(require_http_methods([*scopes, "HEAD"] if "GET" in scopes else [*scopes])(guarded))))


def _tool(request: HttpRequest) -> AppData | None:
    if not admit_bearer(request):
        return None
    bearer = bearer_of(request)
    app = app_of_client(bearer.client_id) if bearer and bearer.person_id is None else None
    return app if app is not None and app.kind is LaunchKind.LTI and app.is_running else None


def _refused(status: int, error: str) -> HttpResponse:
    """RFC 6750 3.1."""
    response = JsonResponse({"error": error}, status=status)
    response.headers["WWW-Authenticate"] = f'Bearer realm="shuren", error="{error}"'
    return response


def _answer(content: Any, kind: str, status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(content, ensure_ascii=False).encode(), content_type=kind, status=status)


def _body(request: HttpRequest, kind: str) -> Any:
    if request.content_type not in (kind, "application/json"):
        raise _WrongType(_("内容类型要是 %(kind)s。") % {"kind": kind})
    if len(request.body) > _MOST_BYTES:
        raise Invalid(_("请求的内容太大。"))
    try:
        return json.loads(request.body)
    except ValueError:
        raise Invalid(_("请求的内容不是 JSON。")) from None


class _WrongType(ShurenError):
    status = 415


def _cut(request: HttpRequest) -> tuple[int, int]:
    """The page asked for and its size."""
    found = []
    for name, default, most in (("page", 1, 1_000_000), ("limit", 100, 1_000_000)):
        number = number_in(request.GET.get(name, str(default)), most=most)
        if not number:
            raise Invalid(_("%(field)s 要是大于 0 的整数。") % {"field": name})
        found.append(number)
    return found[0], min(found[1], _MOST_ROWS)


def _linked(request: HttpRequest, response: HttpResponse, *, number: int, has_more: bool) -> HttpResponse:
    """RFC 8288; the address of the next page keeps every filter."""
    if has_more:
        query = {**{key: request.GET[key] for key in request.GET}, "page": str(number + 1)}
        response.headers["Link"] = f'<{issuer_of(request)}{request.path}?{urlencode(query)}>; rel="next"'
    return response


def _page(request: HttpRequest, rows: QuerySet[Any], turn: Callable[[Any], Any], kind: str) -> HttpResponse:
    number, size = _cut(request)
    start = (number - 1) * size
    found = list(rows[start : start + size + 1])
    return _linked(request, _answer([turn(row) for row in found[:size]], kind), number=number, has_more=len(found) > size)


def _members(request: HttpRequest, app: AppData, org: OrgData) -> HttpResponse:
    now = clock.now()
    role = request.GET.get("role", "")
    seat = seat_of_role(role) if role else None
    number, size = _cut(request)
    found = members_of_class(org, client_id=app.client_id, seat=seat, now=now) if seat or not role else []
    shown = found[(number - 1) * size : number * size]
    wished = wished_at(app, [org.path])[org.path]
    link_id = request.GET.get("rlid", "")
    link = link_of_app(app, id=ids.decode("lti_link", link_id), class_id=org.id) if link_id else None
    members = []
    for member in with_told(shown, client_id=app.client_id, wished=wished, now=now):
        line: dict[str, Any] = {"status": "Active", "user_id": member.subject, "roles": roles_of(member.seat)[:1], **member.told}
        if link is not None:
            about = {f"{names.CLAIM}message_type": names.RESOURCE_LINK}
            line["message"] = [about | {f"{names.CLAIM}resource_link": {"id": link.public_id, "title": link.title}}]
        members.append(line)
    content = {
        "id": address(request, "lti_members", org.id),
        "context": {"id": org.public_id, "label": org.name, "title": org.name},
        "members": members,
    }
    return _linked(request, _answer(content, names.TYPE_MEMBERS), number=number, has_more=len(found) > number * size)


def _shown(request: HttpRequest, item: LineItemData) -> dict[str, Any]:
    link_id = ids.encode("lti_link", item.link_id) if item.link_id is not None else ""
    return line_item_out(item, url=f"{address(request, 'lti_line_items', item.class_id)}/{item.public_id}", link_id=link_id)


def _line_items(request: HttpRequest, app: AppData, org: OrgData) -> HttpResponse:
    if request.method == "POST":
        item, link_id = line_item_in(_body(request, names.TYPE_LINE_ITEM))
        link = link_of_app(app, id=ids.decode("lti_link", link_id), class_id=org.id) if link_id else None
        item = replace(item, link_id=link.id if link else None)
        made = add_line_item(actor=actor_of(request), app=app, class_id=org.id, item=item, now=clock.now())
        return _answer(_shown(request, made), names.TYPE_LINE_ITEM, status=201)
    rows = line_items_of(app, class_id=org.id)
    for name in ("resource_id", "tag"):
        if request.GET.get(name):
            rows = rows.filter(**{name: request.GET[name]})
    if request.GET.get("resource_link_id"):
        try:
            rows = rows.filter(link_id=ids.decode("lti_link", request.GET["resource_link_id"]))
        except NotFound:
            rows = rows.none()
    return _page(request, rows, lambda row: _shown(request, line_item_data(row)), names.TYPE_LINE_ITEMS)


def _item(app: AppData, org: OrgData, item_id: str) -> LineItemData:
    return line_item_of_app(app, id=ids.decode("lti_line_item", item_id), class_id=org.id)


def _line_item(request: HttpRequest, app: AppData, org: OrgData, item_id: str) -> HttpResponse:
    standing, now = _item(app, org, item_id), clock.now()
    if request.method == "DELETE":
        remove_line_item(actor=actor_of(request), app=app, standing=standing, now=now)
        return HttpResponse(status=204)
    if request.method == "PUT":
        item, _link = line_item_in(_body(request, names.TYPE_LINE_ITEM))
        standing = change_line_item(actor=actor_of(request), app=app, standing=standing, item=item, now=now)
    return _answer(_shown(request, standing), names.TYPE_LINE_ITEM)


def _scores(request: HttpRequest, app: AppData, org: OrgData, item_id: str) -> HttpResponse:
    item, now = _item(app, org, item_id), clock.now()
    score = score_in(_body(request, names.TYPE_SCORE))
    members = members_of_class(org, client_id=app.client_id, seat=seat_of_role(names.LEARNER), now=now)
    person_id = next((member.person_id for member in members if member.subject == score.subject), None)
    if person_id is None:
        raise NotFound(_("这个班没有这个学生。"))
    take_score(actor=actor_of(request), app=app, item=item, person_id=person_id, score=score, now=now)
    return HttpResponse(status=204)


def _results(request: HttpRequest, app: AppData, org: OrgData, item_id: str) -> HttpResponse:
    """Results of pupils who are in the class now; one who moved away is known by nobody there any more."""
    item = _item(app, org, item_id)
    members = members_of_class(org, client_id=app.client_id, now=clock.now())
    subjects = {member.person_id: member.subject for member in members}
    wanted = request.GET.get("user_id")
    people = [id for id, subject in subjects.items() if wanted in (None, subject)]
    url = _shown(request, item)["id"]

    def shown(row: Any) -> dict[str, Any]:
        found = result_data(row)
        subject = subjects[found.person_id]
        line: dict[str, Any] = {"id": f"{url}/results?{urlencode({'user_id': subject})}", "scoreOf": url, "userId": subject}
        if found.score is not None:
            line |= {"resultScore": found.score, "resultMaximum": item.score_maximum}
        return line | ({"comment": found.comment} if found.comment else {})

    return _page(request, results_of([item.id], person_ids=people), shown, names.TYPE_RESULTS)


_READ = (names.LINE_ITEM, names.LINE_ITEM_READ)
_WRITE = (names.LINE_ITEM,)
members = _service({"GET": (names.MEMBERS,)}, _members)
line_items = _service({"GET": _READ, "POST": _WRITE}, _line_items)
line_item = _service({"GET": _READ, "PUT": _WRITE, "DELETE": _WRITE}, _line_item)
scores = _service({"POST": (names.SCORE,)}, _scores)
results = _service({"GET": (names.RESULT_READ,)}, _results)
