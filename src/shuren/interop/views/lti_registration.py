"""A tool registers itself (LTI Dynamic Registration 1.0): where its vendor begins, what it reads of us, where it posts."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.identity.api import actor_of
from shuren.interop.forms import ToolForm
from shuren.interop.rules.lti.registrations import Endpoints, RegistrationFault, platform_configuration
from shuren.interop.selectors.vendors import own_vendor
from shuren.interop.services.lti.register import begin_registration, take_registration
from shuren.interop.views.asked import form_page, issuer_of, posted
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import Conflict, NotFound, Refused

_MOST_BYTES = 64 * 1024


@never_cache
@require_http_methods(["GET", "POST"])
def add_tool(request: HttpRequest) -> HttpResponseBase:
    """A vendor names the registration address of a tool; the next page leads there."""
    actor, now = actor_of(request), clock.now()
    if own_vendor(actor=actor, now=now) is None:
        raise Refused(_("您不是登记的应用服务商。"))
    form = ToolForm(posted(request))
    own_apps = reverse("interop:developer")
    crumbs = [{"label": _("我的应用"), "url": own_apps}, {"label": _("登记 LTI 工具"), "url": ""}]

    def lead_on() -> HttpResponse:
        url = begin_registration(
            actor=actor, url=form.cleaned_data["url"], configuration_url=_here(request, "lti_configuration"), now=now
        )
        context = {"title": _("登记 LTI 工具"), "tool_url": url, "back": own_apps, "breadcrumbs": crumbs}
        return render(request, "interop/tool_registration.html", context)

    return form_page(
        request,
        form,
        lead_on,
        title=_("登记 LTI 工具"),
        submit=_("下一步"),
        back=own_apps,
        lead=_("工具会按 LTI 动态注册规范自己填好网址和公钥，您再补上介绍、隐私说明和图标。"),
        breadcrumbs=crumbs,
    )


def _here(request: HttpRequest, name: str) -> str:
    return issuer_of(request) + reverse(f"interop:{name}")


@open_door
@require_safe
def configuration(request: HttpRequest) -> HttpResponse:
    here = Endpoints(
        issuer=issuer_of(request),
        authorization=_here(request, "lti_authorize"),
        token=issuer_of(request) + reverse("identity:token"),
        jwks=issuer_of(request) + reverse("identity:jwks"),
        registration=_here(request, "lti_register"),
    )
    return JsonResponse(platform_configuration(here, name=str(settings.SHUREN_REGION_NAME)))


@open_door
@csrf_exempt
@never_cache
@require_POST
def register(request: HttpRequest) -> HttpResponse:
    """The tool describes itself, with the token its vendor's browser brought it."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    try:
        answer = take_registration(token=token if scheme.lower() == "bearer" else "", body=_body(request), now=clock.now())
    except RegistrationFault as fault:
        return _fault(400, fault.code, str(fault))
    except (Refused, NotFound) as fault:
        return _fault(401, "invalid_token", str(fault))
    except Conflict as fault:
        return _fault(409, "invalid_request", str(fault))
    return JsonResponse(answer)


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body) if len(request.body) <= _MOST_BYTES else None
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}


def _fault(status: int, code: str, text: str) -> JsonResponse:
    return JsonResponse({"error": code, "error_description": text}, status=status)
