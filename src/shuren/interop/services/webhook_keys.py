"""The keys that sign an app's messages."""

import secrets
from datetime import datetime, timedelta

from django.db import transaction

from shuren.interop.models import App, WebhookKey
from shuren.interop.rules.signatures import key_text
from shuren.interop.selectors.apps import access_own_app
from shuren.interop.services.deliver import KEY_PURPOSE
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.trust.api import seal

OVERLAP = timedelta(hours=24)


def rotate_webhook_key(*, actor: Actor, app_id: int, now: datetime) -> str:
    """Make a new key, by the app's vendor; returns it as text, once. Older keys sign beside it for another 24 hours."""
    app = access_own_app(actor=actor, id=app_id, now=now)
    return make_key(app=app, actor=actor, now=now)


def make_key(*, app: App, actor: Actor, now: datetime) -> str:
    key = secrets.token_bytes(32)
    with transaction.atomic():
        App.objects.select_for_update().get(pk=app.pk)
        WebhookKey.objects.filter(app=app, ends_at__isnull=True).update(ends_at=now + OVERLAP)
        WebhookKey.objects.create(app=app, sealed=seal(key, purpose=KEY_PURPOSE), made_at=now)
        audit.record(actor=actor, action="interop.webhook_key_made", target=f"app:{app.pk}", now=now)
    return key_text(key)
