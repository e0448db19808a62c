"""A posted form is saved and left, or shown again with what a rule refuses."""

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from shuren.kernel.errors import Conflict, NotFound
from shuren.pages.api import form_page, posted


class NameForm(forms.Form):
    name = forms.CharField()


def request_with(data: dict[str, str] | None) -> HttpRequest:
    request = RequestFactory().get("/x/") if data is None else RequestFactory().post("/x/", data)
    request.user, request.session = AnonymousUser(), SessionBase()
    request._messages = CookieStorage(request)
    return request


def answer(data: dict[str, str] | None, error: Exception | None = None, **more: object) -> tuple[HttpResponseBase, NameForm]:
    request = request_with(data)
    form = NameForm(posted(request))

    def save() -> str:
        if error is not None:
            raise error
        return "/there/"

    return form_page(request, form, save, title="T", submit="S", back="/", template="pages/_hints.html", **more), form  # type: ignore[arg-type]


def test_a_good_form_leads_on() -> None:
    response, _form = answer({"name": "甲"})
    assert (response.status_code, response.headers["Location"]) == (302, "/there/")


def test_an_unsent_form_is_shown_and_bound_to_nothing() -> None:
    response, form = answer(None)
    assert (response.status_code, form.is_bound) == (200, False)


@pytest.mark.parametrize(("more", "status"), [({}, 200), ({"invalid_status": 400}, 400)])
def test_what_is_filled_in_wrongly_is_shown_again(more: dict[str, object], status: int) -> None:
    response, form = answer({"name": ""}, **more)
    assert (response.status_code, list(form.errors)) == (status, ["name"])


def test_what_a_rule_refuses_stands_above_the_form() -> None:
    response, form = answer({"name": "甲"}, Conflict("已经有了。", remedy="换一个。"))
    assert (response.status_code, form.non_field_errors()) == (409, ["已经有了。 换一个。"])


def test_what_does_not_exist_has_its_own_page_unless_it_says_what_to_do() -> None:
    with pytest.raises(NotFound):
        answer({"name": "甲"}, NotFound("没有。", remedy="再找找。"))
    with pytest.raises(NotFound):
        answer({"name": "甲"}, NotFound("没有。"), shows_missing=True)
    response, form = answer({"name": "甲"}, NotFound("没有。", remedy="再找找。"), shows_missing=True)
    assert (response.status_code, form.non_field_errors()) == (200, ["没有。 再找找。"])
