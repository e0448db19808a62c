"""Reads of sessions."""

from datetime import datetime

from shuren.identity.data import RiskReason, SignInData, SignInMethod
from shuren.identity.models import SignIn
from shuren.kernel import ids


def sign_ins_of(account_id: int, *, session_key: str | None, now: datetime) -> list[SignInData]:
    """Where the account is signed in, the latest first; the row of `session_key` is marked as the current one."""
    rows = SignIn.objects.filter(account_id=account_id).order_by("-seen_at")[:50]
    return [
        SignInData(
            id=row.pk,
            public_id=ids.encode("sign_in", row.pk),
            address=row.address,
            agent=row.agent,
            begun_at=row.begun_at,
            seen_at=now if row.session_key == session_key else row.seen_at,
            is_current=row.session_key == session_key,
            methods=tuple(map(SignInMethod, row.methods.split())),
            place=row.place,
            risks=tuple(map(RiskReason, row.risks.split())),
        )
        for row in rows
    ]


def current_sign_in(session_key: str | None) -> SignIn | None:
    """The sign-in that a browser's session stands for."""
    return SignIn.objects.filter(session_key=session_key).first() if session_key else None
