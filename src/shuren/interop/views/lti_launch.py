"""The way into a tool and back: login initiation, the tool's request, and what a teacher chose there."""

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.identity.api import actor_of, step_due
from shuren.interop.rules.lti.bodies import issuer_named_in
from shuren.interop.rules.lti.launch import origin_of
from shuren.interop.services.lti.launch import Addresses, Answer, answer_request, begin_choice, begin_link, hint_in
from shuren.interop.services.lti.links import take_choice
from shuren.interop.views.asked import app_id_in, issuer_of
from shuren.kernel import clock, ids
from shuren.kernel.data import ANONYMOUS
from shuren.kernel.doors import open_door
from shuren.kernel.errors import Invalid


def address(request: HttpRequest, name: str, class_id: int) -> str:
    return issuer_of(request) + reverse(f"interop:{name}", args=[ids.encode("org", class_id)])


@never_cache
@require_GET
def start(request: HttpRequest, link_id: str) -> HttpResponseBase:
    """From a link of one's class into the tool."""
    url = begin_link(actor=actor_of(request), link_id=ids.decode("lti_link", link_id), issuer=issuer_of(request), now=clock.now())
    return _away(url)


@never_cache
@require_GET
def choose(request: HttpRequest, class_id: str, app_id: str) -> HttpResponseBase:
    """A teacher goes into the tool to choose what the class will use."""
    url = begin_choice(
        actor=actor_of(request),
        app_id=app_id_in(app_id),
        class_id=ids.decode("org", class_id),
        issuer=issuer_of(request),
        now=clock.now(),
    )
    return _away(url)


def _away(url: str) -> HttpResponse:
    response = HttpResponse(status=302, headers={"Location": url})
    return _in_tool_window(response)


def _in_tool_window(response: HttpResponse) -> HttpResponse:
    """The window stays tied to the class page, which keeps the tool's state where third-party cookies are shut out."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


@open_door
@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponseBase:
    """The tool asks who comes (OpenID Connect, implicit with form_post); answered only to its registered address.

    A POST from the tool's site brings no session cookie, so the browser is sent here once more by GET.
    """
    if request.method == "POST":
        response = HttpResponse(status=303, headers={"Location": f"{request.path}?{request.POST.urlencode()}"})
        return _in_tool_window(response)
    asked = _single(request.GET)
    actor = actor_of(request)
    if actor.account_id is not None and step_due(request, authorize) is not None:
        actor = ANONYMOUS
    class_id = int(hint_in(asked).get("class", 0))
    answer = answer_request(actor=actor, asked=asked, addresses=_addresses(request, class_id), now=clock.now())
    return _posted(request, answer)


def _single(sent: QueryDict) -> dict[str, str]:
    if any(len(values) > 1 for _name, values in sent.lists()):
        raise Invalid(_("同一个参数写了两次。"))
    found = {name: str(value) for name, value in sent.items()}
    if any("\0" in value for value in found.values()):
        raise Invalid(_("参数里有不能用的字符。"))
    return found


def _addresses(request: HttpRequest, class_id: int) -> Addresses:
    return Addresses(
        issuer=issuer_of(request),
        return_url=address(request, "lti_class", class_id),
        deep_link_return=issuer_of(request) + reverse("interop:lti_return"),
        line_items=address(request, "lti_line_items", class_id),
        members=address(request, "lti_members", class_id),
    )


def _posted(request: HttpRequest, answer: Answer) -> HttpResponse:
    response = render(request, "interop/lti_post.html", {"url": answer.url, "fields": answer.fields, "name": answer.name})
    nonce = str(request.csp_nonce)  # type: ignore[attr-defined]  # set by the middleware of front
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; form-action {origin_of(answer.url)}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return _in_tool_window(response)


@open_door
@csrf_exempt
@require_POST
@sensitive_post_parameters("JWT")
def come_back(request: HttpRequest) -> HttpResponseBase:
    """What a teacher chose comes from the tool's site without a session; signature and our own `data` are the proof."""
    text = request.POST.get("JWT", "")
    class_id, count = take_choice(text=text, client_id=issuer_named_in(text), issuer=issuer_of(request), now=clock.now())
    url = reverse("interop:lti_class", args=[ids.encode("org", class_id)])
    return _in_tool_window(redirect(f"{url}?added={count}"))
