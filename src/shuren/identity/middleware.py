"""Sets who acts on every request."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from shuren.identity.api import actor_of
from shuren.identity.presence import SEEN_KEY
from shuren.identity.services import sign_in
from shuren.kernel import clock

SEEN_EVERY = timedelta(minutes=10)


class ActorMiddleware:
    """Puts the `Actor` on `request.actor`, read from the session only when something asks for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(partial(actor_of, request))  # type: ignore[attr-defined]  # typed access: actor_of
        response = self.get_response(request)
        self._note_presence(request)
        return response

    def _note_presence(self, request: HttpRequest) -> None:
        """Keep "last seen" in the list of sign-ins roughly right, at one write in ten minutes."""
        if not request.session.accessed or request.session.session_key is None:
            return
        seen = request.session.get(SEEN_KEY)
        now = clock.now()
        if seen is not None and now.timestamp() - seen > SEEN_EVERY.total_seconds():
            request.session[SEEN_KEY] = int(now.timestamp())
            sign_in.note_seen(session_key=request.session.session_key, now=now)
