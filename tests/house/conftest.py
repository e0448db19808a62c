"""What the tests of every address share."""

import pytest
from django.http import HttpRequest, HttpResponse

from shuren.front import errors


@pytest.fixture
def bare_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals say their words only: two answers of three are refusals, and drawing the portal around them takes half the time.

    How they look is asked by the tests of `front`.
    """

    def bare(_request: HttpRequest, _template: str, context: dict[str, object], *, status: int) -> HttpResponse:
        return HttpResponse(f"{context['message']} {context['remedy']}", status=status)

    monkeypatch.setattr(errors, "render", bare)
