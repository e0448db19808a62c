"""How a posted form is saved, or shown again with what a rule refuses."""

from collections.abc import Callable, Mapping, Sequence

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from shuren.kernel.errors import NotFound, ShurenError


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: what was sent, or nothing while it is only looked at."""
    return request.POST if request.method == "POST" else None


def form_page(
    request: HttpRequest,
    form: Form,
    save: Callable[[], str],
    *,
    title: str,
    submit: str,
    back: str,
    lead: str = "",
    is_danger: bool = False,
    breadcrumbs: Sequence[Mapping[str, str]] = (),
    done: str = "",
    template: str = "front/form.html",
    more: Mapping[str, object] | None = None,
    invalid_status: int = 200,
    shows_missing: bool = False,
) -> HttpResponseBase:
    """Show a form; on a good POST save it and go where `save` says. What a rule refuses stands above the form.

    `done` is told on the page that follows. `NotFound` has a page of its own; with `shows_missing` one that says what to do
    stands above the form, too.
    """
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                answer = save()
            except NotFound as error:
                if not (shows_missing and error.remedy):
                    raise
                form.add_error(None, str(error))
            except ShurenError as error:
                form.add_error(None, str(error))
                status = error.status
            else:
                if done:
                    messages.success(request, done)
                return redirect(answer)
        else:
            status = invalid_status
    context = {
        "title": title,
        "form": form,
        "submit_label": submit,
        "cancel_url": back,
        "lead": lead,
        "is_danger": is_danger,
        "breadcrumbs": breadcrumbs,
        "is_multipart": form.is_multipart(),
        **(more or {}),
    }
    return render(request, template, context, status=status)
