"""What identity keeps of a person, for their own copy: the account, where it is signed in, what apps were allowed."""

from shuren.identity.models import Account, AppConsent, SignIn, UpstreamLink, VendorBinding
from shuren.identity.selectors.factors import held_factors

Rows = list[dict[str, object]]


def account_kept(person_id: int) -> Rows:
    """The account and its second factors, as kinds and numbers: secrets are nobody's data but the installation's."""
    rows = []
    for account in Account.objects.filter(person_id=person_id).order_by("pk"):
        held = held_factors(account.pk)
        ways = [*VendorBinding.objects.filter(account=account).values_list("vendor", flat=True).order_by("pk")]
        ways += [*UpstreamLink.objects.filter(account=account).values_list("upstream__name", flat=True).order_by("pk")]
        rows.append(
            {
                "username": account.username,
                "created_at": account.created_at,
                "is_active": account.is_active,
                "first_sign_in_at": account.first_sign_in_at,
                "last_sign_in_at": account.last_sign_in_at,
                "password_changed_at": account.password_changed_at,
                "language": account.language,
                "passkeys": held.passkeys,
                "has_authenticator_app": held.has_totp,
                "recovery_codes_left": held.codes_left,
                "other_ways_in": ", ".join(ways),
            }
        )
    return rows


def sign_ins_kept(person_id: int) -> Rows:
    """Where the account is signed in."""
    rows = SignIn.objects.filter(account__person_id=person_id).order_by("-begun_at", "-pk")
    return [dict(row) for row in rows.values("begun_at", "seen_at", "address", "place", "agent", "methods", "risks")]


def allowed_apps_kept(person_id: int) -> Rows:
    """What the person said when apps asked."""
    rows = AppConsent.objects.filter(account__person_id=person_id).order_by("-decided_at", "-pk")
    return [
        {"app": app, "scopes": scopes, "is_allowed": is_allowed, "decided_at": at}
        for app, scopes, is_allowed, at in rows.values_list("client__name", "scopes", "is_allowed", "decided_at")
    ]
