"""What a request says, and the page on which a form is filled in."""

from collections.abc import Callable, Mapping, Sequence

from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from shuren.kernel import ids
from shuren.kernel.errors import NotFound, ShurenError


def app_id_in(text: str) -> int:
    return ids.decode("app", text)


def issuer_of(request: HttpRequest) -> str:
    """Our own address as apps know it."""
    return str(settings.SHUREN_PUBLIC_URL) or request.build_absolute_uri("/").rstrip("/")


def posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def form_page(
    request: HttpRequest,
    form: Form,
    save: Callable[[], str | HttpResponseBase],
    *,
    title: str,
    submit: str,
    back: str = "",
    lead: str = "",
    is_danger: bool = False,
    breadcrumbs: Sequence[Mapping[str, str]] = (),
    template: str = "front/form.html",
    more: Mapping[str, object] | None = None,
    is_valid: bool = True,
) -> HttpResponseBase:
    """Show a form; on a good POST save it and go where `save` says. What a rule refuses stands above the form."""
    status = 200
    if request.method == "POST" and form.is_valid() and is_valid:
        try:
            answer = save()
        except NotFound:
            raise
        except ShurenError as error:
            for fault in getattr(error, "faults", [str(error)]):
                form.add_error(None, fault)
            status = error.status
        else:
            return redirect(answer) if isinstance(answer, str) else answer
    context = {
        "title": title,
        "form": form,
        "submit_label": submit,
        "cancel_url": back,
        "lead": lead,
        "is_danger": is_danger,
        "breadcrumbs": breadcrumbs,
        **(more or {}),
    }
    return render(request, template, context, status=status)
