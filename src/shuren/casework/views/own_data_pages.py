"""Where somebody asks for their own data, or a child's, to be corrected or deleted."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from shuren.casework.services.subject_requests import ask_about_data as ask
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids


@never_cache
@require_POST
def ask_about_data(request: HttpRequest, person_id: str) -> HttpResponseBase:
    """Begin the request, or go on with the one begun."""
    case = ask(actor=actor_of(request), person_id=ids.decode("person", person_id), now=clock.now())
    return redirect("casework:fill_case", ids.encode("case", case.pk))
