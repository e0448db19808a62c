"""What every page knows: the region, the person, where they may go, and what awaits them."""

from django.conf import settings
from django.http import HttpRequest

from shuren.front.navigation import navigation_of
from shuren.identity.api import actor_of
from shuren.messaging.api import unread_count


def portal(request: HttpRequest) -> dict[str, object]:
    """Context of `front/base.html`; costs one query (unread notices) on a page for a signed-in person."""
    context: dict[str, object] = {
        "region_name": settings.SHUREN_REGION_NAME,
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "is_fragment": bool(request.headers.get("HX-Request")),
    }
    actor = actor_of(request)
    if actor.account_id is None:
        return context
    return context | {
        "actor": actor,
        "navigation": navigation_of(request),
        "unread_count": unread_count(actor.person_id) if actor.person_id is not None else 0,
    }
