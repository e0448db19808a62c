"""What a request says, and the page on which a form about digital certificates is filled in."""

from collections.abc import Callable, Mapping, Sequence

from django.forms import Form
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from shuren.kernel import ids
from shuren.kernel.errors import NotFound, ShurenError

EMPTY: Mapping[str, object] = {}


def digital_id_in(text: str) -> int:
    return ids.decode("digital", text)


def form_page(
    request: HttpRequest,
    form: Form,
    save: Callable[[], str | HttpResponseBase],
    *,
    title: str,
    submit: str,
    back: str,
    lead: str = "",
    is_danger: bool = False,
    crumbs: Sequence[Mapping[str, str]] = (),
    template: str = "front/form.html",
    beside: Mapping[str, object] = EMPTY,
) -> HttpResponseBase:
    """Show a form; on a good POST save it and go where `save` says. What a rule refuses stands above the form.

    `template` extends the form's and may show what stands `beside` it.
    """
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            answer = save()
        except NotFound:
            raise
        except ShurenError as error:
            form.add_error(None, str(error))
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
        "is_multipart": form.is_multipart(),
        "breadcrumbs": crumbs,
        **beside,
    }
    return render(request, template, context, status=status)
