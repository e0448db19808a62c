"""Who is at the authorization endpoint: the signed-in person, and how and when they last showed who they are."""

from django.http import HttpRequest

from shuren.identity.api import actor_of, amr_of, proof_of
from shuren.identity.presence import best_proof, last_verified
from shuren.identity.rules.factors import assurance_of
from shuren.identity.rules.oauth.claims import ACR_PREFIX
from shuren.identity.services.oauth.families import Entry


def entry_of(request: HttpRequest) -> Entry | None:
    """How the person of this request came in; None for strangers and for sessions that are not on the list."""
    account_id, proof = actor_of(request).account_id, proof_of(request)
    if account_id is None or proof is None or proof.account_id != account_id or proof.sign_in_id is None:
        return None
    verified_at, _assurance = last_verified(request)
    shown = best_proof(request)
    return Entry(
        account_id=account_id,
        sign_in_id=proof.sign_in_id,
        authenticated_at=max(proof.at, verified_at or proof.at),
        acr=f"{ACR_PREFIX}{assurance_of(shown).value}",
        amr=tuple(amr_of(shown)),
    )
