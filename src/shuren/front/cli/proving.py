"""A restored installation used once: the checks of `doctor`, a sign-in, a page, a report."""

import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from shuren.evaluation import api as evaluation
from shuren.front.cli.doctor import CHECKS
from shuren.identity import api as identity
from shuren.kernel.data import SYSTEM

# What a scratch place may lack without that saying anything about the backup.
_LEFT_OUT = {"PDF and fonts", "SAML", "data folder and disk"}


def tried(proof: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    """The proof with what came of using the installation. It is changed thereby: only for one that is thrown away."""
    checks = [ailment.what for name, check in CHECKS.items() if name not in _LEFT_OUT for ailment in check() if ailment.is_fatal]
    used: dict[str, Any] = {"checks": len(CHECKS) - len(_LEFT_OUT)}
    faults = [f"doctor: {what}" for what in checks]
    for name, attempt in (("signed_in", _signed_in), ("report_read", _report_read)):
        outcome = list(attempt(now))
        used[name] = "nothing there" if outcome == [""] else "failed" if outcome else "ok"
        faults += [f"{name}: {fault}" for fault in outcome if fault]
    return {**proof, **used, "faults": [*proof["faults"], *faults]}


def _signed_in(now: datetime) -> Iterator[str]:
    """Somebody comes in by the door with a new password; nothing comes out when they stand inside."""
    account = get_user_model().objects.filter(person__isnull=False).order_by("pk").first()
    if account is None or account.person_id is None:
        yield ""
        return
    password = f"Aa1-{secrets.token_urlsafe(18)}"
    identity.set_password(actor=SYSTEM, person_id=account.person_id, password=password, must_change=False, now=now)
    client = Client(HTTP_HOST=settings.ALLOWED_HOSTS[0].lstrip("."))
    secure = bool(settings.SECURE_SSL_REDIRECT)
    client.post(reverse("identity:sign_in"), {"username": account.username, "password": password}, secure=secure)
    if settings.SESSION_COOKIE_NAME not in client.cookies:
        yield f"{account.username} did not come in"
    elif client.get("/", follow=True, secure=secure).status_code != 200:
        yield "the first page does not open"


def _report_read(now: datetime) -> Iterator[str]:
    """The newest report opens; a blank where there is none."""
    done = next((run for run in evaluation.visible_runs(actor=SYSTEM, now=now).rows if run.finished_at), None)
    if done is None:
        yield ""
    elif not evaluation.report_of(actor=SYSTEM, run_id=done.id, org_id=done.org_id, now=now).body:
        yield f"the report of {done.title} is empty"
