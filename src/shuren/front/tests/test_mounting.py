"""Apps at the root are found by the first part of an address, and nothing else about them changes."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import Resolver404, get_resolver, path, re_path, resolve, reverse

from shuren.front.mounting import at_root


def here(request: HttpRequest, **_more: str) -> HttpResponse:
    return HttpResponse(request.path)


class Mounted:
    """An urlconf of two apps."""

    urlpatterns = [
        at_root(([path("", here, name="home"), path("a.b/<str:one>/", here, name="one")], "first")),
        at_root(([re_path(r"^c/(?P<two>[0-9]+)$", here, name="two")], "second")),
    ]


@override_settings(ROOT_URLCONF=Mounted)
@pytest.mark.parametrize(
    ("address", "name", "values"),
    [("/", "first:home", {}), ("/a.b/x/", "first:one", {"one": "x"}), ("/c/7", "second:two", {"two": "7"})],
)
def test_addresses_lead_where_they_led_and_back(address: str, name: str, values: dict[str, str]) -> None:
    found = resolve(address)
    assert (found.view_name, found.kwargs) == (name, values)
    assert reverse(name, kwargs=values) == address


@override_settings(ROOT_URLCONF=Mounted)
@pytest.mark.parametrize("address", ["/a.b", "/axb/x/", "/a.bc/x/", "/c/", "/d/"])
def test_what_is_nobodys_stays_unfound(address: str) -> None:
    with pytest.raises(Resolver404):
        resolve(address)


def test_a_first_part_that_may_be_anything_is_refused() -> None:
    with pytest.raises(ValueError, match="not fixed"):
        at_root(([path("<str:anything>/", here)], "third"))


def test_every_app_of_the_house_is_looked_through_only_for_its_own() -> None:
    mounts = get_resolver().url_patterns
    for address in ("people/", "xapi/statements", "cases/", "api/v1/openapi.json", "hall/"):
        assert sum(mount.pattern.match(address) is not None for mount in mounts) <= 2, address
