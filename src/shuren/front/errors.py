"""Errors as the person sees them: what happened and what to do, as a page, a fragment or JSON."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from shuren.kernel.errors import ShurenError

API_PREFIX = "/api/"


def wants_json(request: HttpRequest) -> bool:
    return request.path.startswith(API_PREFIX)


def json_error(status: int, message: str, remedy: str, **more: str) -> JsonResponse:
    """The one shape of an error in the API; `code` and `link` stand in it where a program can act on them."""
    return JsonResponse({"error": {"status": status, "message": message, "remedy": remedy, **more}}, status=status)


def details_of(error: ShurenError) -> dict[str, str]:
    """What an error tells a program beyond its words."""
    return {key: str(getattr(error, key)) for key in ("code", "link") if getattr(error, key, "")}


def expected_error(request: HttpRequest, error: ShurenError) -> HttpResponse:
    more = details_of(error)
    return error_response(request, status=error.status, message=error.message, remedy=error.remedy, **more)


def error_response(request: HttpRequest, *, status: int, message: str, remedy: str = "", **more: str) -> HttpResponse:
    if wants_json(request):
        return json_error(status, message, remedy, **more)
    context = {"status": status, "title": _title(status), "message": message, "remedy": remedy or _remedy(status), **more}
    template = "front/error_fragment.html" if request.headers.get("HX-Request") else "front/error.html"
    return render(request, template, context, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_response(request, status=400, message=_("浏览器发来的内容不完整或不合规则。"))


def refused(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_response(request, status=403, message=_("您当前的身份不能进行这项操作。"))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_response(request, status=404, message=_("没有这个页面，或者它不在您的管辖范围内。"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Drawn without the database, which may be what failed."""
    message = _("系统出了问题，您刚才的操作没有保存。")
    if wants_json(request):
        return json_error(500, message, _remedy(500))
    page = render_to_string("front/error_bare.html", {"title": _title(500), "message": message, "remedy": _remedy(500)})
    return HttpResponse(page, status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_response(
        request,
        status=403,
        message=_("这个页面打开得太久，或者浏览器没有接受 Cookie，所以没有提交成功。"),
        remedy=_("请返回上一页，刷新后再提交一次。"),
    )


def _title(status: int) -> str:
    titles = {
        400: _("内容有误"),
        403: _("没有权限"),
        404: _("没有找到"),
        405: _("方式不对"),
        409: _("情况已经变化"),
        500: _("系统出错"),
    }
    return titles.get(status, _("没有成功"))


def _remedy(status: int) -> str:
    remedies = {
        403: _("如果您有别的身份，请在右上角切换后再试；否则请联系本单位的管理员授权。"),
        404: _("请检查网址，或者用顶部的搜索查找。"),
        409: _("请刷新页面，看看最新情况后再操作。"),
        500: _("请稍后再试；如果一直这样，请把时间和网址告诉管理员。"),
    }
    return remedies.get(status, _("请返回上一页，检查后再试。"))
