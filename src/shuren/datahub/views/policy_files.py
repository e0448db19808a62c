"""The policy of a dataset and its schema as files for programs; names and grades, never a value."""

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.datahub.rules.policy import SCHEMA
from shuren.datahub.selectors.assets import access_catalogue
from shuren.datahub.selectors.policies import dataset_policy
from shuren.datahub.views.catalogue_pages import asset_in
from shuren.identity.api import actor_of
from shuren.kernel import clock

_TEXT = {"ensure_ascii": False, "indent": 2}


@never_cache
@require_safe
def policy(request: HttpRequest, asset_id: str) -> HttpResponseBase:
    return JsonResponse(dataset_policy(asset_in(request, asset_id)), json_dumps_params=_TEXT)


@never_cache
@require_safe
def policy_schema(request: HttpRequest) -> HttpResponseBase:
    access_catalogue(actor=actor_of(request), now=clock.now())
    return JsonResponse(dict(SCHEMA), json_dumps_params=_TEXT)
