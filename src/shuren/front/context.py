"""What every page knows: the region, the person, where they may go, and what awaits them."""

from base64 import b64encode

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from shuren.front.navigation import navigation_of
from shuren.identity.api import actor_of, role_name, wardrobe
from shuren.identity.data import Wardrobe
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.messaging.api import unread_count


def portal(request: HttpRequest) -> dict[str, object]:
    """Context of `front/base.html`; costs one query (unread notices) on a page for a signed-in person."""
    context: dict[str, object] = {
        "region_name": settings.SHUREN_REGION_NAME,
        "csp_nonce": getattr(request, "csp_nonce", ""),
    }
    actor = actor_of(request)
    if actor.account_id is None:
        return context
    kept = wardrobe(request)
    return context | {
        "actor": actor,
        "shelf": _shelf(actor),
        "role_options": _role_options(actor, kept),
        "org_trail": _org_trail(kept),
        "navigation": navigation_of(request),
        "unread_count": unread_count(actor.person_id) if actor.person_id is not None else 0,
    }


def _shelf(actor: Actor) -> dict[str, str]:
    """By what a browser tells whose the forms are that were filled in there off-line, and what only they can open them with."""
    mark = salted_hmac("shuren.front.shelf.account", str(actor.account_id), algorithm="sha256")
    key = salted_hmac("shuren.front.shelf.key", str(actor.account_id), algorithm="sha256")
    return {"account": mark.hexdigest()[:32], "key": b64encode(key.digest()).decode()}


def _role_options(actor: Actor, kept: Wardrobe) -> list[dict[str, object]]:
    options: list[dict[str, object]] = [
        {"value": hat.role.value, "label": role_name(hat.role), "org": hat.org_name, "is_current": actor.role == hat.role}
        for hat in kept.hats
    ]
    if len(options) > 1:
        options.insert(0, {"value": "", "label": _("全部身份"), "org": "", "is_current": actor.role is None})
    return options


def _org_trail(kept: Wardrobe) -> list[dict[str, str]]:
    return [{"label": name, "url": f"/orgs/{ids.encode('org', org_id)}/" if org_id else ""} for org_id, name in kept.trail]
