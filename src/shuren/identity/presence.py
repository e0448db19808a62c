"""What the session of a signed-in person keeps: what they showed, when, and what they still have to do."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from shuren.identity.data import Assurance, Proof, SignInMethod
from shuren.identity.rules.factors import assurance_of

SEEN_KEY = "seen"
_PROOF = "proof"
_DUE = "factor_due"


def keep_proof(
    request: HttpRequest, *, account_id: int, methods: Collection[SignInMethod], sign_in_id: int | None, now: datetime
) -> None:
    """Remember in the session what was shown to come in."""
    request.session[SEEN_KEY] = int(now.timestamp())
    request.session[_PROOF] = {
        "account": account_id,
        "methods": list(methods),
        "begun": now.timestamp(),
        "verified": now.timestamp(),
        "shown": list(methods),
        "sign_in": sign_in_id,
    }


def proof_of(request: HttpRequest) -> Proof | None:
    """What the signed-in person showed to come in, and when; None for strangers and sessions that kept nothing."""
    kept: dict[str, Any] | None = request.session.get(_PROOF)
    if kept is None:
        return None
    methods = tuple(map(SignInMethod, kept["methods"]))
    begun = datetime.fromtimestamp(kept["begun"], UTC)
    return Proof(kept["account"], methods, assurance_of(methods), begun, kept["sign_in"])


def last_verified(request: HttpRequest) -> tuple[datetime | None, Assurance]:
    """When somebody last showed who they are in this session, and how sure that was."""
    kept: dict[str, Any] | None = request.session.get(_PROOF)
    if kept is None:
        return None, Assurance.WEAK
    return datetime.fromtimestamp(kept["verified"], UTC), assurance_of([SignInMethod(word) for word in kept["shown"]])


def last_shown(request: HttpRequest) -> tuple[SignInMethod, ...]:
    """By what somebody last showed in this session who they are."""
    kept: dict[str, Any] = request.session.get(_PROOF) or {}
    return tuple(map(SignInMethod, kept.get("shown", ())))


def best_proof(request: HttpRequest) -> tuple[SignInMethod, ...]:
    """The methods that make us surest of who is there: those of coming in, or those shown since."""
    kept: dict[str, Any] = request.session.get(_PROOF) or {}
    ways = [tuple(map(SignInMethod, kept.get(name, ()))) for name in ("methods", "shown")]
    return max(ways, key=lambda methods: list(Assurance).index(assurance_of(methods)))


def note_verified(request: HttpRequest, methods: Collection[SignInMethod], *, now: datetime) -> None:
    """Somebody showed once more who they are: their best of now counts, what they came in with stays."""
    kept: dict[str, Any] = dict(request.session.get(_PROOF) or {})
    if not kept:
        return
    request.session[_PROOF] = kept | {"verified": now.timestamp(), "shown": list(methods)}


def is_weak(request: HttpRequest) -> bool:
    """Whether somebody came in by pictures alone."""
    proof = proof_of(request)
    return proof is not None and proof.assurance is Assurance.WEAK


def set_factor_due(request: HttpRequest, *, is_due: bool) -> None:
    if is_due:
        request.session[_DUE] = True
    else:
        request.session.pop(_DUE, None)


def is_factor_due(request: HttpRequest) -> bool:
    return bool(request.session.get(_DUE))
