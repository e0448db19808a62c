"""The browsers an account came in from. Plain SQL: every sign-in writes one."""

from datetime import datetime

from django.db import connection

from shuren.identity.data import Visit
from shuren.identity.rules.risk import network_prefix
from shuren.identity.services.throttle import device_hash
from shuren.kernel.moments import stored

_KEPT = 20
_REMEMBER = """
    INSERT INTO identity_device (account_id, token_hash, prefix, first_seen_at, seen_at) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (account_id, token_hash) DO UPDATE SET prefix = EXCLUDED.prefix, seen_at = EXCLUDED.seen_at
"""
_FORGET = """
    DELETE FROM identity_device WHERE id IN (
        SELECT id FROM identity_device WHERE account_id = %s ORDER BY seen_at DESC, id DESC LIMIT 10 OFFSET %s
    )
"""


def remember_device(account_id: int, visit: Visit, *, now: datetime) -> None:
    """Know the browser and its network from now on; of more than twenty, those seen longest ago are forgotten."""
    moment = stored(now)
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER, [account_id, device_hash(visit.device), network_prefix(visit.address), moment, moment])
        cursor.execute(_FORGET, [account_id, _KEPT])
