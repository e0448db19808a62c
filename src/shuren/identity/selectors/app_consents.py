"""What people said about apps, and which apps hold tokens of theirs."""

from dataclasses import dataclass
from datetime import datetime

from shuren.identity.data import ClientData
from shuren.identity.models import AppConsent, Authorization
from shuren.identity.selectors.clients import client_data


@dataclass(frozen=True, slots=True)
class AppInUse:
    """An app as its user finds it on their own page."""

    client: ClientData
    scopes: tuple[str, ...]
    is_allowed: bool
    decided_at: datetime | None
    last_entered_at: datetime | None
    is_live: bool


def covered_scopes(*, account_id: int, client_pk: int) -> frozenset[str]:
    """Scopes that the account has allowed this app so far; empty after a refusal or a withdrawal."""
    row = AppConsent.objects.filter(account_id=account_id, client_id=client_pk, is_allowed=True).first()
    return frozenset(row.scopes.split()) if row else frozenset()


def apps_of_account(account_id: int, *, now: datetime) -> list[AppInUse]:
    """Apps the account has decided about or come into (at most 200 of each), the latest first."""
    consents = {
        row.client_id: row
        for row in AppConsent.objects.filter(account_id=account_id).select_related("client").order_by("-decided_at")[:200]
    }
    families: dict[int, list[Authorization]] = {}
    for family in Authorization.objects.filter(account_id=account_id).select_related("client").order_by("-begun_at")[:200]:
        families.setdefault(family.client_id, []).append(family)
    found = []
    for client_pk in {*consents, *families}:
        consent, entered = consents.get(client_pk), families.get(client_pk, [])
        live = [family for family in entered if family.ended_at is None and family.expires_at > now]
        scopes = consent.scopes if consent else entered[0].scopes
        found.append(
            AppInUse(
                client=client_data(consent.client if consent else entered[0].client),
                scopes=tuple(scopes.split()),
                is_allowed=consent.is_allowed if consent else True,
                decided_at=consent.decided_at if consent else None,
                last_entered_at=entered[0].begun_at if entered else None,
                is_live=bool(live),
            )
        )
    return sorted(found, key=lambda app: app.last_entered_at or app.decided_at or now, reverse=True)
