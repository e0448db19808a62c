"""Which app calls, and the shape of errors."""

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Schema

from shuren.identity.api import bearer_of
from shuren.interop.data import AppData
from shuren.interop.selectors.apps import app_of_client
from shuren.kernel.errors import NotFound


class ErrorDetail(Schema):
    """What happened and what to do about it, in the caller's language."""

    status: int
    message: str
    remedy: str


class ErrorOut(Schema):
    """The one shape of an error."""

    error: ErrorDetail


ERRORS = {400: ErrorOut, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut, 409: ErrorOut, 422: ErrorOut, 429: ErrorOut}


def calling_app(request: HttpRequest) -> AppData:
    """The app of the register behind the access token; `NotFound` for clients that are not in it."""
    bearer = bearer_of(request)
    app = app_of_client(bearer.client_id) if bearer else None
    if app is None:
        raise NotFound(_("只有登记的应用能用这个接口。"))
    return app
