"""The endpoint for sensors of Caliper 1.2: one envelope a request, all of it or nothing."""

import json
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import Invalid, Refused, ShurenError
from shuren.records.rules.caliper import read_envelope
from shuren.records.rules.documents import JSON_TYPE, media_type
from shuren.records.rules.requests import Message
from shuren.records.services.accept_caliper import accept_envelope
from shuren.records.services.callers import WRITE, Caller
from shuren.records.services.count_refusals import note_refusal
from shuren.records.views.asked import MethodNotAllowed, admitted, fault, issuer_of, message_of


class UnsupportedType(ShurenError):
    """Not JSON (415)."""

    status = 415


@csrf_exempt
@open_door
def caliper(request: HttpRequest) -> HttpResponse:
    """200 and nothing else for an envelope that is kept."""
    if request.method == "OPTIONS":
        return _opened(HttpResponse(status=204))
    extra: dict[str, str] = {}
    try:
        _accept(request, extra)
    except ShurenError as error:
        response = fault(error)
    else:
        response = HttpResponse(status=200, content_type=JSON_TYPE)
    for name, value in extra.items():
        response.headers[name] = value
    return _opened(response)


def _accept(request: HttpRequest, extra: dict[str, str]) -> None:
    if request.method != "POST":
        extra["Allow"] = "OPTIONS, POST"
        raise MethodNotAllowed("Allowed here: OPTIONS, POST.")
    now, issuer, message = clock.now(), issuer_of(request), message_of(request)
    caller = admitted(request, message, issuer, extra, now=now)
    if not caller.may(WRITE):
        raise Refused(f"The scope {WRITE} is needed.")
    try:
        _take(message, caller, issuer, now=now)
    except ShurenError as error:
        note_refusal(error, client_id=caller.client_id, now=now)
        raise


def _take(message: Message, caller: Caller, issuer: str, *, now: datetime) -> None:
    if media_type(message.headers.get("content-type", "")) != JSON_TYPE:
        raise UnsupportedType(f"An envelope is of type {JSON_TYPE}.")
    try:
        envelope = json.loads(message.body)
        # What cannot be written as JSON again (NaN, half of a surrogate pair in an identifier) cannot be kept.
        json.dumps(envelope, allow_nan=False)
    except (ValueError, RecursionError):
        raise Invalid("The envelope is not JSON.") from None
    accept_envelope(caller=caller, told=read_envelope(envelope), issuer=issuer, now=now)


def _opened(response: HttpResponse) -> HttpResponse:
    """Sensors live in pages of any origin; no cookie counts here."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = "OPTIONS, POST"
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    response.headers["Cache-Control"] = "no-store"
    return response
