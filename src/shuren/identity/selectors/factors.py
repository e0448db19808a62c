"""Reads of second factors and of what roles demand."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import connection

from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.identity.data import HeldFactors, Requirement
from shuren.identity.models import Account, Passkey, SignInPolicy
from shuren.identity.rules import factors
from shuren.kernel.moments import loaded

# Plain SQL: every sign-in and every sensitive page asks.
_HELD = """
SELECT (SELECT COUNT(*) FROM identity_passkey WHERE account_id = %s),
       (SELECT COUNT(*) FROM identity_totpsecret WHERE account_id = %s AND confirmed_at IS NOT NULL),
       (SELECT COUNT(*) FROM identity_recoverycode WHERE account_id = %s AND used_at IS NULL)
"""
_POLICIES = "SELECT id, role, requirement, grace_days, changed_at FROM identity_signinpolicy"


def held_factors(account_id: int) -> HeldFactors:
    """The second factors of an account, those not yet confirmed left out."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [account_id] * 3)
        passkeys, confirmed, codes = cursor.fetchone()
    return HeldFactors(passkeys=passkeys, has_totp=confirmed > 0, codes_left=codes)


def passkeys_of(account_id: int) -> list[Passkey]:
    return list(Passkey.objects.filter(account_id=account_id).order_by("created_at", "pk"))


def policies() -> dict[Role, SignInPolicy]:
    """The rules written for roles; a role without one follows the default."""
    with connection.cursor() as cursor:
        cursor.execute(_POLICIES)
        rows = [SignInPolicy(key, role, wanted, days, loaded(at)) for key, role, wanted, days, at in cursor.fetchall()]
    return {Role(row.role): row for row in rows}


def requirement_of(account: Account, *, now: datetime) -> tuple[Requirement, bool]:
    """What the account's person must show in any of their roles, and whether the grace for it still lasts.

    Grace counts from the later of the first sign-in and the last change of the rule; who never came in has all of it.
    """
    written = policies()
    demanding = frozenset(role for role in Role if _requirement(role, written.get(role)) is not Requirement.RISK)
    roles = directory.roles_among(account.person_id, demanding, now=now) if account.person_id else frozenset()
    return _strictest(roles, written, begun_at=account.first_sign_in_at, now=now)


def requirement_of_roles(roles: Collection[Role], *, begun_at: datetime | None, now: datetime) -> tuple[Requirement, bool]:
    return _strictest(roles, policies(), begun_at=begun_at, now=now)


def _strictest(
    roles: Collection[Role], written: dict[Role, SignInPolicy], *, begun_at: datetime | None, now: datetime
) -> tuple[Requirement, bool]:
    wanted = {role: _requirement(role, written.get(role)) for role in roles}
    requirement = factors.strictest(wanted.values())
    if requirement is Requirement.RISK or begun_at is None:
        return requirement, True
    graces = [_grace(begun_at, written.get(role)) for role, wish in wanted.items() if wish is requirement]
    return requirement, now < min(graces)


def _requirement(role: Role, policy: SignInPolicy | None) -> Requirement:
    return Requirement(policy.requirement) if policy else factors.DEFAULT_REQUIREMENTS[role]


def _grace(begun_at: datetime, policy: SignInPolicy | None) -> datetime:
    if policy is None:
        return begun_at + factors.GRACE
    return max(begun_at, policy.changed_at) + timedelta(days=policy.grace_days)
