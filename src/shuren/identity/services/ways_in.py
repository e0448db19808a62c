"""Every way into an account but its password, forgotten at once."""

from django.db import models

from shuren.identity.models import (
    Account,
    Device,
    OneTimeCode,
    Passkey,
    PicturePassword,
    QrTicket,
    RecoveryCode,
    TotpSecret,
    UpstreamLink,
    VendorBinding,
)

_WAYS_IN: tuple[type[models.Model], ...] = (
    Passkey,
    TotpSecret,
    RecoveryCode,
    OneTimeCode,
    PicturePassword,
    VendorBinding,
    UpstreamLink,
    QrTicket,
    Device,
)


def forget_ways_in(account: Account, *more: type[models.Model]) -> dict[str, int]:
    """Delete second factors, bindings and known browsers, and `more` kept of the account; how many of which went.

    Within the caller's transaction, who audits why.
    """
    gone = {model._meta.model_name or "": model._default_manager.filter(account=account).delete()[0] for model in _WAYS_IN + more}
    return {name: count for name, count in gone.items() if count}
